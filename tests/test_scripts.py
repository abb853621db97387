"""The scripts and .ci/run, used as people use them, in a checkout of their own whose path is not a simple one.

Most tests put a stand-in for Python on PATH, which notes how it was called, so that "pip was not run" can be asserted, and
every failure can be played. Those that need the real thing say so.
"""

import importlib.metadata
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]

# All that the scripts may need besides Python. PATH has nothing else, so that no Python or browser of this machine is found.
TOOLS = ["bash", "cat", "dirname", "env", "find", "head", "mkdir", "readlink", "rm", "tee"]

PYTHON = r"""#!/usr/bin/env bash
printf '%s\n' "${*%%$'\n'*}" >>"$CALLS"
case "$*" in
  --version) echo "Python ${STUB_VERSION:-3.11.7}" ;;
  "-c "*) exec "$REAL_PYTHON" "$@" ;;
  *" venv "*)
    if [[ -n ${VENV_FAILS:-} ]]; then echo "$VENV_FAILS"; exit 1; fi
    mkdir -p .venv/bin && rm -f .venv/bin/python && ln -s "$STUB" .venv/bin/python ;;
  "-m ensurepip" | "-I "*"audit.py "*) ;;
  "-m pip "*)
    echo "pip's chatter"
    while [[ -n ${PIP_WAITS_FOR:-} && ! -e $PIP_WAITS_FOR ]]; do sleep 0.02; done
    if [[ -n ${PIP_FAILS:-} ]]; then echo "$PIP_FAILS"; exit 1; fi ;;
  *)
    echo "in $PWD"
    echo "source $PYTHONPATH"
    echo "browser ${CHROMIUM:-}"
    echo "banner ${NO_MKDOCS_2_WARNING:-}"
    echo "locale ${LC_ALL:-}"
    printf '<%s>\n' "$@" ;;
esac
"""


def program(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


class Checkout:
    def __init__(self, tmp_path):
        self.root = tmp_path / "Prüfung mit Leerzeichen"
        self.root.mkdir()
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        for name in ["pyproject.toml", "constraints.txt"]:
            shutil.copy(ROOT / name, self.root)
        self.bin = tmp_path / "bin"
        self.bin.mkdir()
        for tool in [*TOOLS, "ln", "sleep"]:
            (self.bin / tool).symlink_to(shutil.which(tool))
        program(self.bin / "python3", PYTHON)
        self.calls_file = tmp_path / "calls"
        self.calls_file.touch()
        self.env = {
            "PATH": str(self.bin),
            "HOME": str(tmp_path),
            "CALLS": str(self.calls_file),
            "STUB": str(self.bin / "python3"),
            "REAL_PYTHON": sys.executable,
        }

    def start(self, *command, cwd="/", **env):
        command = [self.root / command[0] if isinstance(command[0], str) else command[0], *command[1:]]
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *command, **options):
        with self.start(*command, **options) as process:
            process.stdout_text, process.stderr_text = process.communicate(timeout=60)
        return process

    def calls(self):
        """What Python was called with since the last time."""
        calls = self.calls_file.read_text(encoding="utf-8").splitlines()
        self.calls_file.write_text("", encoding="utf-8")
        return calls

    def add_browser(self):
        program(self.bin / "chromium", "#!/usr/bin/env bash\n")
        return str(self.bin / "chromium")


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def wait_until(condition, process):
    deadline = time.monotonic() + 30  # only a hung script reaches it
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, (
            f"ended with {process.poll()} before it got there"
        )
        time.sleep(0.02)


def assert_error(result, *words):
    """Status 1, and one line that says what is wrong, after at most the one that announces the set-up."""
    lines = [line for line in result.stderr_text.splitlines() if not line.startswith(("setting up", "installing"))]
    assert (result.returncode, result.stdout_text, len(lines)) == (1, "", 1), result.stdout_text + result.stderr_text
    assert lines[0].startswith("error: ")
    assert [word for word in words if word not in lines[0]] == [], lines[0]


COMMANDS = {
    "build": ["-m", "mkdocs", "build"],
    "serve": ["-m", "mkdocs", "serve", "--no-strict"],
    "record": ["-m", "scaling_lesson.site.record"],
    "test": ["-m", "pytest", "-n", "2", "--dist", "worksteal"],
}


