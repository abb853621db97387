"""Figures of the scaling-laws page."""

import itertools
import math

import matplotlib.pyplot as plt
import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation
from matplotlib.ticker import LogLocator

from scaling_lesson.figures import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, WIDTH
from scaling_lesson.figures.labels import ROW, in_points, leader, note, place_near, spread, width_in_points
from scaling_lesson.training_time import training_flops


def loss_against_compute(
    flops: list[float],
    curves: dict[str, list[float]],
    frontier: list[float],
    floor: float,
    models: dict[str, tuple[float, float]],
) -> Figure:
    """Loss against training FLOPs: a curve a model size, the least loss any size reaches, the floor, and models as dots.

    flops: the budgets, ascending.  curves[size], frontier: the loss at each; None or nan where a curve is not drawn.
    models: (FLOPs, loss) by name. Curves run out of view above the frontier's start and the models.
    Models too near one another to be told apart are marked, and named in a second panel that enlarges their part.
    """
    lines = {name: [loss if _drawn(loss) else math.nan for loss in losses] for name, losses in curves.items()}
    best = [loss if _drawn(loss) else math.nan for loss in frontier]
    reach = [*flops, *(budget for budget, _ in models.values())]
    left, right = min(reach) / 1.6, max(reach)
    top = max([loss for _, loss in models.values()] + [loss for loss in best if _drawn(loss)])
    crowd = _crowd(models, (right / left) ** 0.1)
    heights = [4.4, 3.6] if crowd else [4.4]
    fig, axes = plt.subplots(len(heights), figsize=(WIDTH, sum(heights)), height_ratios=heights, squeeze=False)
    ax, *below = axes.flat
    limits = [(left, right, floor - 0.04 * (top - floor), top + 0.1 * (top - floor))]
    limits += [_around(list(crowd.values()), flops, best) for _ in below]
    for panel, (low, high, least, most) in zip(axes.flat, limits, strict=True):
        panel.set(title="Loss, nats a token", xscale="log", xlim=(low, high), ylim=(least, most))
        panel.grid(axis="x", visible=False)
        panel.xaxis.set_major_formatter(lambda value, _: _power(value, 0))
        panel.tick_params(labelcolor=INK)
        panel.minorticks_off()
        for losses in lines.values():
            panel.plot(flops, losses, color=MUTED, linewidth=1.2)
        panel.plot(flops, best, color=BLUE, linewidth=3)
    axes.flat[-1].set_xlabel("training FLOPs")
    ax.axhline(floor, color=INK, linewidth=1.2, linestyle="--")
    for panel in below:
        panel.set_title("The marked part, enlarged")
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))

    # Labels right of the axes: once to make the layout leave room for them, then each at its curve's height.
    labels = [_end_labels(panel, flops, lines) for panel in axes.flat]
    fig.draw_without_rendering()
    drawn = [(flops, losses) for losses in (*lines.values(), best, [floor] * len(flops))]
    for panel, names in zip(axes.flat, labels, strict=True):
        _spread_out(panel, names)
        x = left**0.6 * right**0.4 if panel is ax else math.prod(panel.get_xlim()) ** 0.5
        words = "compute-optimal\nfrontier" if panel is ax else "frontier"
        names.append(note(panel, words, (x, _at(x, flops, best)), (-6, -6), ha="right", va="top", color=BLUE))
    labels[0].append(note(ax, f"floor {floor:.3g}", (left, floor), (4, 3), ha="left", va="bottom"))
    alone = [(name, *place) for name, place in models.items() if name not in crowd]
    labels[0] += place_near(ax, alone, drawn, labels[0], ORANGE)
    for panel, (low, high, least, most) in zip(below, limits[1:], strict=True):
        ax.add_patch(Rectangle((low, least), high - low, most - least, facecolor="none", edgecolor=INK, linewidth=1))
        frame = ([low, high, high, low, low], [least, least, most, most, least])
        place_near(ax, [("enlarged below", low, least)], [*drawn, frame], labels[0], INK)
        place_near(panel, [(name, *place) for name, place in crowd.items()], drawn, labels[1], ORANGE)
    for panel, shown in zip(axes.flat, (models, crowd), strict=False):
        for budget, loss in shown.values():
            panel.plot(
                budget, loss, "o", color=ORANGE, markersize=5.5, markeredgecolor=PAPER, markeredgewidth=0.7, zorder=4
            )
    return fig


def _crowd(models: dict[str, tuple[float, float]], near: float) -> dict[str, tuple[float, float]]:
    """The largest group of models, each with less than `near` times the budget of the one before; none if all are alone."""
    groups: list[dict[str, tuple[float, float]]] = []
    before = 0.0
    for name, (budget, loss) in sorted(models.items(), key=lambda item: item[1][0]):
        if budget >= near * before:
            groups.append({})
        groups[-1][name] = (budget, loss)
        before = budget
    largest = max(groups, key=len, default={})
    return largest if len(largest) > 1 else {}


