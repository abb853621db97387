"""A page as Markdown shows it: what its tree says outside code, what stands beside each claim, and what was not read.

Python-Markdown decides what a reader gets, so this reads the tree it makes, once, when all else is done with it.
"""

import html
import re
import unicodedata
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.util import HTML_PLACEHOLDER_RE

from scaling_lesson.site.read.naked import Settings
from scaling_lesson.site.read.source import MARK, Source, slot

_READ_OUT = re.compile("alt|title|placeholder|value|label|summary|aria-.*")
"""Attributes that are read out, or shown on hover or in a field."""
_ROWS = {"math", "mrow", "mstyle", "mpadded", "semantics"}
"""MathML elements whose parts stand side by side."""
_PLAIN_TAG = re.compile(r"</[^>]*>|<(?:b|br|em|i|kbd|strong|sub|sup)\s*/?>|<!--(?!-?>).*", re.S)
"""Tags that can only set text; a comment shows nothing."""
_DOCSTRING = {"doc", "doc-object"}
"""The classes of what mkdocstrings shows of the reference code: code with its comments."""
_UNREAD = re.compile(
    r"(?m)^[ \t]*(?:([=!?/:~+`|<-])\1\1.*|\|.*\|[ \t]*$|: {3}\S.*)"
    r"|([=~+^*_$`:])\2(?=\S).*|\$\$.*|\]\(.*|\]\[|\[\^[^\]]*\]?|\{[:#.](?!\d)[^}]*\}?"
)
"""What Markdown would have taken for markup, had it read it: an extension is off, or it is written wrongly."""
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
NO_CLAIM = "this is not a claim: write [37.7 MB](calc:name), on one line"
_NUMBERED = re.compile(f"{MARK}(\\d+){MARK}")


@dataclass(frozen=True)
class Formula:
    """A formula: how its first line is written, its MathML, and why it could not be read."""

    written: str
    tree: Element
    error: str | None


@dataclass(frozen=True)
class Prose:
    """What a rendered page says. claims: by number, the text before and after each that is shown, the next in ⟦ ⟧.

    odd: (line, what is wrong) of what looks like a claim and is none. naked: each number that nothing computes, with
    its line. blocks: those on the page. problems: (line, what is wrong) of all else.
    """

    claims: dict[int, tuple[str, str]]
    odd: tuple[tuple[int, str], ...]
    naked: tuple[tuple[int, str], ...]
    blocks: frozenset[int]
    problems: tuple[tuple[int, str], ...]


