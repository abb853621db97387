"""Records: what is written is read back, and what is broken is told."""

from fractions import Fraction
from pathlib import Path

import pytest

from scaling_lesson.site.numbers import record
from scaling_lesson.site.numbers.record import HEADER, Record, accepted, agree
from scaling_lesson.site.numbers.value import Entry, canonical


def read(tmp_path: Path, text: str) -> Record:
    file = tmp_path / "page.record"
    file.write_bytes(text.encode())
    return record.read(file)


def entries(texts: dict[str, str]) -> dict[str, Entry]:
    """What a page computed, all at one place and without tolerance."""
    return {key: Entry(text, (0, 0)) for key, text in texts.items()}


def write(texts: dict[str, str]) -> str:
    """The record of a page that had none."""
    return accepted(Record(), entries(texts))


def test_round_trip(tmp_path):
    texts = {
        "value one": canonical(37_748_736, "B"),
        "value two": canonical(5),
        "block 1 line 1": canonical('a = "b" \\ × ⁻'),
    }
    found = read(tmp_path, write(texts))
    assert found.there and found.fault is None
    assert {key: text for key, (_, text) in found.entries.items()} == texts
    assert found.entries["value one"] == (2, "37748736 B") and found.entries["value two"] == (3, "5")
    assert found.entries["block 1 line 1"] == (4, r'"a = \"b\" \\ × ⁻"')


def test_no_record_is_an_empty_record(tmp_path):
    assert record.read(tmp_path / "none.record") == Record({}, None, False)


def test_what_computes_nothing_needs_no_record(tmp_path):
    assert write({}) == ""
    assert accepted(read(tmp_path, write({"value one": "1"})), {}) == ""


OLD = {"value one": "1", "value two": "2 B", "value three": "3.0"}


@pytest.mark.parametrize(
    ("computed", "names", "expected"),
    [
        (OLD, None, OLD),
        (OLD | {"value two": "5 B"}, None, OLD | {"value two": "5 B"}),
        (OLD | {"value two": "5 B", "value one": "7"}, {"two"}, OLD | {"value two": "5 B"}),
        (OLD | {"value two": "5 B"}, set(), OLD),
        ({"value three": "3.0", "value one": "1"}, None, {"value one": "1", "value three": "3.0"}),
        ({"value three": "3.0", "value one": "1"}, {"one", "three"}, OLD),
        ({"value three": "4", "value one": "1"}, {"two"}, {"value one": "1", "value three": "3.0"}),
        (
            {"value zero": "0", "value one": "1", "value two": "2 B", "block 1 line 1": '"x"', "value three": "3.0"},
            None,
            {"value zero": "0", "value one": "1", "value two": "2 B", "block 1 line 1": '"x"', "value three": "3.0"},
        ),
        (OLD | {"value four": "4"}, {"one"}, OLD),
        (
            {"value one": "1", "value a": "1", "value b": "2", "value two": "2 B", "value three": "3.0"},
            None,
            {"value one": "1", "value a": "1", "value b": "2", "value two": "2 B", "value three": "3.0"},
        ),
        ({"block 1 line 1": '"x"'} | OLD, {"block 1 line 1"}, {"block 1 line 1": '"x"'} | OLD),
    ],
)
def test_what_is_accepted_changes_and_all_else_stays_as_it_stands(tmp_path, computed, names, expected):
    assert accepted(read(tmp_path, write(OLD)), entries(computed), names) == write(expected)


def test_a_line_within_its_tolerance_stays(tmp_path):
    kept = read(tmp_path, write({"value one": "1.0", "value two": "2.0"}))
    computed = {"value one": Entry("1.2", (0, 0), 0.5), "value two": Entry("2.2", (0, 0), 0.1)}
    assert accepted(kept, computed) == write({"value one": "1.0", "value two": "2.2"})


GOOD = write({"value one": "1", "value two": "2 B"})


def begins(line: str) -> str:
    return f"this record begins with {line!r}, not with its header line"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (GOOD.replace("value one", "<<<<<<< ours\nvalue one"), 2, "a merge conflict is left in this record"),
        (GOOD.replace("value two", "=======\nvalue two"), 3, "a merge conflict is left in this record"),
        (GOOD + ">>>>>>> theirs\n", 4, "a merge conflict is left in this record"),
        (GOOD[:-4], 3, "this record is cut off: its last line has no end"),
        (GOOD[: GOOD.index("value two")] + "value t\n", 3, "cannot read this record line: 'value t'"),
        (
            GOOD.replace("value one", "<<<<<<< ours\nvalue one") + "=======\nvalue one = 2\n>>>>>>> theirs",
            2,
            "a merge conflict is left in this record",
        ),
        (GOOD + "value one = 1\n", 4, "value one is recorded twice"),
        (GOOD.replace("\n", "\r\n"), 1, begins(HEADER + "\r")),
        (GOOD.replace(HEADER, ""), 1, begins("")),
        ("", 1, begins("")),
        ("value one = 1\n", 1, begins("value one = 1")),
    ],
)
def test_a_broken_record_names_its_first_fault(tmp_path, text, line, message):
    assert read(tmp_path, text).fault == (line, message)


def test_bytes_that_are_not_text_are_told(tmp_path):
    file = tmp_path / "page.record"
    file.write_bytes(b"\xff\xfe")
    assert record.read(file) == Record({}, (1, "this record is not UTF-8 text"), True)


@pytest.mark.parametrize(
    ("recorded", "computed", "tolerance", "agrees"),
    [
        ("1 B", "1 B", 0.0, True),
        ("1 B", "2 B", 0.0, False),
        ("1.0", "1", 0.0, False),
        ("1 B", "1 MB", 5.0, False),
        ("3.1e-06", "3.4e-06", 5e-06, True),
        ("1.0", "1.5", 0.5, True),
        ("3.1e-06", "9.4e-06", 5e-06, False),
        ("3.1e-06 s", "3.4e-06 s", 5e-06, True),
        ('"3.1"', '"3.4"', 1.0, False),
        ("nan", "1.0", 1.0, False),
        ("1.2.3", "1.0", 1.0, False),
    ],
)
def test_agreement(recorded, computed, tolerance, agrees):
    assert agree(recorded, Entry(computed, (0, 0), tolerance)) is agrees


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("37748736 B", Fraction(37748736)),
        ("1/12 FLOP/B", Fraction(1, 12)),
        ("-1.5e-08 s", Fraction("-1.5e-8")),
        ("1e+300", Fraction(10) ** 300),
        ("5", Fraction(5)),
        ('"5"', None),
        ("true", None),
        ("nan", None),
        ("1e99999999999", None),
        ("1e99999", None),
        ("1e9999 B", Fraction(10) ** 9999),
        ("", None),
    ],
)
def test_the_number_of_a_line(text, number):
    assert record.number(text) == number
