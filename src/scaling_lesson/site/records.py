"""Records: everything a page published, drew and printed, committed beside it, one value a line.

    value one_sequence = 37748736 B
    table formats row 1 largest = 65504.0
    block 2 line 1 = "stored as 0.0"

The build compares a record with what the page computes now; only scripts/record writes one.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend

HEADER = "# What this page computed when its numbers were last accepted. Written by scripts/record; do not edit."
_LINE = re.compile(r"(?P<key>(?:value|figure|table|block) .*?) = (?P<text>.+)")
_NUMBER = re.compile(r"(-?[0-9.]+(?:e[-+]?[0-9]{1,3})?)( .*)?")


def canonical(value: object, unit: str = "") -> str:
    """The one way a value is written in a record: integers and floats in full, text in JSON quotes."""
    if isinstance(value, (bool, str)):
        text = json.dumps(value, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode()  # half of a surrogate pair is no UTF-8
    return f"{value} {unit}".rstrip()


def read(path: Path) -> tuple[dict[str, tuple[int, str]], list[tuple[int, str]]]:
    """The entries of a record, key to (line, text), and its lines that cannot be read, as (line, what is wrong)."""
    entries: dict[str, tuple[int, str]] = {}
    problems = []
    if not path.exists():
        return entries, problems
    try:
        text = path.read_bytes().decode("utf-8")  # line ends as they are
    except UnicodeDecodeError:
        return entries, [(1, "this record is not UTF-8 text")]
    lines = text.split("\n")
    if lines[0] != HEADER:
        problems.append((1, "this record does not begin with its header line"))
    if lines[-1] != "":
        problems.append((len(lines), "this record is cut off: its last line has no end"))
    for number, line in enumerate(lines[1:-1], 2):
        match = _LINE.fullmatch(line)
        if re.match(r"<{7}|={7}|>{7}|\|{7}", line):
            problems.append((number, "a merge conflict is left in this record"))
        elif match is None:
            problems.append((number, f"cannot read this record line: {line!r}"))
        elif match["key"] in entries:
            problems.append((number, f"{match['key']} is recorded twice"))
        else:
            entries[match["key"]] = (number, match["text"])
    return entries, problems


def write(entries: dict[str, str]) -> str:
    """The text of a record file."""
    return "\n".join([HEADER, *(f"{key} = {text}" for key, text in entries.items()), ""])


def agree(recorded: str, computed: str, tolerance: float) -> bool:
    """Whether a recorded text stands for the computed one: the same text, or numbers within the tolerance."""
    if recorded == computed:
        return True
    old, new = _NUMBER.fullmatch(recorded), _NUMBER.fullmatch(computed)
    if not tolerance or old is None or new is None or old[2] != new[2]:
        return False
    try:
        return abs(Fraction(old[1]) - Fraction(new[1])) <= Fraction(tolerance)
    except ValueError:
        return False


def drawn(figure: Figure) -> Iterator[tuple[str, str]]:
    """What a figure shows, artist by artist: scales, ticks, the data and colours of lines, bars, areas, points and
    images, and all text with its place. The figure must have been drawn, for its tick labels to be set.
    """
    for number, axes in enumerate(figure.axes, 1):
        yield from ((f"axes {number} {key}", text) for key, text in _drawn(axes))
    words = [text.get_text() for text in figure.texts] + [_legend(legend) for legend in figure.legends]
    if words:
        yield "text", canonical(" | ".join(words))


def _drawn(axes: Axes) -> Iterator[tuple[str, str]]:
    yield "scales", canonical(f"{axes.get_xscale()} {axes.get_yscale()}")
    yield "limits", f"{_numbers(axes.get_xlim())} {_numbers(axes.get_ylim())}"
    labels = [axes.get_title(loc=side) for side in ("left", "center", "right")] + [axes.get_xlabel(), axes.get_ylabel()]
    yield "labels", canonical(" | ".join(label for label in labels if label))
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        yield f"{name} ticks", canonical(" | ".join(label.get_text() for label in axis.get_ticklabels()))
    for at, line in enumerate(axes.lines, 1):
        yield f"line {at} x", _numbers(line.get_xdata(orig=False))
        yield f"line {at} y", _numbers(line.get_ydata(orig=False))
        yield f"line {at} colour", canonical(to_hex(line.get_color()))
    if axes.patches:
        corners = [patch.get_path().transformed(patch.get_patch_transform()).vertices for patch in axes.patches]
        yield "patches", _numbers(numpy.concatenate(corners))
        yield "patch colours", _numbers([patch.get_facecolor() for patch in axes.patches])
    for at, collection in enumerate(axes.collections, 1):
        shapes = [path.vertices for path in collection.get_paths()]
        yield f"collection {at}", _numbers(numpy.concatenate([*shapes, numpy.atleast_2d(collection.get_offsets())]))
    for at, image in enumerate(axes.images, 1):
        yield f"image {at}", _numbers(image.get_array())
    for at, text in enumerate(axes.texts, 1):
        place = getattr(text, "xy", text.get_position())
        yield f"text {at}", f"{_numbers(place)} {canonical(text.get_text())}"
    if legend := axes.get_legend():
        yield "legend", canonical(_legend(legend))
    for at, child in enumerate(axes.child_axes, 1):
        yield from ((f"inset {at} {key}", text) for key, text in _drawn(child))


def _legend(legend: Legend) -> str:
    """Each entry's words with the colour beside them, which is what ties them to the data."""
    handles = (getattr(h, "get_facecolor", getattr(h, "get_color", lambda: "none"))() for h in legend.legend_handles)
    words = (text.get_text() for text in legend.get_texts())
    return ", ".join(f"{word} {to_hex(handle)}" for word, handle in zip(words, handles, strict=True))


def _numbers(values: object) -> str:
    """Numbers as drawn: nine digits are far below a pixel, and beyond the last bits in which machines differ.

    Long series are recorded by their ends and a digest.
    """
    flat = [f"{float(value):.9g}" for value in numpy.ma.filled(numpy.ma.asarray(values, dtype=float), numpy.nan).ravel()]
    if len(flat) <= 24:
        return f"[{', '.join(flat)}]"
    digest = hashlib.sha256(" ".join(flat).encode()).hexdigest()[:16]
    return f"[{flat[0]}, {flat[1]}, … {len(flat)} numbers, digest {digest} …, {flat[-2]}, {flat[-1]}]"
