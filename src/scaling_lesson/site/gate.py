"""The gate: judges, once, what every page claims against what its code computes and what was last accepted.

judge(pages, settings) takes what reading and running left behind and changes none of it. It returns one verdict a claim
and one list of all that does not hold; messages, pages, lists, numbers.json and scripts/record all go by these.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from scaling_lesson.site.numbers.claim import Claim, beside, find, parse
from scaling_lesson.site.numbers.record import Record, agree, number
from scaling_lesson.site.numbers.value import Value, rewrite, show
from scaling_lesson.site.read import code
from scaling_lesson.site.read.prose import Prose, words_with_digits
from scaling_lesson.site.read.source import CLAIM, ClaimLink, Source
from scaling_lesson.site.run.results import Figure, Results
from scaling_lesson.units import did_you_mean, nearest

LARGEST = 250_000
"""Characters a block may show: more take a browser seconds."""


@dataclass(frozen=True, order=True)
class Problem:
    """One message. drift: accepting the computed numbers with scripts/record would settle it."""

    path: str
    line: int
    message: str
    drift: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Page:
    """A page as it was read, run and rendered, and its record. url: where the site serves it. title: as tabs show it."""

    source: Source
    results: Results
    prose: Prose
    record: Record
    file: Path
    url: str = ""
    title: str = ""

    @property
    def path(self) -> str:
        return self.source.path

    @property
    def slug(self) -> str:
        return self.source.slug

    @property
    def record_path(self) -> str:
        return self.path.removesuffix(".md") + ".record"

    @cached_property
    def incomplete(self) -> bool:
        """Whether a block failed or is not shown: what it would have published is unknown, and not worth a message."""
        runs = {index for index, block in enumerate(self.source.blocks) if block.runs}
        broken = any(block.problem for block in self.source.blocks)
        return bool(self.results.failures or runs - self.prose.blocks or broken)


    def accepted(self, value: Value) -> Fraction | None:
        """The number a value of this page was accepted as, where it lies within its tolerance of that one."""
        key = f"value {value.name}"
        recorded = self.record.entries.get(key)
        agrees = value.tolerance and recorded and agree(recorded[1], self.results.entries[key])
        return number(recorded[1]) if agrees else None


@dataclass(frozen=True)
class Settings:
    """names: words that hold a digit and are no numbers, such as `GPT-2`. exempt: {page: {text: reason}}, the numbers of
    the prose that nothing computes and nobody needs to. path, text: the file both stand in.
    """

    names: tuple[str, ...]
    exempt: dict[str, dict[str, str]]
    path: str
    text: str

    @cached_property
    def _name(self) -> re.Pattern:
        names = "|".join(map(re.escape, sorted(self.names, key=len, reverse=True)))
        return re.compile(rf"(?<![\w.-])(?:{names})(?![\w]|[-.]\w)" if names else r"(?!)")

    def without_names(self, text: str) -> str:
        """The text with every name blanked."""
        return self._name.sub(lambda name: " " * len(name[0]), text)

    def naked(self, text: str) -> list[tuple[int, str]]:
        """Each word of a text that holds a digit and is no name, and where it begins."""
        return list(words_with_digits(self.without_names(text))) if any(map(str.isnumeric, text)) else []


@dataclass(frozen=True)
class Verdict:
    """What was found of one claim. owner: the page whose value it states. message: what is wrong with it, if anything.

    correction: its text with digits that hold, in its own shape; None where a person must choose. With neither value
    nor message, a block failed that may have published it: that one is told.
    """

    page: Page
    link: ClaimLink
    owner: Page | None = None
    value: Value | None = None
    message: str | None = None
    correction: str | None = None


@dataclass(frozen=True)
class Verdicts:
    """One verdict a claim, by page path and by the claim's number there; and all that does not hold, in order."""

    claims: dict[str, dict[int, Verdict]]
    problems: tuple[Problem, ...]


