"""The figure of the landing page."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from scaling_lesson.figures import BLUE, ORANGE, WIDTH
from scaling_lesson.figures.labels import note


def computing_and_fetching(computing_s: float, fetching_s: float) -> Figure:
    """Two bars to one scale: how long a token's arithmetic takes at best, and how long fetching the weights."""
    fig, ax = plt.subplots(figsize=(WIDTH, 1.3))
    ax.axis("off")
    ax.set(xlim=(0, max(computing_s, fetching_s)), ylim=(-0.4, 1.9))
    rows = (("fetching the weights", fetching_s, BLUE), ("computing", computing_s, ORANGE))
    for row, (name, seconds, colour) in enumerate(rows):
        ax.barh(row, seconds, height=0.45, color=colour)
        note(ax, f"{name}: {1e6 * seconds:,.3g} µs", (0, row + 0.22), (0, 2), va="bottom", color=colour)
    return fig
