"""Terms of the glossary, explained where a page first uses them: as Python-Markdown's `abbr` does, but once a page."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.abbr import AbbrTreeprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

_UNMARKED = {"h1", "h2", "h3", "h4", "h5", "h6", "a", "code", "pre", "summary", "abbr"}


def read_terms(file: Path) -> dict[str, str]:
    """The terms of the glossary page, a definition list, as sentences spell them, each with its plain definition."""
    md = Markdown(extensions=["meta", "attr_list", "def_list"])
    reader = _Terms(md)
    md.treeprocessors.register(reader, "terms", -1)
    md.convert(file.read_text("utf-8", "replace"))
    return reader.found


class _Terms(Treeprocessor):
    def __init__(self, md: Markdown) -> None:
        super().__init__(md)
        self.found: dict[str, str] = {}

    def run(self, root: Element) -> None:
        terms: list[str] = []
        for part in (part for entries in root.iter("dl") for part in entries):
            text = " ".join("".join(part.itertext()).split())
            if part.tag == "dt":
                terms = [*terms, text]
                continue
            for term in terms:  # with a capital on its own page, and within a sentence without; one of it, and more
                small = term[:1].lower() + term[1:] if term[1:2].islower() else term
                self.found |= dict.fromkeys((term, f"{term}s", small, f"{small}s"), text)
            terms = []


class TermsExtension(Extension):
    """Marks terms on the pages it is given to."""

    def __init__(self, terms: dict[str, str]) -> None:
        super().__init__()
        self.terms = terms

    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(_FirstPlaces(md, self.terms), "lesson_terms", 7)


class _FirstPlaces(AbbrTreeprocessor):
    """Marks the first place of each term in running text."""

    def run(self, root: Element) -> None:
        terms = (re.escape(term).replace(r"\ ", r"\s+") for term in sorted(self.abbrs, key=len, reverse=True))
        self.RE = re.compile(rf"\b(?:{'|'.join(terms)})\b")
        self._told: set[str] = set()
        self.iter_element(root)

    def iter_element(self, el: Element, parent: Element | None = None) -> None:
        """As abbr's own, but in reading order, and leaving out what is not running text."""
        if el.tag not in _UNMARKED and "admonition-title" not in el.get("class", ""):
            children = list(el)
            el.text = self._mark(el.text, el, 0)
            for child in children:
                self.iter_element(child, el)
        if parent is not None:
            el.tail = self._mark(el.tail, parent, list(parent).index(el) + 1)

    def _mark(self, text: str | None, parent: Element, at: int) -> str | None:
        """Put the first places of terms, and what follows them, into `parent` from `at` on; return what is before."""
        first = []
        for match in self.RE.finditer("" if isinstance(text, AtomicString) else text or ""):
            definition = self.abbrs[" ".join(match[0].split())]
            if definition not in self._told:
                self._told.add(definition)
                first.append((match, definition))
        for match, definition in reversed(first):
            abbr = self.create_element(definition, match[0], text[match.end() :])
            abbr.set("tabindex", "0")  # so that a key or a tap reaches it too
            parent.insert(at, abbr)
            text = text[: match.start()]
        return text
