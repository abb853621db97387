"""`scripts/record [PAGE or NAME ...]`: accept the numbers the pages compute now. The only writer of records.

Rewrites the records of the pages named (of all, when nothing is named) and the digits of their claims, where they
drifted; of a value named, its line in the record and the claims to it, on every page. Shows the difference and asks
first; away from a terminal it needs --yes. Touches nothing else. Refuses when CI is set: a person must have looked.
"""

import argparse
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from scaling_lesson.site.gate import Page, Problem, Verdict, judge, summary
from scaling_lesson.site.notebook import checked_names
from scaling_lesson.site.numbers.record import accepted
from scaling_lesson.site.numbers.record import read as read_record
from scaling_lesson.site.plugin import NumbersPlugin
from scaling_lesson.site.read.source import read
from scaling_lesson.units import did_you_mean, nearest

Chosen = set[tuple[str, str]]
"""What may change: (page, "") for a page, (page, name) for a value."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("scripts/record", description=__doc__.split("\n\n")[0])
    named = "a page, as messages or claims name it, or a value: NAME or PAGE/NAME; all pages when nothing is named"
    parser.add_argument("named", nargs="*", metavar="PAGE or NAME", help=named)
    parser.add_argument("--yes", action="store_true", help="write without asking")
    parser.add_argument("--explain", action="store_true", help="write nothing: tell where the values come from and go")
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        hint = did_you_mean(nearest(unknown[0], ("--yes", "--explain", "--help")))
        parser.error(f"there is no option {unknown[0]}{hint}")
    if os.environ.get("CI"):
        print("scripts/record does not run in CI: run it where someone reads the difference", file=sys.stderr)
        return 2
    site = compute(Path("mkdocs.yml"))
    meanings = _meanings(site)
    for word in given.named:
        if os.path.relpath(word) not in meanings:
            print(f"there is no page or value {word}{did_you_mean(nearest(word, meanings))}", file=sys.stderr)
            return 2
    words = given.named or [page.path for page in site.pages]
    chosen = {meant for word in words for meant in meanings[os.path.relpath(word)]}
    if given.explain:
        print("\n".join(line for path, name in sorted(chosen) for line in _explained(site, path, name)))
        return 0
    return _accept(site, chosen, given.yes)


def compute(config_file: Path) -> NumbersPlugin:
    """Build the site into a folder that is thrown away; the plugin then holds pages, verdicts, and all it found."""
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(str(config_file), site_dir=str(Path(folder) / "site"))
        plugin = config.plugins["numbers"]
        plugin.quiet = True
        try:
            build(config)
        except Abort as stopped:  # it found something: that is what we are here for
            if not plugin.found:
                sys.exit(str(stopped.__context__))
        finally:
            plugin.quiet = False
        return plugin


def _meanings(site: NumbersPlugin) -> dict[str, Chosen]:
    """Every word that names something: pages, or values, recorded ones too."""
    meanings = defaultdict(set)
    for page in site.pages:
        for word in (page.path, page.record_path, page.slug):
            meanings[word].add((page.path, ""))
        recorded = (key.removeprefix("value ") for key in page.record.entries if key.startswith("value "))
        for name in (*page.results.values, *recorded):
            meanings[name].add((page.path, name))
            meanings[f"{page.slug}/{name}"].add((page.path, name))
    return meanings


def _accept(site: NumbersPlugin, chosen: Chosen, yes: bool) -> int:
    """Show what drifted of what was chosen, write it when that is agreed to, and tell what is left."""
    files: dict[Path, str] = {}
    for page in sorted(site.pages, key=lambda page: page.path):
        if page.incomplete:
            continue  # what it computes is not known; its problems are told below
        names = None if (page.path, "") in chosen else {name for path, name in chosen if path == page.path}
        verdicts = site.verdicts.claims[page.path].items()
        texts = {number: v.correction for number, v in verdicts if v.correction and _is_chosen(v, chosen)}
        broken = page.record.fault and names is not None  # which lines are whose cannot be told
        changed = {page.file: page.source.corrected(_text(page.file), texts)} if texts else {}
        if not broken:
            changed[page.file.with_suffix(".record")] = accepted(page.record, page.results.entries, names)
        for file, new in changed.items():
            if new != _text(file) or file.exists() and not new:
                files[file] = new
                _show_difference(file.relative_to(site.root).as_posix(), _text(file), new)
    many = f"{len(files)} file{'s' * (len(files) != 1)}"
    if files and not yes and not _agreed(many):
        return 1
    for file, new in files.items():
        _write(file, new)
    left = _left(site)
    for problem in left:
        if not problem.drift:
            print(problem, file=sys.stderr)
    print(f"{many} rewritten" + (f". Left: {summary(left)}" if left else ""))
    return 1 if left else 0


def _is_chosen(verdict: Verdict, chosen: Chosen) -> bool:
    return (verdict.page.path, "") in chosen or (verdict.owner.path, verdict.link.name) in chosen


def _text(file: Path) -> str:
    """A file's text with its line ends and byte order mark; "" where there is none."""
    return file.read_bytes().decode("utf-8", "replace") if file.exists() else ""


