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
        display = "block" if m[1] == "$$" else "inline"
        mathml = convert(" ".join(m["tex"].split()), display=display)
        if data[m.end(0) : m.end(0) + 1] in (".", ",", ";", ":", ")"):
            mathml += "&NoBreak;"  # a full stop must not begin the next line
        return self.md.htmlStash.store(mathml), m.start(0), m.end(0)


class FormulaExtension(Extension):
    """Adds formulas to Python-Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Markdown's name)
        # After code spans (190), before escapes (180): a backslash inside a formula belongs to the formula.
        processor = _Formula(MATH.pattern, md)
        processor.compiled_re = MATH
        md.inlinePatterns.register(processor, "formula", 185)
