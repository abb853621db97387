"""The scripts as people use them, in a checkout of their own whose path is not a simple one.

A stand-in for Python, the only one on PATH, notes how it was called: so "pip was not run" can be asserted, and every
failure played.
"""

import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]

TOOLS = ["bash", "cat", "dirname", "env", "head", "ln", "mkdir", "readlink", "rm", "sleep"]
"""All that the scripts and the stand-in need besides Python."""

PYTHON = r"""#!/usr/bin/env bash
printf '%s\n' "${*%%$'\n'*}" >>"$CALLS"
case "$*" in
  *fcntl*) exec "$REAL_PYTHON" "$@" ;;
  "-c "*) [[ -z ${TOO_OLD:-} ]] ;;
  "-m venv "*) rm -rf .venv && mkdir -p .venv/bin && ln -s "$STUB" .venv/bin/python ;;
  "-m ensurepip" | "-I "*) ;;
  "-m pip "*)
    while [[ ${PIP_WAITS_FOR:-} && ! -e $PIP_WAITS_FOR ]]; do sleep 0.02; done
    if [[ ${PIP_INDEX_URL:-} ]]; then exec "$REAL_PYTHON" "$@" --dry-run; fi
    if [[ ${PIP_FAILS:-} ]]; then echo "$PIP_FAILS"; exit 1; fi ;;
  *) printf '%s\n' "$PWD" "$PYTHONPATH" "${CHROMIUM:-}" "$@" && exit "${STATUS:-0}" ;;
esac
"""


def program(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


class Checkout:
    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "Prüfung mit Leerzeichen"
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        for name in ["pyproject.toml", "constraints.txt"]:
            shutil.copy(ROOT / name, self.root)
        self.bin = tmp_path / "bin"
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        stub = program(self.bin / "python3", PYTHON)
        self.calls_file = tmp_path / "calls"
        self.calls_file.touch()
        self.env = {"PATH": str(self.bin), "CALLS": str(self.calls_file), "STUB": stub, "REAL_PYTHON": sys.executable}

    def start(self, command: str | Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.root / command, *arguments],
            cwd="/",
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, command: str | Path, *arguments: str, **env: str) -> tuple[int, list[str], list[str]]:
        """Its exit status, and the lines of both outputs."""
        with self.start(command, *arguments, **env) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out.splitlines(), err.splitlines()

    def error(self, command: str, **env: str) -> str:
        """Its last line; it must fail."""
        status, out, err = self.run(command, **env)
        assert (status, out) == (1, []) and err[-1].startswith("error: "), err
        return err[-1]

    def set_up_by(self, command: str, **env: str) -> list[str]:
        """What was made or installed before it ran."""
        self.calls_file.write_text("", encoding="utf-8")
        status, _, err = self.run(command, **env)
        assert status == 0, err
        calls = self.calls_file.read_text(encoding="utf-8").splitlines()
        return [call.split()[1] + " " + call.split()[-1] for call in calls if re.match("-m (venv|pip)", call)]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def wait_for_pip(checkout: Checkout) -> None:
    for _ in range(1500):
        if "-m pip" in checkout.calls_file.read_text(encoding="utf-8"):
            return
        time.sleep(0.02)
    pytest.fail("pip was not run")


COMMANDS = {
    "build": ["-m", "mkdocs", "build"],
    "serve": ["-m", "mkdocs", "serve", "--no-strict"],
    "record": ["-m", "scaling_lesson.site.accept"],
    "test": ["-m", "pytest", "-n", "2", "--dist", "worksteal"],
    "measure": ["-m", "scaling_lesson.measure"],
    "check-gate": ["tests/site/check_gate.py"],
    "bench": ["tests/site/bench.py"],
    "screenshots": ["tests/site/web/browse/screenshots.py"],
}


@pytest.mark.parametrize("script", COMMANDS)
def test_runs_its_command_at_the_root_with_all_arguments(checkout, tmp_path, script):
    browser = program(checkout.bin / "chromium", "")
    (tmp_path / "short").symlink_to(checkout.root / "scripts" / script)
    arguments = ["tests/test_x.py", "one and two", "*", "é", ""]
    status, out, err = checkout.run(tmp_path / "short", *arguments, PYTHONPATH="/theirs")
    assert (status, err) == (0, ["setting up .venv: some minutes, 2 GB"])
    assert out[:2] == [str(checkout.root), f"{checkout.root}/src:/theirs"]
    assert out[2:] == [browser if script in ("test", "screenshots") else "", *COMMANDS[script], *arguments]


