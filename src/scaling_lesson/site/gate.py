"""The gate: what every page claims against what its code computes and what was last accepted.

A Gate lives as long as a build, or as long as `mkdocs serve`. Pages are opened, their blocks run, their claims are
marked while Markdown is rendered; `problems()` then tells, in one list, everything that does not hold.
"""

import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from scaling_lesson.site import claims, digits, records, rendered, source
from scaling_lesson.site.beside import beside
from scaling_lesson.site.run import Run, Value
from scaling_lesson.site.source import ClaimLink, Fence
from scaling_lesson.units import did_you_mean, nearest

_NAKED = 'naked number "{0}": publish it and claim it, [{0}](calc:name)'
_TYPED = 'naked number "{0}" in code: put it in by an f-string, or leave it out'
_UNSHOWN = "this block is not on the built page: it did not run, or stands in a comment"
_TOKEN = secrets.token_hex(8)
SLOT = re.compile(rf"⟦{_TOKEN} (\d+)⟧")


def slot(index: int) -> str:
    """What stands for a page's claim until all pages are rendered; no page can write or print it by chance."""
    return f"⟦{_TOKEN} {index}⟧"


@dataclass(frozen=True, order=True)
class Problem:
    """One message. drift: accepting the computed numbers with scripts/record would settle it."""

    path: str
    line: int
    message: str
    drift: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass
class Page:
    """One Markdown page: what was found in its text, and the run of its blocks.

    path: relative to the folder of mkdocs.yml, as messages show it. url: where the site serves it.
    front: how many lines of front matter it has. prose: its text after those, blocks blanked, lines kept.
    fences: its blocks; listings that run nothing are left out. misread: whether it has what looks like a claim and is none.
    converter: the Markdown that renders it; others render parts of it.
    """

    path: str
    file: Path
    front: int = 0
    url: str = ""
    prose: str = ""
    fences: list[Fence] = field(default_factory=list)
    links: list[ClaimLink] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    run: Run | None = None
    shown: set[int] = field(default_factory=set)
    reached: set[int] = field(default_factory=set)
    beside: dict[int, list[str]] = field(default_factory=dict)
    exempted: set[str] = field(default_factory=set)
    misread: bool = False
    rendered: bool = False
    converter: object = None

    @cached_property
    def slug(self) -> str:
        """What other pages call it in `calc:slug/name`: its file name, or its folder's for an index page."""
        parts = Path(self.path).with_suffix("").parts
        return parts[-2] if parts[-1] == "index" and len(parts) > 2 else parts[-1]

    @property
    def record(self) -> Path:
        return self.file.with_suffix(".record")

    @property
    def record_path(self) -> str:
        return self.path.removesuffix(".md") + ".record"

    @property
    def incomplete(self) -> bool:
        """Whether a block failed or is not shown: what it would have published is unknown, and not worth a message."""
        runs = {index for index, fence in enumerate(self.fences) if fence.executed}
        return bool(self.run.failures or runs - self.shown or any(fence.problem for fence in self.fences))

    def line(self, place: tuple[int, int]) -> int:
        """The page line of a place in a block."""
        index, offset = place
        return self.fences[index].line + 1 + offset


