"""A page's file as text: its blocks and claims, whose lines Markdown does not keep. All else is read as it is shown."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import yaml
from mkdocs.utils.meta import YAML_RE, get_data

from scaling_lesson.site.read.code import titles
from scaling_lesson.units import did_you_mean, nearest

MARK = "\ue000"
"""Stands round the number of a claim while its page is rendered; nobody types it, and nothing shows it."""


def slot(kind: str, number: int) -> str:
    """What stands for a page's claim, or for the problems of its block, until all pages are judged."""
    return f"{MARK}{kind}{number}{MARK}"


CLAIM = re.compile(r"\[(?P<text>[^\[\]\n]+)\]\(calc:(?:(?P<page>[^()\s/]+)/)?(?P<name>[^\W\d]\w*)\)")
_FENCE = re.compile(
    r"""^(?P<prefix>[> ]*)(?P<marks>`{3,}+|~{3,}+)(?P<header>[^`\n]*)$
    (?P<body>(?:\n.*)*?)
    (?:\n(?P<end>(?P=prefix)?+(?![ ])[> ]*+(?P=marks)[> ]*+)$|\Z)""",
    re.M | re.X,
)
_HEADER = re.compile(r'(?P<language>[\w#.+-]*)(?P<options>(?:\s*[A-Za-z_]+="[^"]*")*)\s*(?P<rest>.*)', re.S)
_OPTIONS = ("exec", "source", "timeout", "title")
_LISTINGS = {"markdown", "bash", "yaml", "toml", "bibtex"}
"""Fences that show code and run nothing. Other listings are prose: their digits are checked."""


@dataclass(frozen=True)
class Block:
    """A fence: its first and last line (from 1), what both begin with, its language, options and code.

    problem: why a block that should run would not.
    """

    line: int
    end: int
    marks: str
    language: str
    options: dict[str, str]
    code: str
    problem: str | None

    @property
    def runs(self) -> bool:
        return self.language == "python" and not self.problem

    @property
    def limit_s(self) -> float:
        """How long it may run."""
        return 20.0 if self.problem else float(self.options.get("timeout", "20"))


@dataclass(frozen=True)
class ClaimLink:
    """A `[text](calc:page/name)` link: its line, the place of its text there, and what it says of which value.

    page: "" is its own page. name: "" where it has the look of a claim, and cannot be read as one.
    """

    line: int
    start: int
    text: str
    page: str
    name: str


@dataclass(frozen=True)
class Source:
    """A page as it is written.

    front: how many lines of front matter it has, empty ones included. prose: its lines outside that and outside fences,
    by number. problems: (line, what is wrong).
    """

    path: str
    text: str
    front: int
    fences: tuple[Block, ...]
    prose: dict[int, str]
    claims: tuple[ClaimLink, ...]
    problems: tuple[tuple[int, str], ...]

    @property
    def slug(self) -> str:
        """What other pages call it in `calc:slug/name`: its file name, or its folder's for an index page."""
        *folders, name = self.path.removesuffix(".md").split("/")
        return folders[-1] if name == "index" and len(folders) > 1 else name

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The fences that run, or should."""
        return tuple(fence for fence in self.fences if fence.runs or fence.problem)

    def line(self, place: tuple[int, int]) -> int:
        """The page's line of a place in a block."""
        return self.blocks[place[0]].line + 1 + place[1]

    def listed(self) -> Iterator[tuple[int, str]]:
        """The listings that are prose, and what of the front matter is shown, each with its first line."""
        for fence in self.fences:
            if fence not in self.blocks and fence.language not in _LISTINGS:
                yield fence.line + 1, fence.code
        if self.front and (front := YAML_RE.match(self.text)):
            yield from titles(front[1], 2)

    def seek(self, before: str, word: str, after: int) -> int:
        """The line on which a word of the shown page stands, as near as it can be told.

        before: what is shown in front of it. after: the line of the last claim or block in front of it.
        """
        words = before.split()[-3:]
        order = sorted(self._shown, key=lambda line: (line < after, line))
        alone = re.escape(word)
        if word[:1].isalnum():
            alone = rf"(?<!\w){alone}(?!\w)"
        behind = [re.escape(" ".join([*words[first:], word])) for first in range(len(words))]
        lines = (line for wanted in (*behind, alone) for line in order if re.search(wanted, self._shown[line]))
        return next(lines, max(after, self.front + 1))

    @cached_property
    def _shown(self) -> dict[int, str]:
        """The lines of the prose as a reader would see their characters, without claims."""
        return {line: " ".join(html.unescape(CLAIM.sub(" ", text)).split()) for line, text in self.prose.items()}

    def marked(self, lines: list[str]) -> list[str]:
        """These lines of its Markdown (without front matter), each claim and block numbered, for rendering."""
        lines, number = list(lines), 0
        for at in (line - 1 - self.front for line in self.prose):
            head, *rest = lines[at].split("](calc:")
            lines[at] = head + "".join(f"](calc:{MARK}{n}{MARK}{part}" for n, part in enumerate(rest, number))
            number += len(rest)
        for index, block in enumerate(self.blocks):
            first, end = block.line - 1 - self.front, block.end - self.front
            lines[first] = f'{block.marks}python exec="on" block="{index}"'
            if block.problem:  # its code might show as prose, and its end begin another block
                lines[first + 1 : end] = [*[""] * (end - first - 2), block.marks]
        return lines

    def corrected(self, text: str, texts: dict[int, str]) -> str:
        """The text of the page's file, with these for the texts of its claims, by their number; else to the byte."""
        mark = "\ufeff" * text.startswith("\ufeff")
        lines = re.split("(\r\n?|\n)", text.removeprefix(mark))  # with their ends between them
        for number, new in sorted(texts.items(), reverse=True):
            link, at = self.claims[number], 2 * (self.claims[number].line - 1)
            lines[at] = lines[at][: link.start] + new + lines[at][link.start + len(link.text) :]
        return mark + "".join(lines)


