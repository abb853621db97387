"""How long a page takes to read, by a rule near to a reader's. Practice is apart: each problem takes what it takes."""

import re

from mkdocs.utils.meta import get_data

from scaling_lesson.site.read.source import CLAIM, Source, read
from scaling_lesson.site.show.blocks import _shown

WORDS_PER_MINUTE = 200
LINE_S, QUESTION_S, FIGURE_S = 5, 45, 20
"""A visible line of code, a prediction or a check to think about, a figure to look at."""

_PRACTICE = re.compile(r"^(/{3,}) question \|.*\n +attrs: \{id: practice-.*\n(?:.*\n)*?\1 *$", re.M)
_UNSEEN = re.compile(r"<!--(?s:.*?)-->|^ +attrs: .*$|\]\([^)\s]*|\{ ?[#:.][^}\n]*\}", re.M)
"""Comments, ids, addresses: what a reader does not see of the text."""


def minutes(text: str) -> float:
    """The minutes a page takes, from its Markdown."""
    text = _PRACTICE.sub("", text)
    source = read("", text, text.count("\n") - get_data(text)[0].count("\n"))
    inside = {line for fence in source.fences for line in range(fence.line, fence.end + 1)}
    lines = [line for number, line in enumerate(text.split("\n"), 1) if number > source.front and number not in inside]
    prose = _UNSEEN.sub("", CLAIM.sub(r"\g<text>", "\n".join(lines)))
    words = len(re.findall(r"\w[\w'’.,×/-]*", re.sub(r"^/{3,} \w+", "", prose, flags=re.M)))
    listed = [fence.code for fence in source.fences if fence not in source.blocks]
    code_lines = sum(bool(line.strip()) for code in (*visible(source), *listed) for line in code.split("\n"))
    figures = sum(len(re.findall(r"^ *figure\(", block.code, re.M)) for block in source.blocks)
    questions = len(re.findall(r"^/{3,} question \|", prose, re.M))
    return words / WORDS_PER_MINUTE + (LINE_S * code_lines + QUESTION_S * questions + FIGURE_S * figures) / 60


def visible(source: Source) -> list[str]:
    """The code that a page shows, block by block, as readers see it."""
    return [_shown(block.code) for block in source.blocks if block.runs and block.options.get("source") == "above"]
