"""The drift corpus: wrong numbers planted one at a time in a copy of a site, as data, and what a build must tell.

small/*.toml hold what one page shows: they are planted in small/site, whose blocks import neither torch nor the lesson.
real/*.toml hold what only the lesson itself shows (its code, its figures, its notebook, claims across its pages): they
are planted in a copy of it, all built in one warm process, which keeps what `mkdocs serve` would: the runs of pages
whose blocks and code are unchanged. It runs the notebook for those of that kind only.

An expected message names its line by what stands there, so that a page can be edited above it; where another change
breaks an expectation, `run_corpus("its title")` tells what is said now.
"""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from told import messages

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SMALL = HERE / "small/site"
"""A site of a few short pages. Its figure.md, which draws, is built only where a defect is planted there."""


@dataclass(frozen=True)
class Defect:
    """One entry of the corpus.

    old is what stands in `file`, at its first place; new, what is put there; {at} in an expected message is its line.
    A file that is not there is made of `new`. cut: the file ends in the middle of `old`. encoding, newline: it is
    written so. fresh: built by a process of its own, for the warm one cannot see the change.
    also: more such changes, as [file, old, new].
    expect: every message of the build, in any order. {file} is `file`, {page} a record's page, {at+2} two lines below
    {at}, and {/text/} the first line of the message's own file that holds the text, {/text/2} the second, {/text/-1} the
    one above the first. {any} is any text: a value that differs from machine to machine.
    """

    name: str
    kind: str
    file: str
    expect: list[str]
    old: str = ""
    new: str = ""
    cut: bool = False
    encoding: str = "utf-8"
    newline: str = "\n"
    fresh: bool = False
    also: list[list[str]] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.kind}: {self.name}"

    def plant(self, copy: Path) -> list[str]:
        """Make the change, and return the messages it should bring. Raises ValueError if the text to change is gone."""
        at = self._change(copy / self.file, self.old, self.new, self.encoding)
        for file, old, new in self.also:
            self._change(copy / file, old, new)
        page = re.sub(r"\.record$", ".md", self.file)
        return sorted(
            _with_lines(line.replace("{file}", self.file).replace("{page}", page), at, copy) for line in self.expect
        )

    def _change(self, path: Path, old: str, new: str, encoding: str = "utf-8") -> int:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new, encoding="utf-8")
            return 1
        text = path.read_text(encoding="utf-8")
        start = text.find(old)
        if start < 0:
            raise ValueError(f"{path} does not hold {old!r} any more")
        after = text[start + len(old) :]
        changed = text[: start + len(old) // 2] if self.cut else text[:start] + new + after
        path.write_text(changed, encoding=encoding, newline=self.newline)
        return text.count("\n", 0, start) + 1


def _with_lines(message: str, at: int, copy: Path) -> str:
    message = re.sub(r"\{at([+-]\d+)?\}", lambda match: str(at + int(match[1] or 0)), message)

    def line(match: re.Match) -> str:
        lines = (copy / message.split(":")[0]).read_text(encoding="utf-8").split("\n")
        found = [number for number, text in enumerate(lines, 1) if match[1] in text]
        if not found:
            raise ValueError(f"no line of {message.split(':')[0]} holds {match[1]!r} any more")
        return str(found[int(match[2] or 1) - 1] - int(match[3] or 0))

    return re.sub(r"(?<=:)\{/(.+?)/(?:(\d+)|-(\d+)|)\}(?=: )", line, message)


def difference(found: list[str], expected: list[str]) -> str | None:
    """How what a build told differs from what it should have; None when it does not."""
    besides, missing = list(found), []
    for message in expected:
        pattern = ".*".join(map(re.escape, message.split("{any}")))
        told = next((other for other in besides if re.fullmatch(pattern, other)), None)
        besides.remove(told) if told else missing.append(message)
    return "\n".join(["not told:", *missing, "told besides:", *besides]) if missing or besides else None


def corpus(site: str = "*") -> list[Defect]:
    """All defects of the "small" or the "real" site, or of both, in the files' order. Raises ValueError when two share
    a name.
    """
    found = [
        Defect(**entry)
        for file in sorted(HERE.glob(f"{site}/*.toml"))
        for entry in tomllib.loads(file.read_text("utf-8"))["defect"]
    ]
    names = [defect.title for defect in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"names must differ; got twice: {', '.join(twice)}")
    return found


def plant_small(defect: Defect, copy: Path) -> list[str]:
    """Make `copy` the small site with this defect in it, and return the messages it should bring."""
    touched = [defect.file, *(file for file, _, _ in defect.also)]
    drawn = any(Path(file).stem == "figure" for file in touched)
    shutil.copytree(SMALL, copy, ignore=None if drawn else shutil.ignore_patterns("figure.*"))
    return defect.plant(copy)


def run_corpus(only: str = "") -> list[tuple[str, str | None]]:
    """Plant and build every defect whose title holds `only`; (title, None) for one that is caught just as it should be,
    else (title, what the build said and should have said).
    """
    return [*run_small(only), *run_real(only)]


def run_small(only: str = "") -> list[tuple[str, str | None]]:
    """As run_corpus, those of the small site."""
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    return [(defect.title, problem_in_small(defect)) for defect in corpus("small") if only in defect.title]


def problem_in_small(defect: Defect) -> str | None:
    """What a build of the small site told of this defect and should have told; None when they do not differ."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "site")
        expected = plant_small(defect, copy)
        return difference(messages(copy), expected)


def run_real(only: str = "", part: int = 0, parts: int = 1) -> list[tuple[str, str | None]]:
    """As run_corpus, those of the real site. part of parts: every so many of them, so that several share the work."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        for name in ("docs", "src"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        shutil.copy(ROOT / "mkdocs.yml", copy)
        settings = {
            "PYTHONPATH": str(copy / "src"),
            "REFERENCE": "false",
            "NO_MKDOCS_2_WARNING": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, str(HERE / "worker.py"), only, str(part), str(parts)]
        done = subprocess.run(
            command, cwd=copy, env=os.environ | settings, stdout=subprocess.PIPE, text=True, check=True
        )
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]
