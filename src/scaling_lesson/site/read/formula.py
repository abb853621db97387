"""Formulas: `$...$` and `$$...$$` become MathML when the page is built, so that no script and no font is needed."""

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element, fromstring

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor

from scaling_lesson.site.read.prose import Formula

_MATH = (
    r"(?<![\\$])(?:\$\$(?P<block>(?:(?!\n\s*\n)[^$])+)\$\$"
    r"|\$(?![\s$])(?P<inline>(?:(?!\n\s*\n)[^$])+?)(?<![\s\\])\$)(?!\$)"
)


class FormulaProcessor(InlineProcessor):
    """Stashes each formula's MathML, and notes the formula by the number of its place in the stash."""

    def __init__(self, md: Markdown, note: Callable[[int, Formula], None]) -> None:
        super().__init__(_MATH, md)
        self._note = note

    def handleMatch(self, m: re.Match, data: str) -> tuple[str, int, int]:
        (mathml, formula), end = _formula(m), m.end(0)
        if data[end : end + 1] in (".", ",", ";", ":", ")") and not formula.error:  # it must not begin the next line
            mathml, end = f'<span class="formula">{mathml}{data[end]}</span>', end + 1
        number = self.md.htmlStash.html_counter
        self._note(number, formula)
        return self.md.htmlStash.store(mathml), m.start(0), end


def _formula(match: re.Match) -> tuple[str, Formula]:
    latex, written = " ".join((match["block"] or match["inline"]).split()), match[0].split("\n")[0]
    why = f"cannot read the formula {latex!r}: "
    try:
        mathml = convert(latex, display="block" if match["block"] else "inline")
        tree = fromstring(re.sub(' xmlns="[^"]*"', "", mathml))  # some environments it copies, and their & with them
    except Exception as error:  # the converter raises whatever its parser stumbles over
        return f"⟨{latex}⟩", Formula(written, Element("math"), why + type(error).__name__)
    unknown = re.search(r"\\[A-Za-z]+", mathml)
    return mathml, Formula(written, tree, f"{why}unknown command {unknown[0]}" if unknown else None)