def judge(pages: Sequence[Page], settings: Settings, found: Iterable[Problem] = ()) -> Verdicts:
    """Judge every claim of every page, once. found: what reading the site's files found, told with the rest."""
    site = _Site(pages)
    claims = {page.path: {number: _verdict(page, number, site) for number in sorted(page.prose.claims)} for page in pages}
    verdicts = [verdict for of_page in claims.values() for verdict in of_page.values()]
    problems, exempted = set(found), set()
    shown = code.settings(settings.text)
    titles = {text for _, text in shown}
    for page in pages:
        problems |= set(_told(page, claims[page.path], settings))
        for line, number, message in _naked(page, settings, "" if page.title in titles else page.title):
            if number in settings.exempt.get(page.path, {}):
                exempted.add((page.path, number))
            else:
                problems.add(Problem(page.path, line, message))
    for line, text in shown:
        for at, number in settings.naked(text):
            problems.add(Problem(settings.path, line + text.count("\n", 0, at), naked(number)))
    problems |= set(_unused_exemptions(site, settings, exempted))
    unread = any(page.incomplete or page.prose.odd for page in pages) or any(verdict.value is None for verdict in verdicts)
    if not unread:  # else what is used is not known
        used = {(verdict.owner.path, verdict.value.name) for verdict in verdicts}
        for page in pages:
            for value in page.results.values.values():
                if (page.path, value.name) not in used:
                    line = page.source.line(value.place)
                    problems.add(Problem(page.path, line, f"published {value.name}: nothing claims it"))
    return Verdicts(claims, tuple(sorted(problems)))


