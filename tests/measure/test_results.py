"""Files of measurements: what is refused, and at which line it says so; what the committed ones hold."""

import json
import shutil
from pathlib import Path

import pytest

from scaling_lesson.measure import results
from scaling_lesson.measure.results import NOISE, Machine, Measurement, Timed, committed, read, text_of, yours

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / results.FOLDER).glob("*.json"))


def timed(name="step", median_s=0.5, **fields) -> Timed:
    spread = {"lower_s": median_s / 2, "median_s": median_s, "upper_s": 2 * median_s, "repeats": 3}
    return Timed(name=name, dtype=fields.pop("dtype", "float32"), **spread, **fields)


def measurement(**parts) -> Measurement:
    machine = Machine(kind="cpu", name="a test", threads=2, cache_bytes=1000, system="x", python="3", torch="2")
    given = {"schema": "scaling-lesson measurement 1", "profile": "full", "date": "2026-11-29", "ended": "complete"}
    fields = (
        given | {"machine": machine.model_dump()} | {name: [row.model_dump() for row in parts[name]] for name in parts}
    )
    return Measurement.model_validate_json(json.dumps(fields))


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "here.json"
    path.write_text(
        text_of(measurement(bandwidth=[timed("read", memory_bytes=500), timed("copy", 0.25, memory_bytes=500)]))
    )
    return path


def test_a_file_is_read_as_it_was_written(file):
    assert text_of(read(file)) == file.read_text()
    assert [run.name for run in read(file).bandwidth] == ["read", "copy"]


@pytest.mark.parametrize(
    "old, new, line, message",
    [
        (', "repeats": 3}\n ]', "}\n ]", 10, "bandwidth.1.repeats: Field required"),
        ('"median_s": 0.25', '"median_s": -0.25', 10, "bandwidth.1.median_s: Input should be greater than 0"),
        ('"median_s": 0.25', '"median_s": NaN', 10, "bandwidth.1.median_s: Input should be a finite number"),
        ('"median_s": 0.25', '"median_s": Infinity', 10, "bandwidth.1.median_s: Input should be a finite number"),
        ('"median_s": 0.25', '"median_s": "fast"', 10, "bandwidth.1.median_s: Input should be a valid number"),
        ('"median_s": 0.25', '"median_s": 0.75', 10, "bandwidth.1: median_s must lie between lower_s and upper_s"),
        ('"name": "copy"', '"nam": "copy"', 10, "bandwidth.1.name: Field required"),
        ('"name": "copy",', '"name": "copy", "mood": 1,', 10, "bandwidth.1.mood: Extra inputs are not permitted"),
        ("measurement 1", "measurement 2", 2, "schema: Input should be 'scaling-lesson measurement 1'"),
        ('"threads": 2', '"threads": 2.5', 6, "machine.threads: Input should be a valid integer"),
        ('"date": "2026-11-29",\n', "", 1, "date: Field required"),
        ('"date": "2026-11-29",\n', '"date": "29 November",\n', 4, "date: Input should be a valid date"),
        ("0.25,", "0.25,,", 10, "Invalid JSON"),
        ('"repeats": 3}\n ]', '"repeats": 3}', 11, "Invalid JSON"),
        ('"threads": 2', '"threads": 2, "threads": 3', 6, "threads: given twice"),
        ('"name": "copy"', '"name": "copy", "name": "add"', 10, "name: given twice"),
    ],
)
def test_a_fault_is_told_at_its_line(file, old, new, line, message):
    text = file.read_text()
    assert old in text
    at = text.rindex(old)
    file.write_text(text[:at] + new + text[at + len(old) :])
    with pytest.raises(ValueError) as told:
        read(file)
    assert str(told.value).startswith(f"{file}:{line}: {message}"), told.value


def test_the_readers_own_file_stands_apart(file, tmp_path):
    assert list(committed(tmp_path)) == ["here"] and yours(tmp_path) is None
    shutil.copy(file, tmp_path / "yours.json")
    assert list(committed(tmp_path)) == ["here"] and yours(tmp_path) == read(file)


def test_every_machine_that_has_the_parts_and_the_readers_last(file, tmp_path):
    shutil.copy(file, tmp_path / "yours.json")
    found = [(name, mine) for name, _, mine in results.measured("bandwidth", folder=tmp_path)]
    assert found == [("here", False), ("yours", True)]
    assert results.measured("bandwidth", "steps", folder=tmp_path) == []


def test_a_page_draws_only_what_it_can(tmp_path):
    """A machine whose products in a dtype were not timed has no roof for it; a quick file is of no model."""
    whole = measurement(matmul=[timed("2 x 2", flops=8), timed("2 x 2", dtype="bfloat16", flops=8)])
    half = whole.model_copy(update={"matmul": whole.matmul[:1]})
    files = {"whole": whole, "half": half, "quick": whole.model_copy(update={"profile": "quick"})}
    for name, found in files.items():
        (tmp_path / f"{name}.json").write_text(text_of(found))
    names = lambda **given: [name for name, *_ in results.measured("matmul", folder=tmp_path, **given)]  # noqa: E731
    assert (names(), names(dtype="bfloat16"), names(dtype="float16")) == (["half", "whole"], ["whole"], [])


def test_a_busy_machine_is_known():
    machine = measurement().machine
    loads = {None: False, 0.1: False, 1.0: True}
    assert {load: machine.model_copy(update={"load": load}).is_busy for load in loads} == loads


def test_the_roof_is_memorys_unless_what_is_used_again_fits_the_cache():
    sets = [timed("read", 1e-9, memory_bytes=100), timed("read", 1e-5, memory_bytes=5000)]
    runs = [timed(memory_bytes=size, flops=10, batch_size=batch) for batch, size in ((1, 900), (2, 2000))]
    found = measurement(bandwidth=sets, matmul=[timed("2 x 2", 1.0, flops=1000)], steps=runs)
    assert found.bytes_per_s() == 5000 / 1e-5 and found.bytes_per_s(900) == 100 / 1e-9
    assert [found.least_s(run) for run in found.steps] == [10 / 1000, 10 / 1000]
    idle = [run.model_copy(update={"flops": 0}) for run in runs]
    found = found.model_copy(update={"steps": idle})
    assert [found.least_s(run) for run in idle] == [900 / (100 / 1e-9), 2000 / (5000 / 1e-5)]
    for ask in (lambda m: m.bytes_per_s(), lambda m: m.peak_flop_per_s("float32")):
        with pytest.raises(ValueError, match="measured"):
            ask(measurement())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_committed_file_is_whole_and_nothing_in_it_lies_above_its_roof(path):
    """By more than the stated noise. generate() is judged by its bytes alone."""
    found = read(path)
    if found.machine.is_busy:
        pytest.xfail(f"{path.stem} was measured while other programs ran: measure it again when none do")
    if path.stem != results.YOURS:
        assert (found.profile, found.ended) == ("full", "complete")
        assert [skip for skip in found.skipped if skip.why == "out of memory"] == []  # a kernel may not be there
    above = [
        f"{run.name}, {run.dtype}, {run.batch_size}, {run.positions}: {found.least_s(run) / run.median_s:.2f} of the bound"
        for part in ("operations", "steps", "tokens", "training", "generate")
        for run in getattr(found, part)
        if found.least_s(run) > (1 + NOISE) * run.median_s
    ]
    assert above == []


def test_there_is_a_committed_file_and_git_ignores_the_readers():
    assert [path for path in FILES if path.stem != results.YOURS]
    assert f"/{results.FOLDER}/{results.YOURS}.json" in (ROOT / ".gitignore").read_text().splitlines()
