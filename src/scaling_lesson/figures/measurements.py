"""Figures of what machines measured, on the pages whose bounds they stand beside. The reader's own machine is green."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from scaling_lesson.figures import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, WIDTH, YOURS
from scaling_lesson.figures.labels import ROW, in_points, lay_out, note, spread, width_in_points

MARKERS = "osDv^"
"""Of the machines, in order; after the last the first again."""


@dataclass(frozen=True)
class Roof:
    """One machine: its peak in FLOP/s, its bandwidth in B/s, and the FLOP/s that operations reached there, by name."""

    machine: str
    peak: float
    bandwidth: float
    reached: dict[str, float]
    yours: bool = False


@dataclass(frozen=True)
class Line:
    """One curve. way: which colour. bound: computed and not measured, so dashed. machine: which marker."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    way: int = 0
    bound: bool = False
    machine: int = 0
    yours: bool = False


def measured_roofline(roofs: Sequence[Roof], intensities: dict[str, float]) -> Figure:
    """The roof of each machine, named where it ends, and what operations reached under it.

    intensities: FLOP/B by operation. Each operation's dots stand on one vertical line, which bears its name.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 4.6))
    left, right = min(intensities.values()) / 1.8, 3 * max(intensities.values())
    speeds = [speed for roof in roofs for speed in roof.reached.values()]
    bottom, top = min(speeds), 2 * max(roof.peak for roof in roofs)
    ax.set(title="FLOP/s reached, under each machine's own roof", xlabel="arithmetic intensity (FLOP/B)")
    # The lower third is for the names.
    ax.set(xscale="log", yscale="log", xlim=(left, right), ylim=(bottom * (bottom / top) ** 0.6, top))
    ticks = [10.0**power for power in range(-6, 10) if left <= 10.0**power <= right]
    ax.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    ax.yaxis.set_major_formatter(lambda value, _: _flop_per_s(value))
    ax.tick_params(labelcolor=INK)
    ax.minorticks_off()
    ax.grid(visible=False)
    names = []
    for n, roof in enumerate(roofs):
        colour, label = (GREEN, YOURS) if roof.yours else ((BLUE, ORANGE, INK)[n % 3], "")
        corners = [left, min(max(roof.peak / roof.bandwidth, left), right), right]
        ends = [min(roof.peak, x * roof.bandwidth) for x in corners]
        ax.plot(corners, ends, color=colour, label=label)
        marked = {"marker": MARKERS[n % len(MARKERS)], "linestyle": "", "markersize": 6, "markeredgecolor": PAPER}
        dots = [(intensities[name], speed) for name, speed in roof.reached.items()]
        ax.plot(*zip(*dots, strict=True), color=colour, label=label, **marked)
        names.append(note(ax, roof.machine, (right, ends[-1]), (4, 0), color=colour, va="center"))
        names[-1].set_label(label)
    lay_out(fig)
    ax.set_xlim(left, _beside(ax, left, right, names))
    names.sort(key=lambda name: name.xy[1])
    heights = [in_points(ax, *name.xy)[1] for name in names]
    for name, height, at in zip(names, heights, spread(heights, ROW), strict=True):
        name.set_position((4, at - height))
    ranked = sorted(intensities.items(), key=lambda item: item[1])
    places = [in_points(ax, x, bottom)[0] for _, x in ranked]
    for (name, x), at, place in zip(ranked, places, spread(places, ROW), strict=True):
        ax.axvline(x, color=MUTED, linewidth=0.5, linestyle=":", zorder=1)
        below = (place - at, 4)
        mask = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5}
        note(ax, name, (x, ax.get_ylim()[0]), below, rotation=90, ha="center", va="bottom", bbox=mask)
    return fig


def lines(title: str, xlabel: str, curves: Sequence[Line], ticks: Sequence[float]) -> Figure:
    """Curves on logarithmic axes, each named where it ends: measured with dots, bounds dashed."""
    fig, ax = plt.subplots(figsize=(WIDTH, _height(curves)))
    _draw(ax, title, xlabel, curves, ticks)
    lay_out(fig)
    _name(ax, curves)
    return fig


def steps_by_batch(above: Sequence[Line], below: Sequence[Line], ticks: Sequence[float]) -> Figure:
    """Milliseconds a step, and tokens a second, against the sequences decoded together."""
    fig, (upper, lower) = plt.subplots(2, 1, figsize=(WIDTH, 2 * _height(above) - 0.8))
    _draw(upper, "Milliseconds a step", "", above, ticks)
    _draw(lower, "Tokens a second", "sequences decoded together", below, ticks)
    lay_out(fig)
    _name(upper, above)
    _name(lower, below)
    return fig


def _draw(ax: Axes, title: str, xlabel: str, curves: Sequence[Line], ticks: Sequence[float]) -> None:
    ax.set(title=title, xlabel=xlabel, xscale="log", yscale="log")
    ax.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.tick_params(labelcolor=INK)
    ax.minorticks_off()
    for curve in curves:
        marker = "" if curve.bound else MARKERS[curve.machine % len(MARKERS)]
        style, label = "--" if curve.bound else "-", YOURS if curve.yours else ""
        ax.plot(curve.x, curve.y, style, color=_colour(curve), marker=marker, markersize=4, linewidth=1.3, label=label)


def _name(ax: Axes, curves: Sequence[Line]) -> None:
    """The name of each curve right of all of them, at the height where it ends. The figure must be laid out."""
    left, last = min(x for curve in curves for x in curve.x), max(x for curve in curves for x in curve.x)
    ranked = sorted(curves, key=lambda curve: curve.y[-1])
    names = [note(ax, curve.name, (last, curve.y[-1]), (6, 0), color=_colour(curve), va="center") for curve in ranked]
    ax.set_xlim(left / 1.1, _beside(ax, left / 1.1, last, names))
    heights = [in_points(ax, last, curve.y[-1])[1] for curve in ranked]
    low, high = (in_points(ax, last, y)[1] for y in ax.get_ylim())
    for name, curve, height, at in zip(names, ranked, heights, spread(heights, ROW, low + ROW / 2, high), strict=True):
        name.set_position((6, at - height))
        name.set_label(YOURS if curve.yours else "")


def _beside(ax: Axes, left: float, last: float, names: Sequence[Annotation]) -> float:
    """Where a logarithmic axis must end, so that names right of `last` stand on it."""
    widest = 8 + max(width_in_points(name) for name in names)
    share = widest * ax.figure.dpi / 72 / ax.get_window_extent().width
    return last * (last / left) ** (share / (1 - share))


def _colour(curve: Line) -> str:
    return GREEN if curve.yours else (BLUE, ORANGE, INK)[curve.way % 3]


def _height(curves: Sequence[Line]) -> float:
    """Inches of a panel, so that there is a row for each name."""
    return max(3.6, 1.2 + len(curves) * ROW / 72)


def _flop_per_s(value: float) -> str:
    """A speed on an axis, with its prefix: the unit is in the title."""
    for factor, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= factor:
            return f"{value / factor:,g} {prefix}"
    return f"{value:,g}"