class _Site:
    """All pages, as claims name them."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.pages = pages
        self.by_path = {page.path: page for page in pages}
        self._by_slug: dict[str, list[Page]] = {}
        for page in pages:
            self._by_slug.setdefault(page.slug, []).append(page)

    def look_up(self, page: Page, link: ClaimLink) -> tuple[Page | None, Value | None, str | None]:
        """The page and value a claim names, or why there is none: None when a block failed that may have published it."""
        owners = [page]
        if link.page:
            bearers = self._by_slug.get(link.page, [])
            # A page without blocks publishes nothing: one of the reference code may share a lesson page's name.
            owners = [bearer for bearer in bearers if bearer.source.blocks] or bearers
        if len(owners) > 1:
            return None, None, f"{link.page!r} could be {' or '.join(owner.path for owner in owners)}"
        if not owners:
            near = nearest(repr(link.page), [repr(other.slug) for other in self.pages if other.results.values])
            return None, None, f"there is no page {link.page!r}{did_you_mean(near)}"
        (owner,) = owners
        value = owner.results.values.get(link.name)
        if value is None and owner.incomplete:
            return owner, None, None
        if value is None:
            elsewhere = (f"{other.slug}/{link.name}" for other in self.pages if link.name in other.results.values)
            near = next(elsewhere, "") or nearest(link.name, owner.results.values)
            return owner, None, f"nothing publishes {link.name}{did_you_mean(near)}"
        return owner, value, None


def _verdict(page: Page, number: int, site: _Site) -> Verdict:
    link, (before, after) = page.source.claims[number], page.prose.claims[number]
    owner, value, missing = site.look_up(page, link)

    def verdict(message: str | None, correction: str | None = None) -> Verdict:
        said = f'claim "{link.text}": {message}' if message else None
        return Verdict(page, link, owner, value, said, correction)

    if value is None:
        return verdict(missing)
    if value.exact is None:
        expected = str(value.value)
        if link.text == expected:
            around = beside(before, None, value.unit, after) if any(map(str.isnumeric, link.text)) else None
            return verdict(around)
        claimable = CLAIM.fullmatch(f"[{expected}](calc:{value.name})")
        return verdict(f'{link.name} is "{expected}"', expected if claimable else None)
    try:
        claim = parse(link.text)
    except ValueError as error:
        return verdict(f"{link.name} is {value.text}; {error}")
    reason = value.disagreement(claim, owner.accepted(value))
    if reason is None:
        return verdict(beside(before, claim, value.unit, after))
    other = claim.unit.dimension != value.unit.dimension
    correction = None if other else _corrected(claim, value, owner.accepted(value))
    shown = correction
    if not shown and (other or claim.unit.symbol != value.unit.symbol):
        shown = show(value.exact, value.unit if other else claim.unit)
    shown = f" ({shown})" if shown and shown != value.text else ""
    reason = "" if reason == "the digits differ" else f"; {reason}"
    return verdict(f"{link.name} is {value.text}{shown}{reason}", correction)


def _corrected(claim: Claim, value: Value, recorded: Fraction | None) -> str | None:
    text = rewrite(claim, value.exact)
    return text if text and value.disagreement(parse(text), recorded) is None else None


def _told(page: Page, verdicts: dict[int, Verdict], settings: Settings) -> Iterator[Problem]:
    """What does not hold on a page, but for its naked numbers."""
    source, results, path = page.source, page.results, page.path
    for line, message in (*source.problems, *page.prose.problems):
        yield Problem(path, line, message)
    for verdict in verdicts.values():
        if verdict.message:
            yield Problem(path, verdict.link.line, verdict.message, verdict.correction is not None)
    for number, message in page.prose.odd.items():
        if number < 0:
            yield Problem(path, source.seek("", "calc:", 0), message)
        else:
            link = source.claims[number]
            text = f'claim "{link.text}" is not on the built page: {message}' if message.startswith("a ") else message
            yield Problem(path, link.line, text)
    for index, block in enumerate(source.blocks):
        if block.runs and index not in page.prose.blocks:
            yield Problem(path, block.line, "this block is not on the built page: it did not run, or stands in a comment")
        result = results.blocks.get(index)
        for place, message in result.doubts if result else ():
            yield Problem(path, source.line(place), message)
        shown = len(result.printed) + sum(len(s.svg) for s in result.shown if isinstance(s, Figure)) if result else 0
        if shown > LARGEST:
            yield Problem(path, block.line, f"this block shows {shown:,} characters: draw or print less than {LARGEST:,}")
    for failure in results.failures:
        yield Problem(path, source.line(failure.place), failure.message)
    if not page.incomplete:
        for value in results.values.values():
            if isinstance(value.value, str) and not value.source and settings.naked(value.value):
                message = f"published {value.name}: {value.text} has a number: publish that, or the source= of what is quoted"
                yield Problem(path, source.line(value.place), message)
    yield from _against_record(page)


def _against_record(page: Page) -> Iterator[Problem]:
    record, computed = page.record, page.results.entries
    if record.fault:  # what it holds cannot be told
        yield Problem(page.record_path, *record.fault, True)
        return
    if computed and not record.there:
        message = f"this page has no record yet: {len(computed)} entries to accept"
        yield Problem(page.path, page.source.line(next(iter(computed.values())).place), message, True)
        return
    for key, entry in computed.items():
        line, said = page.source.line(entry.place), key.replace("value ", "published ", 1)
        if key not in record.entries:
            yield Problem(page.path, line, f"{said}: {entry.text} is not in the record", True)
        elif not agree(record.entries[key][1], entry):
            message = f"{said}: recorded {record.entries[key][1]}, computed {entry.text}"
            yield Problem(page.path, line, message, True)
    if not page.incomplete:
        for key, (line, _) in record.entries.items():
            if key not in computed:
                yield Problem(page.record_path, line, f"{key} is recorded, but the page no longer has it", True)


def naked(number: str) -> str:
    """What is said of a number in prose that nothing computes."""
    match = re.fullmatch(r"([\d.,]+)([^\W\d]\S*)", number)
    spaced = f"{match[1]} {match[2]}" if match and [unit for _, unit in find(number) if unit] else ""
    message = f'naked number "{number}": publish it and claim it, [{spaced or number}](calc:name)'
    name = not spaced and any(map(str.isalpha, number))
    return message + ("; a name, if it is one, goes into names in mkdocs.yml" if name else "")


def _naked(page: Page, settings: Settings, title: str) -> Iterator[tuple[int, str, str]]:
    """Each number that a reader sees and nothing computes: its line, itself, and what to say of it."""
    source = page.source
    told: set[str] = set()
    for line, text in source.listed():
        for at, number in settings.naked(text):
            told.add(number)
            yield line + text.count("\n", 0, at), number, naked(number)
    for seen in page.prose.seen:
        if seen.kind == "text":
            for at, number in settings.naked(seen.text):
                told.add(number)
                yield source.seek(seen.text[:at], number, seen.after), number, naked(number)
        elif seen.kind == "code":
            for number in _dressed(settings.without_names(seen.text)):
                yield source.seek("", seen.text, seen.after), number, naked(number)
        else:
            for number in _formula_numbers(settings.without_names(seen.text)):
                yield seen.after, number, naked(number)
    for at, number in settings.naked(title):
        if number not in told:
            yield source.seek(title[:at], number, 0), number, naked(number)
    if page.incomplete:
        return
    typed = 'naked number "{}" in code: put it in by an f-string, or leave it out'
    for value in page.results.values.values():
        for _, number in settings.naked(value.reason):
            yield source.line(value.place), number, typed.format(number)
    quoted = {value.value for value in page.results.values.values() if value.source}
    for block in source.blocks:
        shown, said = code.words(block.code)
        for line, text in shown:
            for at, number in settings.naked(text):
                yield block.line + 1 + line + text.count("\n", 0, at), number, typed.format(number)
        for line, text in said:
            if text not in quoted:
                for number, unit in find(settings.without_names(text)):
                    if unit or "," in number:
                        yield block.line + 1 + line, number, typed.format(number)


def _dressed(text: str) -> list[str]:
    """The numbers of a code span that are dressed as code: alone, behind a relation, or with a unit among other words."""
    text = re.sub(r"\"[^\"]*\"|'[^']*'|\[[^\]]*\](?:\([^)]*\))?", " ", text) if re.search(r"[^\W\d]{4}", text) else text
    found = list(find(text))
    if len(found) == 1 and not re.search(r"[^\W\d_]", text.replace(found[0][0], "")):
        return [found[0][0]]
    results = re.findall(r"\s(?:=|≈|<|>|≤|≥|->|→)\s+([-−]?[\d.,]*\d)(?=\s*[^\W\d]*\W*\Z)", text)
    return [number for number, unit in found if unit] or results


def _formula_numbers(formula: str) -> list[str]:
    """The numbers of a formula that are results, and not constants beside a variable."""
    formula = "".join(c for c in unicodedata.normalize("NFKC", formula) if unicodedata.category(c) != "Cf")  # x²⁵ as x25
    numbers = re.findall(r"\d+(?:[.,]\d+)*", formula)
    result = re.findall(r"[=≈∼≤≥<>≲≳⩽⩾]\s*(\d)\s*\Z", formula)
    return [number for number in numbers if len(number) > 1] + result if re.search(r"[^\W\d_]", formula) else numbers


def _unused_exemptions(site: _Site, settings: Settings, exempted: set[tuple[str, str]]) -> Iterator[Problem]:
    """The exemptions that match nothing, each at its line of mkdocs.yml."""
    for path, number in [(path, str(number)) for path, numbers in settings.exempt.items() for number in numbers]:
        page = site.by_path.get(path)
        if page is None or not (page.incomplete or (path, number) in exempted):
            at = max(0, settings.text.find(number, settings.text.find(path, settings.text.find("exempt:"))))
            line = settings.text.count("\n", 0, at) + 1
            yield Problem(settings.path, line, f'the exemption of "{number}" matches nothing on {path}')


def unreached(docs: Path, root: Path, pages: Iterable[Page]) -> Iterator[Problem]:
    """Pages with claims or blocks that no build reached, and records whose page is gone."""
    known = {page.path for page in pages}
    new = [page.path for page in pages if page.results.entries and not page.record.there]
    for file in sorted(docs.rglob("*.md")):
        path = file.relative_to(root).as_posix()
        if path not in known:
            lines = enumerate(file.read_text(encoding="utf-8", errors="replace").split("\n"), 1)
            line = next((number for number, text in lines if "calc:" in text or 'exec="on"' in text), None)
            if line:
                yield Problem(path, line, "this page has numbers, but the build does not reach it")
    for file in sorted(docs.rglob("*.record")):
        if not file.with_suffix(".md").exists():
            hint = f": if it was renamed, to {' or '.join(new)}, rename its record too" if new else ""
            yield Problem(file.relative_to(root).as_posix(), 1, f"this record's page is gone{hint}")


def summary(found: Sequence[Problem]) -> str:
    """The last line of a report: how many problems, and the command that accepts what merely drifted."""
    drifted = [problem for problem in found if problem.drift]
    other = len(found) - len(drifted)
    pages = sorted({re.sub(r"\.record$", ".md", problem.path) for problem in drifted})
    parts = []
    if drifted:
        numbers = "1 number" if len(drifted) == 1 else f"{len(drifted)} numbers"
        parts.append(f"{numbers} drifted on {'1 page' if len(pages) == 1 else f'{len(pages)} pages'}.")
    if other:
        parts.append(f"{other}{' more' if drifted else ''} problem{'' if other == 1 else 's'} to mend by hand.")
    if drifted:
        parts.append(f"To accept: scripts/record {' '.join(pages)}")
    return " ".join(parts)
