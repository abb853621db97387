"""A second reading for naked numbers, of the page as it was rendered: what the first, of its text, may see differently.

The gate reads Markdown with its own patterns to know lines; Python-Markdown decides what a reader gets. Where the two
disagree, a number could slip through, so every digit of the rendered page must be a claim, a cell, code, or a name too.
"""

from collections import Counter
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_CODE = {"pre", "code", "script", "style"}
_COMPUTED = {("svg", "lesson-figure"), ("data", "cell")}
"""Elements, with their class, whose text a block computed."""
_SHOWN_ATTRIBUTES = {"title", "alt", "aria-label", "placeholder", "value", "label"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.math: list[str] = []
        self.odd: list[str] = []
        self._stack: list[tuple[str, bool]] = []
        self._open: Counter[str] = Counter()
        self._skipping = 0
        self._ours = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":  # a link within a link ends it
            self.handle_endtag(tag)
        attributes = dict(attrs)
        address = attributes.get("href") or ""
        unread = address.startswith("calc:")
        skipped = tag in _CODE or (tag, attributes.get("class")) in _COMPUTED or unread
        if not self._skipping:
            seen = _SHOWN_ATTRIBUTES - ({"value"} if tag == "data" else set())
            self.shown += [value or "" for name, value in attrs if name in seen]
        if unread and not address.removeprefix("calc:").isdecimal():  # a numbered one is known, and told by the gate
            self.odd.append(f"a claim was not read as one: {address}")
        if attributes.get("class") == "gate-problem":
            self.odd.append("a block does not run")
        if tag == "math":
            self._ours = "xmlns" in attributes
        self._part(tag)
        if tag not in _VOID:
            self._stack.append((tag, skipped))
            self._open[tag] += 1
            self._skipping += skipped

    def handle_endtag(self, tag: str) -> None:
        self._part(tag)
        while self._open[tag]:
            open_tag, skipped = self._stack.pop()
            self._open[open_tag] -= 1
            self._skipping -= skipped
            if open_tag == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._skipping:
            return
        if self._ours and self._open["math"] and not self._open["mtext"]:
            self.math.append(" ".join(data.split()))
            return
        self.shown.append(data)
        for mark, what in (("$$", "formula"), ("```", "fence")):
            if mark in data:
                self.odd.append(f"a {what} was not read as one: {' '.join(data.split())[:40]}")

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        return self.parse_bogus_comment(i, report)  # as browsers do; what it would do itself raises for some

    def _part(self, tag: str) -> None:
        """Letters, digits and signs side by side make one word of a formula; other elements part them."""
        if tag not in ("mi", "mn", "mo"):
            self.math.append("\n" if tag == "math" else " ")


def read(html: str) -> tuple[list[str], list[str], list[str]]:
    """The texts of a rendered page that are neither code nor computed, what should not be left, and its formulas."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.shown, reader.odd, [text for text in "".join(reader.math).split("\n") if text.strip()]
