"""Figures of the scaling-laws page."""

import itertools

import matplotlib.pyplot as plt
import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

from scaling_lesson.figures import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, SHADE, WIDTH
from scaling_lesson.figures.labels import ROW, in_points, lay_out, leader, note, place_near, spread, width_in_points
from scaling_lesson.training_time import training_flops


def loss_valley(
    parameters: list[float],
    floor: float,
    from_size: list[float],
    from_text: list[float],
    sizes: dict[str, tuple[float, float]],
) -> Figure:
    """The loss of every split of one budget, as what lies on the floor: too few parameters, and on it too little text.

    parameters: the sizes, ascending.  from_size, from_text: what each term adds there.  sizes: by name, a size and the
    loss there, as dots.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 3.7))
    level = [floor] * len(parameters)
    size_only = [floor + term for term in from_size]
    total = [below + term for below, term in zip(size_only, from_text, strict=True)]
    least = total.index(min(total))
    height = min(total) - floor
    ax.set(title="Loss by the fit, nats a token", xlabel="parameters", xscale="log")
    ax.set(xlim=(parameters[0], parameters[-1]), ylim=(floor - 0.3 * height, floor + 1.9 * height))
    ax.xaxis.set_major_formatter(lambda value, _: _count(value))
    ax.minorticks_off()
    ax.tick_params(labelcolor=INK)
    ax.grid(axis="x", visible=False)
    ax.fill_between(parameters, level, size_only, facecolor=SHADE, linewidth=0)
    ax.plot(parameters, size_only, color=GREEN, linewidth=1.4)
    ax.plot(parameters, total, color=BLUE, linewidth=3)
    ax.axhline(floor, color=INK, linewidth=1.2, linestyle="--")
    lay_out(fig)
    left, right = parameters[0], parameters[-1]
    note(ax, f"floor {floor:.3g}", (left, floor), (4, -3), va="top")
    at = left**0.88 * right**0.12
    note(ax, "too few\nparameters", (at, floor), (0, 6), va="bottom", color=GREEN)
    x = left**0.1 * right**0.9
    between = (_at(x, parameters, size_only) + _at(x, parameters, total)) / 2
    note(ax, "too little\ntext", (x, between), (0, 0), ha="center", va="center", color=BLUE)
    taken = [note(ax, "best split", (parameters[least], total[least]), (0, -7), ha="center", va="top", color=BLUE)]
    place_near(ax, [(name, *dot) for name, dot in sizes.items()], [(parameters, total)], taken, ORANGE)
    for size, loss in sizes.values():
        _dot(ax, size, loss, ORANGE)
    return fig


def loss_against_compute(
    flops: list[float],
    curves: dict[str, list[float]],
    frontier: list[float],
    floor: float,
    touching: list[tuple[float, float]],
    models: dict[str, tuple[float, float]],
    ticks: list[float],
) -> Figure:
    """Loss against training FLOPs: a curve a model size, the least loss any size reaches, and models where the fit puts them.

    flops: the budgets, ascending.  curves[size], frontier: the loss at each.  touching: (FLOPs, loss) where a curve
    meets the frontier.  models: (FLOPs, loss) by name.  ticks: the losses to mark, the highest the top of the view.
    The axis is stretched toward the floor, so that the frontier, a power law above it, is straight.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 4.6))
    ax.set(title="Loss by the fit, nats a token, stretched toward its floor", xlabel="training FLOPs", xscale="log")
    scale = (lambda loss: numpy.log(numpy.maximum(loss - floor, 1e-9)), lambda height: numpy.exp(height) + floor)
    ax.set_yscale("function", functions=scale)
    lowest = floor + 0.85 * (frontier[-1] - floor)
    ax.set(xlim=(flops[0], flops[-1]), ylim=(lowest, max(ticks)))
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.xaxis.set_major_formatter(lambda value, _: _power(value, 0))
    ax.minorticks_off()
    ax.tick_params(labelcolor=INK)
    ax.grid(axis="x", visible=False)
    for losses in curves.values():
        ax.plot(flops, losses, color=MUTED, linewidth=1.3)
    ax.plot(flops, frontier, color=BLUE, linewidth=3)

    # Names right of the axes: once to make the layout leave room for them, then each at its curve's height.
    ends = sorted((losses[-1], name) for name, losses in curves.items())
    names = [note(ax, name, (flops[-1], loss), (14, 0), va="center", color=MUTED) for loss, name in ends]
    for label in names:
        label.set_in_layout(True)
    lay_out(fig)
    _spread_out(ax, names)
    for budget, loss in touching:
        _dot(ax, budget, loss, BLUE)
    x = flops[0] ** 0.6 * flops[-1] ** 0.4
    names.append(
        note(ax, "compute-optimal\nfrontier", (x, _at(x, flops, frontier)), (-6, -8), ha="right", va="top", color=BLUE)
    )
    lines = [(flops, losses) for losses in (*curves.values(), frontier)]
    for name, (budget, loss) in sorted(
        models.items(), key=lambda model: -model[1][1]
    ):  # so that no leader crosses another
        names += place_near(ax, [(name, budget, loss)], lines, names, ORANGE)
        _dot(ax, budget, loss, ORANGE)
    return fig


def _dot(ax: Axes, x: float, y: float, colour: str) -> None:
    ax.plot(x, y, "o", color=colour, markersize=6, markeredgecolor=PAPER, markeredgewidth=0.8, zorder=4)


def _at(x: float, xs: list[float], ys: list[float]) -> float:
    """A curve's height between two of its points: straight on the logarithmic axis, as it is drawn."""
    return float(numpy.interp(numpy.log(x), numpy.log(xs), ys))


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
