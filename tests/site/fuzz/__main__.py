"""`scripts/check-gate fuzz [TARGET] [RUNS]`: try inputs, found by the code they reach, until one breaks a promise.

Without RUNS, each target gets its share of a million. An input that breaks one is kept in fuzzing/crashes/, and
`scripts/check-gate fuzz TARGET FILE` tries it again; what reached new code stays in fuzzing/corpus/, for the next.
"""

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import atheris

from fuzz import TARGETS

KEPT = Path(__file__).resolve().parents[3] / "fuzzing"
RUNS = {"claims": 400_000, "source": 250_000, "records": 200_000, "page": 50_000}


def main(arguments: list[str]) -> int:
    names = [a for a in arguments if a in TARGETS] or list(TARGETS)
    others = [a for a in arguments if a not in TARGETS]
    if len(others) > 1 or any(not a.isdecimal() and not (len(names) == 1 and Path(a).is_file()) for a in others):
        print(f"usage: scripts/check-gate fuzz [{'|'.join(TARGETS)}] [RUNS or an input's file]", file=sys.stderr)
        return 2
    status = 0
    for name in names:
        corpus, crashes = KEPT / "corpus" / name, KEPT / "crashes"
        corpus.mkdir(parents=True, exist_ok=True)
        crashes.mkdir(exist_ok=True)
        if others and not others[0].isdecimal():
            what = [others[0]]
        else:
            runs = others[0] if others else RUNS[name]
            what = [f"-runs={runs}", "-max_len=48", "-len_control=0", "-timeout=20", str(corpus)]
        begin = time.monotonic()
        # A process each: atheris ends the one it runs in.
        command = [sys.executable, "-c", f"from fuzz.__main__ import fuzz; fuzz({name!r})"]
        command += [f"-artifact_prefix={crashes}/{name}-", *what]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with (crashes / f"{name}.log").open("w+", encoding="utf-8", errors="replace") as log:
            broken = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT).returncode
            log.seek(0)
            lines = log.read().splitlines()
        print("\n".join(lines[-40:] if broken else [line for line in lines if "DONE" in line]))
        print(f"{name}: {'BROKEN' if broken else 'held'} after {time.monotonic() - begin:.0f} s", flush=True)
        status = status or (1 if broken else 0)
    return status


def fuzz(name: str) -> None:
    """Fuzz one target in this process, which ends with it."""
    # Only the gate's code steers: that of Markdown and of the browser's reader would drown it.
    with atheris.instrument_imports(include=["scaling_lesson.site", "scaling_lesson.units"]):
        target = importlib.import_module(f"fuzz.{name}")
    atheris.Setup(sys.argv, target.one_input)
    atheris.Fuzz()
