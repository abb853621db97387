"""How long a page takes to read, by a rule near to a reader's. Practice is apart: each problem takes what it takes."""

import re

from scaling_lesson.site.read.source import CLAIM, Block, Source
from scaling_lesson.site.show.blocks import shown_code

WORDS_PER_MINUTE = 200
LINE_S, QUESTION_S, FIGURE_S = 5, 45, 20
"""A visible line of code, a prediction or a check to think about, a figure to look at."""

_UNSEEN = re.compile(r"<!--(?s:.*?)-->|^ +attrs: .*$|\]\([^)\s]*|\{ ?[#:.][^}\n]*\}", re.M)
"""Comments, ids, addresses: what a reader does not see of the text."""


def minutes(source: Source) -> float:
    """The minutes a page takes."""
    practice = _practice(source)
    fences = [fence for fence in source.fences if fence.line not in practice]
    lines = [line for number, line in source.prose.items() if number not in practice]
    prose = _UNSEEN.sub("", CLAIM.sub(r"\g<text>", "\n".join(lines)))
    words = len(re.findall(r"\w[\w'’.,×/-]*", re.sub(r"^/{3,} \w+", "", prose, flags=re.M)))
    shown = [shown_code(fence.code) if fence.runs else fence.code for fence in fences if not _hidden(fence)]
    code_lines = sum(bool(line.strip()) for code in shown for line in code.split("\n"))
    figures = sum(len(re.findall(r"^ *figure\(", fence.code, re.M)) for fence in fences if fence.runs)
    questions = len(re.findall(r"^/{3,} question \|", prose, re.M))
    return words / WORDS_PER_MINUTE + (LINE_S * code_lines + QUESTION_S * questions + FIGURE_S * figures) / 60


def visible(source: Source) -> list[str]:
    """The code that a page shows, block by block, as readers see it."""
    return [shown_code(block.code) for block in source.blocks if block.runs and not _hidden(block)]


def _hidden(fence: Block) -> bool:
    return fence.runs and fence.options.get("source") != "above"


def _practice(source: Source) -> set[int]:
    """The lines of the section of problems: up to the page's takeaway, or its next section."""
    found, inside = set(), False
    for number, line in enumerate(source.text.split("\n"), 1):
        if line.startswith(("## ", "/// takeaway")):
            inside = "#practice }" in line
        if inside:
            found.add(number)
    return found
