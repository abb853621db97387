"""Terms of the glossary, explained where a page first uses them.

The glossary is a page, a definition list, read as Markdown reads it; its terms go to Python-Markdown's `abbr` processor.
That marks every place; here only the first one of a page's running text is marked.
"""

import re
from pathlib import Path
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions.abbr import AbbrTreeprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

_UNMARKED = {"h1", "h2", "h3", "h4", "h5", "h6", "a", "code", "pre", "summary", "abbr"}
_UNMARKED_CLASSES = {"claim", "admonition-title"}


def read_terms(file: Path) -> dict[str, str]:
    """Each term of the glossary page, and its definition as plain text. Terms on lines of their own share one."""
    md = Markdown(extensions=["meta", "attr_list", "def_list"])
    reader = _Terms(md)
    md.treeprocessors.register(reader, "terms", -1)
    md.convert(file.read_text("utf-8", "replace"))
    return reader.terms


class _Terms(Treeprocessor):
    def __init__(self, md: Markdown) -> None:
        super().__init__(md)
        self.terms: dict[str, str] = {}

    def run(self, root: Element) -> None:
        for entries in root.iter("dl"):
            names: list[str] = []
            for part in entries:
                text = " ".join("".join(part.itertext()).split())
                if part.tag == "dt":
                    names.append(text)
                else:
                    self.terms |= dict.fromkeys(names, text)
                    names = []


class TermsProcessor(AbbrTreeprocessor):
    """Marks the first place of each term. spellings: definitions by the words that stand for them."""

    def run(self, root: Element) -> None:
        self.told: set[str] = set()
        words = sorted(self.abbrs, key=len, reverse=True)
        either = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words)
        self.RE = re.compile(rf"\b(?:{either})\b")
        self.iter_element(root)

    def create_element(self, title: str, text: str, tail: str) -> Element:
        abbr = super().create_element(title, text, tail)
        abbr.set("tabindex", "0")  # so that a key or a tap reaches it too
        return abbr

    def iter_element(self, el: Element, parent: Element | None = None) -> None:
        """As abbr's own, but in reading order, and leaving out what is not running text."""
        if el.tag not in _UNMARKED and not _UNMARKED_CLASSES & set(el.get("class", "").split()):
            children = list(el)
            el.text = self._mark(el.text, el, 0)
            for child in children:
                self.iter_element(child, el)
        if parent is not None:
            el.tail = self._mark(el.tail, parent, list(parent).index(el) + 1)

    def _mark(self, text: str | None, parent: Element, at: int) -> str | None:
        """Put the first places of terms, and what follows them, into `parent` from `at` on; return what is before."""
        if not text or isinstance(text, AtomicString):
            return text
        first = []
        for match in self.RE.finditer(text):
            definition = self.abbrs[" ".join(match[0].split())]
            if definition not in self.told:
                self.told.add(definition)
                first.append((match, definition))
        for match, definition in reversed(first):
            parent.insert(at, self.create_element(definition, match[0], text[match.end() :]))
            text = text[: match.start()]
        return text


def spellings(terms: dict[str, str]) -> dict[str, str]:
    """The terms, which the page writes with a capital, as a sentence may have them: within it, or more than one."""
    found = {}
    for term, definition in terms.items():
        small = term[:1].lower() + term[1:] if term[1:2].islower() else term
        for word in (term, small):
            found |= {word: definition, f"{word}s": definition}
    return found
