"""The gate: judges, once, what every page claims against what its code computes and what was last accepted.

judge(pages, settings) takes what reading and running left behind and changes none of it. It returns one verdict a claim
and one list of all that does not hold; messages, pages, lists, numbers.json and scripts/record all go by these.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from scaling_lesson.digits import show
from scaling_lesson.site.numbers.claim import beside, find, measures, parse
from scaling_lesson.site.numbers.record import Record, agree, number
from scaling_lesson.site.numbers.value import Value
from scaling_lesson.site.read import code
from scaling_lesson.site.read.naked import Settings
from scaling_lesson.site.read.prose import Prose
from scaling_lesson.site.read.source import ClaimLink, Source
from scaling_lesson.site.run.results import Results
from scaling_lesson.units import did_you_mean, nearest

_FORMAT = re.compile(r"%[-+#0]*\d+(\.\d+)?[a-z]|\{[^{}]*\}")  # as in "%8.2f" or "{:5.1%}".format(share)
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
    """A page as it was read, run and rendered, and its record. url: where it is served. title: as tabs show it."""

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
        unshown = (block.problem or index not in self.prose.blocks for index, block in enumerate(self.source.blocks))
        return bool(self.results.failures) or any(unshown)

    def accepted(self, value: Value) -> Fraction | None:
        """The number a value of this page was accepted as, where it lies within its tolerance of that one."""
        key = f"value {value.name}"
        recorded = self.record.entries.get(key, (0, ""))[1]
        return number(recorded) if value.tolerance and agree(recorded, self.results.entries[key]) else None


@dataclass(frozen=True)
class Verdict:
    """What was found of one claim. owner: the page whose value it states. message: what is wrong with it, if anything.

    correction: its text with digits that hold, in its own shape; None where a person must choose. With neither value
    nor message, a block failed that may have published it: that one is told.
    """

    page: Page
    link: ClaimLink
    owner: Page | None
    value: Value | None
    message: str | None = None
    correction: str | None = None


@dataclass(frozen=True)
class Verdicts:
    """One verdict a claim, by page path and by the claim's number there; and all that does not hold, in order."""

    claims: dict[str, dict[int, Verdict]]
    problems: tuple[Problem, ...]


def judge(
    pages: Sequence[Page],
    settings: Settings,
    found: Iterable[Problem] = (),
    once: Callable[[str, str, object, Callable[[], Any]], Any] = lambda kind, path, key, work: work(),
) -> Verdicts:
    """Judge every claim of every page, once. found: what reading the site's files found, told with the rest.

    once(kind, path, key, work): what work gives, or gave for this page when the key was the same.
    """
    claims, numbers, problems = {}, {}, set(found)
    shown = list(code.titles(settings.text))
    problems |= {Problem(settings.path, line, naked(word)) for line, word in settings.naked_lines(shown)}
    by_slug = defaultdict(list)
    for page in pages:
        by_slug[page.slug].append(page)
    for page in pages:
        named = {n: _look_up(page, page.source.claims[n], pages, by_slug) for n in sorted(page.prose.claims)}
        # Of another page, a claim goes by these: what that page says beside its numbers judges no claim again.
        of = {n: (owner and (owner.url, owner.record, owner.results), *rest) for n, (owner, *rest) in named.items()}
        work = partial(_judged, page, named, settings)
        claims[page.path], told = once("judged", page.path, (page, of, settings), work)
        given = page, "" if page.title in {text for _, text in shown} else page.title, settings
        numbers[page.path], also = once("naked", page.path, given, partial(_naked, *given))
        problems.update(told, also)
    problems.update(_unused_exemptions(pages, settings, numbers))
    verdicts = [verdict for of_page in claims.values() for verdict in of_page.values()]
    if all(v.value for v in verdicts) and not any(page.incomplete or page.prose.odd for page in pages):
        used = {(verdict.owner.path, verdict.value.name) for verdict in verdicts}  # else what is used is not known
        for page in pages:
            for value in page.results.values.values():
                if (page.path, value.name) not in used:
                    line = page.source.line(value.place)
                    problems.add(Problem(page.path, line, f"published {value.name}: nothing claims it"))
    return Verdicts(claims, tuple(sorted(problems)))


_Named = tuple[Page | None, Value | None, str | None]