class Gate:
    """All pages of a site, by path.

    names: words that hold a digit and are not numbers, such as `GPT-2`.
    exempt: {page path: {text: reason}}, the numbers of the prose that nothing computes and nobody needs to.
    """

    def __init__(self, names: list[str], exempt: dict[str, dict[str, str]]) -> None:
        self.names = names
        self.exempt = exempt
        self.pages: dict[str, Page] = {}
        self.current: Page | None = None
        self.shown_settings: list[Problem] = []
        self._settings = ("", "")
        self._key: object = None
        self._kept: dict[str, tuple[object, Run]] = {}

    def open(self, path: str, file: Path, text: str, front: int, url: str = "", sources: object = None) -> Page:
        """Read a page, whose first `front` lines are front matter, and make it the current one.

        `sources` stands for the state of the code its blocks import: a page whose blocks and sources are unchanged
        since it was last open keeps its run.
        """
        page = self.current = self.pages[path] = Page(path, file, front, url)
        fences = source.scan_fences("\n" * front + "\n".join(text.expandtabs(4).split("\n")[front:]))
        page.fences = [fence for fence in fences if fence.executed or fence.problem]
        readable = source.prose(text, fences)
        page.prose = "\n" * front + "\n".join(readable.split("\n")[front:])
        page.links, odd = source.scan_claims(page.prose)
        page.misread = bool(odd)
        self._key = ([(f.header, f.body) for f in page.fences], sources)
        key, run = self._kept.pop(path, (None, None))
        page.run = run if key == self._key else Run(path)
        for value in page.run.values.values():
            value.used = False
        for fence in page.fences:
            if fence.problem:
                page.problems.append(Problem(path, fence.line, fence.problem))
                page.run.lose("\n".join(fence.body))
        page.problems += [Problem(path, line, message) for line, message in odd + source.unreadable(page.prose)]
        for line, front_line in enumerate(text.split("\n")[:front], 1):
            if "calc:" in front_line:
                page.problems.append(Problem(path, line, "front matter cannot hold a claim"))
        self._tell_naked(page, source.naked_numbers(readable, self.names))
        return page

    def _tell_naked(self, page: Page, numbers: list[tuple[int, str]], message: str = _NAKED) -> None:
        """Tell of each naked number at its line; where it is exempt, note that the exemption is used."""
        for line, number in numbers:
            if number in self.exempt.get(page.path, {}):
                page.exempted.add(number)
            else:
                page.problems.append(Problem(page.path, line, message.format(number)))

    def _read_code(self, page: Page) -> None:
        """Tell of what the code of a page, all of which ran, says in words and nothing computed; a quotation must name its source."""
        values = page.run.values.values()
        for value in values:
            line = page.line(value.place)
            self._tell_naked(
                page, [(line, number) for _, number in source.numbers_in(value.reason, self.names)], _TYPED
            )
            if isinstance(value.value, str) and not value.source and source.numbers_in(value.value, self.names):
                message = (
                    f"published {value.name}: {value.text} has a number: publish that, or the source= of what is quoted"
                )
                page.problems.append(Problem(page.path, line, message))
        quoted = {value.value for value in values if value.source}
        for fence in page.fences:
            shown, said = source.literals(fence)
            numbers = [(line, number) for line, text in shown for _, number in source.naked_numbers(text, self.names)]
            said = [(line, source.without_names(text, self.names)) for line, text in said if text not in quoted]
            numbers += [(line, number) for line, text in said for number in source.MEASURE.findall(text)]
            self._tell_naked(page, [(fence.line + 1 + line, number) for line, number in numbers], _TYPED)

    def close(self, html: str, title: str = "") -> None:
        """The current page is rendered: end its run, and read what readers will. title: as tabs and search show it."""
        page, self.current = self.current, None
        page.rendered = True
        # The comment of a block that is in a comment does not stand alone.
        page.shown = {int(index) for index in re.findall(rf"<!-- {SLOT.pattern} -->|<!--.*?-->", html, re.S) if index}
        page.run.end()
        recorded, _ = records.read(page.record)
        for value in page.run.values.values():
            _, text = recorded.get(f"value {value.name}", (0, ""))
            agrees = value.tolerance and records.agree(text, value.text, value.tolerance)
            value.recorded = records.number(text) if agrees else None
        if not page.incomplete:
            self._read_code(page)
            self._kept[page.path] = (self._key, page.run)
        self.read_rendered(page, html, title)

    def read_rendered(self, page: Page, html: str, title: str) -> None:
        """Check the rendered page too: whatever the patterns above took for code or markup and Markdown did not."""
        shown, odd, formulas, lines = rendered.read(html)
        problems = (*page.problems, *self.shown_settings)
        told = {problem.message for problem in problems} | {(problem.line, problem.message) for problem in problems}
        places = source.formula_lines(page.prose)
        numbers = []
        for index, formula in enumerate(formulas):
            place = places[index] if len(places) == len(formulas) else 0
            numbers += [(place, number) for number in source.formula_numbers(formula, self.names)]
        for text in (*shown, str(title)):
            text = re.sub(r"\[[^\[\]]*\]\(calc:\d+\)", " ", SLOT.sub(" ", text))  # a claim not reached is told as such
            numbers += [(0, number) for _, number in source.numbers_in(text, self.names)]
        for line, number in numbers:
            message = _NAKED.format(number)
            if (message if not line else (line, message)) not in told:
                self._tell_naked(page, [(line or self._seek(page, number), number)])
        text = source.visible(lines)
        for match in SLOT.finditer(text):
            around = text[max(0, match.start() - 99) : match.start()], text[match.end() : match.end() + 99]
            page.beside[int(match[1])] = [
                SLOT.sub(lambda m: f"⟦{page.links[int(m[1])].text}⟧", part) for part in around
            ]
        if not page.problems and not page.run.failures:  # else their cause is told
            for text in odd:
                page.problems.append(Problem(page.path, self._seek(page, text.rsplit(": ", 1)[-1]), text))

    def formula_problem(self, formula: str, error: str) -> None:
        """Tell that a formula of the current page cannot be read."""
        message = f"cannot read the formula {' '.join(formula.split())!r}: {error}"
        self.current.problems.append(Problem(self.current.path, self._seek(self.current, formula), message))

    def read_settings(self, text: str, path: str) -> None:
        """Check what every page shows of mkdocs.yml."""
        self._settings = path, text
        naked = [
            (line + n - 1, number)
            for line, words in source.shown_settings(text)
            for n, number in source.numbers_in(words, self.names)
        ]
        self.shown_settings = [Problem(path, line, _NAKED.format(number)) for line, number in naked]

    def _unused_exemptions(self) -> list[Problem]:
        """The exemptions that match nothing, each at its line of mkdocs.yml."""
        found, (path, text) = [], self._settings
        for page, number in [(page, str(number)) for page, numbers in self.exempt.items() for number in numbers]:
            known = self.pages.get(page)
            if known is None or not (known.incomplete or number in known.exempted):
                at = max(0, text.find(number, text.find(page, text.find("exempt:"))))
                found.append(
                    Problem(path, text.count("\n", 0, at) + 1, f'the exemption of "{number}" matches nothing on {page}')
                )
        return found

    @staticmethod
    def _seek(page: Page, text: str) -> int:
        """The first line of the page's prose with this text, as near as it can be told."""
        at = page.prose.find(text)
        return page.prose.count("\n", 0, at) + 1 if at >= 0 else page.front + 1

    def mark(self, markdown: str) -> list[str]:
        """The lines of the current page's Markdown (its text without front matter), each claim and block numbered."""
        page = self.current
        fences = source.scan_fences(markdown)
        readable = source.prose(markdown, fences)
        lines = source.replace_claims(markdown.split("\n"), readable, lambda n, match: f"[{match['text']}](calc:{n})")
        by_line = {fence.line: index for index, fence in enumerate(page.fences)}
        for fence in fences:
            index = by_line.get(fence.line + page.front)
            if fence.executed and index is not None:
                options = "".join(f' {k}="{v}"' for k, v in fence.options.items() if k in ("source", "title"))
                lines[fence.line - 1] = f'{fence.prefix}{fence.marker}python exec="on" block="{index}"{options}'
            elif fence.problem:  # else its code might show as prose, and its end begin another block
                first, end, mark = (
                    fence.line - 1,
                    fence.line + len(fence.body) + fence.closed,
                    fence.prefix + fence.marker,
                )
                lines[first:end] = [f"{mark}python", *[""] * (end - first - 2), mark]
        return lines

    def look_up(self, page: Page, link: ClaimLink) -> tuple[Page, Value] | str:
        """The page and value a claim names, or why there is none."""
        owners = self._owners(page, link)
        if len(owners) > 1:
            return f"{link.page!r} could be {' or '.join(p.path for p in owners)}"
        if not owners:
            near = nearest(repr(link.page), [repr(p.slug) for p in self.pages.values() if p.run.values])
            return f"there is no page {link.page!r}{did_you_mean(near)}"
        owner = owners[0]
        value = owner.run.values.get(link.name)
        if value is None:
            elsewhere = (f"{p.slug}/{link.name}" for p in self.pages.values() if link.name in p.run.values)
            near = next(elsewhere, "") or nearest(link.name, owner.run.values)
            return f"nothing publishes {link.name}{did_you_mean(near)}"
        return owner, value

    def _owners(self, page: Page, link: ClaimLink) -> list[Page]:
        """The pages a claim on `page` may mean: itself, or all that bear the name it gives."""
        if not link.page:
            return [page]
        bearers = [p for p in self.pages.values() if p.slug == link.page]
        # A page without blocks publishes nothing: one of the reference code may share a lesson page's name.
        return [p for p in bearers if p.fences] or bearers

    def lost(self, page: Page, link: ClaimLink) -> bool:
        """Whether a claim's value is missing and a block failed that may have published it: that one is told."""
        return isinstance(self.look_up(page, link), str) and any(p.incomplete for p in self._owners(page, link))

    def verdict(self, page: Page, link: ClaimLink) -> str | None:
        """What is wrong with a claim, as its message; None when it holds."""
        found = self.look_up(page, link)
        if isinstance(found, str):
            return f'claim "{link.text}": {found}'
        _, value = found
        value.used = True
        if value.exact is None:
            expected = {True: "True", False: "False"}.get(value.value, value.value)
            return None if link.text == expected else f'claim "{link.text}": {link.name} is "{expected}"'
        try:
            claim = claims.parse(link.text)
        except ValueError as error:
            return f'claim "{link.text}": {link.name} is {value.text}; {error}'
        reason = value.disagreement(claim)
        if reason is None:
            return None
        other = claim.unit.dimension != value.unit.dimension
        correct = None if other else self.correct(link, value)
        if not correct and (other or claim.unit.symbol != value.unit.symbol):
            correct = digits.show(value.exact, value.unit if other else claim.unit)
        shown = f" ({correct})" if correct and correct != value.text else ""
        reason = "" if reason == "the digits differ" else f"; {reason}"
        return f'claim "{link.text}": {link.name} is {value.text}{shown}{reason}'

    def _beside(self, page: Page, index: int) -> str | None:
        """What is wrong with the text round a claim that holds."""
        link = page.links[index]
        value = self.look_up(page, link)[1]
        if not any(character.isnumeric() for character in link.text):  # True, or a word
            return None
        return beside(
            *page.beside.get(index, ("", "")), claims.parse(link.text) if value.exact is not None else None, value.unit
        )

    def correct(self, link: ClaimLink, value: Value) -> str | None:
        """The claim's text with digits that hold, in the shape, unit and bound it has; None where a person must choose."""
        if value.exact is None:
            return str(value.value) if source.CLAIM_LINK.fullmatch(f"[{value.value}](calc:{value.name})") else None
        try:
            text = digits.rewrite(claims.parse(link.text), value.exact)
        except ValueError:
            return None
        if text is None or value.disagreement(claims.parse(text)):
            return None
        return text

    def acceptable(self, page: Page, link: ClaimLink) -> str | None:
        """What scripts/record may put in place of a failing claim's text; None when it holds, or a person must choose."""
        found = self.look_up(page, link)
        failing = not isinstance(found, str) and self.verdict(page, link) is not None
        return self.correct(link, found[1]) if failing else None

    def problems(self) -> list[Problem]:
        """Everything wrong on every page, in page and line order."""
        found = {*self.shown_settings, *self._unused_exemptions()}
        for page in self.pages.values():
            found.update(page.problems)
            told = {problem.line for problem in page.problems}
            for index, link in enumerate(page.links):
                if self.lost(page, link):
                    continue
                if message := self.verdict(page, link):
                    drift = self.acceptable(page, link) is not None
                    found.add(Problem(page.path, link.line, message, drift))
                elif index not in page.reached:
                    found.add(
                        Problem(
                            page.path,
                            link.line,
                            f'claim "{link.text}" is not on the built page: a heading cannot hold one',
                        )
                    )
                elif link.line not in told and (message := self._beside(page, index)):
                    found.add(Problem(page.path, link.line, f'claim "{link.text}": {message}'))
            for index, fence in enumerate(page.fences):
                if fence.executed and index not in page.shown:
                    found.add(Problem(page.path, fence.line, _UNSHOWN))
            for place, message in page.run.failures:
                found.add(Problem(page.path, page.line(place), message))
            found.update(self._against_record(page))
        pages = self.pages.values()
        lost = any(isinstance(self.look_up(page, link), str) for page in pages for link in page.links)
        if not (lost or any(page.incomplete or page.misread for page in pages)):  # else what is used is not known
            for page, value in [
                (page, value) for page in pages for value in page.run.values.values() if not value.used
            ]:
                found.add(Problem(page.path, page.line(value.place), f"published {value.name}: nothing claims it"))
        return sorted(found)

    def _against_record(self, page: Page) -> list[Problem]:
        recorded, broken = records.read(page.record)
        if broken:  # what it holds cannot be told
            return [Problem(page.record_path, line, message, True) for line, message in broken]
        found, computed = [], page.run.entries
        if computed and not page.record.exists():
            message = f"this page has no record yet: {len(computed)} entries to accept"
            return [Problem(page.path, page.line(next(iter(computed.values())).place), message, True)]
        for key, entry in computed.items():
            line = page.line(entry.place)
            said = key.replace("value ", "published ", 1)
            if key not in recorded:
                found.append(Problem(page.path, line, f"{said}: {entry.text} is not in the record", True))
            elif not records.agree(recorded[key][1], entry.text, entry.tolerance):
                message = f"{said}: recorded {recorded[key][1]}, computed {entry.text}"
                found.append(Problem(page.path, line, message, True))
        if not page.incomplete:
            for key, (line, _) in recorded.items():
                if key not in computed:
                    message = f"{key} is recorded, but the page no longer has it"
                    found.append(Problem(page.record_path, line, message, True))
        return found

    def orphans(self, docs: Path, root: Path) -> list[Problem]:
        """Pages with claims or blocks that no build reached, and records whose page is gone."""
        found = []
        for file in sorted(docs.rglob("*.md")):
            path = file.relative_to(root).as_posix()
            page = self.pages.get(path)
            if page is None or not page.rendered:
                text = file.read_text(encoding="utf-8")
                line = next((n for n, s in enumerate(text.split("\n"), 1) if "calc:" in s or 'exec="on"' in s), None)
                if line:
                    found.append(Problem(path, line, "this page has numbers, but the build does not reach it"))
        for file in sorted(docs.rglob("*.record")):
            if not file.with_suffix(".md").exists():
                found.append(Problem(file.relative_to(root).as_posix(), 1, "this record's page is gone"))
        return found