def _around(
    dots: list[tuple[float, float]], flops: list[float], best: list[float]
) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of a part that holds the dots, with room for their names, and the frontier under them."""
    budgets = [budget for budget, _ in dots]
    left, right = min(budgets) / 1.6, max(budgets) * 1.6
    losses = [loss for _, loss in dots] + [_at(x, flops, best) for x in (left, right)]
    room = 0.15 * (max(losses) - min(losses))
    return left, right, min(losses) - room, max(losses) + room


def _at(budget: float, flops: list[float], losses: list[float]) -> float:
    """A curve's loss at a budget between two of its points: straight on the logarithmic axis, as it is drawn."""
    return float(numpy.interp(math.log(budget), numpy.log(flops), losses))


def _end_labels(ax: Axes, flops: list[float], lines: dict[str, list[float]]) -> list[Annotation]:
    """A name right of each curve that leaves the axes on the right or ends in them, the lowest first."""
    low, high = ax.get_ylim()
    ends = []
    for name, losses in lines.items():
        end = min(ax.get_xlim()[1], max(x for x, y in zip(flops, losses, strict=True) if _drawn(y)))
        ends.append((_at(end, flops, losses), end, name))
    labels = [
        note(ax, name, (x, y), (14, 0), va="center", color=MUTED) for y, x, name in sorted(ends) if low < y < high
    ]
    for label in labels:
        label.set_in_layout(True)
    return labels


def _spread_out(ax: Axes, labels: list[Annotation]) -> None:
    """Move the curves' names apart, each with a line to its curve's end."""
    heights = [in_points(ax, *label.xy)[1] for label in labels]
    frame = [in_points(ax, ax.get_xlim()[0], y)[1] for y in ax.get_ylim()]
    for label, height, wanted in zip(labels, spread(heights, ROW, *frame), heights, strict=True):
        label.set_position((14, height - wanted))
        leader(ax, label.xy, (13, height - wanted))


def _power(number: float, digits: int) -> str:
    """As in code: a power's small digits blur on phones."""
    return f"{number:.{digits}e}".replace("+", "")


def _drawn(loss: float | None) -> bool:
    return loss is not None and math.isfinite(loss)


def same_budget(runs: list[tuple[str, float, float]]) -> Figure:
    """Each run as a rectangle, parameters wide and tokens high, all to one scale: its area is the compute, six N D.

    runs: (name, parameters, tokens).
    """
    fig = plt.figure(figsize=(WIDTH, 3.4))
    fig.set_layout_engine("none")  # the labels are measured, and the rest of the width is the rectangles'
    page_width, page_height = (72 * inches for inches in fig.get_size_inches())
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, page_width), ylim=(0, page_height))  # in points
    ax.axis("off")
    heights = [note(ax, f"{_count(tokens)}\ntokens", (0, 0), (5, 0), va="center") for _, _, tokens in runs]
    widths = [note(ax, f"{_count(size)}\nparameters", (0, 0), (0, -3), ha="center", va="top") for _, size, _ in runs]
    beside, below = (max(width_in_points(label) for label in labels) for labels in (heights, widths))
    base = 2.6 * ROW
    # What the labels leave is shared out: so many points a parameter, so many a token.
    across = (page_width - len(runs) * (beside + 14)) / sum(size for _, size, _ in runs)
    up = (page_height - base - 2.6 * ROW) / max(tokens for _, _, tokens in runs)
    x, middles = 4.0, []
    for (name, size, tokens), tall, colour in zip(runs, heights, itertools.cycle((ORANGE, BLUE, GREEN))):
        ax.add_patch(Rectangle((x, base), size * across, tokens * up, facecolor=colour))
        note(ax, name, (x, base + tokens * up), (0, 3 + ROW), va="bottom", color=colour, weight="bold")
        note(ax, f"{_power(training_flops(size, tokens), 2)} FLOPs", (x, base + tokens * up), (0, 3), va="bottom")
        middles.append(x + size * across / 2)
        x += size * across
        tall.xy = (x, base + tokens * up / 2)
        x += beside + 14
    for wide, middle in zip(widths, spread(middles, below + 6, below / 2 + 2, page_width - below / 2 - 2), strict=True):
        wide.xy = (middle, base)
    return fig


def _count(number: float) -> str:
    scale, letter = next(((s, c) for s, c in ((1e12, "T"), (1e9, "B"), (1e6, "M")) if number >= s), (1, ""))
    return f"{number / scale:,.3g}{letter}"
