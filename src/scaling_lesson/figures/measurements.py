"""Figures of what machines measured, on the pages whose bounds they stand beside. The reader's own machine is green."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaling_lesson.figures import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, WIDTH, YOURS
from scaling_lesson.figures.labels import ROW, in_points, note, spread

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
    """The roof of each machine, and what operations reached under it.

    intensities: FLOP/B by operation. Each operation's dots stand on one vertical line, which bears its name.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 4.6))
    left, right = min(intensities.values()) / 1.8, 3 * max(intensities.values())
    speeds = [speed for roof in roofs for speed in roof.reached.values()]
    bottom, top = min(speeds), 2 * max(roof.peak for roof in roofs)
    ax.set(title="FLOP/s reached, under each machine's own roof", xlabel="arithmetic intensity (FLOP/B)")
    # The lower third is for the names.
    ax.set(xscale="log", yscale="log", xlim=(left, right), ylim=(bottom * (bottom / top) ** 0.6, top))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.yaxis.set_major_formatter(lambda value, _: _flop_per_s(value))
    ax.tick_params(labelcolor=INK)
    ax.minorticks_off()
    ax.grid(visible=False)
    ranked = sorted(intensities.items(), key=lambda item: item[1])
    fig.draw_without_rendering()
    places = [in_points(ax, x, bottom)[0] for _, x in ranked]
    for (name, x), at, place in zip(ranked, places, spread(places, ROW), strict=True):
        ax.axvline(x, color=MUTED, linewidth=0.5, linestyle=":")
        below = (place - at, 4)
        mask = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5}
        note(ax, name, (x, ax.get_ylim()[0]), below, rotation=90, ha="center", va="bottom", bbox=mask)
    for n, roof in enumerate(roofs):
        colour, label = (GREEN, YOURS) if roof.yours else ((BLUE, ORANGE, INK)[n % 3], "")
        ridge = roof.peak / roof.bandwidth
        ends = [left, min(max(ridge, left), right), right]
        ax.plot(ends, [min(roof.peak, x * roof.bandwidth) for x in ends], color=colour, label=label)
        marked = {"marker": MARKERS[n % len(MARKERS)], "linestyle": "", "markersize": 6, "markeredgecolor": PAPER}
        ax.plot(
            [intensities[name] for name in roof.reached], [*roof.reached.values()], color=colour, label=label, **marked
        )
        named = note(ax, roof.machine, (left, left * roof.bandwidth), (4, 12), color=colour, va="bottom")
        named.set_label(label)
    return fig


def lines(title: str, xlabel: str, curves: Sequence[Line], ticks: Sequence[float]) -> Figure:
    """Curves on logarithmic axes, each named where it ends: measured with dots, bounds dashed."""
    fig, ax = plt.subplots(figsize=(WIDTH, 3.6))
    draw_lines(ax, title, xlabel, curves, ticks)
    return fig


def steps_by_batch(above: Sequence[Line], below: Sequence[Line], ticks: Sequence[float]) -> Figure:
    """Milliseconds a step, and tokens a second, against the sequences decoded together."""
    fig, (upper, lower) = plt.subplots(2, 1, figsize=(WIDTH, 6.4))
    draw_lines(upper, "Milliseconds a step", "", above, ticks)
    draw_lines(lower, "Tokens a second", "sequences decoded together", below, ticks)
    return fig


def draw_lines(ax: Axes, title: str, xlabel: str, curves: Sequence[Line], ticks: Sequence[float]) -> None:
    """What `lines` draws, on axes of its own."""
    ax.set(title=title, xlabel=xlabel, xscale="log", yscale="log")
    ax.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.tick_params(labelcolor=INK)
    ax.minorticks_off()
    for curve in curves:
        colour = GREEN if curve.yours else (BLUE, ORANGE, INK)[curve.way % 3]
        marker = "" if curve.bound else MARKERS[curve.machine % len(MARKERS)]
        style, label = "--" if curve.bound else "-", YOURS if curve.yours else ""
        ax.plot(curve.x, curve.y, style, color=colour, marker=marker, markersize=4, linewidth=1.3, label=label)
    left, last = min(x for curve in curves for x in curve.x), max(x for curve in curves for x in curve.x)
    ax.set_xlim(left / 1.1, last * (last / left) ** 0.62)  # the names stand in the right third
    ax.figure.draw_without_rendering()
    ranked = sorted(curves, key=lambda curve: curve.y[-1])
    heights = [in_points(ax, curve.x[-1], curve.y[-1])[1] for curve in ranked]
    for curve, height, at in zip(ranked, heights, spread(heights, ROW), strict=True):
        colour = GREEN if curve.yours else (BLUE, ORANGE, INK)[curve.way % 3]
        aside = in_points(ax, last, 1)[0] - in_points(ax, curve.x[-1], 1)[0]
        text = note(ax, curve.name, (curve.x[-1], curve.y[-1]), (aside + 6, at - height), color=colour, va="center")
        text.set_label(YOURS if curve.yours else "")


def _flop_per_s(value: float) -> str:
    """A speed on an axis, with its prefix: the unit is in the title."""
    for factor, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= factor:
            return f"{value / factor:,g} {prefix}"
    return f"{value:,g}"
