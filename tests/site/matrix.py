"""Clean builds of the site that must all agree, whatever the processor, the libraries, the locale, the path, the shell.

Six things differ between machines, each with five settings. In the 25 builds of MATRIX any two settings of two things
meet exactly once, as 5 is prime.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = "notebook/recompute.html"


@dataclass(frozen=True)
class Setting:
    """One state of one thing. env: environment variables, None for unset. needs: what the processor must have."""

    name: str
    env: dict[str, str | None] = field(default_factory=dict)
    needs: str = ""


OLD_C_LIBRARY = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F"}  # its powers end in other bits
OLDEST = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
    **OLD_C_LIBRARY,
}

PROCESSOR = [
    Setting("as it is"),
    Setting("ATen default", {"ATEN_CPU_CAPABILITY": "default"}),
    Setting("ATen avx2", {"ATEN_CPU_CAPABILITY": "avx2"}, needs="avx2"),
    Setting("ATen avx512", {"ATEN_CPU_CAPABILITY": "avx512"}, needs="avx512f"),
    Setting("oldest", OLDEST),
]
LIBRARY = [
    Setting("as they are"),
    Setting("oneDNN SSE41", {"ONEDNN_MAX_CPU_ISA": "SSE41"}),
    Setting("oneDNN AVX2", {"ONEDNN_MAX_CPU_ISA": "AVX2"}, needs="avx2"),
    Setting("MKL portable", {"MKL_CBWR": "COMPATIBLE", "OPENBLAS_CORETYPE": "Nehalem"}),
    Setting("libc no FMA", OLD_C_LIBRARY),
]
PYTHON = [
    Setting("1 thread, seed 0", {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}),
    Setting("2 threads, seed 1", {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "1"}),
    Setting("1 thread, random", {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "random"}),
    Setting("2 threads, seed 0", {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "0"}),
    Setting("2 threads, random", {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "random"}),
]
COUNTRY = [
    Setting("C.UTF-8, UTC", {"LC_ALL": "C.UTF-8", "TZ": "UTC"}),
    Setting("C, Kathmandu", {"LC_ALL": "C", "TZ": "Asia/Kathmandu"}),
    Setting("POSIX, St Johns", {"LANG": "POSIX", "TZ": "America/St_Johns"}),
    # These two also where they are not installed.
    Setting("de_DE, Kathmandu", {"LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Kathmandu"}),
    Setting("tr_TR, St Johns", {"LANG": "tr_TR.UTF-8", "TZ": "America/St_Johns"}),
]
PLACE = [Setting(n) for n in ("plain", "Größe ∞ in a b", "symlink", "shallow clone", "read-only docs")]
SHELL = [
    Setting("plain"),
    Setting("umask, no stdin"),
    Setting("no HOME, TERM", {"HOME": None, "TERM": None}),
    Setting("CI, NO_COLOR", {"CI": "true", "NO_COLOR": "1"}),
    Setting("rc, warnings", {"MPLCONFIGDIR": "settings", "PYTHONWARNINGS": "error::RuntimeWarning,default"}),
]
TITLES = ["processor", "libraries", "threads, hash seed", "locale, time zone", "checkout", "shell"]
THINGS = [PROCESSOR, LIBRARY, PYTHON, COUNTRY, PLACE, SHELL]
MATRIX = [
    tuple(thing[n % 5] for thing, n in zip(THINGS, (i, j, i + j, i + 2 * j, i + 3 * j, i + 4 * j), strict=True))
    for i in range(5)
    for j in range(5)
]
DIAGONAL = list(zip(*THINGS, strict=True))  # five builds that have each setting once; the first has nothing unusual

ODD_FIGURES = """\
font.size: 31
axes.formatter.use_locale: True
axes.formatter.limits: -1, 1
axes.grid: True
figure.dpi: 300
lines.linewidth: 7
svg.fonttype: path
savefig.bbox: tight
"""


@dataclass
class Build:
    """What came of a build. alarms: what is wrong with it, which was clean, so each is false."""

    settings: tuple[Setting, ...]
    seconds: float
    alarms: list[str]
    numbers: dict


def lacking(settings: tuple[Setting, ...]) -> str:
    """What the processor lacks for these settings; "" when nothing."""
    file = Path("/proc/cpuinfo")
    flags = file.read_text(encoding="utf-8").split() if file.exists() else []
    return ", ".join(sorted({s.needs for s in settings if s.needs} - set(flags)))


def build(settings: tuple[Setting, ...], folder: Path, copy: Callable[[Path, bool], None]) -> Build:
    """Build the site in a copy of its own within `folder`, which must not exist, in a process of its own.

    copy: copy(root, shallow) makes the copy; shallow asks for one without history.
    """
    *_, place, shell = settings
    root = folder / ("checkout" if place.name == "plain" else place.name)
    folder.mkdir()
    copy(root, place.name == "shallow clone")
    (root / ".venv").symlink_to(Path(sys.prefix).resolve())
    settings_folder = folder / "settings"
    settings_folder.mkdir()
    (settings_folder / "matplotlibrc").write_text(ODD_FIGURES, encoding="utf-8")

    command, seen_as = ["scripts/build", "-q"], root
    if place.name == "symlink":
        seen_as = folder / "link"
        seen_as.symlink_to(root)
    if place.name == "read-only docs":
        subprocess.run(["chmod", "-R", "a-w", root / "docs"], check=True)
        if os.geteuid() == 0 and shutil.which("setpriv"):  # else root writes nevertheless
            command = ["setpriv", "--bounding-set=-dac_override", *command]
    before, after = ("umask 077; ", " <&-") if shell.name == "umask, no stdin" else ("", " </dev/null")

    in_play = {name for thing in THINGS for setting in thing for name in setting.env} - {"HOME", "TERM"}
    environment = {name: value for name, value in os.environ.items() if name not in in_play | {"PYTHONPATH"}}
    environment["PYTHON"] = "/nonexistent"  # should the .venv not fit this checkout, fail rather than set one up
    for setting in settings:
        environment |= setting.env
    environment = {name: value for name, value in environment.items() if value is not None}
    if "MPLCONFIGDIR" in environment:
        environment["MPLCONFIGDIR"] = str(settings_folder)

    begin = time.monotonic()
    line = f"{before}cd {shlex.quote(str(seen_as))}; exec {shlex.join(command)} 2>&1{after}"
    done = subprocess.run(["bash", "-c", line], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    seconds = time.monotonic() - begin
    subprocess.run(["chmod", "-R", "u+w", root / "docs"], check=True)

    output = done.stdout.decode("utf-8", "backslashreplace").splitlines()
    output = [line for line in output if "warning: setlocale" not in line]  # bash has a word on locales not installed
    alarms = [f"exit status {done.returncode}"] if done.returncode else []
    if not (output and output[-1].endswith(" hold")):
        alarms.append("the audit did not hold")
    alarms += output if alarms else output[:-1]
    numbers, notebook = root / "site/numbers.json", root / "site" / NOTEBOOK
    if not (notebook.exists() and " numbers compared, 0 differ" in notebook.read_text(encoding="utf-8")):
        alarms.append("the notebook did not find every number again")
    listed = json.loads(numbers.read_text(encoding="utf-8")) if numbers.exists() else {}
    return Build(settings, seconds, alarms, listed)


@dataclass
class Spread:
    """How far apart the builds have a value that may differ."""

    page: str
    name: str
    tolerance: float
    reason: str
    apart: Fraction


def compare(builds: list[Build]) -> tuple[list[Spread], list[list[str]]]:
    """The values with a tolerance, and for each build where it differs by more than the tolerances allow."""
    alarms: list[list[str]] = [[] for _ in builds]
    found: dict[tuple[str, str], list[Fraction]] = {}
    allowed: dict[tuple[str, str], tuple[float, str]] = {}
    first = None
    for build, mine in zip(builds, alarms, strict=True):
        rest = json.loads(json.dumps(build.numbers))  # all but the values that may differ
        for path, page in rest.get("pages", {}).items():
            for value in page["values"]:
                if value["tolerance"]:
                    key = (path, value["name"])
                    exact = Fraction(value["value"])
                    values = found.setdefault(key, [])
                    allowed.setdefault(key, (value["tolerance"], value["reason"]))
                    # From each, not from what is recorded: any of these machines may record, and any other build.
                    if any(abs(exact - other) > Fraction(value["tolerance"]) for other in values):
                        mine.append(f"{path}: {value['name']} is {value['value']}, too far from the builds before")
                    values.append(exact)
                    value["value"] = "may differ"
        if first is None:
            first = rest
        elif build.numbers:
            mine += [f"numbers.json{difference}" for difference in differences(first, rest)]
    return [Spread(*key, *allowed[key], max(values) - min(values)) for key, values in found.items()], alarms


def differences(first: object, second: object, at: str = "") -> list[str]:
    """Where two JSON values differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        same = [d for key in first.keys() & second for d in differences(first[key], second[key], f"{at}/{key}")]
        return same + [f"{at}/{key} is in one build only" for key in sorted(first.keys() ^ second.keys())]
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return [d for n, pair in enumerate(zip(first, second, strict=True)) for d in differences(*pair, f"{at}/{n}")]
    return [] if first == second else [f"{at} is {second!r}, in the first build {first!r}"]
