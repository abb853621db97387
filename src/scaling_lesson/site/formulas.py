"""Formulas: `$...$` and `$$...$$` become MathML when the page is built, so that no script and no font is needed."""

import re
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

from scaling_lesson.site.source import MATH


class _Formula(InlineProcessor):
    def handleMatch(self, m: re.Match, data: str) -> tuple[str | Element, int, int]:  # noqa: N802 (Markdown's name)
        display = "block" if m["block"] else "inline"
        mathml = convert(" ".join((m["block"] or m["inline"]).split()), display=display)
        end = m.end(0)
        if data[end : end + 1] in (".", ",", ";", ":", ")"):  # which must not begin the next line
            mathml, end = f'<span class="formula">{mathml}{data[end]}</span>', end + 1
        return self.md.htmlStash.store(mathml), m.start(0), end


class FormulaExtension(Extension):
    """Adds formulas to Python-Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Markdown's name)
        # After code spans (190), before escapes (180): a backslash inside a formula belongs to the formula.
        processor = _Formula(MATH.pattern, md)
        processor.compiled_re = MATH
        md.inlinePatterns.register(processor, "formula", 185)
