"""A page as Markdown shows it: what its tree says outside code, what stands beside each claim, and what was not read.

Python-Markdown decides what a reader gets, so this reads the tree it makes, once, when all else is done with it.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, fromstring

from markdown import Markdown
from markdown.util import HTML_PLACEHOLDER_RE

from scaling_lesson.site.read.source import MARK, Source

_READ_OUT = {"alt", "title", "placeholder", "value", "label", "summary"}
"""Attributes that are read out, or shown on hover or in a field; and all that begin with aria-."""
_ROWS = {"math", "mrow", "mstyle", "mpadded", "semantics"}
"""MathML elements whose parts stand side by side."""
_UNREAD = re.compile(
    r"(?m)^\s*(?:([=!?/:~+`|<-])\1\1.*|\|.*\|\s*$|: {3}\S.*)|([=~+^*_$`:])\2(?=\S).*|\$\$.*|\]\(.*|\]\[|\[\^[^\]]*\]?|\{[:#.](?!\d)[^}]*\}?"
)
"""What Markdown would have taken for markup, had it read it; so an extension is off, or it is written wrongly."""
_PLAIN_TAG = re.compile(r"</[^>]*>|<(?:b|br|em|i|kbd|strong|sub|sup)\s*/?>|<!--.*", re.S)
"""Tags that can only set text; a comment shows nothing."""
_DOCSTRING = {"doc", "doc-object"}
"""The classes of what mkdocstrings shows of the reference code: code with its comments."""
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Formula:
    """A formula: its text, how its first line is written, its MathML, and why it could not be read."""

    latex: str
    written: str
    mathml: str
    error: str | None


@dataclass(frozen=True)
class Seen:
    """A text of the page with a digit in it. before: what is shown in front of it. after: the last known line in front.

    kind: "text", "code", or "formula".
    """

    kind: str
    text: str
    after: int


@dataclass(frozen=True)
class Prose:
    """What a rendered page says. claims: by number, the text before and after each that is shown, others in ⟦ ⟧.

    odd: what looks like a claim and is none, by number. blocks: those on the page. problems: (line, what is wrong).
    """

    claims: dict[int, tuple[str, str]]
    odd: dict[int, str]
    seen: tuple[Seen, ...]
    blocks: frozenset[int]
    problems: tuple[tuple[int, str], ...]


class Reading:
    """The reading of one page while it is rendered, filled by the processors of read.markup; prose() is its result."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.formulas: dict[int, Formula] = {}
        """By the number of what it is stashed as."""
        self.blocks: dict[int, int] = {}
        """The index of each block, likewise."""
        self.raw = range(0)
        """Which of the stash are blocks of HTML that authors typed."""
        self.claims: dict[int, str] = {}
        """The text of each claim that is in running text, by its number."""
        self.odd: dict[int, str] = {}
        self._shown: set[int] = set()
        self._seen: list[Seen] = []
        self._flow: list[str] = []
        self._problems: list[tuple[str, str]] = []
        self._after = source.front + 1

    def walk(self, root: Element, md: Markdown) -> None:
        """Read the finished tree."""
        self._stash = md.htmlStash.rawHtmlBlocks
        self._block_tags = set(md.block_level_elements) | {"br", "td", "th", "dt", "dd", "li", "summary", "caption"}
        self._element(root)

    def prose(self) -> Prose:
        """What was read."""
        problems = [(self.source.seek("", word, 0), what) for word, what in self._problems]
        flow = re.sub(r"[^\x00-\x7f\ue000]", _visible, "".join(self._flow))
        shown = re.compile(f"{MARK}(\\d+){MARK}")
        claims = {}
        for match in shown.finditer(flow):
            around = flow[max(0, match.start() - 99) : match.start()], flow[match.end() : match.end() + 99]
            claims[int(match[1])] = tuple(
                re.sub(MARK, "", shown.sub(lambda m: f"⟦{self.claims[int(m[1])]}⟧", part)) for part in around
            )
        return Prose(claims, self.odd, tuple(self._seen), frozenset(self._shown), tuple(problems))

    def _element(self, element: Element) -> None:
        tag, name = element.tag, element.get("class", "")
        breaks = tag in self._block_tags
        if breaks:
            self._flow.append("\0")
        for attribute, value in element.attrib.items():
            hidden = tag == "abbr" or name == "headerlink"  # the definition is read on the glossary's own page
            if (attribute in _READ_OUT or attribute.startswith("aria-")) and not hidden:
                self._see("text", value)
        if tag == "img":
            self._problems.append(("![", "an image shows what nothing checks: draw it with figure(...)"))
        if name == "claim":
            number = int(element.get("id").removeprefix("claim-"))
            self._after = max(self._after, self.source.claims[number].line)
            self._flow.append(f"{MARK}{number}{MARK}")
        elif name == "claim-odd":
            pass
        elif tag == "code":
            text = re.sub(f"{MARK}\\d+{MARK}", "", "".join(element.itertext()))
            self._flow.append(text)
            self._see("code", text)
        elif name != "headerlink" and not _DOCSTRING <= set(name.split()):
            self._text(element.text)
            for child in element:
                self._element(child)
                self._text(child.tail)
        if breaks:
            self._flow.append("\0")

    def _text(self, text: str | None) -> None:
        """A text of the tree: with what Markdown has stashed away put back, formulas and entities; tags have none."""
        parts = HTML_PLACEHOLDER_RE.split((text or "").replace("\x02amp\x03", "&"))
        plain = ""
        for at, part in enumerate(parts):
            stashed = self._stash[int(part)] if at % 2 else ""
            if not at % 2:
                plain += part
            elif int(part) in self.formulas:
                self._plain(plain)
                plain = ""
                self._formula(self.formulas[int(part)])
            elif int(part) in self.blocks:
                self._shown.add(self.blocks[int(part)])
                self._after = max(self._after, self.source.blocks[self.blocks[int(part)]].end)
            elif isinstance(stashed, str) and re.fullmatch(r"&#?\w+;", stashed):
                plain += html.unescape(stashed)
            elif int(part) in self.raw or re.fullmatch("<[^<>]*>", str(stashed)):
                self._tag(str(stashed).strip())
        self._plain(plain)

    def _tag(self, typed: str) -> None:
        if not _PLAIN_TAG.fullmatch(typed):
            tag = re.match(r"[^>]*>?", typed)[0]
            self._problems.append((tag.split("\n")[0], f"{tag} may show what nothing checks: write Markdown"))

    def _plain(self, text: str) -> None:
        for number in re.findall(f"calc:{MARK}(\\d+){MARK}", text):
            self.odd[int(number)] = "this is not a claim: write [37.7 MB](calc:name), on one line"
        text = re.sub(f"{MARK}\\d+{MARK}", "", text)
        self._flow.append(text)
        self._see("text", text)
        if mark := _TURNS.search(text):
            self._problems.append((mark[0], "a mark here turns the order of what follows"))
        elif (mark := _UNREAD.search(text)) and "calc:" not in text:
            shown = " ".join(mark[0].split())[:40]
            what = "this footnote" if shown.startswith("[^") else "this"
            self._problems.append((shown, f"Markdown did not read {what}, and shows it as it stands: {shown}"))

    def _formula(self, formula: Formula) -> None:
        if formula.error:
            shown = " ".join(formula.latex.split())
            self._problems.append((formula.written, f"cannot read the formula {shown!r}: {formula.error}"))
            return
        tree = fromstring(re.sub(' xmlns="[^"]+"', "", re.sub(r"&(?!#|amp;|lt;|gt;)", "&amp;", formula.mathml)))
        self._flow.append("".join(tree.itertext()))
        for text in (part for part in tree.iter("mtext") if not re.fullmatch(r"[0-9.,]*", part.text or "")):
            self._see("text", text.text or "")
        self._see("formula", _flat(tree), formula.written)

    def _see(self, kind: str, text: str, written: str = "") -> None:
        if any(map(str.isnumeric, text)):
            after = self.source.seek("", written, self._after) if written else self._after
            self._seen.append(Seen(kind, text, after))


def _visible(match: re.Match) -> str:
    return "" if unicodedata.category(match[0]) == "Cf" else match[0]


def _flat(node: Element) -> str:
    """A formula as text, with a space wherever its parts do not stand side by side on one line."""
    if node.tag == "mtext" and not re.fullmatch(r"[0-9.,]*", node.text or ""):
        return " "
    if node.tag == "mspace":
        return "" if re.match(r"\Z|-|neg|0?\.[012]|0(?![.\d])", node.get("width", "")) else " "
    if node.tag in ("mi", "mn", "mo", "mtext"):
        return " ".join((node.text or "").split())
    inner = ("" if node.tag in _ROWS else " ").join(_flat(part) for part in node)
    return inner if node.tag in _ROWS else f" {inner} "


def words_with_digits(text: str) -> Iterator[tuple[int, str]]:
    """Each word that holds a digit, and where it begins."""
    for word in re.finditer(r"[^\s|()\[\]*_`\"“”]+", text):
        if any(map(str.isnumeric, word[0])):
            yield word.start(), word[0].strip(".,;:!?'’")
