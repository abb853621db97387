"""Figures of the mixed-precision page."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scaling_lesson.figures import BLUE, GREEN, GRID, INK, MUTED, ORANGE, PAPER, SMALL, WIDTH
from scaling_lesson.float_formats import FloatFormat


def bit_fields(formats: list[FloatFormat]) -> Figure:
    """Each format as a row of bits, one box a bit: sign, exponent, fraction, with the count of each."""
    fig, ax = plt.subplots(figsize=(WIDTH, 0.78 * len(formats) + 0.1))
    widest = max(f.bits for f in formats)
    for row, f in enumerate(formats):
        y = -1.75 * row
        ax.text(0, y + 1.18, f.name, weight="bold", va="bottom")
        sign_bits = f.bits - f.exponent_bits - f.fraction_bits
        colours = [MUTED] * sign_bits + [ORANGE] * f.exponent_bits + [BLUE] * f.fraction_bits
        for bit, colour in enumerate(colours):
            ax.add_patch(Rectangle((bit, y), 1, 1, facecolor=colour, edgecolor=PAPER, linewidth=1.2))
        note = f"sign {sign_bits}, exponent {f.exponent_bits}, fraction {f.fraction_bits}"
        ax.text(widest, y + 1.18, note, ha="right", va="bottom", color=MUTED, size=SMALL)
    ax.set(xlim=(-0.1, widest + 0.1), ylim=(-1.75 * (len(formats) - 1) - 0.15, 2.2))
    ax.axis("off")
    return fig


def stuck_weight(stuck: list[float], masters: list[float], copies: dict[str, list[float]]) -> Figure:
    """A 16-bit weight that no update moves, beside a float32 master and the 16-bit copies made of it.

    stuck, masters, copies[name]: the weight before and after each update, all of one length; the first is the start.
    """
    fig, ax = plt.subplots(figsize=(WIDTH, 3.5))
    start, steps = masters[0], range(len(masters))
    moved = {name: [value - start for value in values] for name, values in copies.items()}
    for (name, values), colour in zip(moved.items(), (GREEN, ORANGE), strict=False):
        ax.step(steps, values, where="post", color=colour, linewidth=1.5)
        ax.annotate(
            f"its {name} copy",
            (len(steps) - 1, values[-1]),
            (4, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            size=SMALL,
            annotation_clip=False,
        )
    ax.plot(steps, [value - start for value in masters], color=BLUE)
    ax.plot(steps, [value - start for value in stuck], color=INK, linewidth=2.4)
    end = len(steps) - 1
    ax.annotate(
        "float32 master",
        (end, masters[-1] - start),
        (4, 5),
        textcoords="offset points",
        color=BLUE,
        va="bottom",
        size=SMALL,
        annotation_clip=False,
    )
    ax.annotate(
        "16-bit weight",
        (end, stuck[-1] - start),
        (4, 0),
        textcoords="offset points",
        color=INK,
        va="center",
        size=SMALL,
        annotation_clip=False,
    )
    ax.set(xlabel="updates made", title="How far the weight has moved", xlim=(0, end))
    ax.margins(y=0.06)
    ax.grid(axis="x", visible=False)
    ax.tick_params(color=GRID)
    return fig
