"""`scripts/record [PAGE ...]`: accept the numbers the pages compute now. The only writer of records.

Rewrites the records of the pages named (of all, without a name), and the digits of their claims, where they drifted;
prints the difference; touches nothing else. Refuses when CI is set: there a person must have looked.
"""

import argparse
import difflib
import logging
import os
import re
import sys
import tempfile
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from scaling_lesson.site import records
from scaling_lesson.site.gate import Gate, Page, Problem
from scaling_lesson.site.source import replace_claims


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("scripts/record", description=__doc__.split("\n\n")[0])
    parser.add_argument("pages", nargs="*", help="pages to accept, as messages name them; all pages when none is named")
    chosen = parser.parse_args(arguments).pages
    if os.environ.get("CI"):
        print("scripts/record does not run in CI: run it where someone reads the difference", file=sys.stderr)
        return 2
    gate, found = compute(Path("mkdocs.yml"))
    names = {_relative(name) for name in chosen} or set(gate.pages)
    if unknown := sorted(names - set(gate.pages)):
        near = difflib.get_close_matches(unknown[0], gate.pages, n=1)
        print(f"there is no page {unknown[0]}" + (f"; did you mean {near[0]}?" if near else ""), file=sys.stderr)
        return 2
    changed = 0
    for page in (gate.pages[name] for name in sorted(names)):
        if page.incomplete:
            continue  # what it computes is not known; its problems are told below
        for file, path, new in ((page.file, page.path, new_text(gate, page)), (page.record, page.record_path, new_record(page))):
            old = file.read_bytes().decode("utf-8", "replace") if file.exists() else ""
            if new != old:
                changed += 1
                sys.stdout.writelines(_difference(old, new, path))
                file.write_bytes(new.encode("utf-8"))
        if not page.run.entries:
            page.record.unlink(missing_ok=True)  # a page that publishes nothing has no record
    left = [problem for problem in found if not problem.drift]
    for problem in left:
        print(problem, file=sys.stderr)
    print(f"{changed} file{'' if changed == 1 else 's'} rewritten", end="")
    print(f"; {len(left)} problem{'' if len(left) == 1 else 's'} left to mend by hand" if left else "")
    return 1 if left else 0


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


def new_record(page: Page) -> str:
    """The record with what drifted replaced, what still agrees left as it stands, and what is gone left out."""
    recorded, _ = records.read(page.record)
    entries = {}
    for key, entry in page.run.entries.items():
        old = recorded.get(key, (0, ""))[1]
        entries[key] = old if records.agree(old, entry.text, entry.tolerance) else entry.text
    return records.write(entries) if entries else ""


def new_text(gate: Gate, page: Page) -> str:
    """The page with the digits of its failing claims rewritten in the shape they have, where that shape can hold."""
    def corrected(index: int, match: re.Match) -> str:
        correct = gate.acceptable(page, page.links[index])
        return match[0] if correct is None else match[0].replace(f"[{match['text']}]", f"[{correct}]", 1)

    text = page.file.read_bytes().decode("utf-8")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return mark + "\n".join(replace_claims(text.removeprefix(mark).split("\n"), page.prose, corrected))


def _relative(name: str) -> str:
    path = Path(name)
    inside = path.is_absolute() and path.is_relative_to(Path.cwd())
    return (path.relative_to(Path.cwd()) if inside else path).as_posix().replace(".record", ".md")


def _difference(old: str, new: str, path: str) -> list[str]:
    return list(difflib.unified_diff(old.splitlines(True), new.splitlines(True), path, path, n=0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