@pytest.mark.parametrize("script", COMMANDS)
@pytest.mark.parametrize("through_symlink", [False, True])
def test_runs_its_command_at_the_root_with_all_arguments(checkout, tmp_path, script, through_symlink):
    browser = checkout.add_browser()
    command = checkout.root / "scripts" / script
    if through_symlink:
        (tmp_path / "short").symlink_to(command)
        command = tmp_path / "short"
    arguments = ["tests/test_x.py", "-k", "one and two", "*", "é", ""]
    result = checkout.run(command, *arguments, cwd=tmp_path, PYTHONPATH="/theirs")
    assert result.returncode == 0, result.stderr_text
    assert result.stdout_text.splitlines() == [
        f"in {checkout.root}",
        f"source {checkout.root}/src:/theirs",
        f"browser {browser if script == 'test' else ''}",
        "banner 1",
        "locale ",
        *[f"<{argument}>" for argument in COMMANDS[script] + arguments],
    ]
    (line,) = result.stderr_text.splitlines()
    assert line.startswith("setting up .venv")


def test_an_ascii_locale_becomes_one_that_can_spell_the_path(checkout):
    assert "locale C.UTF-8\n" in checkout.run("scripts/build", LC_ALL="C").stdout_text
    assert "locale de_DE.UTF-8\n" in checkout.run("scripts/build", LC_ALL="de_DE.UTF-8").stdout_text


def test_second_run_starts_nothing_but_the_command(checkout):
    checkout.run("scripts/build")
    assert [call for call in checkout.calls() if call.startswith("-m pip")] != []
    result = checkout.run("scripts/build")
    assert checkout.calls() == ["-m mkdocs build"]
    assert result.stderr_text == ""


