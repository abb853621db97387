"""Matplotlib figures: as inline SVG that follows the page (its colours, font, light and dark), and as lines of a record."""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import matplotlib.pyplot as plt
import numpy
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.category import StrCategoryLocator
from matplotlib.collections import Collection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator

from scaling_lesson.figures import CSS_VARIABLES, YOURS

_SVG = "http://www.w3.org/2000/svg"


def svg_of(figure: Figure, name: str, title: str, desc: str) -> str:
    """The figure as an <svg> element named `name`, with <title> and <desc>, and every id prefixed by the name.

    The figure is closed. Raises ValueError when a colour is not one of the palette, for it would not follow dark mode.
    """
    if not title.strip() or not desc.strip():
        raise ValueError(f"figure {name!r} needs a title and a desc: they are read out where it cannot be seen")
    out = io.StringIO()
    # Where savefig would lay it out and draw it twice. A date would make each build differ from the last.
    FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = re.sub(r'\bid="', f'id="{name}-', out.getvalue())
    text = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = _recolour(text, name)
    # The page's own fonts: the one for text is inherited, the one for code is named.
    text = re.sub(r"font-family: [^;\"]*\bmonospace\b[^;\"]*", "font-family: var(--md-code-font-family)", text)
    text = re.sub(r"font-family: '[^;\"]+;? ?", "", text)
    drawn = ElementTree.fromstring(text[text.index("<svg") :])
    for part in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}defs/{{{_SVG}}}style/.."):  # that style would be the whole page's
        for extra in drawn.findall(part):
            drawn.remove(extra)
    _flatten(drawn)
    *_, width, height = drawn.attrib["viewBox"].split()
    drawn.attrib = {
        "class": "lesson-figure",
        "role": "img",
        "aria-labelledby": f"{name}-title",
        "aria-describedby": f"{name}-desc",
        "viewBox": f"0 0 {width} {height}",
    }
    for tag, said in (("desc", desc), ("title", title)):
        drawn.insert(0, ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"}))
        drawn[0].text = said
    ElementTree.register_namespace("", _SVG)
    return re.sub(r"\s*\n\s*", " ", ElementTree.tostring(drawn, encoding="unicode")).strip()


def _flatten(parent: Element) -> None:
    """Leave out groups that group nothing and paths that paint nothing, and make one path of neighbours painted alike: a
    drawing of half as many elements, which looks the same."""
    flat: list[Element] = []
    for child in parent:
        _flatten(child)
        flat += child if child.tag == f"{{{_SVG}}}g" and not child.attrib.keys() - {"id"} else [child]
    kept: list[Element] = []
    for part in flat:
        last = next((one for one in reversed(kept) if one.tag != f"{{{_SVG}}}text"), None)  # words lie over lines
        if part.tag != f"{{{_SVG}}}path":
            kept.append(part)
        elif last is not None and last.tag == part.tag and last.attrib | {"d": ""} == part.attrib | {"d": ""}:
            last.set("d", f"{last.get('d', '').strip()} {part.get('d')}")
        elif part.get("style") != "fill: none":
            kept.append(part)
    parent[:] = kept


def _recolour(text: str, name: str) -> str:
    for colour, variable in CSS_VARIABLES.items():
        text = re.sub(colour, f"var({variable})", text, flags=re.I)
    left = set(re.findall(r"(?:fill|stroke): ?(#[0-9a-fA-F]{3,6})\b", text))
    if left:
        raise ValueError(
            f"figure {name!r} must use the palette of scaling_lesson.figures; got {', '.join(sorted(left))}"
        )
    return text


def said(figure: Figure) -> Iterator[tuple[str, str]]:
    """What a figure says, artist by artist: its data, all words in it, and the colours, which tie one to the other.

    Not how the drawing library lays it out: no limits, ticks it chose, corners, or places of labels; and nothing of an
    artist labelled YOURS. The figure must have been drawn, for its tick labels to be set.
    """
    for number, axes in enumerate(figure.axes, 1):
        yield from ((f"axes {number} {key}", text) for key, text in _said(axes))
    words = [text.get_text() for text in figure.texts] + [_legend(legend) for legend in figure.legends]
    if words:
        yield "text", _quoted(" | ".join(words))


def _said(axes: Axes) -> Iterator[tuple[str, str]]:
    yield "scales", _quoted(f"{axes.get_xscale()} {axes.get_yscale()}")
    labels = [axes.get_title(loc=side) for side in ("left", "center", "right")] + [axes.get_xlabel(), axes.get_ylabel()]
    yield "labels", _quoted(" | ".join(label for label in labels if label))
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if isinstance(axis.get_major_locator(), (FixedLocator, StrCategoryLocator)):  # else the library chose them
            words = [label.get_text() for label in axis.get_ticklabels() if label.get_text()]
            if words:
                yield f"{name} ticks", _quoted(" | ".join(words))
    for at, line in enumerate(_ours(axes.lines), 1):
        yield f"line {at} x", _numbers(line.get_xdata(orig=False))
        yield f"line {at} y", _numbers(line.get_ydata(orig=False))
        yield f"line {at} colour", _colours([line.get_color()])
    patches = _ours(axes.patches)
    bars = [patch for patch in patches if isinstance(patch, Rectangle)]
    if bars:
        yield "bars", _numbers([(bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height()) for bar in bars])
    if patches:
        yield "patch colours", _colours([patch.get_facecolor() for patch in patches])
    for at, collection in enumerate(_ours(axes.collections), 1):
        points = collection.get_offsets() if isinstance(collection, PathCollection) else _vertices(collection)
        yield f"collection {at}", _numbers(points)
        colours = collection.get_facecolor() if len(collection.get_facecolor()) else collection.get_edgecolor()
        yield f"collection {at} colours", _colours(colours)
    for at, image in enumerate(axes.images, 1):
        yield f"image {at}", _numbers(image.get_array())
    for at, text in enumerate(_ours(axes.texts), 1):
        if text.get_text():
            yield f"text {at}", f"{_quoted(text.get_text())} {_colours([text.get_color()])}"
    if legend := axes.get_legend():
        yield "legend", _quoted(_legend(legend))
    for at, child in enumerate(axes.child_axes, 1):
        yield from ((f"inset {at} {key}", text) for key, text in _said(child))


def _ours(artists: Iterable[Artist]) -> list:
    return [artist for artist in artists if artist.get_label() != YOURS]


def _vertices(collection: Collection) -> numpy.ndarray:
    return numpy.concatenate([path.vertices for path in collection.get_paths()])


def _legend(legend: Legend) -> str:
    """Each entry's words with the colour beside them, which is what ties them to the data."""
    handles = (getattr(h, "get_facecolor", getattr(h, "get_color", lambda: "none"))() for h in legend.legend_handles)
    words = (text.get_text() for text in legend.get_texts())
    return ", ".join(f"{word} {to_hex(handle)}" for word, handle in zip(words, handles, strict=True))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _colours(colours: Iterable) -> str:
    """The colours in order, with how often each follows itself; "none" where nothing is painted."""
    names = ("none" if str(colour) == "none" else to_hex(colour) for colour in colours)
    return " ".join(f"{name}*{len(list(same))}" for name, same in groupby(names)).replace("*1 ", " ").removesuffix("*1")


def _numbers(values: object) -> str:
    """Numbers as drawn: six digits are below a pixel, and beyond the last bits in which machines differ.

    Long series are recorded by their ends and a digest.
    """
    flat = numpy.ma.filled(numpy.ma.asarray(values, dtype=float), numpy.nan).ravel()
    texts = [f"{float(value):.6g}" for value in flat]
    if len(texts) <= 24:
        return f"[{', '.join(texts)}]"
    digest = hashlib.sha256(" ".join(texts).encode()).hexdigest()[:16]
    return f"[{texts[0]}, {texts[1]}, … {len(texts)} numbers, digest {digest} …, {texts[-2]}, {texts[-1]}]"
