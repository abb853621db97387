"""Figures of the roofline page."""

import math

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from scaling_lesson.figures import BLUE, INK, MUTED, ORANGE, PAPER, WIDTH
from scaling_lesson.figures.labels import ROW, in_points, lay_out, leader, note, rising_label, spread, width_in_points


def gpt2_roofline(peak_flop_per_s: float, memory_bytes_per_s: float, operations: dict[str, float]) -> Figure:
    """The roof over a GPU's speed, and each operation on it at its intensity: orange under the slope, blue under the flat.

    operations: arithmetic intensity by name, FLOP/B. The roof is min(peak, intensity x bandwidth).
    """
    ridge = peak_flop_per_s / memory_bytes_per_s
    ranked = sorted(operations.items(), key=lambda item: item[1])
    left, right = min(ridge, ranked[0][1]) / 2, max(20 * ridge, 2 * ranked[-1][1])
    fig, ax = plt.subplots(figsize=(WIDTH, 4.4))
    bottom = left * memory_bytes_per_s / 2
    ax.set(
        title="TFLOP/s at most: each dot is a bound, not a measurement",
        xlabel="arithmetic intensity (FLOP/B)",
        xscale="log",
        yscale="log",
    )
    ax.set(xlim=(left, right), ylim=(bottom, peak_flop_per_s))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value / 1e12:,g}")
    ax.tick_params(labelcolor=INK)
    ax.minorticks_off()

    # The labels of the flat roof stand above it, a row each, so the axis must reach that much higher.
    memory, compute = [op for op in ranked if op[1] < ridge], [op for op in ranked if op[1] >= ridge]
    lay_out(fig)
    height = in_points(ax, left, peak_flop_per_s)[1] - in_points(ax, left, bottom)[1]
    share = (len(compute) + 0.7) * ROW / height
    ax.set_ylim(top=peak_flop_per_s * (peak_flop_per_s / bottom) ** (share / (1 - share)))
    lay_out(fig)

    ax.plot([left, ridge], [peak_flop_per_s] * 2, color=MUTED, linewidth=0.8, linestyle=":")
    ax.plot([ridge, ridge], [bottom, peak_flop_per_s], color=MUTED, linewidth=0.8, linestyle=":")
    ax.plot([left, ridge, right], [left * memory_bytes_per_s, peak_flop_per_s, peak_flop_per_s], color=INK)
    ax.plot(ridge, peak_flop_per_s, "s", color=INK, markersize=5)
    note(ax, f"peak {peak_flop_per_s / 1e12:,.4g} TFLOP/s", (left, peak_flop_per_s), (3, -3), ha="left", va="top")
    note(ax, f"ridge {_short(ridge)} FLOP/B", (ridge, bottom), (-4, 3), ha="right", va="bottom")
    note(ax, "memory-bound", (ridge, bottom), (-4, 3 + ROW), ha="right", va="bottom", color=ORANGE)
    note(ax, "compute-bound", (ridge, bottom), (4, 3 + ROW), ha="left", va="bottom", color=BLUE)
    _along_slope(ax, f"{memory_bytes_per_s / 1e12:.3g} TB/s", left, ridge, memory_bytes_per_s)
    _label_slope(ax, memory, memory_bytes_per_s, ridge)
    for row, (name, intensity) in enumerate(compute):
        rising_label(ax, f"{name} {_short(intensity)}", (intensity, peak_flop_per_s), (row + 0.8) * ROW, BLUE)
    for group, colour in ((memory, ORANGE), (compute, BLUE)):
        for _, intensity in group:
            speed = min(peak_flop_per_s, intensity * memory_bytes_per_s)
            ax.plot(intensity, speed, "o", color=colour, markersize=6, markeredgecolor=PAPER, markeredgewidth=0.8)
    return fig


def ridge_points(ridges: dict[str, float], operations: dict[str, float]) -> Figure:
    """Each GPU's ridge point, smallest first, and where operations stand: orange is memory-bound there, blue compute-bound.

    ridges: FLOP/B by GPU.  operations: arithmetic intensity by name, FLOP/B, each a line through all rows.
    """
    rows = sorted(ridges.items(), key=lambda item: item[1])
    lines = sorted(operations.items(), key=lambda item: item[1])
    pitch = 1.9 * ROW  # points from one GPU to the next
    top = -1.5  # in rows: the headings hang from here, and the operations' names stand on it
    fig, ax = plt.subplots(figsize=(WIDTH, (pitch * (len(rows) + 1) + ROW * (len(lines) + 4)) / 72))
    right = 1.12 * max(*ridges.values(), *operations.values())
    ax.set(
        xlabel="arithmetic intensity (FLOP/B)",
        xlim=(0, right),
        ylim=(len(rows) - 0.4, top - ROW * (len(lines) + 0.2) / pitch),
    )
    ax.set_yticks(range(len(rows)), [name for name, _ in rows])
    ax.tick_params(labelcolor=INK)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)
    mask = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
    for row, (_, ridge) in enumerate(rows):
        ax.plot([0, ridge], [row, row], color=ORANGE, linewidth=4, solid_capstyle="butt")
        ax.plot([ridge, right], [row, row], color=BLUE, linewidth=4, solid_capstyle="butt")
    for row, (name, intensity) in enumerate(lines):
        ax.plot([intensity] * 2, [len(rows) - 0.4, top], color=INK, linewidth=0.9)
        rising_label(ax, f"{name} {_short(intensity)}", (intensity, top), (row + 0.6) * ROW, INK)
    labels = []
    for row, (_, ridge) in enumerate(rows):
        ax.plot(ridge, row, "o", color=INK, markersize=7, markeredgecolor=PAPER, markeredgewidth=1)
        labels.append(note(ax, _short(ridge), (ridge, row), (0, 6), ha="center", va="bottom", bbox=mask))
    smallest = rows[0][1]  # over its two parts, where no operation's line passes
    note(ax, "memory-bound", (smallest, top), (-8, -2), ha="right", va="top", color=ORANGE)
    note(ax, "compute-bound", (smallest, top), (8, -2), ha="left", va="top", color=BLUE)
    lay_out(fig)
    for label in labels:
        _beside_lines(label, [intensity for _, intensity in lines])
    return fig


