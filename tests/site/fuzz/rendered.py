"""Reading rendered HTML: nothing raises, and no text that a browser would show outside of code is missed."""

from collections import Counter

from bleach._vendor import html5lib
from scaling_lesson.site.rendered import read

from fuzz import ODD, decode

PIECES = [
    *[f"<{tag}>" for tag in ("p", "b", "a", "div", "td", "table", "tr", "li", "ul", "h2", "br", "span", "details")],
    *[f"</{tag}>" for tag in ("p", "b", "a", "div", "td", "table", "tr", "li", "ul", "h2", "span", "details")],
    '<svg class="lesson-figure"><text>37</text></svg>',
    '<data class="cell" value="37">37</data>',
    '<math xmlns="m"><mi>x</mi><mn>37</mn></math>',
    "<math><mn>37</mn></math>",
    "<svg><text>37</text></svg>",
    *[f"<{tag}>" for tag in ("code", "pre", "data", "script", "style")],
    *[f"</{tag}>" for tag in ("code", "pre", "data", "script", "style")],
    "37",
    "4",
    "word",
    " ",
    "\n",
    "&#51;",
    "&#x33;",
    "&frac12;",
    "&#9999999;",
    "&",
    ";",
    "<!--",
    "-->",
    "<?",
    "<!",
    '<img alt="',
    '<span title="37">',
    '<code title="37">',
    '<input value="',
    '<span class="claim">',
    '<a href="calc:3">37</a>',
    '<a href="calc:x">37</a>',
    f"<a href='calc:{'9' * 5000}'>37</a>",
    '">',
    '"',
    "'",
    "=",
    "<",
    ">",
    "/>",
    "$$",
    "```",
    *ODD,
]
SKIPPED = {"code", "pre", "script", "style"}


def one_input(data: bytes) -> None:
    html(decode(data, PIECES))


def html(text: str) -> None:
    shown, odd, formulas, _ = read(text)
    assert all(isinstance(part, str) for part in shown + formulas + odd)
    missed = digits(text) - Counter(c for part in shown + formulas for c in part)
    assert not missed or odd, (text, missed)


def digits(text: str) -> Counter:
    """The digits a browser shows outside of code and claims: html5lib reads as browsers do."""
    tree = html5lib.parse(text.replace("\0", ""), treebuilder="etree", namespaceHTMLElements=False)
    found: Counter = Counter()

    def visit(element: object) -> None:
        tag = element.tag if isinstance(element.tag, str) else ""
        link = (element.get("href") or "").startswith("calc:")
        computed = element.get("class") in ("lesson-figure", "cell")
        if tag and tag.rpartition("}")[2] not in SKIPPED and not link and not computed:
            found.update(element.text or "")
            for child in element:
                visit(child)
                found.update(child.tail or "")

    visit(tree)
    return Counter({c: n for c, n in found.items() if c.isnumeric()})
