"""Where labels go: all lengths are points, so that a label is as far from its neighbour on a phone as on a desk."""

from matplotlib.axes import Axes
from matplotlib.text import Annotation

from scaling_lesson.figures import INK, MUTED, SMALL

ROW = 1.35 * SMALL
"""From one line of small text to the next."""


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


def leader(ax: Axes, foot: tuple[float, float], to: tuple[float, float]) -> None:
    """A thin line from the data point `foot` to `to`, which is an offset from it."""
    arrow = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", foot, to, textcoords="offset points", arrowprops=arrow).set_in_layout(False)


def note(ax: Axes, text: str, xy: tuple[float, float], offset: tuple[float, float], color: str = INK, **how) -> Annotation:
    """A small text at an offset from a data point. The layout makes no room for it."""
    label = ax.annotate(text, xy, offset, textcoords="offset points", color=color, size=SMALL, annotation_clip=False, **how)
    label.set_in_layout(False)
    return label