def step_against_batch(
    users: list[int], weights_s: list[float], full_s: list[float], floor_s: float, launch_s: float, full: int
) -> Figure:
    """Step time and tokens a second against the number of sequences decoded together, both axes logarithmic.

    weights_s: least seconds of a step that reads the weights alone, for each number of users.  full_s: the same with
    each user's keys and values of `full` positions.  floor_s: seconds that launching the kernels takes, at launch_s each.
    """
    fig, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 5.6), sharex=True)
    curves = ((weights_s, BLUE, "-"), (full_s, ORANGE, "-"), ([floor_s] * len(users), INK, "--"))
    for seconds, colour, style in curves:
        above.plot(users, [s * 1e3 for s in seconds], color=colour, linestyle=style)
        below.plot(users, [n / s for n, s in zip(users, seconds, strict=True)], color=colour, linestyle=style)
    above.set(title="Milliseconds a step, at least", xscale="log", yscale="log")
    below.set(title="Tokens a second, at most", xscale="log", yscale="log", xlabel="users decoded together")
    above.set_ylim(bottom=min(weights_s) * 1e3 / 2.6)
    for ax in (above, below):
        ax.set_xlim(users[0], users[-1])
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
        ax.tick_params(labelcolor=INK)
        ax.minorticks_off()
    lay_out(fig)
    note(above, "weights alone", (users[0], weights_s[0] * 1e3), (6, -5), ha="left", va="top", color=BLUE)
    launches = f"launches (assumed {launch_s * 1e6:g} µs)"
    note(above, launches, (users[0], floor_s * 1e3), (6, 4), ha="left", va="bottom")
    cached = f"with {full:,} keys and values each"
    note(above, cached, (users[-1], full_s[-1] * 1e3), (-16, 0), ha="right", va="center", color=ORANGE)
    knee = max(n for n, s in zip(users, weights_s, strict=True) if s == weights_s[0])
    note(below, "weights alone", (knee, knee / weights_s[0]), (-8, 2), ha="right", va="center", color=BLUE)
    note(below, "launches", (users[0], users[0] / floor_s), (24, 0), ha="left", va="center")
    cached = "with keys and values"
    note(below, cached, (users[-1], users[-1] / full_s[-1]), (-2, -5), ha="right", va="top", color=ORANGE)
    return fig


def _beside_lines(label: Annotation, lines: list[float]) -> None:
    """Move a label that stands centred over its dot off the vertical lines: to the side of a line on which its dot is."""
    clear = width_in_points(label) / 2 + 3
    x, y = in_points(label.axes, *label.xy)
    for line in (in_points(label.axes, intensity, 0)[0] for intensity in lines):
        if abs(x - line) < clear:
            label.set_position((line - x + math.copysign(clear, x - line), label.get_position()[1]))


def _label_slope(ax: Axes, memory: list[tuple[str, float]], memory_bytes_per_s: float, ridge: float) -> None:
    """Each name at the height of its dot: right of the slope where it ends before the ridge, else left of it."""
    away, half = 9, ROW / 2
    edge, ridge_at = in_points(ax, ax.get_xlim()[0], ax.get_ylim()[0]), in_points(ax, ridge, ridge * memory_bytes_per_s)
    run = (ridge_at[0] - edge[0]) / (
        ridge_at[1] - in_points(ax, ax.get_xlim()[0], ax.get_xlim()[0] * memory_bytes_per_s)[1]
    )
    sides: dict[str, list[tuple[Annotation, float, float]]] = {"left": [], "right": []}
    for name, intensity in memory:
        label = note(
            ax, f"{name} {_short(intensity)}", (intensity, intensity * memory_bytes_per_s), (0, 0), color=ORANGE
        )
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
            leader(ax, label.xy, (dx - math.copysign(2, dx), height - y))


def _along_slope(ax: Axes, text: str, left: float, ridge: float, memory_bytes_per_s: float) -> None:
    middle = left ** (2 / 3) * ridge ** (1 / 3)
    (x0, y0), (x1, y1) = (in_points(ax, x, x * memory_bytes_per_s) for x in (left, ridge))
    angle = math.atan2(y1 - y0, x1 - x0)
    offset = (-5 * math.sin(angle), 5 * math.cos(angle))
    note(
        ax,
        text,
        (middle, middle * memory_bytes_per_s),
        offset,
        rotation=math.degrees(angle),
        rotation_mode="anchor",
        ha="center",
        va="bottom",
    )


def _short(intensity: float) -> str:
    return f"{intensity:,.0f}" if intensity >= 100 else f"{intensity:.3g}" if intensity >= 10 else f"{intensity:.2f}"
