"""`scripts/check-gate`: does the gate catch every defect, stay silent where nothing is wrong, and survive odd input?

`matrix`: the false alarms over its clean builds, which are of what is committed. `corpus`: how much of the drift corpus
is caught at the right place. `fuzz [TARGET] [RUNS]`: what random inputs break (see fuzz/__main__.py). All, if unnamed.
"""

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import matrix

FEWEST = 20
"""The builds without which the matrix does not count as run."""


def measure_corpus() -> tuple[str, bool]:
    """The corpus's figure, and whether it is all it should be. What is not caught is printed."""
    if importlib.util.find_spec("drift") is None:
        return "corpus: not measured, tests/site/drift is missing", False
    from drift import run_corpus

    results = run_corpus()
    for title, wrong in results:
        if wrong is not None:
            print(f"{title}: {wrong}", flush=True)
    caught = sum(wrong is None for _, wrong in results)
    return f"corpus: {caught} of {len(results)} caught at the right place", 0 < caught == len(results)


def measure_matrix(commit: Path) -> tuple[str, bool]:
    """The matrix's figure, and whether it is all it should be. Each build is printed, and what differed between them.

    commit: the repository whose newest commit is built.
    """

    def clone(folder: Path, shallow: bool) -> None:
        depth = ["--depth=1"] if shallow else []
        subprocess.run(["git", "clone", "-q", *depth, commit.as_uri(), folder], check=True)

    builds: dict[int, matrix.Build] = {}
    rows = [[setting.name for setting in settings] for settings in matrix.MATRIX]
    widths = [max(map(len, column)) for column in zip(matrix.TITLES, *rows, strict=True)]

    def row(cells: Iterable[str]) -> str:
        return " | ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))

    print(f"   | {row(matrix.TITLES)}")
    for number, settings in enumerate(matrix.MATRIX, 1):
        line = f"{number:2} | {row(setting.name for setting in settings)}"
        if lack := matrix.lacking(settings):
            print(f"{line} | skipped: this processor has no {lack}", flush=True)
            continue
        with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
            build = builds[number] = matrix.build(settings, Path(folder, "build"), clone)
        print(f"{line} | {build.seconds:3.0f} s | {'FALSE ALARM' if build.alarms else 'clean'}", flush=True)
        print("".join(f"     {alarm}\n" for alarm in build.alarms), end="", flush=True)

    spreads, apart = matrix.compare(list(builds.values()))
    for build, alarms in zip(builds, apart, strict=True):
        print("".join(f"build {build}: {alarm}\n" for alarm in alarms), end="")
    for differed, title in ((True, "differ between these builds"), (False, "do not differ here")):
        chosen = [s for s in spreads if bool(s.apart) == differed]
        print(f"\n{len(chosen)} values with a tolerance {title}:")
        for s in chosen:
            by = f"by {float(s.apart):.2g}, may by {s.tolerance:g}" if differed else f"may by {s.tolerance:g}"
            print(f"  {s.page}: {s.name}: {by}: {s.reason}")
    alarms = sum(bool(b.alarms or a) for b, a in zip(builds.values(), apart, strict=True))
    figure = f"matrix: {len(builds)} clean builds, {alarms} false alarm{'s' * (alarms != 1)}"
    return figure, not alarms and len(builds) >= FEWEST


def measure_newest_commit() -> tuple[str, bool]:
    """The matrix's figure, and whether it is all it should be, of what is committed now, whatever is meanwhile."""
    with tempfile.TemporaryDirectory(prefix="check-gate-") as folder:
        commit = Path(folder, "commit")
        subprocess.run(["git", "clone", "-q", "--bare", matrix.ROOT, commit], check=True)
        log = ["git", "-C", commit, "log", "-1", "--format=%h %s"]
        named = subprocess.run(log, capture_output=True, text=True, check=True).stdout.strip()
        print(f"The clean builds are of {named}", flush=True)
        return measure_matrix(commit)


def measure_fuzz(*arguments: str) -> tuple[str, bool]:
    """What random inputs made of the gate, and whether that is nothing. Each target is printed."""
    from fuzz.__main__ import main as fuzz  # here, because atheris is not to be had everywhere

    status = fuzz(list(arguments))
    if status == 2:
        sys.exit(status)  # it could not read its arguments
    return f"fuzz: {'a promise is broken' if status else 'every promise held'}", status == 0


PARTS = {"matrix": measure_newest_commit, "corpus": measure_corpus, "fuzz": measure_fuzz}


def main(arguments: list[str]) -> int:
    part, *rest = arguments or [""]
    if (part and part not in PARTS) or (rest and part != "fuzz"):
        print("usage: scripts/check-gate [matrix | corpus | fuzz [TARGET] [RUNS]]", file=sys.stderr)
        return 2
    figures = [PARTS[part](*rest)] if part else [measure() for measure in PARTS.values()]
    print()
    for figure, _ in figures:
        print(figure)
    return 0 if all(good for _, good in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