class Reading:
    """The reading of one page while it is rendered, filled by the processors of read.markup; prose() is its result."""

    def __init__(self, source: Source, settings: Settings) -> None:
        self.source, self.settings = source, settings
        self.formulas: dict[int, Formula] = {}
        """What is stashed, by its number in Markdown's stash. So are blocks."""
        self.blocks: dict[int, int] = {}
        self.raw = range(0)
        """Which of the stash are blocks of HTML that authors typed."""
        self._flow: list[str] = []
        self._naked = [*settings.naked_lines(source.listed())]
        self._odd: list[tuple[int, str]] = []
        self._problems: list[tuple[str, str]] = []
        self._shown: set[int] = set()
        self._after = source.front + 1

    def walk(self, root: Element, md: Markdown) -> None:
        """Read the finished tree, and leave a slot in it for each claim."""
        self._stash, self._edged = md.htmlStash.rawHtmlBlocks, {"br", "caption", *md.block_level_elements}
        self._element(root)

    def prose(self) -> Prose:
        """What was read."""
        flow = _NUMBERED.split(_visible("".join(self._flow)))  # a text, the number of a claim, a text, ...
        said = [f"⟦{self.source.claims[int(part)].text}⟧" if at % 2 else part for at, part in enumerate(flow)]
        claims, problems = {}, []
        for at in range(1, len(flow), 2):
            claims[int(flow[at])] = "".join(said[max(0, at - 2) : at]), "".join(said[at + 1 : at + 3])
        lines: dict[str, int] = {}
        for written, what in self._problems:  # the same again stands further down
            lines[written] = self.source.seek("", written, lines.get(written, 0) + 1)
            problems.append((lines[written], what))
        return Prose(claims, tuple(self._odd), tuple(self._naked), frozenset(self._shown), tuple(problems))

    def _element(self, element: Element, heading: bool = False) -> None:
        tag = element.tag
        if tag == "a" and element.get("href", "").startswith("calc:"):
            return self._claim(element, heading)
        if set(element.get("class", "").split()) >= _DOCSTRING:
            return
        edge = ["\0"] if tag in self._edged else []
        self._flow += edge
        for attribute, value in element.attrib.items():
            # A term's definition is read on the glossary's own page.
            if _READ_OUT.fullmatch(attribute) and tag != "abbr":
                self._see(value)
        if tag == "img":
            self._problems.append(("![", "an image shows what nothing checks: draw it with figure(...)"))
        elif tag == "code":
            text = html.unescape(_NUMBERED.sub("", "".join(element.itertext())))
            self._flow.append(text)
            self._see_in(text, self.settings.in_code(text))
        else:
            self._text(element.text)
            for child in element:
                self._element(child, heading or bool(re.fullmatch("h[1-6]", tag)))
                self._text(child.tail)
        self._flow += edge

    def _claim(self, link: Element, heading: bool) -> None:
        """Turn a link that is a claim into its slot, or note why it is none."""
        mark = _NUMBERED.search(link.get("href", ""))
        claim = self.source.claims[int(mark[1])] if mark else None
        self._after = max(self._after, claim.line if claim else 0)
        read = claim and claim.name and claim.text == link.text and not len(link) and link.keys() == ["href"]
        link.tag = "span"
        link.attrib.clear()
        if read and not heading:
            self._flow.append(mark[0])
            link.attrib.update({"class": "claim", "id": f"claim-{mark[1]}"})
            link.text = slot("claim", int(mark[1]))
        elif read:
            self._odd.append((claim.line, f'claim "{claim.text}" is not on the built page: a heading cannot hold one'))
        else:
            self._odd.append((claim.line if claim else self.source.seek("", "calc", 0), NO_CLAIM))

    def _text(self, text: str | None) -> None:
        """A text of the tree, with what Markdown has stashed away put back: formulas and entities; tags are no text."""
        plain = ""
        for at, part in enumerate(HTML_PLACEHOLDER_RE.split((text or "").replace("\x02amp\x03", "&"))):
            if not at % 2:
                plain += part
            elif int(part) in self.formulas:
                self._plain(plain)
                self._formula(self.formulas[int(part)])
                plain = ""
            elif int(part) in self.blocks:
                index = self.blocks[int(part)]
                self._shown.add(index)
                self._after = max(self._after, self.source.blocks[index].end)
            else:
                plain += self._stashed(int(part))
        self._plain(plain)

    def _stashed(self, number: int) -> str:
        """The text of an entity; of a tag, none."""
        stashed = str(self._stash[number]).strip()
        if re.fullmatch(r"&#?\w+;|<br\s*/?>", stashed):
            return html.unescape(stashed) if stashed.startswith("&") else "\0"
        if (number in self.raw or re.fullmatch("<[^<>]*>", stashed)) and not _PLAIN_TAG.fullmatch(stashed):
            tag = re.match(r"[^>]*>?", stashed)[0]
            self._problems.append((tag.split("\n")[0], f"{tag} may show what nothing checks: write Markdown"))
        return ""

    def _plain(self, text: str) -> None:
        unread = re.findall(f"calc:{MARK}(\\d+){MARK}", text)
        self._odd += [(self.source.claims[int(number)].line, NO_CLAIM) for number in unread]
        text = _NUMBERED.sub("", text)
        self._flow.append(text)
        self._see(text)
        if mark := _TURNS.search(text):
            self._problems.append((mark[0], "a mark here turns the order of what follows"))
        elif (mark := _UNREAD.search(re.sub(r"(?m)^::: [\w.]+$", "", text))) and not unread:
            shown = " ".join(mark[0].split())[:40]
            what = "this footnote" if shown.startswith("[^") else "this"
            self._problems.append((shown, f"Markdown did not read {what}, and shows it as it stands: {shown}"))

    def _formula(self, formula: Formula) -> None:
        if formula.error:
            self._problems.append((formula.written, formula.error))
            return
        self._flow.append("".join(formula.tree.itertext()))
        for part in formula.tree.iter("mtext"):
            if not re.fullmatch("[0-9.,]*", part.text or ""):
                self._see(part.text or "")
        numbers = self.settings.in_formula(unicodedata.normalize("NFKC", _visible(_flat(formula.tree))))  # x²⁵ as x25
        self._see_in(formula.written, numbers)

    def _see(self, text: str) -> None:
        for at, word in self.settings.naked(text):
            self._naked.append((self.source.seek(text[max(0, at - 99) : at], word, self._after), word))

    def _see_in(self, written: str, numbers: list[str]) -> None:
        self._naked += [(self.source.seek("", written, self._after), number) for number in numbers]


def _visible(text: str) -> str:
    """The text without characters that have no width."""
    return "".join(c for c in text if c.isascii() or unicodedata.category(c) != "Cf")


def _flat(node: Element) -> str:
    """A formula as text, with a space wherever its parts do not stand side by side on one line."""
    text = node.text or ""
    if node.tag == "mspace":
        return "" if re.match(r"\Z|-|neg|0?\.[012]|0(?![.\d])", node.get("width", "")) else " "
    if node.tag in ("mi", "mn", "mo", "mtext"):
        return " " if node.tag == "mtext" and not re.fullmatch("[0-9.,]*", text) else " ".join(text.split())
    inner = ("" if node.tag in _ROWS else " ").join(map(_flat, node))
    return inner if node.tag in _ROWS else f" {inner} "