def test_a_build_bears_the_time_of_the_last_commit_or_the_one_given(checkout):
    stub = checkout.bin / "python3"
    program(stub, PYTHON.replace('"${CHROMIUM:-}"', '"${SOURCE_DATE_EPOCH:-none}"'))
    assert checkout.run("scripts/build")[1][2] == "none"  # no git, or no repository
    program(checkout.bin / "git", '#!/usr/bin/env bash\n[[ "$*" == "log -1 --format=%ct" ]] && echo 1795922361\n')
    assert checkout.run("scripts/build")[1][2] == "1795922361"
    assert checkout.run("scripts/build", SOURCE_DATE_EPOCH="7")[1][2] == "7"


def test_nothing_is_installed_when_nothing_changed(checkout):
    program(checkout.bin / "chromium", "")
    assert checkout.set_up_by("scripts/build") == ["venv .venv", "pip ."]
    assert checkout.set_up_by("scripts/build") == []
    assert checkout.set_up_by("scripts/test") == ["pip .[test]"]  # which serves the others too
    assert checkout.set_up_by("scripts/build") == checkout.set_up_by("scripts/test") == []
    with (checkout.root / "constraints.txt").open("a", encoding="utf-8") as pins:
        pins.write("new==1\n")
    assert checkout.set_up_by("scripts/build") == ["pip ."]


def test_a_moved_venv_is_made_anew(checkout):
    checkout.set_up_by("scripts/build")
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert checkout.set_up_by("scripts/build") == ["venv .venv", "pip ."]


def test_an_interrupted_set_up_is_done_again(checkout):
    with checkout.start("scripts/build", PIP_WAITS_FOR="/never") as process:
        wait_for_pip(checkout)
        os.killpg(process.pid, signal.SIGKILL)
    assert checkout.set_up_by("scripts/build") == ["venv .venv", "pip ."]


def test_a_venv_shared_by_a_symlink_is_used_but_never_changed(checkout, tmp_path):
    checkout.set_up_by("scripts/build")
    theirs = (checkout.root / ".venv").rename(tmp_path / "theirs")
    (checkout.root / ".venv").symlink_to(theirs)
    (theirs / "stamp").write_text(f"{theirs}\n{checkout.env['STUB']}\nother pins", encoding="utf-8")
    assert checkout.set_up_by("scripts/build") == ["venv .venv", "pip ."]
    assert (theirs / "stamp").read_text(encoding="utf-8").endswith("other pins")
    pins = (checkout.root / ".venv/stamp").read_text(encoding="utf-8").split("\n", 1)[1]
    shutil.rmtree(checkout.root / ".venv")
    (checkout.root / ".venv").symlink_to(theirs)
    (theirs / "stamp").write_text(f"{theirs}\n{pins}", encoding="utf-8")
    assert checkout.set_up_by("scripts/build") == []


def test_two_at_once_set_up_once(checkout, tmp_path):
    go = tmp_path / "go"
    with checkout.start("scripts/build", PIP_WAITS_FOR=str(go)) as first:
        wait_for_pip(checkout)
        with checkout.start("scripts/serve") as second:
            assert second.stderr and second.stderr.readline().startswith("setting up")
            time.sleep(0.3)  # enough to run pip, if it did not wait
            go.touch()
            assert second.wait(30) == first.wait(30) == 0
    assert len(re.findall("-m pip", checkout.calls_file.read_text(encoding="utf-8"))) == 1


def test_says_in_one_line_what_is_missing(checkout):
    assert "Python 3.11 or newer" in checkout.error("scripts/build", TOO_OLD="yes")
    assert "/no/such is not Python" in checkout.error("scripts/build", PYTHON="/no/such")
    full = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    assert "disk is full: .venv needs 2 GB" in checkout.error("scripts/build", PIP_FAILS=full)
    assert "says why above" in checkout.error("scripts/build", PIP_FAILS="ERROR: something else")
    assert "ERROR: something else" in checkout.run("scripts/build", PIP_FAILS="ERROR: something else")[2]
    assert checkout.run("scripts/build")[0] == 0


def test_no_network(checkout):
    """With the real pip, whose words decide here."""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    assert "check network" in checkout.error("scripts/build", **nowhere)


def test_record_refuses_in_ci_before_any_set_up(checkout):
    assert "scripts/record" in checkout.error("scripts/record", CI="true")
    assert not (checkout.root / ".venv").exists()


def test_the_browser_is_found_chosen_or_installed_and_not_needed_by_fast_tests(checkout, tmp_path):
    assert checkout.run("scripts/test", "--fast", "-x")[1][2:] == ["", *COMMANDS["test"], "-m", "not slow", "-x"]
    assert "install Chromium or Chrome" in checkout.error("scripts/test")
    chosen = program(tmp_path / "my browser", "")
    assert checkout.run("scripts/test", CHROMIUM=chosen)[1][2] == chosen
    assert "set CHROMIUM" in checkout.error("scripts/test", CHROMIUM="/no/such")
    program(checkout.bin / "sudo", '#!/usr/bin/env bash\nexec "${@:2}"\n')
    apt = f'#!/usr/bin/env bash\n[[ $* == update ]] || ln -s "$STUB" "{checkout.bin}/chromium"\n'
    program(checkout.bin / "apt-get", apt)
    assert checkout.run("scripts/test")[1][2] == str(checkout.bin / "chromium")


