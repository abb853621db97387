"""Records: what is written is read back, and what is broken is told."""

from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from scaling_lesson.site import records, svg


def read(tmp_path: Path, text: str):
    file = tmp_path / "page.record"
    file.write_bytes(text.encode())
    return records.read(file)


def test_round_trip(tmp_path):
    entries = {
        "value one": records.canonical(37_748_736, "B"),
        "value two": records.canonical(5),
        "block 1 line 1": records.canonical('a = "b" \\ × ⁻'),
        "table t row 1 a = b": "1e-08",
    }
    found, problems = read(tmp_path, records.write({k: v for k, v in entries.items() if " = " not in k}))
    assert problems == []
    assert {key: text for key, (_, text) in found.items()} == {k: v for k, v in entries.items() if " = " not in k}
    assert found["value one"] == (2, "37748736 B") and found["value two"] == (3, "5")
    assert found["block 1 line 1"] == (4, r'"a = \"b\" \\ × ⁻"')


def test_no_record_is_an_empty_record(tmp_path):
    assert records.read(tmp_path / "none.record") == ({}, [])


GOOD = records.write({"value one": "1", "value two": "2 B"})


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
        (GOOD.replace("\n", "\r\n"), 1, begins(records.HEADER + "\r")),
        (GOOD.replace(records.HEADER, ""), 1, begins("")),
        ("", 1, begins("")),
        ("value one = 1\n", 1, begins("value one = 1")),
    ],
)
def test_a_broken_record_names_its_first_fault(tmp_path, text, line, message):
    assert read(tmp_path, text)[1] == [(line, message)]


def test_bytes_that_are_not_text_are_told(tmp_path):
    file = tmp_path / "page.record"
    file.write_bytes(b"\xff\xfe")
    assert records.read(file)[1] == [(1, "this record is not UTF-8 text")]


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
    assert records.agree(recorded, computed, tolerance) is agrees


def drawn(**changes):
    """Every entry of a figure with one of each artist, and what `changes` asks for."""
    fig, (left, right) = plt.subplots(1, 2)
    left.plot(
        [1, 2, 3], changes.get("line", [1, 4, 9]), label=changes.get("label", "squares"), color=changes.get("colour")
    )
    left.imshow(changes.get("image", [[1, 2], [3, 4]]), aspect="auto")
    left.inset_axes([0.5, 0.5, 0.4, 0.4]).plot(changes.get("inset", [1, 2]))
    left.xaxis.set_major_formatter(changes.get("formatter", "{x} MB"))
    left.set(title=changes.get("title", "t"), xlabel="x", yscale=changes.get("scale", "linear"))
    left.legend()
    right.bar([1, 2], changes.get("bars", [3, 4]))
    right.scatter([1, 2], changes.get("points", [3, 4]))
    right.fill_between([1, 2], changes.get("area", [3, 4]))
    fig.legend([changes.get("legend", "one")])
    right.text(changes.get("at", 0), 0, changes.get("note", "note"))
    right.set_xticks([1, 2], changes.get("ticks", ["a", "b"]))
    fig.text(0, 0, changes.get("aside", "aside"))
    fig.draw_without_rendering()
    entries = dict(svg.drawn(fig))
    plt.close(fig)
    return entries


@pytest.mark.parametrize(
    "change",
    [
        {"line": [1, 4, 8]},
        {"label": "cubes"},
        {"title": "u"},
        {"scale": "log"},
        {"bars": [3, 5]},
        {"points": [3, 5]},
        {"area": [3, 3.5]},
        {"note": "other"},
        {"ticks": ["a", "c"]},
        {"aside": "other"},
        {"at": 1},
        {"colour": "red"},
        {"image": [[1, 2], [3, 5]]},
        {"inset": [1, 3]},
        {"formatter": "{x} GB"},
        {"legend": "other"},
    ],
)
def test_every_kind_of_drawing_is_recorded(change):
    assert drawn() == drawn()
    assert drawn(**change) != drawn()


def test_a_long_series_is_recorded_by_its_ends_and_a_digest():
    series = list(range(100))
    text = svg._numbers(series)
    assert text.startswith("[0, 1, … 100 numbers, digest ") and text.endswith("98, 99]")
    series[50] = 51
    assert svg._numbers(series) != text
