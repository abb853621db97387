"""`scripts/record [PAGE or NAME ...]`: accept the numbers the pages compute now. The only writer of records.

Rewrites the records of the pages named (of all, when nothing is named) and the digits of their claims, where they
drifted; of a value named, its line in the record and the claims to it, on every page. Shows the difference and asks
first; away from a terminal it needs --yes. Touches nothing else. Refuses when CI is set: a person must have looked.
"""

import argparse
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from scaling_lesson.site import records
from scaling_lesson.site.gate import Gate, Page, Problem, summary
from scaling_lesson.site.notebook import checked_names
from scaling_lesson.site.source import ClaimLink, replace_claims
from scaling_lesson.units import did_you_mean, nearest


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("scripts/record", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "named", nargs="*", metavar="PAGE or NAME",
        help="a page, as messages name it or as claims do, or a value, as NAME or PAGE/NAME; without one, all pages",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="write without asking")
    parser.add_argument("--explain", action="store_true", help="write nothing: show where the values named come from and go")
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(f"there is no option {unknown[0]}{did_you_mean(nearest(unknown[0], ['--yes', '--explain', '--help']))}")
    if os.environ.get("CI"):
        print("scripts/record does not run in CI: run it where someone reads the difference", file=sys.stderr)
        return 2
    gate, found = compute(Path("mkdocs.yml"))
    chosen: set[tuple[str, str]] = set()
    for word in given.named:
        meant = _meant(gate, word)
        if not meant:
            print(f"there is no page or value {word}{did_you_mean(nearest(word, _words(gate)))}", file=sys.stderr)
            return 2
        chosen |= meant
    chosen = chosen or {(path, "") for path in gate.pages}
    if given.explain:
        print("\n".join(line for path, name in sorted(chosen) for line in _explained(gate, gate.pages[path], name)))
        return 0
    return _accept(gate, found, chosen, given.yes)


def compute(config_file: Path) -> tuple[Gate, list[Problem]]:
    """Build the site into a folder that is thrown away, and return the gate and what it found."""
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(str(config_file), site_dir=str(Path(folder) / "site"))
        plugin = config.plugins["numbers"]
        plugin.quiet = True
        try:
            build(config)
        except Abort:
            pass  # it found something: that is what we are here for
        finally:
            plugin.quiet = False
        return plugin.gate, plugin.found


def _names(page: Page) -> set[str]:
    """The values a page publishes, and those its record still has."""
    recorded = (key.removeprefix("value ") for key in records.read(page.record)[0] if key.startswith("value "))
    return {*page.run.values, *recorded}


def _words(gate: Gate) -> list[str]:
    """All that can be named."""
    names = [(page.slug, name) for page in gate.pages.values() for name in sorted(_names(page))]
    pages = [word for page in gate.pages.values() for word in (page.path, page.record_path, page.slug)]
    return [*pages, *(name for _, name in names), *map("/".join, names)]


def _meant(gate: Gate, word: str) -> set[tuple[str, str]]:
    """What a word on the command line names: (path, name) of each value, (path, "") of each page."""
    path = Path(word)
    inside = path.is_absolute() and path.is_relative_to(Path.cwd())
    path = (path.relative_to(Path.cwd()) if inside else path).as_posix()
    pages = {(p.path, "") for p in gate.pages.values() if path in (p.path, p.record_path) or word == p.slug}
    slug, _, name = word.rpartition("/")
    return pages or {(p.path, name) for p in gate.pages.values() if slug in ("", p.slug) and name in _names(p)}


def _accept(gate: Gate, found: list[Problem], chosen: set[tuple[str, str]], yes: bool) -> int:
    before = set(gate.problems())
    changes, links = [], {}
    for page in sorted(gate.pages.values(), key=lambda page: page.path):
        if page.incomplete:
            continue  # what it computes is not known; its problems are told below
        names = None if (page.path, "") in chosen else {name for path, name in chosen if path == page.path}
        links[page.path] = [_corrected(gate, page, link, chosen) for link in page.links]
        for file, path, new in (
            (page.file, page.path, _new_text(page, links[page.path])),
            (page.record, page.record_path, new_record(page, names) or None),  # a page without numbers has no record
        ):
            old = file.read_bytes().decode("utf-8", "replace") if file.exists() else None
            if new != old:
                changes.append((file, new, list(_differences(path, old or "", new or ""))))
    count = sum(len(shown) for _, _, shown in changes)
    what = f"{count} change{'s' * (count != 1)} in {_files(len(changes))}"
    for shown in (line for _, _, lines in changes for line in lines):
        print(shown)
    if changes and not yes and not _agreed(what):
        return 1
    for file, new, _ in changes:
        file.unlink() if new is None else file.write_bytes(new.encode("utf-8"))
    for path, texts in links.items():
        gate.pages[path].links = texts
    left = sorted({*found} - before | {*gate.problems()})
    for problem in left:
        if not problem.drift:
            print(problem, file=sys.stderr)
    print(f"{_files(len(changes))} rewritten" + (f". Left: {summary(left)}" if left else ""))
    return 1 if left else 0


