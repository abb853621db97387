"""Records: everything a page published, drew and printed, committed beside it, one value a line.

    value one_sequence = 37748736 B
    table formats row 1 largest = 65504.0
    block 2 line 1 = "stored as 0.0"

The build compares a record with what the page computes now; only scripts/record writes one.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from scaling_lesson.site.numbers.value import Entry

HEADER = "# What this page computed when its numbers were last accepted. Written by scripts/record; do not edit."
_LINE = re.compile(r"(?P<key>(?:value|figure|table|fact|block) .*?) = (?P<text>.+)")


@dataclass(frozen=True)
class Record:
    """A record as read: key to (line, text), and its first fault as (line, what is wrong): others follow from it."""

    entries: dict[str, tuple[int, str]] = field(default_factory=dict)
    fault: tuple[int, str] | None = None
    there: bool = False


def read(path: Path) -> Record:
    """The record in this file; an empty one where there is none."""
    if not path.exists():
        return Record()
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")  # line ends as they are
    except UnicodeDecodeError:
        return Record({}, (1, "this record is not UTF-8 text"), True)
    entries: dict[str, tuple[int, str]] = {}
    faults = [(1, f"this record begins with {lines[0]!r}, not with its header line")] if lines[0] != HEADER else []
    for line, text in enumerate(lines[1:-1], 2):
        match = _LINE.fullmatch(text)
        if re.match(r"<{7}|={7}|>{7}|\|{7}", text):
            faults.append((line, "a merge conflict is left in this record"))
        elif match is None:
            faults.append((line, f"cannot read this record line: {text!r}"))
        elif match["key"] in entries:
            faults.append((line, f"{match['key']} is recorded twice"))
        else:
            entries[match["key"]] = (line, match["text"])
    if lines[-1] != "":
        faults.append((len(lines), "this record is cut off: its last line has no end"))
    return Record(entries, faults[0] if faults else None, True)


def number(text: str) -> Fraction | None:
    """The number a recorded text begins with, before its unit."""
    try:
        return None if "e" in text and len(text.split("e")[1].split(" ")[0]) > 4 else Fraction(text.split(" ")[0])
    except ValueError:
        return None


def agree(recorded: str, entry: Entry) -> bool:
    """Whether a recorded text stands for what was computed: the same text, or numbers within the tolerance."""
    if recorded == entry.text:
        return True
    old, new = number(recorded), number(entry.text)
    if not entry.tolerance or old is None or new is None or recorded.partition(" ")[2] != entry.text.partition(" ")[2]:
        return False
    return abs(old - new) <= Fraction(entry.tolerance)


def accepted(record: Record, computed: Mapping[str, Entry], names: Collection[str] | None = None) -> str:
    """The record's text with what drifted replaced, what is gone left out, and all else left as it stands.

    names: the values whose lines may change; None for every line. "" where nothing is left to record.
    """
    texts = {key: text for key, (_, text) in record.entries.items()}
    for key in {**computed, **texts}:
        if names is not None and key.removeprefix("value ") not in names:
            continue
        if key not in computed:
            del texts[key]
        elif key not in texts or not agree(texts[key], computed[key]):
            texts[key] = computed[key].text
    place, at = {key: line for key, (line, _) in record.entries.items()}, 0
    for key in computed:  # what is new stands behind what comes before it on the page
        at = place.setdefault(key, at)
    lines = [f"{key} = {texts[key]}" for key in sorted(texts, key=place.__getitem__)]
    return "\n".join([HEADER, *lines, ""]) if lines else ""
