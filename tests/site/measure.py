"""`scripts/measure`: does the gate catch every planted defect, and does it stay silent where nothing is wrong?

Two figures: how much of the drift corpus it catches at the right place, and its false alarms over the clean builds of
the matrix, which are of what is committed.
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


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="measure-") as folder:
        commit = Path(folder, "commit")  # all builds are of one, whatever is committed meanwhile
        subprocess.run(["git", "clone", "-q", "--bare", matrix.ROOT, commit], check=True)
        log = ["git", "-C", commit, "log", "-1", "--format=%h %s"]
        named = subprocess.run(log, capture_output=True, text=True, check=True).stdout.strip()
        print(f"The clean builds are of {named}", flush=True)
        figures = [measure_matrix(commit), measure_corpus()]
    print()
    for figure, _ in reversed(figures):
        print(figure)
    return 0 if all(good for _, good in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
