"""Formulas: `$...$` and `$$...$$` become MathML when the page is built, so that no script and no font is needed."""

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

from scaling_lesson.site.source import MATH


class _Formula(InlineProcessor):
    report: Callable[[str, str], None]

    def handleMatch(self, m: re.Match, data: str) -> tuple[str | Element, int, int]:
        display = "block" if m["block"] else "inline"
        formula, end = m["block"] or m["inline"], m.end(0)
        try:
            mathml = convert(" ".join(formula.split()), display=display)
        except Exception as error:  # the converter raises whatever its parser stumbles over
            self.report(formula, type(error).__name__)
            return f"⟨{formula}⟩", m.start(0), end
        if unknown := re.search(r"\\[A-Za-z]+", mathml):
            self.report(formula, f"unknown command {unknown[0]}")
        if data[end : end + 1] in (".", ",", ";", ":", ")"):  # which must not begin the next line
            mathml, end = f'<span class="formula">{mathml}{data[end]}</span>', end + 1
        return self.md.htmlStash.store(mathml), m.start(0), end


class FormulaExtension(Extension):
    """Adds formulas to Python-Markdown. report(formula, error) is told of those that cannot be read."""

    def __init__(self, report: Callable[[str, str], None]) -> None:
        super().__init__()
        self.report = report

    def extendMarkdown(self, md: Markdown) -> None:
        # After code spans (190), before escapes (180): a backslash inside a formula belongs to the formula.
        processor = _Formula(MATH.pattern, md)
        processor.compiled_re, processor.report = MATH, self.report
        md.inlinePatterns.register(processor, "formula", 185)