def test_the_venv_of_test_serves_build_and_grows_from_that_of_build(checkout):
    checkout.add_browser()

    def installs(script):
        checkout.run(f"scripts/{script}")
        return [re.sub(r"^(-m \w+).* ", r"\1 ", call) for call in checkout.calls() if re.match("-m (venv|pip)", call)]

    assert installs("build") == ["-m venv .venv", "-m pip ."]
    assert installs("test") == ["-m pip .[test]"]
    assert installs("build") == []
    assert installs("test") == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_pins_are_installed_in_place(checkout, name):
    checkout.run("scripts/build")
    checkout.calls()
    with (checkout.root / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    checkout.run("scripts/build")
    calls = checkout.calls()
    assert [call for call in calls if call.startswith("-m pip")] != []
    assert [call for call in calls if call.startswith("-m venv")] == []
    assert all("-c constraints.txt" in call for call in calls if call.startswith("-m pip"))


def test_a_moved_checkout_gets_a_new_venv(checkout):
    checkout.run("scripts/build")
    checkout.calls()
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    (checkout.root / ".venv" / "left over").touch()
    checkout.run("scripts/build")
    assert "-m venv --without-pip .venv" in checkout.calls()
    assert not (checkout.root / ".venv" / "left over").exists()


def test_a_venv_whose_interpreter_is_gone_is_made_anew(checkout):
    checkout.run("scripts/build")
    checkout.calls()
    (checkout.root / ".venv/bin/python").unlink()
    (checkout.root / ".venv/bin/python").symlink_to("/no/such/python")
    assert checkout.run("scripts/build").returncode == 0
    assert "-m venv --without-pip .venv" in checkout.calls()


def test_another_checkouts_venv_with_other_pins_is_left_alone(checkout, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "origin").write_text("other pins", encoding="utf-8")
    (checkout.root / ".venv").symlink_to(theirs)
    assert checkout.run("scripts/build").returncode == 0
    assert [path.name for path in theirs.iterdir()] == ["origin"]
    assert not (checkout.root / ".venv").is_symlink()


@pytest.mark.parametrize("made_before", [False, True])
def test_an_interrupted_set_up_is_repaired(checkout, tmp_path, made_before):
    if made_before:
        checkout.run("scripts/build")
        checkout.calls()
        (checkout.root / "constraints.txt").write_text("changed==1", encoding="utf-8")
    with checkout.start("scripts/build", PIP_WAITS_FOR=str(tmp_path / "never")) as process:
        wait_until(lambda: "-m pip" in checkout.calls_file.read_text(encoding="utf-8"), process)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    checkout.calls()
    (checkout.root / ".venv" / "half an install").touch()
    result = checkout.run("scripts/build")
    assert result.returncode == 0 and result.stdout_text.endswith("<build>\n")
    assert "-m venv --without-pip .venv" in checkout.calls()
    assert not (checkout.root / ".venv" / "half an install").exists()


def test_two_at_once_set_up_one_after_the_other(checkout, tmp_path):
    go = tmp_path / "go"
    with checkout.start("scripts/build", PIP_WAITS_FOR=str(go)) as first:
        wait_until(lambda: "-m pip" in checkout.calls_file.read_text(encoding="utf-8"), first)
        with checkout.start("scripts/serve", PIP_WAITS_FOR=str(go)) as second:
            assert second.stderr.readline() == "waiting for another script, which is setting up .venv\n"
            time.sleep(0.3)  # one that only says so would go on meanwhile, and run pip a second time
            go.touch()
            second_out, second_err = second.communicate(timeout=60)
        first_out, _ = first.communicate(timeout=60)
    assert (first.returncode, second.returncode, second_err) == (0, 0, "")
    assert first_out.endswith("<build>\n") and second_out.endswith("<serve>\n<--no-strict>\n")
    assert len([call for call in checkout.calls() if call.startswith("-m pip")]) == 1


def test_the_lock_does_not_outlive_the_set_up(checkout):
    """Else a `serve` that goes on for hours would hold up every other script at the next change of pins."""
    program(checkout.bin / "python3", PYTHON.replace('echo "in $PWD"', "[[ -e /dev/fd/9 ]] && echo held || echo free"))
    assert checkout.run("scripts/serve").stdout_text.startswith("free\n")


def test_no_python(checkout):
    (checkout.bin / "python3").unlink()
    assert_error(checkout.run("scripts/build"), "Python 3.11 or newer", "none of python3 python3.11", "PYTHON")
    assert not (checkout.root / ".venv").exists()


def test_python_too_old(checkout):
    assert_error(checkout.run("scripts/build", STUB_VERSION="3.9.2"), "Python 3.11 or newer", "python3 is Python 3.9.2")
    assert_error(checkout.run("scripts/build", STUB_VERSION="2.7.18"), "python3 is Python 2.7.18")


def test_a_later_python_is_found_behind_an_old_one(checkout):
    program(checkout.bin / "python3.13", PYTHON)
    program(checkout.bin / "python3", "#!/usr/bin/env bash\necho Python 3.9.2\n")
    assert checkout.run("scripts/build", STUB=str(checkout.bin / "python3.13")).returncode == 0


def test_python_can_be_chosen(checkout, tmp_path):
    chosen = tmp_path / "my python"
    program(chosen, PYTHON)
    assert checkout.run("scripts/build", PYTHON=str(chosen), STUB=str(chosen)).returncode == 0
    assert (checkout.root / ".venv/bin/python").resolve() == chosen
    shutil.rmtree(checkout.root / ".venv")
    assert_error(checkout.run("scripts/build", PYTHON=str(tmp_path / "none")), "none of " + str(tmp_path / "none"))


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_no_venv_module(checkout, missing):
    assert_error(
        checkout.run("scripts/build", VENV_FAILS=f"No module named {missing}"), "no venv module", "python3-venv"
    )


@pytest.mark.parametrize("why", ["[Errno 28] No space left on device", "[Errno 122] Disk quota exceeded"])
def test_disk_full(checkout, why):
    said = f"ERROR: Could not install packages due to an OSError: {why}"
    assert_error(checkout.run("scripts/build", PIP_FAILS=said), "disk is full", "2 GB")


def test_any_other_failure_points_to_what_pip_said_and_is_tried_again(checkout):
    log = checkout.root / ".venv/setup.log"
    assert_error(checkout.run("scripts/build", PIP_FAILS="ERROR: something else"), str(log))
    assert log.read_text(encoding="utf-8").splitlines() == ["pip's chatter", "ERROR: something else"]
    assert checkout.run("scripts/build").returncode == 0


def test_a_passing_fault_of_the_network_is_not_blamed(checkout):
    said = "WARNING: Retrying after connection broken by 'ReadTimeoutError(timed out)'\nERROR: ResolutionImpossible"
    assert_error(checkout.run("scripts/build", PIP_FAILS=said), "setting up .venv failed")


def test_no_network(checkout):
    """With the real venv and pip, whose words decide here."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: refuses, and no one else can take the port
        index = f"http://127.0.0.1:{closed.getsockname()[1]}/simple"
        result = checkout.run(
            "scripts/build",
            PYTHON=sys._base_executable,
            PIP_INDEX_URL=index,
            PIP_CONFIG_FILE=os.devnull,
            PIP_RETRIES="0",
            PIP_TIMEOUT="1",
        )
    assert_error(result, "cannot reach its package index", "check network")


def test_record_refuses_in_ci_before_any_set_up(checkout):
    assert_error(checkout.run("scripts/record", CI="true"), "CI", "scripts/record")
    assert checkout.calls() == [] and not (checkout.root / ".venv").exists()


def test_xdist_can_be_turned_off(checkout):
    checkout.add_browser()
    assert checkout.run("scripts/test", "-p", "no:xdist").stdout_text.endswith("<-m>\n<pytest>\n<-p>\n<no:xdist>\n")


def test_no_browser_and_no_way_to_install_one(checkout):
    assert_error(checkout.run("scripts/test"), "install Chromium or Chrome", "CHROMIUM")


def test_a_browser_is_installed_where_possible(checkout):
    program(checkout.bin / "sudo", '#!/usr/bin/env bash\n[[ $1 == -n ]] && shift && exec "$@"\n')
    program(
        checkout.bin / "apt-get",
        f"""#!/usr/bin/env bash
echo "apt-get $*" >>"$CALLS"
echo "apt's chatter"
if [[ $1 == install ]]; then ln -s "$STUB" "{checkout.bin}/chromium"; fi
""",
    )
    result = checkout.run("scripts/test")
    assert result.returncode == 0, result.stderr_text
    calls = [call for call in checkout.calls() if call.startswith("apt-get")]
    assert calls == ["apt-get update", "apt-get install -y chromium"]
    assert f"browser {checkout.bin}/chromium\n" in result.stdout_text
    assert "chatter" not in result.stdout_text + result.stderr_text


def test_the_browser_can_be_chosen(checkout, tmp_path):
    checkout.add_browser()
    program(tmp_path / "my browser", "#!/usr/bin/env bash\n")
    result = checkout.run("scripts/test", CHROMIUM=str(tmp_path / "my browser"))
    assert f"browser {tmp_path}/my browser\n" in result.stdout_text
    assert_error(checkout.run("scripts/test", CHROMIUM="/no/such/browser"), "CHROMIUM is set")


@pytest.fixture
def with_this_venv(checkout):
    """The checkout, sharing the venv these tests run in; should the scripts want another Python, they get an old one."""
    if not Path(sys.prefix, "origin").exists():
        pytest.skip("not run by scripts/test: this Python's environment was not made by the scripts")
    (checkout.root / ".venv").symlink_to(sys.prefix)
    checkout.env["STUB_VERSION"] = "3.9.2"
    return checkout


def test_a_shared_venv_is_used_as_it_is_but_with_our_own_source(with_this_venv):
    module = with_this_venv.root / "src/scaling_lesson/site/record.py"
    module.parent.mkdir(parents=True)
    for folder in [module.parent, module.parent.parent]:
        (folder / "__init__.py").touch()
    module.write_text("print(__file__)", encoding="utf-8")
    result = with_this_venv.run("scripts/record")
    assert (result.stdout_text, result.stderr_text) == (f"{module}\n", "")
    assert (with_this_venv.root / ".venv").is_symlink()


def test_mkdocs_and_pytest_take_the_arguments(with_this_venv):
    assert with_this_venv.run("scripts/build", "--help").stdout_text.startswith("Usage: python -m mkdocs build")
    (with_this_venv.root / "tests").mkdir()
    test = with_this_venv.root / "tests/test_x.py"
    test.write_text(
        "def test_one(worker_id): assert worker_id == 'master'\ndef test_two(): assert False", encoding="utf-8"
    )
    with_this_venv.add_browser()
    result = with_this_venv.run("scripts/test", "tests/test_x.py", "-k", "one", "-n", "0")
    assert "1 passed, 1 deselected" in result.stdout_text, result.stdout_text + result.stderr_text


def test_audit_needs_plain_python_alone(checkout, tmp_path):
    result = checkout.run("scripts/audit")
    assert checkout.calls() == [f"-I {checkout.root}/src/scaling_lesson/audit.py {checkout.root}/site"]
    assert result.returncode == 0 and not (checkout.root / ".venv").exists()
    checkout.run("scripts/audit", str(tmp_path))
    assert checkout.calls() == [f"-I {checkout.root}/src/scaling_lesson/audit.py {tmp_path}"]


@pytest.mark.parametrize("failing", ["", "test", "build"])
def test_ci_runs_test_then_build_and_stops_at_a_failure(checkout, failing):
    shutil.copytree(ROOT / ".ci", checkout.root / ".ci")
    for name in ["test", "build"]:
        text = f'#!/usr/bin/env bash\necho "{name} in $PWD, CI=$CI"\n[[ {name} != "{failing}" ]]\n'
        program(checkout.root / "scripts" / name, text)
    result = checkout.run(Path(shutil.which("bash")), checkout.root / ".ci/run")
    steps = ["test"] if failing == "test" else ["test", "build"]
    assert re.findall(r"=== scripts/(\w+) ===", result.stdout_text) == steps
    assert re.findall(r"(\w+) in .*", result.stdout_text) == steps
    assert result.stdout_text.count(f" in {checkout.root}, CI=true\n") == len(steps)
    assert result.returncode == (1 if failing else 0)


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