def test_zensical_is_tried_beside_mkdocs_and_what_it_built_is_compared(checkout):
    assert checkout.set_up_by("scripts/try-zensical") == ["venv .venv", "pip .[test]"]
    calls = checkout.calls_file.read_text(encoding="utf-8").splitlines()
    assert calls[-4:] == [
        "-m mkdocs build -q",
        "-m zensical build --clean --config-file zensical.yml",
        f"-I {checkout.root}/src/scaling_lesson/audit.py .zensical",
        "tests/site/try_zensical.py site .zensical",
    ]
    assert checkout.run("scripts/try-zensical", STATUS="1")[0] == 1


def test_judging_in_a_browser_says_what_it_needs(checkout):
    assert "install Node.js" in checkout.error("scripts/browse")


def test_measure_says_when_it_was_killed_and_needs_the_tests_packages_only_to_compare(checkout):
    assert checkout.set_up_by("scripts/measure") == ["venv .venv", "pip ."]
    status, _, err = checkout.run("scripts/measure", STATUS="137")
    assert status == 1 and err == [f"error: {err[-1].removeprefix('error: ')}"] and "was killed" in err[-1]
    assert checkout.run("scripts/measure", STATUS="130")[::2] == (130, [])
    checkout.run("scripts/measure", "--generate")
    assert (
        "-m pip install --no-compile --no-input --progress-bar off -c constraints.txt -e .[test]"
        in checkout.calls_file.read_text()
    )


def test_audit_needs_plain_python_alone(checkout):
    assert checkout.set_up_by("scripts/audit") == []
    audit = f"-I {checkout.root}/src/scaling_lesson/audit.py {checkout.root}/site\n"
    assert checkout.calls_file.read_text(encoding="utf-8") == audit
    assert not (checkout.root / ".venv").exists()


@pytest.mark.parametrize("failing", ["lint", "test", "build", "browse", ""])
def test_ci_runs_each_step_in_order_and_stops_at_a_failure(checkout, failing):
    shutil.copytree(ROOT / ".ci", checkout.root / ".ci")
    steps = ["lint", "test", "build", "browse"]
    for name in steps:
        program(checkout.root / "scripts" / name, f'#!/usr/bin/env bash\n[[ $CI == true && {name} != "{failing}" ]]\n')
    status, out, _ = checkout.run(shutil.which("bash") or "", str(checkout.root / ".ci/run"))
    done = steps[: steps.index(failing) + 1] if failing else steps
    assert [line for line in out if line] == [f"=== scripts/{name} ===" for name in done]
    assert status == (1 if failing else 0)


def test_git_ignores_no_source():
    """Else a file is here, and every test passes, but everyone else's clone lacks it."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-oi", "--exclude-standard", "--", "src", "tests", "docs", "scripts"]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [
        path for path in ignored if not re.search(r"(__pycache__|\.egg-info|\.ipynb_checkpoints|node_modules)/", path)
    ] == []


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    return {normal(name): version for name, version in (line.split("==") for line in lines)}


def test_constraints_agree_with_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    required += project["project"]["optional-dependencies"]["test"]
    assert len(required) > 10
    split = {text: re.sub(r"\[.*\]|;.*", "", text).split("==") for text in required}  # less extras and markers
    assert [text for text, (name, version) in split.items() if pins().get(normal(name)) != version] == []


def test_constraints_pin_all_that_is_needed_and_nothing_else():
    if not sys.platform.startswith("linux") or sys.version_info[:2] != (3, 11):
        pytest.skip("constraints.txt is complete for Python 3.11 on Linux only")
    needed, to_do = set(), [("scaling-lesson", "test")]
    while to_do:
        name, extra = to_do.pop()
        for requirement in map(Requirement, importlib.metadata.requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                found = {(normal(requirement.name), extra) for extra in ["", *requirement.extras]}
                to_do += found - needed
                needed |= found
    names = {
        name for name, _ in needed if not re.match("cuda|nvidia|triton", name)
    }  # a CUDA build of torch brings these
    assert sorted(names ^ pins().keys()) == []
    installed = {name: importlib.metadata.version(name).removesuffix("+cpu") for name in pins()}
    assert [f"{name} {installed[name]}" for name, version in pins().items() if installed[name] != version] == []


def test_one_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"Version {version}." in (ROOT / "README.md").read_text(encoding="utf-8")
