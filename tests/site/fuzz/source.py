"""Reading a page as text: nothing raises, each line stays where it is, and what is put back changes nothing."""

from fuzz import ODD, decode
from scaling_lesson.site.read.source import read

NAMES = ["GPT-2", "float16", "16-bit", "A100", "A100 80 GB"]
PIECES = [
    "\n",
    "\n",
    "\n\n",
    " ",
    "    ",
    "\t",
    "37",
    "4",
    "1,024",
    "1e9999",
    "10⁹⁹⁹⁹",
    "word",
    "x",
    *NAMES,
    "`",
    "``",
    "```",
    "~~~",
    "````",
    '```python exec="on"\n',
    "```bash\n",
    "```text\n",
    "```py\n",
    "``` {.python}\n",
    ' source="above"',
    ' timeout="5"',
    'title="37"',
    "$",
    "$$",
    "\\",
    "\\text{",
    "\\frac",
    "{",
    "}",
    "^",
    "_",
    "<!--",
    "-->",
    "[",
    "]",
    "(",
    ")",
    "](",
    "](calc:",
    "](calc:one)",
    "[37.7 MB](calc:one)",
    "[4](calc:kv-cache/two)",
    "calc:",
    "]: ",
    "[^1]",
    "<",
    ">",
    "</",
    "<b>",
    "</b>",
    '<img alt="',
    "<img alt='",
    '"',
    "'",
    "=",
    ' title="37"',
    "<https://a.b/",
    "&#51;",
    "&frac12;",
    "> ",
    "- ",
    "1. ",
    "12) ",
    "# ",
    "| ",
    "--|--",
    "*",
    "**",
    "!!! note ",
    "/// note | ",
    "///",
    "*[KV]: ",
    "{#",
    "{: .c ",
    ": ",
    *ODD,
]


def one_input(data: bytes) -> None:
    page(decode(data, PIECES))


def page(text: str) -> None:
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")  # as a file is read
    source = read("docs/page.md", text)
    lines = text.split("\n")
    count = len(lines)
    last = 0
    for fence in source.fences:
        assert last < fence.line <= fence.end <= count, "fences overlap, or leave the page"
        assert fence.code.count("\n") < max(1, fence.end - fence.line), "a block has more lines than the page gives it"
        assert not (fence.runs and fence.problem), fence
        last = fence.end
    for line, message in (*source.problems, *source.listed()):
        assert 1 <= line <= count and isinstance(message, str)
    inside = {line for fence in source.fences for line in range(fence.line, fence.end + 1)}
    assert [link.line for link in source.claims] == sorted(link.line for link in source.claims)
    for link in source.claims:
        assert link.line not in inside
        assert lines[link.line - 1][link.start :].startswith(f"{link.text}](calc:")
    outside = [line for number, line in enumerate(lines, 1) if number > source.front and number not in inside]
    assert len(source.claims) == sum(line.count("](calc:") for line in outside)
    same = {number: link.text for number, link in enumerate(source.claims)}
    assert source.corrected(text, same) == text
    assert source.corrected(f"\ufeff{text}", {}) == f"\ufeff{text}"
    marked = source.marked(lines[source.front :])
    opened = bool(source.fences) and source.fences[-1].line == count  # on the last line: its end is put below
    assert len(marked) == count - source.front + opened, "lines moved"
    assert sum(line.count("](calc:\ue000") for line in marked) - "\n".join(lines[source.front :]).count(
        "](calc:\ue000"
    ) == len(source.claims)
    for word in ("37", "", "[", text[:9]):
        assert 1 <= source.seek(text[-5:], word, count // 2) <= count, word
