"""`scripts/record [PAGE or NAME ...]`: accept the numbers the pages compute now. The only writer of records.

Rewrites the records of the pages named (of all, when nothing is named) and the digits of their claims, where they
drifted; of a value named, its line in the record and the claims to it, on every page. Shows the difference and asks
first; away from a terminal it needs --yes. Touches nothing else. Refuses when CI is set: a person must have looked.
"""

import argparse
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort, MkDocsException

from scaling_lesson.site.gate import judge, summary
from scaling_lesson.site.notebook import checked_names
from scaling_lesson.site.numbers import record
from scaling_lesson.site.plugin import NumbersPlugin
from scaling_lesson.site.read.source import read
from scaling_lesson.units import did_you_mean, nearest


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("scripts/record", description="Accept the numbers that the pages compute now.")
    named = "a page, as messages or claims name it, or a value: NAME or PAGE/NAME; all pages when nothing is named"
    parser.add_argument("named", nargs="*", metavar="PAGE or NAME", help=named)
    parser.add_argument("--yes", action="store_true", help="write without asking")
    parser.add_argument("--explain", action="store_true", help="write nothing: tell where the values come from and go")
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        hint = did_you_mean(nearest(unknown[0], ("--yes", "--explain", "--help")))
        parser.error(f"there is no option {unknown[0]}{hint}")
    if os.environ.get("CI"):
        sys.exit("scripts/record does not run in CI: run it where someone reads the difference")
    site, chosen = compute(Path("mkdocs.yml")), set()
    meanings = _meanings(site)
    for word in [os.path.relpath(name or ".") for name in given.named or [page.path for page in site.pages]]:
        if word not in meanings:
            print(f"there is no page or value {word}{did_you_mean(nearest(word, meanings))}", file=sys.stderr)
            return 2
        chosen |= meanings[word]
    if given.explain:
        print("\n".join(line for path, name in sorted(chosen) for line in _explained(site, path, name)))
        return 0
    try:
        return _accept(site, chosen, given.yes)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")


