"""Figures of the KV-cache page."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from scaling_lesson.figures import BLUE, GRID, INK, MUTED, ORANGE, PAPER, SHADE, SIZE, SMALL, WIDTH


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


def query_meets_keys(positions: int, width: int) -> Figure:
    """What the last step's attention computes: every query's row of scores without a cache, one row with it.

    Q, the transposed K and their product, drawn as boxes. positions: seen so far, the new one among them; width: the
    boxes drawn across a query, a stand-in for head_dim.
    """
    fig, (above, below) = plt.subplots(
        2, 1, figsize=(WIDTH, 4.4), gridspec_kw={"height_ratios": [positions + width + 1, width + 2.2]}
    )
    for ax, rows, title in ((above, positions, "Without a cache"), (below, 1, "With a cache")):
        again = ORANGE if rows > 1 else SHADE
        for row in range(rows):
            is_new = row == rows - 1
            for column in range(width):
                _box(ax, column, -row - 1, BLUE if is_new else ORANGE)
            for key in range(positions):
                if key <= row or rows == 1:
                    _box(ax, width + 0.6 + key, -row - 1, BLUE if is_new else ORANGE)
                else:
                    _box(ax, width + 0.6 + key, -row - 1, PAPER, edge=GRID)
        for key in range(positions):
            for line in range(width):
                _box(ax, width + 0.6 + key, line + 0.6, BLUE if key == positions - 1 else again)
        end = width + 0.6 + positions + 0.3
        ax.text(end, 0.6 + width / 2, "keys" if rows > 1 else "keys, cached\nbut for one", va="center", size=SMALL)
        ax.text(end, -rows / 2, "scores" if rows > 1 else "one row\nof scores", va="center", size=SMALL)
        ax.text(width - 0.2, 0.25, "queries" if rows > 1 else "query", ha="right", size=SMALL)
        ax.set_title(title, weight="bold")
        ax.set(xlim=(-0.1, width + positions + 5.6), ylim=(-rows - 0.2, width + 0.8))
        ax.axis("off")
    keys = [(BLUE, "new"), (ORANGE, "computed again"), (SHADE, "cached")]
    fig.legend(
        handles=[Patch(facecolor=c, label=t) for c, t in keys]
        + [Patch(facecolor=PAPER, edgecolor=GRID, label="masked")],
        loc="outside lower left",
        ncols=4,
        handlelength=0.9,
        handletextpad=0.4,
        columnspacing=1.1,
        fontsize=SMALL,
    )
    return fig


def two_clocks(steps: dict[str, tuple[float, float]]) -> Figure:
    """The compute clock and the memory clock of some steps, as bars; the step takes at least as long as the longer one.

    steps: name to (seconds of arithmetic, seconds of memory traffic).
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 0.55 + 1.0 * len(steps)))
    longest = max(max(clocks) for clocks in steps.values())
    for place, (name, clocks) in enumerate(steps.items()):
        ax.text(0, -place + 0.36, name, va="bottom", weight="bold", size=SIZE)
        for clock, seconds, colour, down in zip(
            ("compute", "memory"), clocks, (ORANGE, BLUE), (0.18, -0.16), strict=True
        ):
            ax.barh(-place + down, seconds * 1e3, height=0.28, color=colour)
            ax.annotate(
                f"{clock} {seconds * 1e3:.3f} ms",
                (seconds * 1e3, -place + down),
                (4, 0),
                textcoords="offset points",
                va="center",
                color=colour,
                weight="bold" if seconds == max(clocks) else "normal",
                size=SMALL,
            )
    ax.set(xlim=(0, longest * 1e3 * 1.45), ylim=(0.62 - len(steps), 0.66))
    ax.set_xlabel("least time, ms")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(axis="y", visible=False)
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


def _box(ax: Axes, x: float, y: float, colour: str, edge: str = PAPER) -> None:
    ax.add_patch(Rectangle((x, y), 1, 1, facecolor=colour, edgecolor=edge, linewidth=1.0))


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