def _look_up(page: Page, link: ClaimLink, pages: Sequence[Page], by_slug: Mapping[str, list[Page]]) -> _Named:
    """The page and value a claim names, or why there is none: None when a block that may publish it failed."""
    bearers = by_slug.get(link.page, []) if link.page else [page]
    # A page without blocks publishes nothing: one of the reference code may share a lesson page's name.
    owners = [bearer for bearer in bearers if bearer.source.blocks] or bearers
    if len(owners) > 1:
        return None, None, f"{link.page!r} could be {' or '.join(owner.path for owner in owners)}"
    if not owners:
        slugs = [repr(other.slug) for other in pages if other.results.values]
        return None, None, f"there is no page {link.page!r}{did_you_mean(nearest(repr(link.page), slugs))}"
    (owner,) = owners
    value = owner.results.values.get(link.name)
    if value or owner.incomplete:
        return owner, value, None
    elsewhere = [f"{other.slug}/{link.name}" for other in pages if link.name in other.results.values]
    near = elsewhere[0] if elsewhere else nearest(link.name, owner.results.values)
    return owner, None, f"nothing publishes {link.name}{did_you_mean(near)}"


def _verdict(page: Page, n: int, owner: Page | None, value: Value | None, message: str | None) -> Verdict:
    link, (before, after) = page.source.claims[n], page.prose.claims[n]
    correction = None
    if value and value.exact is None:
        expected = str(value.value)
        if link.text != expected:
            message = f'{link.name} is "{expected}"'
            correction = expected if re.fullmatch(r"[^\[\]\n*`<&|\\$]+", expected) else None  # as Markdown shows it
        elif any(map(str.isnumeric, expected)):
            message = beside(before, None, value.unit, after)
    elif value:
        message, correction = _number(link, value, owner.accepted(value), before, after)
    return Verdict(page, link, owner, value, f'claim "{link.text}": {message}' if message else None, correction)


def _number(
    link: ClaimLink, value: Value, accepted: Fraction | None, before: str, after: str
) -> tuple[str | None, str | None]:
    """What is wrong with a claim to a number, and its text with digits that hold."""
    try:
        claim = parse(link.text)
    except ValueError as error:
        return f"{link.name} is {value.text}; {error}", None
    reason = value.disagreement(claim, accepted)
    if reason is None:
        return beside(before, claim, value.unit, after), None
    shown = correction = value.correction(claim, accepted)
    other = not measures(claim.unit, value.unit)
    if not shown and (other or claim.unit.symbol != value.unit.symbol):
        shown = show(value.exact, value.unit if other else claim.unit)
    shown = f" ({shown})" if shown and shown != value.text else ""
    reason = "" if reason == "the digits differ" else f"; {reason}"
    return f"{link.name} is {value.text}{shown}{reason}", correction


def _judged(page: Page, named: Mapping[int, _Named], settings: Settings) -> tuple[dict[int, Verdict], list[Problem]]:
    """The verdicts of a page's claims, and what does not hold on it, but for its naked numbers."""
    verdicts = {n: _verdict(page, n, *found) for n, found in named.items()}
    source, results, path = page.source, page.results, page.path
    found = [*source.problems, *page.prose.odd, *page.prose.problems]
    for index, block in enumerate(source.blocks):
        if block.runs and index not in page.prose.blocks:
            found.append((block.line, "this block is not on the built page: it did not run, or stands in a comment"))
        if result := results.blocks.get(index):
            found += [(source.line(place), message) for place, message in result.problems]
            if result.size > LARGEST:
                found.append((block.line, f"this block shows {result.size:,} characters: show less than {LARGEST:,}"))
    for value in results.values.values():
        quotes = isinstance(value.value, str) and any(settings.naked(value.value))
        if quotes and not value.source and not page.incomplete:
            why = "has a number: publish that, or the source= of what is quoted"
            found.append((source.line(value.place), f"published {value.name}: {value.text} {why}"))
    told = [Problem(path, line, message) for line, message in found]
    told += [Problem(path, v.link.line, v.message, bool(v.correction)) for v in verdicts.values() if v.message]
    return verdicts, told + [Problem(*drifted, True) for drifted in _against_record(page)]


def _against_record(page: Page) -> Iterator[tuple[str, int, str]]:
    record, computed = page.record, page.results.entries
    if record.fault:  # what it holds cannot be told
        yield page.record_path, *record.fault
        return
    if computed and not record.there:
        line = page.source.line(next(iter(computed.values())).place)
        yield page.path, line, f"this page has no record yet: {len(computed)} entries to accept"
        return
    for key, entry in computed.items():
        line, said = page.source.line(entry.place), key.replace("value ", "published ", 1)
        if key not in record.entries:
            yield page.path, line, f"{said}: {entry.text} is not in the record"
        elif not agree(record.entries[key][1], entry):
            yield page.path, line, f"{said}: recorded {record.entries[key][1]}, computed {entry.text}"
    for key, (line, _) in record.entries.items():
        if key not in computed and not page.incomplete:
            yield page.record_path, line, f"{key} is recorded, but the page no longer has it"


