"""The gate's promise: every digit of a built page is a claim, a cell, code or a name, or the build fails."""

import re

from bleach._vendor import html5lib
from one_page import BLOCK, NAMES, build

from fuzz import ODD, decode

# Digits are few, so that one that slips through is not hidden behind another that is told.
PIECES = [
    "\n",
    "\n",
    "\n\n",
    "\n\n",
    " ",
    "  \n",
    "    ",
    "\t",
    "word",
    "word ",
    "word\n\n",
    "GPT-2",
    "float16",
    "37",
    "37",
    "3",
    "*3*7",
    "3&#55;",
    "&#51;&#55;",
    "&frac12;",
    "3\u200b7",
    "٣٧",
    "x³",
    "[2](calc:one)",
    "[2](calc:one)",
    "[3](calc:one)",
    "[2][r]",
    "calc:",
    "\n\n[r]: calc:one\n\n",
    "`",
    "``",
    "```",
    "~~~",
    "````\n",
    "\n```bash\n",
    "\n```text\n",
    "\n```\n",
    "\n~~~\n",
    '\n```bash title="37"\n',
    "\n```python\n",
    f"\n\n{BLOCK}\n",
    f"\n> {BLOCK}".replace("\n", "\n> "),
    "$",
    "$$",
    "$x ",
    "\\",
    "\\text{",
    "\\frac{",
    "{",
    "}",
    "^",
    "_",
    "<!--",
    "-->",
    "<!-- ",
    " -->",
    "[",
    "]",
    "(",
    ")",
    "](",
    "](#a)",
    "][r]",
    "[r]: #a",
    '\n\n[r]: #a "',
    "[^1]",
    "\n\n[^1]: ",
    "![",
    "](a.png)",
    ' "37")',
    "<",
    ">",
    "</",
    "<b>",
    "</b>",
    "<div>",
    "</div>",
    "<div markdown>",
    "<p>",
    "</p>",
    "<pre>",
    "</pre>",
    "<code>",
    "</code>",
    "<svg>",
    "</svg>",
    "<math>",
    "</math>",
    "<data>",
    "</data>",
    '<span class="claim">',
    "</span>",
    "<br>",
    "<hr>",
    '<img alt="',
    '<a title="',
    '">',
    '"',
    "'",
    "=",
    ' title="37"',
    "<https://a.b/",
    "<?",
    "?>",
    "<!DOCTYPE",
    "<script>",
    "</script>",
    "<style>",
    "</style>",
    "<details>",
    "<summary>",
    "<table>",
    "<td>",
    "> ",
    "- ",
    "1. ",
    "12) ",
    "# ",
    "## ",
    " | ",
    "\n--|--\n",
    "\n\na | b\n--|--\n",
    "*",
    "**",
    '\n\n!!! note "',
    "\n\n!!! note\n\n    ",
    "\n\n??? note\n\n    ",
    "\n\n/// note | ",
    "\n\n/// question | ",
    "\n\n/// caption\n",
    "\n///\n\n",
    "\n\n*[word]: ",
    "{#",
    "{: .c ",
    "{: ",
    "}",
    "\n: ",
    "\n:   ",
    "---",
    "===",
    "\n---\n",
    "+",
    *ODD,
]


def one_input(data: bytes) -> None:
    page(decode(data, PIECES))


def page(text: str) -> None:
    html, problems = build(text)
    if not problems:
        left = visible(html)
        assert not left, f"{left!r} is on the page, and nothing tells of it:\n{text}"


_CODE = {"code", "pre", "script", "style", "template", "noscript"}


def visible(html: str) -> list[str]:
    """The words with a digit that a browser shows, outside of code, claims, cells and names."""
    found: list[str] = []

    def visit(element: object) -> None:
        tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else None
        if tag is not None and tag not in _CODE:
            attributes = element.attrib
            kind = (attributes.get("class") or "").split(" ")[0]
            found.extend(attributes[a] for a in ("title", "alt", "aria-label", "placeholder") if a in attributes)
            if tag == "math" and "display" in attributes:  # a digit beside a variable belongs to the formula
                texts = [part.text or "" for part in element.iter() if str(part.tag).endswith(("}mn", "}mtext"))]
                found.extend(text for text in texts if len(text) > 1)
            elif kind not in ("claim-number", "claim-card"):
                found.append(element.text or "")
                for child in element:
                    visit(child)
        found.append(element.tail or "")

    visit(html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False))
    text = "\0".join(found)
    for name in NAMES:
        text = re.sub(rf"(?<![\w.-]){name}(?![\w]|[-.]\w)", "", text)
    return [word for word in re.split(r"[\s\x00]+", text) if any(c.isnumeric() for c in word)]
