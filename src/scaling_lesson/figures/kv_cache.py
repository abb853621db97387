"""Figures of the KV-cache page."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from scaling_lesson.figures import BLUE, INK, MUTED, ORANGE, PAPER, SHADE, SMALL, WIDTH


def cache_growth(uncached: list[int], cached: list[int]) -> Figure:
    """The positions each generation step processes, a row of boxes a step: all again without a cache, only new with one.

    uncached, cached: token positions processed at each step. The row's length is the sequence so far.
    """
    fig, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 4.3))
    longest = max(uncached)
    for ax, work, title in ((above, uncached, "Without a cache"), (below, cached, "With a cache")):
        for step, (length, new) in enumerate(zip(uncached, work, strict=True)):
            first_new = length - (length if step == 0 else 1)
            for position in range(length):
                if position >= first_new:
                    colour = BLUE
                else:
                    colour = ORANGE if position >= length - new else SHADE
                ax.add_patch(Rectangle((position, -step), 1, 0.8, facecolor=colour, edgecolor=PAPER, linewidth=1.2))
            ax.text(-0.3, -step + 0.4, f"step {step + 1}", ha="right", va="center", color=MUTED, size=SMALL)
            if step and new == 1:
                ax.text(length + 0.2, -step + 0.4, "Q, K, V", va="center", color=BLUE, size=SMALL)
        ax.set_title(title, weight="bold")
        ax.set(xlim=(-2.2, longest + 2.6), ylim=(0.1 - len(work), 1))
        ax.axis("off")
    keys = [(BLUE, "new: Q, K, V"), (ORANGE, "again: Q, K, V"), (SHADE, "cached: K, V")]
    fig.legend(
        handles=[Patch(facecolor=c, label=t) for c, t in keys],
        loc="outside lower left",
        ncols=3,
        handlelength=0.9,
        handletextpad=0.4,
        columnspacing=1.1,
        fontsize=SMALL,
    )
    return fig


def generation_cost(uncached: list[int], cached: list[int]) -> Figure:
    """Token positions processed by each step, and by all steps so far, without and with a cache.

    uncached, cached: token positions processed at each step, from the prompt's on.
    """
    fig, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 4.6), sharex=True)
    _pair(above, uncached, cached, "Positions processed by each step")
    _pair(below, _running(uncached), _running(cached), "Positions processed so far, in total")
    below.set_xlabel("new token")
    return fig


def _pair(ax: Axes, uncached: list[int], cached: list[int], title: str) -> None:
    steps = range(1, len(uncached) + 1)
    for values, colour, name in ((uncached, ORANGE, "without"), (cached, BLUE, "with cache")):
        ax.plot(steps, values, color=colour)
        ax.annotate(
            f"{name}: {values[-1]:,}",
            (steps[-1], values[-1]),
            (4, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            size=SMALL,
            annotation_clip=False,
        )
    ax.set(title=title, xlim=(1, steps[-1]))
    ax.margins(y=0.06)
    ax.grid(axis="x", visible=False)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.tick_params(labelcolor=INK)


def _running(values: list[int]) -> list[int]:
    return [sum(values[: i + 1]) for i in range(len(values))]
