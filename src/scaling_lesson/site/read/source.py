"""A page's file as text: its blocks and its claims, which Markdown does not keep the lines of. All else is read as Markdown shows it."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import yaml
from mkdocs.utils.meta import YAML_RE

from scaling_lesson.units import did_you_mean, nearest

MARK = "\ue000"
"""Stands round the number of a claim while its page is rendered; nobody types it, and nothing shows it."""

CLAIM = re.compile(r"\[(?P<text>[^\[\]\n]+)\]\(calc:(?:(?P<page>[^()\s/]+)/)?(?P<name>[^\W\d]\w*)\)")
_FENCE = re.compile(r"(?P<prefix>[> \t]*)(?P<fence>`{3,}+|~{3,}+)(?P<header>[^`]*)$")
_OPTION = re.compile(r'\s*(?P<key>[A-Za-z_]+)="(?P<value>[^"]*)"')
_OPTIONS = ("exec", "source", "timeout", "title")
_LISTINGS = {"markdown", "bash", "yaml", "toml"}
"""Fences that show code and run nothing. Other listings are prose: their digits are checked."""


@dataclass(frozen=True)
class Block:
    """A fence: its first and last line (from 1), the language and options of its header, its code.

    problem: why a block that should run would not. prefix and marker: what its lines begin with, and its fence.
    """

    line: int
    end: int
    prefix: str
    marker: str
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
        return float(self.options.get("timeout", "20"))


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
    """A page as it is written. front: how many lines of front matter it has. problems: (line, what is wrong)."""

    path: str
    text: str
    front: int
    fences: tuple[Block, ...]
    claims: tuple[ClaimLink, ...]
    problems: tuple[tuple[int, str], ...]

    @cached_property
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
        index, offset = place
        return self.blocks[index].line + 1 + offset

    def listed(self) -> Iterator[tuple[int, str]]:
        """The lines of listings that are prose, and what of the front matter is shown, each with its number."""
        for fence in self.fences:
            if not (fence.runs or fence.problem or fence.language in _LISTINGS):
                yield from enumerate(fence.code.split("\n"), fence.line + 1)
        if (match := YAML_RE.match(self.text)) and self.front:
            for key, value in yaml.compose(match[1]).value:
                if key.value in ("title", "description"):
                    first, last = value.start_mark.line + 2, value.end_mark.line + 1
                    block = value.style in ("|", ">")  # one that may be over several lines
                    lines = self.text.split("\n")[first:last]
                    yield (first + 1, "\n".join(lines)) if block else (first, str(value.value))

    def seek(self, before: str, word: str, after: int) -> int:
        """The line on which a word of the shown page stands, as near as it can be told.

        before: what is shown in front of it. after: the line of the last claim or block in front of it.
        """
        order = sorted(self._prose, key=lambda line: (line < after, line))
        words = before.split()
        for count in (3, 2, 1, 0):
            wanted = re.escape(" ".join([*words[max(0, len(words) - count) :], word]))
            pattern = re.compile(rf"(?<!\w){wanted}(?!\w)" if count == 0 and word[:1].isalnum() else wanted)
            for line in order:
                if pattern.search(self._prose[line]):
                    return line
        return next((line for line in order if word in self._prose[line]), max(after, self.front + 1))

    @cached_property
    def _prose(self) -> dict[int, str]:
        """Each line outside blocks, its claims left out, as a reader would see its characters."""
        inside = {line for fence in self.fences for line in range(fence.line, fence.end + 1)}
        lines = enumerate(self.text.split("\n"), 1)
        return {
            line: " ".join(html.unescape(CLAIM.sub(" ", text)).split())
            for line, text in lines
            if line > self.front and line not in inside
        }

    def marked(self, lines: list[str]) -> list[str]:
        """These lines of its Markdown (without front matter) with each claim and block numbered, as rendering wants them."""
        lines, number = list(lines), 0
        inside = {line for fence in self.fences for line in range(fence.line, fence.end + 1)}
        for at, line in enumerate(lines):
            if at + 1 + self.front not in inside:
                head, *rest = line.split("](calc:")
                lines[at] = head + "".join(f"](calc:{MARK}{n}{MARK}{part}" for n, part in enumerate(rest, number))
                number += len(rest)
        for index, block in enumerate(self.blocks):
            first, end = block.line - 1 - self.front, block.end - self.front
            lines[first] = f'{block.prefix}{block.marker}python exec="on" block="{index}"'
            if block.problem:  # its code might show as prose, and its end begin another block
                lines[first:end] = [lines[first], *[""] * (end - first - 2), block.prefix + block.marker]
            if block.options.get("title"):
                lines[first] += f' title="{block.options["title"]}"'
        return lines

    def corrected(self, text: str, texts: dict[int, str]) -> str:
        """The text of the page's file, with these for the texts of its claims, by their number; all else to the byte."""
        mark = "\ufeff" * text.startswith("\ufeff")
        lines = text.removeprefix(mark).split("\n")
        for number, new in sorted(texts.items(), reverse=True):
            link = self.claims[number]
            line = lines[link.line - 1]
            lines[link.line - 1] = line[: link.start] + new + line[link.start + len(link.text) :]
        return mark + "\n".join(lines)


