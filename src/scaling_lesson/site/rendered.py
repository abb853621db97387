"""A second reading for naked numbers, of the page as it was rendered: what the first, of its text, may see differently.

The gate reads Markdown with its own patterns to know lines; Python-Markdown decides what a reader gets. Where the two
disagree, a number could slip through, so every digit of the rendered page must be a claim, a cell, code, or a name too.
What mkdocstrings shows of the reference code is code with its comments.
"""

from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_COMPUTED = {"pre", "code", "svg", "math", "data", "script", "style"}
"""Elements whose text is code, or was computed."""
_DOCSTRING = {"doc", "doc-object"}
"""The classes of the element that mkdocstrings puts round all it renders."""
_SHOWN_ATTRIBUTES = {"title", "alt", "aria-label", "placeholder", "value"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.odd: list[str] = []
        self._stack: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        address = attributes.get("href") or ""
        unread = address.startswith("calc:")
        skipped = tag in _COMPUTED or unread or attributes.get("class") in ("claim", "gate-notice", "gate-problem")
        skipped = skipped or _DOCSTRING <= set((attributes.get("class") or "").split())
        if not self._skipping() and not skipped:
            self.shown += [value or "" for name, value in attrs if name in _SHOWN_ATTRIBUTES]
        if unread and not address.removeprefix("calc:").isdecimal():  # a numbered one is known, and told by the gate
            self.odd.append(f"a claim was not read as one: {address}")
        if attributes.get("class") == "gate-problem":
            self.odd.append("a block does not run")
        if tag not in _VOID:
            self._stack.append((tag, skipped))

    def handle_endtag(self, tag: str) -> None:
        while any(open_tag == tag for open_tag, _ in self._stack):
            if self._stack.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self._skipping():
            self.shown.append(data)
            for mark, what in (("$$", "formula"), ("```", "fence")):
                if mark in data:
                    self.odd.append(f"a {what} was not read as one: {' '.join(data.split())[:40]}")

    def _skipping(self) -> bool:
        return any(skipped for _, skipped in self._stack)


def read(html: str) -> tuple[list[str], list[str]]:
    """The texts of a rendered page that are neither code nor computed, and what is left in it that should not be."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.shown, reader.odd
