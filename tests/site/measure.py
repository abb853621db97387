"""`scripts/measure`: does the gate catch every planted defect, and does it stay silent where nothing is wrong?

Two figures: how much of the drift corpus it catches at the right place, and its false alarms over the clean builds of the
matrix, which are of what is committed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import matrix


def measure_corpus() -> bool:
    try:
        from drift import run_corpus
    except ModuleNotFoundError:
        print("corpus: there is none, tests/site/drift is missing", file=sys.stderr)
        return False
    raise NotImplementedError(run_corpus)


def measure_matrix() -> tuple[str, bool]:
    builds = []
    for number, settings in enumerate(matrix.MATRIX, 1):
        row = " | ".join(f"{setting.name:{max(len(s.name) for s in thing)}}" for setting, thing in zip(settings, matrix.THINGS))
        if lack := matrix.lacking(settings):
            print(f"{number:2} | {row} | skipped: this processor has no {lack}", flush=True)
            continue
        with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
            build = matrix.build(settings, Path(folder, "build"))
        print(f"{number:2} | {row} | {build.seconds:3.0f} s | {'FALSE ALARM' if build.alarms else 'clean'}", flush=True)
        for alarm in build.alarms:
            print(f"   {alarm}", flush=True)
        build.told = len(build.alarms)
        builds.append(build)
    spreads = matrix.compare(builds)
    for number, build in enumerate(builds, 1):
        for alarm in build.alarms[build.told :]:
            print(f"build {number}: {alarm}")
    for differed in (True, False):
        chosen = [s for s in spreads if bool(s.apart) == differed]
        print(f"{len(chosen)} values with a tolerance {'differ between builds' if differed else 'do not differ here'}")
        for s in chosen:
            print(f"  {s.page}: {s.name}: {float(s.apart):.2g} apart, tolerance {float(s.tolerance):g}: {s.reason}")
    alarms = sum(bool(b.alarms) for b in builds)
    return f"matrix: {len(builds)} clean builds, {alarms} false alarm{'s' * (alarms != 1)}", not alarms and len(builds) >= 20


if __name__ == "__main__":
    print(measure_matrix())