def read(path: str, text: str) -> Source:
    """Read a page. What stands in front of its first line that is shown is front matter, as MkDocs sees it."""
    lines, (shown, meta) = text.split("\n"), get_data(text)
    front = text.count("\n") - shown.count("\n")
    fences = tuple(_fences(text.expandtabs(4), front))
    inside = {line for fence in fences for line in range(fence.line, fence.end + 1)}
    prose = {number: line for number, line in enumerate(lines, 1) if number > front and number not in inside}
    claims, problems = [], [(fence.line, fence.problem) for fence in fences if fence.problem]
    for number, line in prose.items():
        for link in re.finditer(rf"{CLAIM.pattern}|\]\(calc:", line):
            said = [part or "" for part in link.group("text", "page", "name")]
            claims.append(ClaimLink(number, link.start("text" if link["name"] else 0), *said))
    for number, line in enumerate(lines, 1):
        if re.match(r"(?:<{7}|>{7}|\|{7})(?: |$)", line):
            problems.append((number, "a merge conflict is left in this page"))
        if number <= front and "calc:" in line:
            problems.append((number, "front matter cannot hold a claim"))
    match = YAML_RE.match(text)
    if meta and not match:
        problems.append((1, "this reads as front matter, and is not shown: put --- around it, or a heading above it"))
    elif match and not front:
        problems.append((_yaml_fault(match[1]), "this front matter is not read: it is no YAML of the form key: value"))
    return Source(path, text, front, fences, prose, tuple(claims), tuple(problems))


def _yaml_fault(text: str) -> int:
    try:
        yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        return (error.problem_mark.line if error.problem_mark else 0) + 2
    return 1


def _fences(text: str, front: int) -> Iterator[Block]:
    line, at = 1, 0
    for fence in _FENCE.finditer(text, len(text) - len(text.split("\n", front)[-1])):
        line, at = line + text.count("\n", at, fence.start()), fence.start()
        header, prefix, body = fence["header"].strip(), fence["prefix"], fence["body"].split("\n")[1:]
        language, options, rest = _HEADER.match(header).groups()
        options = dict(re.findall(r'(\w+)="([^"]*)"', options))
        torn = any(text.strip(" >") and not text.startswith(prefix) for text in body)
        problem = _problem(header, language, options, rest, torn)
        if fence["end"] is None:
            problem = "this block is never closed, so nothing after it is read"
        code = "\n".join(text[len(prefix) :] for text in body)
        yield Block(line, line + fence[0].count("\n"), prefix + fence["marks"], language, options, code, problem)


def _problem(header: str, language: str, options: dict[str, str], rest: str, torn: bool) -> str | None:
    """What would keep a block from running, the first thing only. torn: a line is indented less than the first."""
    braces = header.startswith(("{", "."))
    if language != "python" and not braces:
        runs = "exec" in header or language.lower() in ("py", "python", "python3", "pycon")
        return 'only "python" blocks run; write ```python exec="on"' if runs else None
    unknown = next((key for key in options if key not in _OPTIONS), "")
    near = did_you_mean(nearest(repr(unknown), map(repr, _OPTIONS))) or f"; options are {', '.join(_OPTIONS)}"
    source, limit = options.get("source", "above"), options.get("timeout", "20")
    seconds = re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", limit) and float(limit)
    faults = (
        (braces, 'write the language and options as ```python exec="on"'),
        (torn, "a line of it is indented less than its first"),
        (rest, f'cannot read {rest!r}; options are written key="value"'),
        (unknown, f"there is no option {unknown!r}{near}"),
        (options.get("exec") != "on", 'python blocks are executed, write ```python exec="on"'),
        (source != "above", f'source is "above" or left out, not {source!r}'),
        (not seconds, f"timeout is a number of seconds, not {limit!r}"),
    )
    return next((f"this block would not run: {why}" for wrong, why in faults if wrong), None)