def naked(word: str) -> str:
    """What is said of a number in prose that nothing computes."""
    match = re.fullmatch(r"([\d.,]+)([^\W\d]\S*)", word)
    measured = any(unit for _, unit in find(word))
    spaced = f"{match[1]} {match[2]}" if match and measured else ""
    name = word[0].isalpha() or (not measured and any(map(str.isalpha, word)))
    also = "; a name, if it is one, goes into names in mkdocs.yml" if name else ""
    return f'naked number "{word}": publish it and claim it, [{spaced or word}](calc:name){also}'


def _naked(page: Page, title: str, settings: Settings) -> tuple[set[str], list[Problem]]:
    """The naked numbers of a page, and of its code when all of it ran; and what to say of those not exempt."""
    shown, seek = {word for _, word in page.prose.naked}, page.source.seek
    of_title = [(seek(title[:at], word, 0), word) for at, word in settings.naked(title) if word not in shown]
    told = [(line, word, naked(word)) for line, word in (*page.prose.naked, *of_title)]
    if not page.incomplete:
        how = "put it in by an f-string, or leave it out"
        told += [(line, word, f'naked number "{word}" in code: {how}') for line, word in _in_code(page, settings)]
    exempt = settings.exempt.get(page.path, {})
    problems = [Problem(page.path, line, message) for line, word, message in told if word not in exempt]
    return {word for _, word, _ in told}, problems


def _in_code(page: Page, settings: Settings) -> Iterator[tuple[int, str]]:
    """The naked numbers of a page's code, each with its line: in what readers are shown of it, and in what it says."""
    for value in page.results.values.values():
        yield from ((page.source.line(value.place), word) for _, word in settings.naked(value.reason))
    quoted = {value.value for value in page.results.values.values() if value.source}
    for block in page.source.blocks:
        shown, said = code.words(block.code)
        yield from ((block.line + line, word) for line, word in settings.naked_lines(shown))
        for line, text in said:
            text = "" if text in quoted else _FORMAT.sub(" ", settings.without_names(text))
            yield from ((block.line + line, word) for word, unit in find(text) if unit or "," in word)


def _unused_exemptions(pages: Sequence[Page], settings: Settings, numbers: Mapping[str, set[str]]) -> Iterator[Problem]:
    """The exemptions that match no naked number of their page, each at its line of mkdocs.yml."""
    unknown = {page.path for page in pages if page.incomplete}
    for path, word in [(path, word) for path, words in settings.exempt.items() for word in words]:
        if word not in numbers.get(path, ()) and path not in unknown:
            at = max(0, settings.text.find(word, settings.text.find(path, settings.text.find("exempt:"))))
            message = f'the exemption of "{word}" matches nothing on {path}'
            yield Problem(settings.path, settings.text.count("\n", 0, at) + 1, message)


def unreached(docs: Path, root: Path, pages: Iterable[Page]) -> Iterator[Problem]:
    """Pages with claims or blocks that no build reached, and records whose page is gone."""
    known = {page.path for page in pages}
    new = [page.path for page in pages if page.results.entries and not page.record.there]
    for file in sorted(docs.rglob("*.md")):
        path = file.relative_to(root).as_posix()
        lines = [] if path in known or not file.exists() else file.read_text("utf-8", "replace").split("\n")
        if line := next((n for n, text in enumerate(lines, 1) if "calc:" in text or 'exec="on"' in text), None):
            yield Problem(path, line, "this page has numbers, but the build does not reach it")
    for file in sorted(docs.rglob("*.record")):
        if not file.with_suffix(".md").exists():
            hint = f": if it was renamed, to {' or '.join(new)}, rename its record too" if new else ""
            yield Problem(file.relative_to(root).as_posix(), 1, f"this record's page is gone{hint}")


def summary(found: Sequence[Problem]) -> str:
    """The last line of a report: how many problems, and the command that accepts what merely drifted."""
    drifted = sum(problem.drift for problem in found)
    pages = sorted({re.sub(r"\.record$", ".md", problem.path) for problem in found if problem.drift})
    parts = []
    if drifted:
        parts.append(f"{drifted} number{'s' * (drifted != 1)} drifted on {len(pages)} page{'s' * (len(pages) != 1)}.")
    if other := len(found) - drifted:
        parts.append(f"{other}{' more' * bool(drifted)} problem{'s' * (other != 1)} to mend by hand.")
    if drifted:
        parts.append(f"To accept: scripts/record {' '.join(pages)}")
    return " ".join(parts)