def compute(config_file: Path) -> NumbersPlugin:
    """Build the site into a folder that is thrown away; the plugin then holds pages, verdicts, and all it found."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            config = load_config(str(config_file), site_dir=str(Path(folder) / "site"))
        except MkDocsException as error:
            sys.exit(str(error))
        logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
        if sys.stderr.isatty():  # but for what is done meanwhile
            logging.getLogger("mkdocs.plugins.numbers").setLevel(logging.INFO)
        plugin = config.plugins["numbers"]
        assert isinstance(plugin, NumbersPlugin)
        plugin.quiet = True
        try:
            build(config)
        except Abort as stopped:  # it found something: that is what we are here for
            if not plugin.found:
                sys.exit(str(stopped.__context__))
        finally:
            plugin.quiet = False
        return plugin


def _meanings(site: NumbersPlugin) -> dict[str, set[tuple[str, str]]]:
    """What each word means: (page, "") for a page, (page, name) for a value it publishes or has in its record."""
    meanings = defaultdict(set)
    for page in site.pages:
        for word in (page.path, page.record_path, page.slug):
            meanings[word].add((page.path, ""))
        for key in (*page.results.entries, *page.record.entries):
            kind, _, name = key.partition(" ")
            for word in (name, f"{page.slug}/{name}") if kind == "value" else ():
                meanings[word].add((page.path, name))
    return meanings


def _accept(site: NumbersPlugin, chosen: set[tuple[str, str]], yes: bool) -> int:
    """Show what drifted of what was chosen, write it when that is agreed to, and tell what is left."""
    files = [(file, old, new) for file, old, new in _rewritten(site, chosen) if new != old]
    many = f"{len(files)} file{'s' * (len(files) != 1)}"
    with tempfile.TemporaryDirectory(prefix=".record-", dir=site.root) as folder:
        for file, old, new in files:
            for side, content in (("old", old), ("new", new)):
                copy = Path(folder, side, file.relative_to(site.root))
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(content or b"")
                if old is not None:
                    shutil.copymode(file, copy)
        if files:
            _agree(folder, many, yes)
        for file, old, _ in files:
            if old != (file.read_bytes() if file.exists() else None):
                sys.exit(f"{os.path.relpath(file)} was edited meanwhile: nothing written")
        for file, _, new in files:
            Path(folder, "new", file.relative_to(site.root)).replace(file)  # at once: no one finds half of it
            if new is None:
                file.unlink()
    pages = []
    for page in site.pages:
        text = page.file.read_text(encoding="utf-8-sig", errors="replace")
        source, kept = read(page.path, text), record.read(page.file.with_suffix(".record"))
        pages.append(replace(page, source=source, record=kept))
    judged = judge(pages, site.settings, site.unjudged)
    left = sorted({*site.found} - {*site.verdicts.problems} | {*judged.problems})
    for problem in left:
        if not problem.drift:
            print(problem, file=sys.stderr)
    print(f"{many} rewritten" + (f". Left: {summary(left)}" if left else ""))
    return 1 if left else 0


def _rewritten(site: NumbersPlugin, chosen: set[tuple[str, str]]) -> Iterator[tuple[Path, bytes | None, bytes | None]]:
    """Each file, as it is and with what was chosen as it is computed now; None where there is none."""
    for page in site.pages:
        if page.incomplete:
            continue  # what it computes is not known
        now = page.file.read_text("utf-8-sig", "replace"), record.read(page.file.with_suffix(".record"))
        if now != (page.source.text, page.record):
            sys.exit(f"{page.path} was edited meanwhile: nothing written")
        texts = {
            number: verdict.correction
            for number, verdict in site.verdicts.claims[page.path].items()
            if verdict.correction and verdict.owner
            if chosen & {(page.path, ""), (verdict.owner.path, verdict.link.name)}
        }
        old = page.file.read_bytes()
        new = page.source.corrected(old.decode("utf-8", "surrogateescape"), texts)
        yield page.file, old, new.encode("utf-8", "surrogateescape")
        names = None if (page.path, "") in chosen else {name for path, name in chosen if path == page.path}
        if names is None or not page.record.fault:  # else which lines are whose cannot be told
            file = page.file.with_suffix(".record")
            new = record.accepted(page.record, page.results.entries, names)
            yield file, file.read_bytes() if page.record.there else None, new.encode("utf-8") or None


def _agree(folder: str, many: str, yes: bool) -> None:
    """Let git print what differs between old/ and new/, and ask the person at the terminal. Ends where they refuse."""
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    words = ["--word-diff=color", r"--word-diff-regex=[[:alnum:].,]+|[^[:space:]]"] if colours else ["--no-color"]
    options = ["--no-index", "--no-ext-diff", "--unified=0", "--no-prefix", *words]
    subprocess.run(["git", "--no-pager", "diff", *options, "old", "new"], cwd=folder)
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.exit(f"{many} not written: to accept, run it again with --yes")
    try:
        click.confirm(f"Accept these changes in {many}?", prompt_suffix=" ", abort=True)
    except click.Abort:
        sys.exit("\nnothing written")


def _explained(site: NumbersPlugin, path: str, only: str) -> Iterator[str]:
    """Where a value of a page (each, when none is named) comes from, and all that uses it."""
    page = next(page for page in site.pages if page.path == path)
    claims = [verdict for verdicts in site.verdicts.claims.values() for verdict in verdicts.values()]
    for name in [only] if only else page.results.values:
        if value := page.results.values.get(name):
            yield f"{path}:{page.source.line(value.place)}: {name}"
            yield f"  value       {value.in_full}"
            yield f"  expression  {value.expression}"
            yield f"  tolerance   {value.margin or 'none'}"
            yield f"  source      {value.source.get('text', 'none: it is computed here')}"
        else:
            yield f"{path}: {name} is not published now"
        line, text = page.record.entries.get(f"value {name}", (0, ""))
        yield f"  record      {f'{page.record_path}:{line}: {text}' if line else 'none'}"
        for claim in claims:
            if claim.owner is page and claim.link.name == name:
                yield f"  claim       {claim.page.path}:{claim.link.line}: {claim.link.text}"
        for file in sorted(Path(Path(path).parts[0]).rglob("*.py")):
            if line := checked_names(file.read_text("utf-8", "replace")).get((page.slug, name)):
                yield f"  recomputed  {file.as_posix()}:{line}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
