"""Figures of the mixed-precision page."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ArrowStyle, Rectangle

from scaling_lesson.figures import BLUE, GREEN, GRID, INK, MUTED, ORANGE, PAPER, SHADE, SMALL, WIDTH
from scaling_lesson.float_formats import FloatFormat

POINTS = 72 * WIDTH
"""The width of a figure that is drawn in points."""


def bit_fields(formats: list[FloatFormat]) -> Figure:
    """Each format as a row of bits, one box a bit: sign, exponent, fraction, with the count of each; a key on top."""
    fig, ax = plt.subplots(figsize=(WIDTH, 0.78 * len(formats) + 0.24))
    widest = max(f.bits for f in formats)
    key = ((0, MUTED, "sign"), (0.17, ORANGE, "exponent: the range"), (0.58, BLUE, "fraction: the precision"))
    for share, colour, field in key:
        x = share * widest
        ax.add_patch(Rectangle((x, 2.3), 0.8, 0.8, facecolor=colour, edgecolor=PAPER, linewidth=1.2, label=field))
        ax.text(x + 1.1, 2.7, field, va="center", color=colour, size=SMALL)
    for row, f in enumerate(formats):
        y = -1.75 * row
        ax.text(0, y + 1.18, f.name, weight="bold", va="bottom")
        sign_bits = f.bits - f.exponent_bits - f.fraction_bits
        colours = [MUTED] * sign_bits + [ORANGE] * f.exponent_bits + [BLUE] * f.fraction_bits
        for bit, colour in enumerate(colours):
            ax.add_patch(Rectangle((bit, y), 1, 1, facecolor=colour, edgecolor=PAPER, linewidth=1.2))
        note = f"sign {sign_bits}, exponent {f.exponent_bits}, fraction {f.fraction_bits}"
        ax.text(widest, y + 1.18, note, ha="right", va="bottom", color=MUTED, size=SMALL)
    ax.set(xlim=(-0.1, widest + 0.1), ylim=(-1.75 * (len(formats) - 1) - 0.15, 3.25))
    ax.axis("off")
    return fig


Ruler = tuple[str, list[float], tuple[float, float]]


def falling_short(weight: float, update: float, rulers: list[Ruler]) -> Figure:
    """An update of a weight on rulers, one below the other, whose marks are the numbers a format has.

    rulers: (title, marks, (left end, right end)). The weight is a mark of each, with a mark on either side. What is
    shaded rounds back to the weight. Where marks lie close, only the weight is named.
    """
    fig, axes = plt.subplots(len(rulers), 1, figsize=(WIDTH, 1.15 * len(rulers)))
    for ax, (title, marks, ends) in zip(axes, rulers, strict=True):
        at = marks.index(weight)
        below, above = marks[at - 1], marks[at + 1]
        halfway = (weight + above) / 2
        ax.add_patch(Rectangle(((below + weight) / 2, 0), halfway - (below + weight) / 2, 1, facecolor=SHADE))
        ax.vlines([mark for mark in marks if ends[0] <= mark <= ends[1]], 0, 0.55, color=INK, linewidth=1.3)
        ax.plot(ends, [0, 0], color=INK, linewidth=1.3, clip_on=False)
        ax.vlines([halfway], 0, 1, color=GREEN, linewidth=1.5, linestyle=(0, (2, 1.5)))
        head = ArrowStyle.CurveFilledB(head_length=0.28, head_width=0.2)
        arrow = {"arrowstyle": head, "color": ORANGE, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (weight + update, 0.78), (weight, 0.78), arrowprops=arrow)
        named = {weight: str(weight)}
        if halfway - weight > (ends[1] - ends[0]) / 4:  # else the words would not fit beside one another
            named[above] = f"{above:.5f}"
            _above(ax, weight, f"{weight} + {update}", ORANGE)
            _above(ax, halfway, f"halfway: {halfway:.5f}", GREEN)
        ax.set_title(title, size=SMALL, weight="bold", pad=17 if above in named else 4)
        ax.set(xlim=ends, ylim=(0, 1), yticks=[], xticks=list(named), xticklabels=list(named.values()))
        ax.tick_params(length=0, labelcolor=INK)
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
    return fig


def _above(ax: Axes, x: float, text: str, colour: str) -> None:
    ax.annotate(text, (x, 1), (0, 2), textcoords="offset points", ha="center", va="bottom", color=colour, size=SMALL)


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


def autocast_dataflow(dtypes: dict[str, str]) -> Figure:
    """One step of training under autocast as a round trip, each box framed in the colour of its dtype.

    dtypes: the dtype's name for weights, copies, activations, loss, activation_gradients and weight_gradients, in the
    order in which the step meets them. float32 is blue, any other orange.
    """
    fig = plt.figure(figsize=(WIDTH, 212 / 72), layout="none")
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, POINTS), ylim=(0, 212))
    ax.axis("off")
    width, height, columns = 64, 44, [1.5, 97, 192, POINTS - 65.5]
    upper, lower = 126, 42
    places = {
        "weights": ("weights", columns[0], lower, upper + height - lower),
        "copies": ("copies", columns[1], upper, height),
        "activations": ("activations", columns[2], upper, height),
        "loss": ("loss", columns[3], lower, upper + height - lower),
        "activation_gradients": ("gradients", columns[2], lower, height),
        "weight_gradients": (".grad", columns[1], lower, height),
    }
    for part, name in dtypes.items():
        text, x, y, tall = places[part]
        colour = BLUE if name == "float32" else ORANGE
        ax.add_patch(Rectangle((x, y), width, tall, facecolor="none", edgecolor=colour, linewidth=2.6, label=part))
        ax.text(x + width / 2, y + tall / 2 + 7, text, ha="center", va="center", size=SMALL)
        ax.text(x + width / 2, y + tall / 2 - 8, name, ha="center", va="center", color=colour, size=SMALL)
    for left in range(3):
        start, end = columns[left] + width + 3, columns[left + 1] - 3
        _arrow(ax, start, end, upper + height / 2)
        _arrow(ax, end, start, lower + height / 2)
    middle = (columns[1] + columns[2] + width) / 2
    ax.text(middle, 196, "forward: cast, multiply, cast up for the loss", ha="center", va="center", size=SMALL)
    ax.text(middle, 16, "backward: multiply, cast up, let the optimizer add", ha="center", va="center", size=SMALL)
    return fig


def _arrow(ax: Axes, start: float, end: float, y: float) -> None:
    style = {"arrowstyle": "-|>", "color": MUTED, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (end, y), (start, y), arrowprops=style)
