"""Figures of the scaling-laws page."""

import itertools
import math

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scaling_lesson.figures import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, WIDTH
from scaling_lesson.figures.labels import ROW, in_points, leader, note, place_near, spread, width_in_points
from scaling_lesson.training_time import training_flops


def loss_against_compute(
    flops: list[float], curves: dict[str, list[float]], frontier: list[float], floor: float,
    models: dict[str, tuple[float, float]],
) -> Figure:  # fmt: skip
    """Loss against training FLOPs: a curve a model size, the least loss any size reaches, the floor, and models as dots.

    flops: the budgets, ascending.  curves[size], frontier: the loss at each; None or nan where a curve is not drawn.
    models: (FLOPs, loss) by name. Curves run out of view above the frontier's start and the models.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 4.4))
    top = max([loss for _, loss in models.values()] + [loss for loss in frontier if _drawn(loss)])
    reach = [*flops, *(budget for budget, _ in models.values())]
    ax.set(title="Loss, nats a token", xlabel="training FLOPs", xscale="log", xlim=(min(reach) / 1.6, max(reach)))
    ax.set_ylim(floor - 0.04 * (top - floor), top + 0.1 * (top - floor))
    ax.grid(axis="x", visible=False)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0e}".replace("+", ""))  # a power's small digits blur on phones
    ax.tick_params(labelcolor=INK)
    ax.minorticks_off()
    lines = {name: [loss if _drawn(loss) else math.nan for loss in losses] for name, losses in curves.items()}
    best_losses = [loss if _drawn(loss) else math.nan for loss in frontier]
    for losses in lines.values():
        ax.plot(flops, losses, color=MUTED, linewidth=1.2)
    ax.plot(flops, best_losses, color=BLUE, linewidth=3)
    ax.axhline(floor, color=INK, linewidth=1.2, linestyle="--")

    # Labels right of the axes: once to make the layout leave room for them, then each at its curve's height.
    ends = {name: next((x, y) for x, y in zip(flops[::-1], losses[::-1], strict=True) if _drawn(y))
            for name, losses in lines.items()}  # fmt: skip
    ranked = sorted(ends, key=lambda name: ends[name][1])
    labels = {name: note(ax, name, ends[name], (14, 0), va="center", color=MUTED) for name in ranked}
    for label in labels.values():
        label.set_in_layout(True)
    fig.draw_without_rendering()
    heights = [in_points(ax, *ends[name])[1] for name in ranked]
    frame = [in_points(ax, ends[ranked[0]][0], y)[1] for y in ax.get_ylim()]
    for name, height, wanted in zip(ranked, spread(heights, ROW, *frame), heights, strict=True):
        labels[name].set_position((14, height - wanted))
        leader(ax, ends[name], (13, height - wanted))

    at = max(i for i in range(len(flops)) if i <= 0.42 * len(flops) and _drawn(frontier[i]))
    best = note(ax, "compute-optimal\nfrontier", (flops[at], frontier[at]), (-6, -6), ha="right", va="top", color=BLUE)
    least = note(ax, f"floor {floor:.3g}", (ax.get_xlim()[0], floor), (4, 3), ha="left", va="bottom")
    drawn = [(flops, losses) for losses in (*lines.values(), best_losses, [floor] * len(flops))]
    dots = [(name, *place) for name, place in models.items()]
    place_near(ax, dots, drawn, [best, least, *labels.values()], ORANGE)
    for _, budget, loss in dots:
        ax.plot(budget, loss, "o", color=ORANGE, markersize=5.5, markeredgecolor=PAPER, markeredgewidth=0.7, zorder=4)
    return fig


def _drawn(loss: float | None) -> bool:
    return loss is not None and math.isfinite(loss)


def same_budget(runs: list[tuple[str, float, float]]) -> Figure:
    """Each run as a rectangle, parameters wide and tokens high, all to one scale: its area is the compute, 6 N D.

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
        note(ax, f"{training_flops(size, tokens) / 1e21:,.0f} ZFLOPs", (x, base + tokens * up), (0, 3), va="bottom")
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
