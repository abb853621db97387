"""Reading a page as text: nothing raises, lines stay where they are, and no plain number is lost."""

import re

from scaling_lesson.site.source import naked_numbers, numbers_in, prose, replace_claims, scan_claims, scan_fences

from fuzz import ODD, decode

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
NUMBER = "7391"
"""A number that no piece holds."""


def one_input(data: bytes) -> None:
    page(decode(data, PIECES))


def page(text: str) -> None:
    fences = scan_fences(text)
    readable = prose(text, fences)
    count = text.count("\n") + 1
    assert readable.count("\n") + 1 == count, "lines moved"
    assert all(1 <= fence.line <= count and fence.line + len(fence.body) <= count for fence in fences)
    links, odd = scan_claims(readable)
    found = naked_numbers(readable, NAMES)
    assert all(1 <= line <= count for line in [link.line for link in links] + [line for line, _ in odd + found])
    assert [link.line for link in links] == sorted(link.line for link in links)
    # A claim put back as it stands changes nothing; numbers_in reads a plain line as naked_numbers does a page's.
    assert replace_claims(readable.split("\n"), readable, lambda _, match: match[0]) == readable.split("\n")
    seen = []
    replace_claims(readable.split("\n"), readable, lambda n, match: seen.append((n, match["text"])) or match[0])
    assert seen == [(n, link.text) for n, link in enumerate(links)]
    for line, word in numbers_in(readable, NAMES):
        assert word and word.strip() and any(c.isnumeric() for c in readable.split("\n")[line - 1]), (line, word)
    # A paragraph of its own at the end is read, whatever stands above it, unless that was a block left open.
    if all(fence.closed for fence in fences) and not re.search(r"<!--|</?[A-Za-z]|[({\[\"'`$<]", text):
        planted = f"{text}\n\nit took {NUMBER} of them"
        assert (count + 2, NUMBER) in naked_numbers(prose(planted, scan_fences(planted)), NAMES), planted