def _write(file: Path, text: str) -> None:
    """Put the text in place at once, so that no one finds half of it; "" takes the file away."""
    if not text:
        file.unlink()
        return
    aside = file.with_name(f".{file.name}-next")
    aside.write_bytes(text.encode("utf-8"))
    aside.replace(file)


def _left(site: NumbersPlugin) -> list[Problem]:
    """What does not hold with the files as they are now."""
    pages = [
        replace(page, source=read(page.path, text.removeprefix("\ufeff").replace("\r\n", "\n"), page.source.front), record=kept)
        for page in site.pages
        for text, kept in [(_text(page.file), read_record(page.file.with_suffix(".record")))]
    ]
    judged = judge(pages, site.settings, site.unjudged)
    return sorted({*site.found} - {*site.verdicts.problems} | {*judged.problems})


def _show_difference(path: str, old: str, new: str) -> None:
    """Print each change: its place, as it was and as it will be, in a terminal with the changed words in colour."""
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    how = ["--color=always", "--word-diff=color", r"--word-diff-regex=[[:alnum:].,]+|[^[:space:]]"] if colours else []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("old", old), ("new", new)):
            Path(folder, name).write_bytes(text.encode("utf-8"))
        command = ["git", "-C", folder, "--no-pager", "diff", "--no-index", "--unified=0", *how, "old", "new"]
        shown = subprocess.run(command, capture_output=True, encoding="utf-8").stdout
    hunks = shown.split("@@ -")[1:]
    for hunk in hunks:
        head, _, body = hunk.partition("\n")
        print(f"{path}:{re.match('[0-9]+', head)[0]}\n{body.removesuffix(chr(10))}".removesuffix("\x1b[36m"))


def _agreed(many: str) -> bool:
    """Whether the person at the terminal accepts the changes."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(f"{many} not written: to accept, run it again with --yes", file=sys.stderr)
        return False
    try:
        agreed = input(f"Accept these changes in {many}? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        agreed = print()
    print(end="" if agreed else "nothing written\n")
    return bool(agreed)


def _explained(site: NumbersPlugin, path: str, only: str) -> Iterator[str]:
    """Where a value of a page (each, when none is named) comes from, and all that uses it."""
    page: Page = next(page for page in site.pages if page.path == path)
    for name in [only] if only else page.results.values:
        line, text = page.record.entries.get(f"value {name}", (0, ""))
        value = page.results.values.get(name)
        yield f"{path}:{page.source.line(value.place)}: {name}" if value else f"{path}: {name} is not published now"
        if value:
            yield f"  value       {value.in_full}"
            yield f"  expression  {value.expression}"
            yield f"  tolerance   {value.margin or 'none'}"
            yield f"  source      {value.source}" if value.source else "  source      none: it is computed here"
        yield f"  record      {f'{page.record_path}:{line}: {text}' if line else 'none'}"
        for verdicts in site.verdicts.claims.values():
            for verdict in verdicts.values():
                if verdict.owner is page and verdict.link.name == name:
                    yield f"  claim       {verdict.page.path}:{verdict.link.line}: {verdict.link.text}"
        for file in sorted(Path(Path(path).parts[0]).rglob("*.py")):
            if line := checked_names(file.read_text(encoding="utf-8")).get((page.slug, name)):
                yield f"  recomputed  {file.as_posix()}:{line}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
