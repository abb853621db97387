"""Figures of the flash-attention page. Both are drawn in points, on axes that fill the figure."""

import math
import textwrap

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrow, Rectangle

from scaling_lesson.figures import BLUE, GREEN, GRID, INK, MUTED, ORANGE, PAPER, SHADE, SMALL, WIDTH
from scaling_lesson.flash_attention import TileStep
from scaling_lesson.units import SI_PREFIXES

POINTS = 72 * WIDTH
"""The figures' width."""
LINE = 12.5
"""From one line of text to the next."""
CHARACTER = 5.4
"""What a character of it is wide, about, in a wide font."""
COLUMNS = {"m": 141, "factor": 182, "l": 217, "O": 248, "O / l": 287, "exact": 335}
"""Where the columns of the trace have their middle."""
BETWEEN = (COLUMNS["O / l"] + COLUMNS["exact"]) / 2

Trip = tuple[str, str, int]


def trips_to_memory(standard: list[Trip], tiled: list[Trip], n_tiles: int) -> Figure:
    """Every trip between GPU memory and the chip as an arrow, its width growing with its bytes; below, the tiles.

    standard, tiled: ("read" | "write", what, bytes) in order; what names the matrices; "scores" and "weights" are the
    big ones.  n_tiles: tiles along each side of the matrix of scores.
    """
    fig, ax = _canvas(430)
    most = max(n_bytes for _, _, n_bytes in standard + tiled)
    _trips(ax, 427, standard, most, "The matrix in memory, with the fewest trips")
    floor = _trips(ax, 270, tiled, most, "In tiles: the matrix stays on the chip")
    ax.add_patch(Rectangle((0.8, 1), POINTS - 1.6, floor - 1, facecolor="none", edgecolor=SHADE, linewidth=1.5))
    _tiles(ax, 12, floor - 9, floor - 18, n_tiles)
    return fig


def online_softmax_trace(steps: list[TileStep], values: list[float], exact: list[float], title: str) -> Figure:
    """What is kept after each tile, a row a step, and at the end of a row of tiles the result beside the exact answer.

    steps: all of one head, with one number a query for O, none skipped; the first tile of a query comes first.
    values: V, one number a key; those of the tile are bold.  exact: the right answer of each query.
    A result that differs from it in the digits shown is orange, and so is a rescaling that was left out where m rose.
    The first tile of a query has nothing to rescale, and shows a dash.
    """
    row_height, side = 96, 68
    fig, ax = _canvas(row_height * len(steps) + 28)
    top = row_height * len(steps) + 14
    ax.text(0, top + 4, title, weight="bold")
    for name, x in ({"scores": side / 2} | COLUMNS).items():
        ax.text(x, top - 14, name, ha="center", color=MUTED, size=SMALL)
    for i, step in enumerate(steps):
        y = top - 14 - row_height * i
        if i:
            ax.plot([0, POINTS], [y, y], color=GRID, linewidth=0.6)
        _values(ax, y - 7 - side - 13, side, values, step.columns)
        _map(ax, y - 7, side, steps, i)
        heading = f"step {i + 1}: queries {_span(step.rows)}, keys {_span(step.columns)}"
        ax.text(side + 14, y - 22, heading, weight="bold", size=SMALL)
        before = steps[i - 1].m if step.columns.start else None
        last = step.columns.stop == max(s.columns.stop for s in steps)
        for j, query in enumerate(step.rows):
            line = y - 42 - 20 * j
            ax.text(side + 14, line, f"query {query + 1}", color=MUTED, size=SMALL)
            _kept(ax, line, step, j, None if before is None else float(before[j]))
            if last:
                _verdict(ax, line, float(step.O[j] / step.l[j]), exact[query])
    return fig


def _canvas(height: float) -> tuple[Figure, Axes]:
    fig = plt.figure(figsize=(WIDTH, height / 72), layout="none")
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, POINTS), ylim=(0, height))
    ax.axis("off")
    return fig, ax


def _trips(ax: Axes, top: float, trips: list[Trip], most: int, title: str) -> float:
    """One panel from `top` down; returns where its lower bar ends. `most` bytes make the widest arrow."""
    ax.text(0, top, title, weight="bold", va="top")
    slot = POINTS / len(trips)
    words = [textwrap.fill(f"{way} {what}", int(slot / CHARACTER)) + f"\n{_bytes(n)}" for way, what, n in trips]
    memory = top - 24 - LINE * max(text.count("\n") + 1 for text in words)
    bar, gap = 19, 46
    chip = memory - bar - gap
    total = sum(n for _, _, n in trips)
    for y, name, note in ((memory, "GPU memory", f"{_bytes(total)} in all"), (chip, "on the chip", "")):
        ax.add_patch(Rectangle((0, y - bar), POINTS, bar, facecolor=SHADE, linewidth=0))
        ax.text(7, y - bar / 2, name, va="center", size=SMALL)
        ax.text(POINTS - 7, y - bar / 2, note, va="center", ha="right", size=SMALL)
    for i, ((way, what, n_bytes), text) in enumerate(zip(trips, words, strict=True)):
        x = slot * (i + 0.5)
        colour = ORANGE if {"scores", "weights"} & set(what.replace(",", " ").split()) else BLUE
        width = 1.2 + 22 * n_bytes / most
        start, end = (memory - bar - 2, chip + 2) if way == "read" else (chip + 2, memory - bar - 2)
        ax.add_patch(
            FancyArrow(
                x,
                start,
                0,
                end - start,
                width=width,
                head_width=width + 9,
                head_length=12,
                length_includes_head=True,
                facecolor=colour,
                linewidth=0,
            )
        )
        ax.text(x, memory + 4, text, ha="center", va="bottom", color=colour, size=SMALL)
    return chip - bar


