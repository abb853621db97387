"""Matplotlib figures as inline SVG that follows the page: its colours, its font, its light and dark."""

import io
import re
from html import escape

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from scaling_lesson.figures import CSS_VARIABLES


def render(figure: Figure, name: str, title: str, desc: str) -> str:
    """The figure as an <svg> element named `name`, with <title> and <desc>, and every id prefixed by the name.

    The figure is closed. Raises ValueError when a colour is not one of the palette, for it would not follow dark mode.
    """
    if not title.strip() or not desc.strip():
        raise ValueError(f"figure {name!r} needs a title and a desc: they are read out where it cannot be seen")
    out = io.StringIO()
    # A date would make each build differ from the last.
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'((?:xlink:)?href=")#', rf"\1#{name}-", text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = _recolour(text, name)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    head = (
        f'<svg class="lesson-figure" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'viewBox="0 0 {box[1]} {box[2]}" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(desc)}</desc>'
    )
    body = text[text.index(">", text.index("<svg")) + 1 :]
    # The page's own fonts: the one for text is inherited, the one for code is named.
    body = re.sub(r"font-family: [^;\"]*\bmonospace\b[^;\"]*", "font-family: var(--md-code-font-family)", body)
    body = re.sub(r"font-family: '[^;\"]+;? ?", "", body)
    body = re.sub(r"<style.*?</style>", "", body, flags=re.S)  # it would style the whole page
    return head + re.sub(r"\s*\n\s*", " ", body).strip()


def _recolour(text: str, name: str) -> str:
    for colour, variable in CSS_VARIABLES.items():
        text = re.sub(colour, f"var({variable})", text, flags=re.I)
    left = set(re.findall(r"(?:fill|stroke): ?(#[0-9a-fA-F]{3,6})\b", text))
    if left:
        raise ValueError(f"figure {name!r} must use the palette of scaling_lesson.figures; got {', '.join(sorted(left))}")
    return text