def _files(count: int) -> str:
    return f"{count} file{'s' * (count != 1)}"


def _agreed(what: str) -> bool:
    """Whether the person at the terminal accepts the changes."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(f"{what}, not written: to accept, run it again with --yes", file=sys.stderr)
        return False
    try:
        agreed = input(f"Accept {what}? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        print()
        agreed = False
    if not agreed:
        print("nothing written")
    return agreed


def _corrected(gate: Gate, page: Page, link: ClaimLink, chosen: set[tuple[str, str]]) -> ClaimLink:
    """A claim of a page, or to a value, that was chosen, with digits that hold, where its shape can hold."""
    found = gate.look_up(page, link)
    mine = (page.path, "") in chosen or not isinstance(found, str) and (found[0].path, link.name) in chosen
    return replace(link, text=mine and gate.acceptable(page, link) or link.text)


def _new_text(page: Page, links: list[ClaimLink]) -> str:
    """The page with these for its claims."""
    def corrected(index: int, match: re.Match) -> str:
        return match[0].replace(f"[{match['text']}]", f"[{links[index].text}]", 1)

    text = page.file.read_bytes().decode("utf-8")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return mark + "\n".join(replace_claims(text.removeprefix(mark).split("\n"), page.prose, corrected))


def new_record(page: Page, names: set[str] | None = None) -> str:
    """The record, with what drifted replaced, what is gone left out, and all else left as it stands.

    names: the values whose lines may change; None for every line.
    """
    recorded, broken = records.read(page.record)
    if broken and names is not None:
        return page.record.read_bytes().decode("utf-8", "replace")  # which lines are whose cannot be told
    computed = {key: e for key, e in page.run.entries.items() if names is None or key.removeprefix("value ") in names}
    entries = {key: text for key, (_, text) in recorded.items() if key in page.run.entries or names is not None and key.removeprefix("value ") not in names}
    order, at = list(entries), 0
    for key in page.run.entries:
        if key in entries:
            at = order.index(key) + 1
        elif key in computed:
            order.insert(at, key)
            at += 1
    for key, entry in computed.items():
        if not records.agree(entries.get(key, ""), entry.text, entry.tolerance):
            entries[key] = entry.text
    return records.write({key: entries[key] for key in order}) if order else ""


def _differences(path: str, old: str, new: str) -> Iterator[str]:
    """Each line that changes: its place, as it is, as it will be, and in a terminal its changed words in colour."""
    before, after = old.split("\n"), new.split("\n")
    keys = ([line.partition(" = ")[0] for line in lines] for lines in (before, after))  # a record's lines pair by these
    for _, i, j, k, l in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        for number, (was, is_) in enumerate(zip_longest(before[i:j], after[k:l]), i + 1):
            if was != is_:
                removed, added = _marked(was, is_)
                yield "\n".join([f"{path}:{number}", *([f"-{removed}"] if was else []), *([f"+{added}"] if is_ else [])])


def _marked(was: str | None, is_: str | None) -> tuple[str, str]:
    """Both lines, with the words that differ in red and in green where there are colours."""
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    words = [re.findall(r"[\w.,]+|\W", line or "") for line in (was, is_)]
    parts = ([], [])
    for tag, *spans in SequenceMatcher(None, *words, autojunk=False).get_opcodes():
        for side, colour in enumerate((31, 32)):
            text = "".join(words[side][spans[2 * side] : spans[2 * side + 1]])
            marked = coloured and text and tag != "equal"
            parts[side].append(f"\x1b[{colour}m{text}\x1b[0m" if marked else text)
    return "".join(parts[0]), "".join(parts[1])


def _explained(gate: Gate, page: Page, only: str) -> Iterator[str]:
    """Where a value of a page (or each, without a name) comes from, and all that uses it."""
    recorded, _ = records.read(page.record)
    for name in [only] if only else page.run.values:
        line, text = recorded.get(f"value {name}", (0, ""))
        record = f"{page.record_path}:{line}: value {name} = {text}" if line else "none"
        value = page.run.values.get(name)
        if value is None:
            yield f"{name}: nothing publishes it now\n  record      {record}"
            continue
        yield f"{page.path}:{page.line(value.place)}: {name}"
        yield f"  value       {value.in_full}"
        yield f"  expression  {value.expression}"
        yield f"  tolerance   {f'± {value.tolerance:g} {value.unit.symbol}'.rstrip()}: {value.reason}" if value.tolerance else "  tolerance   none"
        if value.source:
            yield f"  source      {value.source}"
        yield f"  record      {record}"
        for user in gate.pages.values():
            for link in user.links:
                if gate.look_up(user, link) == (page, value):
                    yield f"  claim       {user.path}:{link.line}: {link.text}"
        for file in sorted(Path(Path(page.path).parts[0]).rglob("*.py")):
            if line := checked_names(file.read_text(encoding="utf-8")).get((page.slug, name)):
                yield f"  recomputed  {file.as_posix()}:{line}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
