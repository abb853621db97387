"""Where labels go: all lengths are points, so that a label is as far from its neighbour on a phone as on a desk."""

from matplotlib.axes import Axes
from matplotlib.text import Annotation

from scaling_lesson.figures import SMALL

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
