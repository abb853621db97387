"""Where labels go: all lengths are points, so that a label is as far from its neighbour on a phone as on a desk."""

import itertools
import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from scaling_lesson.figures import INK, MUTED, PAPER, SMALL

ROW = 1.35 * SMALL
"""From one line of small text to the next."""


def lay_out(figure: Figure) -> None:
    """Give each part of a figure its place, from which labels are placed; to draw it for that would take twice as long."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)


def in_points(ax: Axes, x: float, y: float) -> tuple[float, float]:
    """Where the data point (x, y) is drawn, from the figure's lower left corner; right once the figure is laid out."""
    across, up = ax.transData.transform((x, y)) * 72 / ax.figure.dpi
    return float(across), float(up)


def width_in_points(label: Annotation) -> float:
    """How wide its text is drawn."""
    return label.get_window_extent().width * 72 / label.figure.dpi


def spread(wanted: list[float], gap: float, low: float = float("-inf"), high: float = float("inf")) -> list[float]:
    """The places nearest to `wanted`, which ascends, that lie at least `gap` apart and within low to high.

    Neighbours that are too close move as one group, to the middle of where they wanted to be.
    """
    groups: list[list[float]] = []
    for i, place in enumerate(wanted):
        groups.append([place - gap * i])
        while len(groups) > 1 and _mean(groups[-2]) > _mean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    flat = [_mean(group) for group in groups for _ in group]
    return [max(low, min(high - gap * (len(wanted) - 1), place)) + gap * i for i, place in enumerate(flat)]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def rising_label(ax: Axes, text: str, foot: tuple[float, float], rise: float, color: str) -> Annotation:
    """A name left of a line that rises from its dot. The next dot's line, farther right, passes it by."""
    leader(ax, foot, (0, rise))
    return note(ax, text, foot, (-4, rise), ha="right", va="center", color=color)


def leader(ax: Axes, foot: tuple[float, float], to: tuple[float, float], color: str = MUTED) -> None:
    """A thin line from the data point `foot` to `to`, which is an offset from it."""
    arrow = {"arrowstyle": "-", "color": color, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", foot, to, textcoords="offset points", arrowprops=arrow).set_in_layout(False)


def note(
    ax: Axes, text: str, xy: tuple[float, float], offset: tuple[float, float], color: str = INK, **how
) -> Annotation:
    """A small text at an offset from a data point. The layout makes no room for it."""
    label = ax.annotate(
        text, xy, offset, textcoords="offset points", color=color, size=SMALL, annotation_clip=False, **how
    )
    label.set_in_layout(False)
    return label


def place_near(
    ax: Axes,
    dots: list[tuple[str, float, float]],
    curves: list[tuple[list[float], list[float]]],
    taken: list[Annotation],
    color: str,
) -> list[Annotation]:
    """Names beside dots: each at the nearest free place, off the curves where it can be, with a line to a dot farther off.

    dots: (name, x, y).  curves: the x and y of each.  taken: labels to keep clear of.
    """
    places = {name: in_points(ax, x, y) for name, x, y in dots}
    on_curves = [point for xs, ys in curves for point in _along(ax, xs, ys)]
    frame = _box(ax)
    boxes = [_box(label) for label in taken] + [(x - 5, y - 5, x + 5, y + 5) for x, y in places.values()]
    lines: list[tuple[float, float]] = []
    labels = []
    for name, x, y in sorted(dots, key=lambda dot: -dot[1]):
        mask = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5}
        label = note(ax, name, (x, y), (0, 0), va="center", color=color, bbox=mask)
        width, (across, up) = width_in_points(label), places[name]
        others = [place for place in places.values() if place != (across, up)]
        best, least = None, math.inf
        for reach in (8, 14, 22, 32, 44, 58, 74):
            for turn in range(36):
                dx, dy = reach * math.cos(turn * math.pi / 18), reach * math.sin(turn * math.pi / 18)
                start = across + dx - (width if dx < 0 else 0)
                box = (start - 2, up + dy - ROW / 2, start + width + 2, up + dy + ROW / 2)
                line = [(across + dx * t / 20, up + dy * t / 20) for t in range(7, 20)]
                outside = box[0] < frame[0] or box[1] < frame[1] or box[2] > frame[2] or box[3] > frame[3]
                blocked = any(_inside(point, other) for point in line for other in boxes)
                if (
                    outside
                    or blocked
                    or any(_overlap(box, other) for other in boxes)
                    or any(_inside(p, box) for p in lines)
                ):
                    continue
                # A curve under the name, or a line through another dot or near another line, is worse than a longer way.
                cost = reach + 3 * sum(_inside(point, box) for point in on_curves)
                cost += 6 * sum(math.dist(point, other) < 4 for point in line for other in others)
                cost += 6 * sum(math.dist(point, other) < 3 for point in line for other in lines)
                if cost < least:
                    best, least = (dx, dy, box, line), cost
        if best is None:
            raise ValueError(f"no room for the label {name!r}: draw fewer dots, or a larger figure")
        dx, dy, box, line = best
        label.set(position=(dx, dy), ha="right" if dx < 0 else "left")
        if math.hypot(dx, dy) > 10:
            leader(ax, (x, y), (dx - math.copysign(1, dx), dy), color)
        boxes.append(box)
        lines += line
        labels.append(label)
    return labels


def _along(ax: Axes, xs: list[float], ys: list[float]) -> list[tuple[float, float]]:
    """Points on a curve, close enough together that no text fits between them."""
    ends = [in_points(ax, x, y) for x, y in zip(xs, ys, strict=True)]
    found = []
    for (x0, y0), (x1, y1) in itertools.pairwise(ends):
        if math.isfinite(y0) and math.isfinite(y1):
            steps = min(50, 1 + int(math.dist((x0, y0), (x1, y1)) / 3))
            found += [(x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps) for step in range(steps + 1)]
    return found


def _box(artist: Axes | Annotation) -> tuple[float, float, float, float]:
    return tuple(artist.get_window_extent().extents * 72 / artist.figure.dpi)


def _inside(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] < point[0] < box[2] and box[1] < point[1] < box[3]


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
