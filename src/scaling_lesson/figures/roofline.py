"""Figures of the roofline page."""

import math

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from scaling_lesson.figures import BLUE, INK, MUTED, ORANGE, PAPER, SMALL, WIDTH
from scaling_lesson.figures.labels import ROW, in_points, spread, width_in_points


def gpt2_roofline(peak_flop_per_s: float, memory_bytes_per_s: float, operations: dict[str, float]) -> Figure:
    """The roof over a GPU's speed, and each operation on it at its intensity: orange under the slope, blue under the flat.

    operations: arithmetic intensity by name, FLOP/B. The roof is min(peak, intensity x bandwidth).
    """
    ridge = peak_flop_per_s / memory_bytes_per_s
    ranked = sorted(operations.items(), key=lambda item: item[1])
    left, right = min(ridge, ranked[0][1]) / 2, max(20 * ridge, 2 * ranked[-1][1])
    fig, ax = plt.subplots(figsize=(WIDTH, 4.4))
    bottom = left * memory_bytes_per_s / 2
    ax.set(title="Attainable TFLOP/s", xlabel="arithmetic intensity (FLOP/B)", xscale="log", yscale="log")
    ax.set(xlim=(left, right), ylim=(bottom, peak_flop_per_s))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value / 1e12:,g}")
    ax.tick_params(labelcolor=INK)
    ax.minorticks_off()

    # The labels of the flat roof stand above it, a row each, so the axis must reach that much higher.
    memory, compute = [op for op in ranked if op[1] < ridge], [op for op in ranked if op[1] >= ridge]
    fig.draw_without_rendering()
    height = in_points(ax, left, peak_flop_per_s)[1] - in_points(ax, left, bottom)[1]
    share = (len(compute) + 0.7) * ROW / height
    ax.set_ylim(top=peak_flop_per_s * (peak_flop_per_s / bottom) ** (share / (1 - share)))
    fig.draw_without_rendering()

    ax.plot([left, ridge], [peak_flop_per_s] * 2, color=MUTED, linewidth=0.8, linestyle=":")
    ax.plot([ridge, ridge], [bottom, peak_flop_per_s], color=MUTED, linewidth=0.8, linestyle=":")
    ax.plot([left, ridge, right], [left * memory_bytes_per_s, peak_flop_per_s, peak_flop_per_s], color=INK)
    ax.plot(ridge, peak_flop_per_s, "s", color=INK, markersize=5)
    _note(ax, f"peak {peak_flop_per_s / 1e12:,.4g} TFLOP/s", (left, peak_flop_per_s), (3, -3), ha="left", va="top")
    _note(ax, f"ridge {_short(ridge)} FLOP/B", (ridge, bottom), (-4, 3), ha="right", va="bottom")
    _note(ax, "memory-bound", (ridge, bottom), (-4, 3 + ROW), ha="right", va="bottom", color=ORANGE)
    _note(ax, "compute-bound", (ridge, bottom), (4, 3 + ROW), ha="left", va="bottom", color=BLUE)
    _along_slope(ax, f"{memory_bytes_per_s / 1e12:.3g} TB/s", left, ridge, memory_bytes_per_s)
    _label_slope(ax, memory, memory_bytes_per_s, ridge)
    for row, (name, intensity) in enumerate(compute):
        _rising_label(ax, f"{name} {_short(intensity)}", (intensity, peak_flop_per_s), (row + 0.8) * ROW)
    for group, colour in ((memory, ORANGE), (compute, BLUE)):
        for _, intensity in group:
            speed = min(peak_flop_per_s, intensity * memory_bytes_per_s)
            ax.plot(intensity, speed, "o", color=colour, markersize=6, markeredgecolor=PAPER, markeredgewidth=0.8)
    return fig


def _label_slope(ax: Axes, memory: list[tuple[str, float]], memory_bytes_per_s: float, ridge: float) -> None:
    """Each name at the height of its dot: right of the slope where it ends before the ridge, else left of it."""
    away, half = 9, ROW / 2
    edge, ridge_at = in_points(ax, ax.get_xlim()[0], ax.get_ylim()[0]), in_points(ax, ridge, ridge * memory_bytes_per_s)
    run = (ridge_at[0] - edge[0]) / (ridge_at[1] - in_points(ax, ax.get_xlim()[0], ax.get_xlim()[0] * memory_bytes_per_s)[1])
    sides: dict[str, list[tuple[Annotation, float, float]]] = {"left": [], "right": []}
    for name, intensity in memory:
        label = _note(ax, f"{name} {_short(intensity)}", (intensity, intensity * memory_bytes_per_s), (0, 0), color=ORANGE)
        x, y = in_points(ax, *label.xy)
        width = width_in_points(label) + away
        goes_left = x + width > ridge_at[0] and x - width > edge[0]
        sides["left" if goes_left else "right"].append((label, x, y))
    # The two lowest rows are the ridge's; the one under the roof is the peak's.
    low, high = edge[1] + 3 * ROW, ridge_at[1] - 1.5 * ROW
    for side, labels in sides.items():
        for (label, x, y), height in zip(labels, spread([y for _, _, y in labels], ROW, low, high), strict=True):
            # Clear of the slope, which passes the label's height at x + run (height - y).
            if side == "right":
                dx = max(0, run * (height + half - y)) + away
            else:
                dx = min(0, run * (height - half - y)) - away
            label.set(position=(dx, height - y), ha="left" if side == "right" else "right", va="center")
            _leader(ax, label.xy, (dx - math.copysign(2, dx), height - y))


def _rising_label(ax: Axes, text: str, foot: tuple[float, float], rise: float, colour: str = BLUE) -> Annotation:
    """A name left of a line that rises from its dot. The next dot's line, farther right, passes it by."""
    _leader(ax, foot, (0, rise))
    return _note(ax, text, foot, (-4, rise), ha="right", va="center", color=colour)


def _leader(ax: Axes, foot: tuple[float, float], to: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", foot, to, textcoords="offset points", arrowprops=arrow).set_in_layout(False)


def _note(ax: Axes, text: str, xy: tuple[float, float], offset: tuple[float, float], color: str = INK, **how) -> Annotation:
    label = ax.annotate(text, xy, offset, textcoords="offset points", color=color, size=SMALL, annotation_clip=False, **how)
    label.set_in_layout(False)  # the room for it is made above
    return label


def _along_slope(ax: Axes, text: str, left: float, ridge: float, memory_bytes_per_s: float) -> None:
    middle = left ** (2 / 3) * ridge ** (1 / 3)
    (x0, y0), (x1, y1) = (in_points(ax, x, x * memory_bytes_per_s) for x in (left, ridge))
    angle = math.atan2(y1 - y0, x1 - x0)
    offset = (-5 * math.sin(angle), 5 * math.cos(angle))
    _note(ax, text, (middle, middle * memory_bytes_per_s), offset, rotation=math.degrees(angle), rotation_mode="anchor",
          ha="center", va="bottom")  # fmt: skip


def _short(intensity: float) -> str:
    return f"{intensity:,.0f}" if intensity >= 100 else f"{intensity:.3g}"
