"""A page's process: nothing of a page reaches the next, and a page that ends its process ends no build."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import alive, still_alive
from scaling_lesson.site.read.source import read
from scaling_lesson.site.run.results import BlockResult, Results
from scaling_lesson.site.run.worker import Job, Runner

ROOT = Path(__file__).resolve().parents[3]

OBSERVE = """\
import builtins, decimal, logging, math, os, random, signal, sys, threading, warnings
import matplotlib, numpy, torch
import matplotlib.pyplot as plt
from scaling_lesson import models
print("dtype", torch.get_default_dtype())
print("random", random.random())
print("numpy random", numpy.random.rand())
print("torch random", torch.rand(1).item())
print("torch threads", torch.get_num_threads())
print("torch attribute", torch.tanh(torch.ones(1)).item())
print("gradients", torch.is_grad_enabled())
print("rcParams", matplotlib.rcParams["font.size"])
print("open figures", plt.get_fignums())
print("folder", os.getcwd())
print("environment", os.environ.get("LEAK"))
print("builtins", sum([1, 2]))
print("math", math.pi)
print("names", "leak" in globals())
print("modules", models.GPT2_SMALL.n_layer if models.GPT2_SMALL else None)
print("import path", "/leak" in sys.path)
print("warnings", len(warnings.filters))
print("logging", logging.getLogger().level)
print("handlers", signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL)
print("interrupt", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
print("threads", threading.active_count())
print("decimal", decimal.getcontext().prec)
print("numpy errors", numpy.geterr()["divide"])
print("recursion", sys.getrecursionlimit())
print("standard error", sys.stderr is sys.__stderr__)
"""

LEAK = """\
import builtins, decimal, io, logging, math, os, random, signal, sys, threading, time, warnings
import matplotlib, numpy, torch
import matplotlib.pyplot as plt
from scaling_lesson import models
leak = 1
random.seed(5), numpy.random.seed(5), torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(2)
torch.tanh = torch.sin
torch.set_grad_enabled(False)
matplotlib.rcParams["font.size"] = 99
plt.figure()
os.chdir("/")
os.environ["LEAK"] = "1"
builtins.sum = max
math.pi = 3
models.GPT2_SMALL = None
sys.path.append("/leak")
warnings.simplefilter("error")
logging.getLogger().setLevel(7)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
threading.Thread(target=time.sleep, args=(3600,)).start()
decimal.getcontext().prec = 2
numpy.seterr(divide="raise")
sys.setrecursionlimit(5000)
sys.stderr = io.StringIO()
"""


def fence(code: str, options: str = "") -> str:
    return f'```python exec="on"{options}\n{code.rstrip()}\n```\n'


def seen(made, page: str, block: int = 1) -> dict[str, str]:
    """What block OBSERVE of a page printed: what it looked at, and what it saw."""
    entries = made.page(f"docs/{page}").results.entries
    lines = [entry.text.strip('"') for key, entry in entries.items() if key.startswith(f"block {block} line")]
    assert len(lines) == OBSERVE.count("print(")
    return {line.rsplit(" ", 1)[0]: line for line in lines}


def test_nothing_reaches_the_next_page_and_everything_the_next_block(site):
    made = site(fence(OBSERVE), accepted=False)
    made.messages()
    alone = seen(made, "page.md")
    made.write(fence(LEAK) + "\n" + fence(OBSERVE), "a.md")  # runs before it
    made.write(fence(LEAK) + "\n" + fence(OBSERVE), "z.md")  # and after
    made.messages()
    assert seen(made, "page.md") == alone
    shared = seen(made, "a.md", block=2)
    assert [key for key, line in shared.items() if line in alone.values()] == [], "within a page blocks share a session"
    assert seen(made, "z.md", block=2) == shared


def lesson() -> dict[str, Path]:
    pages = {p.relative_to(ROOT).as_posix(): p for p in sorted((ROOT / "docs").rglob("*.md"))}
    return {path: p for path, p in pages.items() if 'exec="on"' in p.read_text(encoding="utf-8")}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.close()


def jobs(path: str, text: str) -> list[Job]:
    blocks = read(path, text).blocks
    return [Job(index, block.line, block.code, block.limit_s, block.runs) for index, block in enumerate(blocks)]


def computed(runner: Runner, path: str, text: str) -> dict[str, str]:
    results = runner.run(path, jobs(path, text)).result()
    assert results.failures == []
    return {key: entry.text for key, entry in results.entries.items()}


@pytest.mark.slow
def test_the_lessons_pages_compute_the_same_in_any_order(runner):
    texts = {path: file.read_text(encoding="utf-8") for path, file in lesson().items()}
    forwards = {path: computed(runner, path, text) for path, text in texts.items()}
    assert len(forwards) >= 3
    for path in reversed(texts):
        computed(
            runner, "leak.md", fence(LEAK.replace("threading.Thread(target=time.sleep, args=(3600,)).start()", "pass"))
        )
        assert computed(runner, path, texts[path]) == forwards[path], path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "line", "told"),
    [
        ("x = 1\nimport os; os._exit(3)", 5, "ended its process (status 3)"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", 5, "ended its process (SIGKILL)"),
        ("import ctypes\nctypes.string_at(0)", 5, "ended its process (SIGSEGV)"),
        ("x = 1\nx = sum(range(10**13))", 5, "ran longer than 0.3 s"),  # one native call: nothing can be raised into it
        (
            "def loop():\n    while True:\n        try:\n            pass\n"
            "        except BaseException:\n            pass\nloop()",
            7,
            "ran longer than 0.3 s",
        ),
        (
            "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True:\n    pass",
            6,
            "ran longer than 0.3 s",
        ),
    ],
)
def test_a_block_that_ends_its_process_is_a_problem_like_others(site, code, line, told):
    text = (
        "# Page\n\n" + fence(code, ' timeout="0.3"') + "\n" + fence("print(x)\nnobody_knows") + "\n[1 B](calc:size)\n\n"
    )
    made = site(text + fence('size = 1\npublish("B", size=size)'), accepted=False)
    made.write("# Z\n\n99 MB and [5 B](calc:five)\n\n" + fence('five = 5\npublish("B", five=five)'), "z.md")
    made.accept()
    messages = made.messages()
    assert messages[1] == 'docs/z.md:3: naked number "99": publish it and claim it, [99](calc:name)'
    assert len(messages) == 2
    found, _, message = messages[0].partition(": ")
    assert message == f"the block {told}"
    assert abs(int(found.removeprefix("docs/page.md:")) - line) <= (2 if "loop()" in code else 0), messages[0]


def test_a_block_that_ends_its_process_shows_nothing_and_later_ones_do_not_run(runner):
    text = fence("print(1)\nimport os; os._exit(3)") + "\n" + fence("print(2)")
    results = runner.run("page.md", jobs("page.md", text)).result()
    ended = BlockResult(problems=[((0, 1), "the block ended its process (status 3)")], failed=True)
    assert results.blocks == {0: ended} and results.failures == [ended]


def test_a_page_without_blocks_needs_no_process(runner):
    assert runner.run("page.md", []).result() == Results()
    assert runner.run("page.md", [Job(0, 1, "x = 5", 20, runs=False)]).result() == Results()


@pytest.mark.slow
def test_a_block_that_kills_what_pages_come_from_spoils_no_other_page(site):
    made = site(fence("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nprint(1)"))
    made.write(fence("print(2)"), "z.md")
    made.accept()
    assert made.messages() == []


def test_a_block_may_fork_and_run_other_programs(site):
    made = site(
        "# Page\n\n[5](calc:five)\n\n"
        + fence('import os, subprocess\nos.fork()\nsubprocess.run(["true"])\nfive = 5')
        + "\n"
        + fence('print(five)\npublish("", five=five)')
    )
    assert made.messages() == []
    assert made.page().results.entries["block 2 line 1"].text == '"5"'


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ('import os\nos.fork()\nos.write(1, b"\\0noise" * 20000)', "\0noise" * 10),
        ('import subprocess\nsubprocess.run(["echo", "more noise"])', "more noise\n"),
        ('import os\nos.system("echo noise")', "noise\n"),
    ],
)
def test_what_is_printed_past_python_is_told_and_spoils_nothing(site, capfd, code, text):
    capfd.readouterr()
    (message,) = site(fence(code) + "\n" + fence("print(5)"), accepted=False).messages()[:1]
    assert f"another process, or a library, wrote {text!r}: catch its output, and print it" in message
    assert "noise" not in capfd.readouterr().out


def test_what_a_page_reads_is_known_but_for_what_it_wrote(runner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "listed").mkdir()
    (tmp_path / "helper.py").write_text("n = 5\n")
    (tmp_path / "data.txt").write_text("5\n")
    code = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
import helper
for way in (open("data.txt"), open(b"data.txt")):
    way.close()
list(Path("listed").iterdir())
Path("own.txt").write_text("6")
print(Path("own.txt").read_text())"""
    results = runner.run("page.md", jobs("page.md", fence(code))).result()
    assert results.failures == []
    reads = {os.path.relpath(path) for path in results.reads}
    assert {"data.txt", "listed", "helper.py"} <= reads and "own.txt" not in reads
    assert "." not in reads and not any("__pycache__" in path for path in reads), "where Python looks for modules"


def test_a_mistake_in_a_module_is_told_by_its_file(runner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "helper.py").write_text("n = 5\nm = (\n")
    code = "import os, sys\nsys.path.insert(0, os.getcwd())\nimport helper"
    (failure,) = runner.run("page.md", jobs("page.md", fence(code))).result().failures
    assert failure.problems == [((0, 2), "the block raised SyntaxError: '(' was never closed (helper.py, line 2)")]


def test_a_block_cannot_ask_for_input(site):
    assert site(fence("input()"), accepted=False).messages() == [
        "docs/page.md:2: the block raised EOFError: EOF when reading a line"
    ]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks the processes up in /proc")
def test_a_page_leaves_no_process(site):
    made = site(fence("import os\nprint(os.getpid())"), accepted=False)
    made.messages()
    assert not alive(int(made.page().results.entries["block 1 line 1"].text.strip('"')))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks the processes up in /proc")
@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("busy", ["sum(range(10**13))", "while True: pass", "import time; time.sleep(600)"])
def test_an_interrupted_build_ends_at_once_and_leaves_no_process(site, sent, busy):
    made = site(
        fence(
            f'import os, subprocess\nchild = subprocess.Popen(["sleep", "600"])\n'
            f'print(os.getppid(), os.getpid(), child.pid, file=open("pids", "w"), flush=True)\n{busy}',
            ' timeout="600"',
        ),
        accepted=False,
    )
    pids, log = made.root / "pids", made.root / "log"
    with log.open("w") as out:
        build = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "build"], cwd=made.root, stdout=out, stderr=out, start_new_session=True
        )
        end = time.monotonic() + 90
        while not (pids.exists() and pids.read_text().endswith("\n")):
            assert build.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        os.killpg(build.pid, sent)
        assert build.wait(20) != 0
    left = [int(pid) for pid in pids.read_text().split()]
    assert len(left) == 3
    outlived = still_alive(left, 10)
    for pid in outlived:
        os.kill(pid, signal.SIGKILL)
    assert not outlived
    assert "docs/page.md" not in log.read_text() and "ran longer" not in log.read_text()


def test_a_call_beside_the_pages_gives_its_result_or_its_error(runner):
    assert runner.beside(os.getpid).result(timeout=60) != os.getpid()
    assert runner.beside(os.getenv, "OMP_NUM_THREADS").result(timeout=60) == "1"
    with pytest.raises(ValueError, match="invalid literal"):
        runner.beside(int, "x").result(timeout=60)
    with pytest.raises(EOFError):
        runner.beside(os._exit, 3).result(timeout=60)
    assert not runner._processes