def read(path: str, text: str, front: int) -> Source:
    """Read a page, whose first `front` lines are front matter."""
    fences = tuple(_fences(text.expandtabs(4).split("\n"), front))
    inside = {line for fence in fences for line in range(fence.line, fence.end + 1)}
    claims, problems = [], [(fence.line, fence.problem) for fence in fences if fence.problem]
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"(?:<{7}|>{7}|\|{7})(?: |$)", line):
            problems.append((number, "a merge conflict is left in this page"))
        if number <= front:
            if "calc:" in line:
                problems.append((number, "front matter cannot hold a claim"))
        elif number not in inside:
            links = {match.end("text"): match for match in CLAIM.finditer(line)}
            for at in (match.start() for match in re.finditer(r"\]\(calc:", line)):
                link = links.get(at)
                if link:
                    claims.append(ClaimLink(number, link.start("text"), link["text"], link["page"] or "", link["name"]))
                else:
                    claims.append(ClaimLink(number, at, "", "", ""))
    if not front and (match := YAML_RE.match(text)):
        problems.append((_yaml_fault(match[1]), "this front matter is not read: it is no YAML of the form key: value"))
    return Source(path, text, front, fences, tuple(claims), tuple(problems))


def _yaml_fault(text: str) -> int:
    try:
        yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        return (error.problem_mark.line if error.problem_mark else 0) + 2
    return 1


def _fences(lines: list[str], front: int) -> Iterator[Block]:
    begun: tuple[int, re.Match] | None = None
    for number, line in enumerate([*lines, None], 1):
        if line is None:
            if begun:
                yield _block(begun[0], number - 1, begun[1], lines[begun[0] : number - 1], closed=False)
        elif begun is None:
            match = _FENCE.match(line.rstrip()) if number > front else None
            begun = (number, match) if match else None
        elif line.strip(" \t>") == begun[1]["fence"] and not line.replace(begun[1]["prefix"], "", 1)[:1].isspace():
            yield _block(begun[0], number, begun[1], lines[begun[0] : number - 1], closed=True)
            begun = None


def _block(line: int, end: int, match: re.Match, body: list[str], closed: bool) -> Block:
    prefix, header = match["prefix"], match["header"].strip()
    language = re.match(r"\.?([\w#.+-]*)", header)[1]
    rest, options = header.removeprefix(language), {}
    while option := _OPTION.match(rest):
        options[option["key"]] = option["value"]
        rest = rest[option.end() :]
    torn = any(text.strip(" \t>") and not text.startswith(prefix) for text in body)
    problem = _problem(header, language, options, rest.strip(), closed, torn)
    code = "\n".join(text[len(prefix) :] for text in body)
    return Block(line, end, prefix, match["fence"], language, options, code, problem)


def _problem(header: str, language: str, options: dict, rest: str, closed: bool, torn: bool) -> str | None:
    """What would keep a block from running, the first thing only. torn: a line is indented less than the first."""
    if header.startswith(("{", ".")):
        return 'this block would not run: write the language and options as ```python exec="on"'
    if not closed:
        return "this block is never closed, so nothing after it is read"
    if language != "python":
        runs = "exec" in header or language.lower() in ("python", "py", "python3", "pycon")
        return 'only "python" blocks run; write ```python exec="on"' if runs else None
    if torn:
        return "this block would not run: a line of it is indented less than its first"
    if rest:
        return f'this block would not run: cannot read {rest!r}; options are written key="value"'
    for key in options:
        if key not in _OPTIONS:
            hint = did_you_mean(nearest(repr(key), map(repr, _OPTIONS))) or f"; options are {', '.join(_OPTIONS)}"
            return f"this block would not run: there is no option {key!r}{hint}"
    if options.get("exec") != "on":
        return 'this block would not run: python blocks are executed, write ```python exec="on"'
    if options.get("source", "above") != "above":
        return f'this block would not run: source is "above" or left out, not {options["source"]!r}'
    limit = options.get("timeout", "20")
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", limit) or not float(limit):
        return f"this block would not run: timeout is a number of seconds, not {limit!r}"
    return None