def _tiles(ax: Axes, left: float, top: float, side: float, n_tiles: int) -> None:
    """The matrix of scores as tiles, walked row by row: those gone, the one that exists, and those to come."""
    cell = side / n_tiles
    size, key_size = cell - 2.5, 12
    now = (2 * n_tiles // 3, n_tiles // 3)
    looks = {
        "done: overwritten by the next": (SHADE, SHADE),
        "the only tile there is now": (BLUE, BLUE),
        "still to come": ("none", MUTED),
    }
    gone, current, later = looks

    def draw(x: float, y: float, kind: str, size: float = size) -> None:
        face, edge = looks[kind]
        ax.add_patch(Rectangle((x, y - size), size, size, facecolor=face, edgecolor=edge, linewidth=0.9, label=kind))

    for row in range(n_tiles):
        for column in range(n_tiles):
            kind = current if (row, column) == now else gone if (row, column) < now else later
            draw(left + cell * column, top - cell * row, kind)
        # The walk so far.
        end = now[1] * cell if row == now[0] else side - cell + size
        if row <= now[0] and end > size:
            y = top - cell * row - size / 2
            arrow = {"arrowstyle": "->", "color": INK, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", (left + end, y), (left + size / 2, y), arrowprops=arrow)
    key = left + side + 20
    ax.text(key, top, "The matrix, never whole:", va="top", size=SMALL)
    for i, kind in enumerate(looks):
        y = top - 24 - 20 * i
        draw(key, y, kind, key_size)
        ax.text(key + key_size + 8, y - key_size / 2, kind, va="center", size=SMALL, color=INK)


def _map(ax: Axes, top: float, side: float, steps: list[TileStep], now: int) -> None:
    """The matrix of scores: the tiles before step `now` shaded, its own filled and with its scores, the rest empty."""
    cell = side / max(steps[-1].rows.stop, steps[-1].columns.stop)
    for i, step in enumerate(steps):
        face, edge = (SHADE, PAPER) if i < now else (BLUE, PAPER) if i == now else ("none", GRID)
        for row in step.rows:
            for column in step.columns:
                x, y = cell * column + 0.5, top - cell * (row + 1)
                ax.add_patch(Rectangle((x, y), cell, cell, facecolor=face, edgecolor=edge, linewidth=0.9))
                if i == now:
                    score = float(step.scores[row - step.rows.start, column - step.columns.start])
                    ax.text(
                        x + cell / 2,
                        y + cell / 2,
                        _number(score),
                        ha="center",
                        va="center_baseline",
                        color=PAPER,
                        size=SMALL,
                        weight="bold",
                    )


def _values(ax: Axes, y: float, side: float, values: list[float], columns: range) -> None:
    """V below the map, each number under the column of its key; those of the tile's keys bold."""
    cell = side / len(values)
    for column, value in enumerate(values):
        now = column in columns
        weight, colour = ("bold", BLUE) if now else ("normal", MUTED)
        ax.text(cell * (column + 0.5), y, _number(value), ha="center", color=colour, size=SMALL, weight=weight)
    ax.text(side + 14, y, "V", color=MUTED, size=SMALL)


def _kept(ax: Axes, y: float, step: TileStep, j: int, before: float | None) -> None:
    """What the tile's query j holds after the step; before: its m until then, None for its first tile."""
    m, factor, l, O = (float(values[j]) for values in (step.m, step.rescale, step.l, step.O))  # noqa: E741
    rose = before is not None and m > before
    as_due = rose and _digits(factor) == _digits(math.exp(before - m))
    texts = {"m": f"{_number(before)} → {_number(m)}" if rose else _number(m)}
    # Of a first tile's factor nothing depends: TileStep has 0 or 1 there, as the rescaling is done or left out.
    texts["factor"] = "–" if before is None else _number(factor)
    for name, text in (texts | {"l": _number(l), "O": _number(O)}).items():
        marked = rose and name == "factor"
        ax.text(
            COLUMNS[name],
            y,
            text,
            ha="center",
            size=SMALL,
            weight="bold" if marked else "normal",
            color=(BLUE if as_due else ORANGE) if marked else INK,
        )


def _verdict(ax: Axes, y: float, result: float, exact: float) -> None:
    right = _digits(result) == _digits(exact)
    places = {"O / l": _number(result), "exact": _number(exact)}
    for x, text in [(COLUMNS[name], text) for name, text in places.items()] + [(BETWEEN, "=" if right else "≠")]:
        ax.text(x, y, text, ha="center", size=SMALL, color=GREEN if right else ORANGE, weight="bold")


def _span(indices: range) -> str:
    """The first and the last, counted from one as people do."""
    return f"{indices[0] + 1}–{indices[-1] + 1}"


def _digits(value: float) -> str:
    return f"{value:z.3f}"


def _number(value: float) -> str:
    """To three decimals; fewer where the rest are zeros all the way, as far as float32 can tell."""
    text = _digits(value)
    return f"{float(text):z.9g}" if math.isclose(float(text), value, rel_tol=1e-6, abs_tol=1e-6) else text


def _bytes(n_bytes: int) -> str:
    prefix, factor = max(((p, f) for p, f in SI_PREFIXES.items() if f <= n_bytes), key=lambda pair: pair[1])
    return f"{n_bytes / factor:.1f} {prefix}B"
