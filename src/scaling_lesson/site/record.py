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
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from scaling_lesson.site import records
from scaling_lesson.site.gate import Gate, Page, Problem
from scaling_lesson.site.present import summary
from scaling_lesson.site.source import ClaimLink, replace_claims
from scaling_lesson.site.terminal import agreed, differences, explained
from scaling_lesson.units import did_you_mean, nearest


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
    gate, found = compute(Path("mkdocs.yml"))
    meanings = _meanings(gate)
    for word in given.named:
        if os.path.relpath(word) not in meanings:
            print(f"there is no page or value {word}{did_you_mean(nearest(word, meanings))}", file=sys.stderr)
            return 2
    chosen = {meant for word in given.named or gate.pages for meant in meanings[os.path.relpath(word)]}
    if given.explain:
        print("\n".join(line for path, name in sorted(chosen) for line in explained(gate, gate.pages[path], name)))
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
        except Abort as stopped:  # it found something: that is what we are here for
            if not plugin.found:
                sys.exit(str(stopped.__context__))
        finally:
            plugin.quiet = False
        return plugin.gate, plugin.found


def _meanings(gate: Gate) -> dict[str, set[tuple[str, str]]]:
    """Every word that names something: pages, as (path, ""), or values, as (path, name), recorded ones too."""
    meanings = defaultdict(set)
    for page in gate.pages.values():
        for word in (page.path, page.record_path, page.slug):
            meanings[word].add((page.path, ""))
        recorded = (key.removeprefix("value ") for key in records.read(page.record)[0] if key.startswith("value "))
        for name in (*page.run.values, *recorded):
            meanings[name].add((page.path, name))
            meanings[f"{page.slug}/{name}"].add((page.path, name))
    return meanings


def _accept(gate: Gate, found: list[Problem], chosen: set[tuple[str, str]], yes: bool) -> int:
    """Show what drifted of what was chosen, write it when that is agreed to, and tell what is left."""
    before = set(gate.problems())
    files, changes, links = [], [], {}
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
                files.append((file, new))
                changes += differences(path, old or "", new or "")
    for change in changes:
        print(change)
    many = f"{len(files)} file{'s' * (len(files) != 1)}"
    if files and not yes and not agreed(f"{len(changes)} change{'s' * (len(changes) != 1)} in {many}"):
        return 1
    for file, new in files:
        file.unlink() if new is None else file.write_bytes(new.encode("utf-8"))
    for path, accepted in links.items():
        gate.pages[path].links = accepted
    left = sorted({*found} - before | {*gate.problems()})
    for problem in left:
        if not problem.drift:
            print(problem, file=sys.stderr)
    print(f"{many} rewritten" + (f". Left: {summary(left)}" if left else ""))
    return 1 if left else 0


def _corrected(gate: Gate, page: Page, link: ClaimLink, chosen: set[tuple[str, str]]) -> ClaimLink:
    """A claim; when its page or its value was chosen, with digits that hold, where its shape can hold."""
    value = gate.look_up(page, link)
    mine = (page.path, "") in chosen or (not isinstance(value, str) and (value[0].path, link.name) in chosen)
    return replace(link, text=(mine and gate.acceptable(page, link)) or link.text)


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
    computed, at = page.run.entries, 0
    texts = {key: text for key, (_, text) in recorded.items()}
    for key in {**computed, **recorded}:
        if names is not None and key.removeprefix("value ") not in names:
            continue
        if key not in computed:
            del texts[key]
        elif key not in texts or not records.agree(texts[key], computed[key].text, computed[key].tolerance):
            texts[key] = computed[key].text
    order = [key for key in recorded if key in texts]
    for key in computed:  # what is new stands after what comes before it on the page
        if key in recorded:
            at = order.index(key) + 1
        elif key in texts:
            order.insert(at, key)
            at += 1
    return records.write({key: texts[key] for key in order}) if order else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
