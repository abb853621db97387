"""A second reading for naked numbers, of the page as it was rendered: what the first, of its text, may see differently.

The gate reads Markdown with its own patterns to know lines; Python-Markdown decides what a reader gets. Where the two
disagree, a number could slip through, so every digit of the rendered page must be a claim, a cell, code, or a name too.
What mkdocstrings shows of the reference code is code with its comments.
"""

import re
from collections import Counter
from html.parser import HTMLParser

_DIGITS = re.compile(r"[0-9.,]*")
_SEEN_ATTRIBUTES = (
    "alt",
    "title",
    "placeholder",
    "value",
    "label",
    "summary",
    "aria-label",
    "aria-description",
    "aria-valuetext",
    "aria-roledescription",
    "aria-placeholder",
)
"""What is read out, or shown on hover or in a field."""
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_CODE = {"pre", "code", "script", "style"}
_COMPUTED = {("svg", "lesson-figure"), ("data", "cell")}
"""Elements, with their class, whose text a block computed."""
_INLINE = set(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "u",
        "var",
        "wbr",
        "math",
        "mi",
        "mn",
        "mo",
        "mrow",
        "mspace",
        "mstyle",
        "mpadded",
        "mtext",
        "mfrac",
        "msub",
        "msup",
        "msubsup",
        "msqrt",
        "munder",
        "mover",
        "munderover",
        "semantics",
        "annotation",
    ]
)
"""Elements that leave what they hold on the line it stands on."""
_ROWS = {"math", "mrow", "mstyle", "mpadded", "semantics"}
"""MathML elements whose parts stand side by side."""
_TABLE_PARTS = {"caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"}
"""They end what was left open since the last of them in their table, code too."""
_DOCSTRING = {"doc", "doc-object"}
"""The classes of the element that mkdocstrings puts round all it renders."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.math: list[str] = []
        self.odd: list[str] = []
        self.lines: list[str] = []
        self._stack: list[tuple[str, bool]] = []
        self._open: Counter[str] = Counter()
        self._skipping = 0
        self._ours = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":  # a link within a link ends it
            self.handle_endtag(tag)
        while tag in _TABLE_PARTS and self._open["table"] and self._stack[-1][0] not in _TABLE_PARTS | {"table"}:
            self._pop()
        attributes = dict(attrs)
        address = attributes.get("href") or ""
        unread = address.startswith("calc:")
        skipped = tag in _CODE or (tag, attributes.get("class")) in _COMPUTED or unread
        skipped = skipped or set((attributes.get("class") or "").split()) >= _DOCSTRING
        term = tag == "abbr" and "tabindex" in attributes  # its definition is read on the glossary's own page
        if not self._skipping:
            self.shown += [
                value or ""
                for name, value in attrs
                if name in _SEEN_ATTRIBUTES and (tag, name) != ("data", "value") and not term
            ]
        if unread and not address.removeprefix("calc:").isdecimal():  # a numbered one is known, and told by the gate
            self.odd.append(f"a claim was not read as one: {address}")
        if attributes.get("class") == "gate-problem":
            self.odd.append("a block does not run")
        if tag == "math":
            self._ours = "xmlns" in attributes
        self._part(tag, attributes.get("width") or "")
        if tag not in _VOID:
            self._stack.append((tag, skipped))
            self._open[tag] += 1
            self._skipping += skipped

    def handle_endtag(self, tag: str) -> None:
        while self._open[tag] and self._pop() != tag:
            pass
        self._part(tag)

    def _pop(self) -> str:
        tag, skipped = self._stack.pop()
        self._open[tag] -= 1
        self._skipping -= skipped
        return tag

    def handle_data(self, data: str) -> None:
        if not (self._open["pre"] or self._open["script"] or self._open["style"]):
            self.lines.append(data)
        if self._skipping:
            return
        if self._ours and self._open["math"]:
            if not self._open["mtext"]:
                self.math.append(" ".join(data.split()))
                return
            self.math.append(data if _DIGITS.fullmatch(data) else " ")
        self.shown.append(data)
        for mark, what in (("$$", "formula"), ("```", "fence")):
            if mark in data:
                self.odd.append(f"a {what} was not read as one: {' '.join(data.split())[:40]}")

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        return self.parse_bogus_comment(i, report)  # as browsers do; what it would do itself raises for some

    def _part(self, tag: str, width: str = "") -> None:
        """An element begins or ends: what is before and after it may be on two lines, or in two places of a formula."""
        if tag not in _INLINE:
            self.lines.append("\0")
        beside = self._stack and self._stack[-1][0] in _ROWS and tag in _ROWS | {"mi", "mn", "mo", "mtext"}
        thin = tag == "mspace" and re.match(r"\Z|-|neg|0?\.[012]|0(?![.\d])", width)
        if not (beside or thin):
            self.math.append("\n" if tag == "math" else " ")


def read(html: str) -> tuple[list[str], list[str], list[str], str]:
    """A rendered page's texts that are neither code nor computed, what should not be left in it, and its formulas.

    Then all that is visible as one text, code too, in which \\0 begins and ends a line.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    formulas = [text for text in "".join(reader.math).split("\n") if text.strip()]
    return reader.shown, reader.odd, formulas, "".join(reader.lines)
