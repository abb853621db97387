"""scripts/measure's program, with tiny sizes: that it ends with what it has, and one clear line, whatever happens."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from scaling_lesson.measure import __main__ as program
from scaling_lesson.measure import model, operations, timing, versus
from scaling_lesson.measure.operations import Bench, quick_sizes
from scaling_lesson.measure.results import Timed, read

pytestmark = pytest.mark.slow  # it measures

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
PARTS = ("bandwidth", "matmul", "operations", "launches", "tokens", "steps", "training", "attention_memory")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder to measure in; signals are as before afterwards."""
    monkeypatch.chdir(tmp_path)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path / "docs/measurements/yours.json"
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def bench() -> Bench:
    return Bench(CPU, timing.describe(CPU), quick_sizes())


@pytest.fixture
def a_few(monkeypatch):
    """Three things to measure, the second of which does what a test wants."""

    def steps(second):
        run = lambda: Timed(name="x", dtype="float32", median_s=1, lower_s=1, upper_s=1, repeats=1)  # noqa: E731
        plan = [("launches", ("first", run)), ("launches", ("second", second)), ("launches", ("third", run))]
        monkeypatch.setattr(program, "plan", lambda bench: iter(plan))

    return steps


def last_line(capsys) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_one_core_and_no_gpu_measure_everything(here):
    """As a reader runs it."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "scaling_lesson.measure", "--quick", "--device", "cpu"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    found = read(here)
    assert done.returncode == 0, done.stderr
    assert (
        done.stderr.strip().splitlines()[-1]
        == f"complete: docs/measurements/yours.json has {program.count(found)} measurements"
    )
    assert (found.ended, found.profile, found.machine.kind, found.machine.threads) == ("complete", "quick", "cpu", 1)
    assert not found.skipped and all(getattr(found, part) for part in PARTS)
    assert not here.with_suffix(".part").exists()


def test_interrupted_before_it_began_it_says_so(here):
    """While torch is imported."""
    stop = (
        "import os, runpy, signal, sys\n"
        "def opened(event, args):\n"
        "    if event == 'import' and args[0] == 'torch':\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.addaudithook(opened)\n"
        "runpy.run_module('scaling_lesson.measure', run_name='__main__', alter_sys=True)\n"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", stop], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "interrupted: nothing was measured\n")
    assert not here.exists()


@pytest.mark.parametrize("name", ["a/b", "../x", "4090", "7840u", "My machine", ""])
def test_a_name_that_no_page_can_show_is_refused(here, monkeypatch, capsys, name):
    monkeypatch.setattr(program, "plan", lambda bench: pytest.fail("measured"))
    assert program.main(["--quick", "--device", "cpu", "--name", name]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: --name must be a letter, then") and line.endswith(f"got {name}".strip())
    assert not here.parent.exists()


def test_interrupted_it_keeps_what_it_has(here, a_few, capsys):
    a_few(lambda: signal.raise_signal(signal.SIGTERM))
    assert program.main(["--quick", "--device", "cpu"]) == 130
    assert last_line(capsys) == "interrupted: docs/measurements/yours.json has 1 measurements"
    assert (read(here).ended, len(read(here).launches)) == ("interrupted", 1)


def test_killed_it_leaves_what_it_has(here, a_few):
    def killed():
        raise SystemExit

    a_few(killed)
    with pytest.raises(SystemExit):
        program.main(["--quick", "--device", "cpu"])
    assert (read(here).ended, len(read(here).launches)) == ("cut off", 1)


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried"), None], ids=["python", "cuda", "cpu"]
)
def test_out_of_memory_leaves_that_out_and_goes_on(here, a_few, capsys, error):
    def too_much():
        if error:
            raise error
        torch.empty(2**60, dtype=torch.uint8)

    a_few(too_much)
    assert program.main(["--quick", "--device", "cpu"]) == 0
    assert (
        last_line(capsys)
        == "complete: docs/measurements/yours.json has 2 measurements, without 1 that failed: it says why"
    )
    assert [(skip.what, skip.why) for skip in read(here).skipped] == [("second", "out of memory")]


def test_what_would_take_minutes_is_left_out_with_the_reason(here, monkeypatch, capsys):
    monkeypatch.setattr("scaling_lesson.measure.timing.LONGEST_S", 0.0)
    assert program.main(["--quick", "--device", "cpu"]) == 0
    found = read(here)
    assert not found.matmul and not found.training and found.operations
    assert {skip.why.split(":")[0] for skip in found.skipped} == {
        f"{dtype} is too slow here" for dtype in ("float32", "bfloat16", "float16")
    }


def test_an_unwritable_folder_is_told_before_anything_is_measured(here, monkeypatch, capsys):
    here.parent.parent.write_text("a file, where a folder must be")
    monkeypatch.setattr(program, "plan", lambda bench: pytest.fail("measured"))
    assert program.main(["--quick", "--device", "cpu"]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: cannot write docs/measurements/yours.json: ")


def test_a_disk_that_fills_up_half_way_prints_what_there_is(here, a_few, monkeypatch, capsys):
    def fills():
        monkeypatch.setattr(program, "write", full)
        return Timed(name="y", dtype="float32", median_s=1, lower_s=1, upper_s=1, repeats=1)

    def full(result, path):
        raise OSError(28, "No space left on device")

    a_few(fills)
    assert program.main(["--quick", "--device", "cpu"]) == 1
    out, err = capsys.readouterr()
    expected = "error: cannot write docs/measurements/yours.json: No space left on device; what was measured follows"
    assert err.strip().splitlines() == [expected]
    here.write_text(out)
    assert [run.name for run in read(here).launches] == ["x", "y"]


def test_a_device_that_is_not_here(here, capsys):
    if torch.cuda.is_available():
        pytest.skip("it is here")
    assert program.main(["--device", "cuda"]) == 1
    assert "--device must be one that torch finds here: cpu" in last_line(capsys) and not here.exists()
    with pytest.raises(ValueError, match="got abacus"):
        program.find_device("abacus")


def test_generation_is_compared_and_added_to_what_there_is(here, a_few, capsys):
    a_few(lambda: Timed(name="x", dtype="float32", median_s=1, lower_s=1, upper_s=1, repeats=1))
    program.main(["--quick", "--device", "cpu"])
    assert program.main(["--quick", "--device", "cpu", "--generate"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"{d}, batch {b}" for d in ("float32", "bfloat16") for b in (1, 8)
    ]
    found = read(here)
    assert len(found.launches) == 3 and [run.name for run in found.generate] == ["ours", "transformers"] * 4


def test_both_generate_the_same_tokens(bench, monkeypatch):
    """What is compared is the same work."""
    texts = []

    def in_turn(us, them, rounds):
        texts.append((us(), them()))
        return timing.quartiles([1.0]), timing.quartiles([1.0])

    monkeypatch.setattr(versus, "in_turn", in_turn)
    with torch.no_grad():
        list(versus.generate(bench, batch_sizes=(1, 3)))
    in_float32 = texts[:2]  # bfloat16 may round a tie either way
    assert all(torch.equal(ours, theirs) for ours, theirs in in_float32)
    assert [ours.shape for ours, _ in texts] == [theirs.shape for _, theirs in texts] == [(1, 16), (3, 16)] * 2


def test_copies_overflow_the_cache_and_hold_the_same():
    first = (torch.randn(5), torch.randn(2, 3))
    following = timing.cold(first, cold_bytes=10 * 44)
    seen = [following() for _ in range(22)]
    assert len({pair[0].data_ptr() for pair in seen}) == 11
    assert all(torch.equal(a, first[0]) and torch.equal(b, first[1]) for a, b in seen)


def test_peak_memory_is_what_was_allocated():
    """Two tensors at once, then one: by hand."""

    def call():
        held = torch.ones(1000) + torch.ones(1000)
        del held
        return torch.ones(500)

    assert timing.peak_bytes(call, CPU) == 3 * 4000
    with pytest.raises(NotImplementedError):
        timing.peak_bytes(call, torch.device("mps"))


def test_a_decode_step_can_be_run_again_and_again(bench):
    gpt = model.models(bench)(torch.float32)
    step = model.decode_step(gpt, 2, 16)
    first, second = step(), step()
    assert torch.equal(first, second) and first.shape == (2, gpt.config.vocab_size)


def test_working_sets_are_of_one_size(bench):
    for sizes in (quick_sizes(), operations.full_sizes(CPU, bench.machine)):
        assert all(n % (3 * 2**14) == 0 for n in sizes.working_sets)
        assert sizes.profile == "quick" or sizes.working_sets[-1] >= sizes.cold_bytes >= 2 * (
            bench.machine.cache_bytes or 0
        )


def test_a_gpu_gets_graphs_and_its_own_kernels(bench):
    """What CUDA would measure, as far as a CPU can list it."""
    there = Bench(torch.device("cuda"), bench.machine, bench.sizes)
    assert {"SDPA flash", "SDPA efficient", "SDPA cudnn", "SDPA math"} < set(operations.ways_of_attention(there.device))
    names = [title for title, _ in model.steps(there, lambda dtype: None)]
    assert len(names) == 2 * 2 * len(there.sizes.batches)
