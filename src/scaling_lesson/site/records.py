"""Records: everything a page published, drew and printed, committed beside it, one value a line.

    value one_sequence = 37748736 B
    table formats row 1 largest = 65504.0
    block 2 line 1 = "stored as 0.0"

The build compares a record with what the page computes now; only scripts/record writes one.
"""

import json
import re
from fractions import Fraction
from pathlib import Path

HEADER = "# What this page computed when its numbers were last accepted. Written by scripts/record; do not edit."
_LINE = re.compile(r"(?P<key>(?:value|figure|table|fact|block) .*?) = (?P<text>.+)")
_NUMBER = re.compile(r"(-?[0-9.]+(?:e[-+]?[0-9]{1,3})?)( .*)?")


def canonical(value: object, unit: str = "") -> str:
    """The one way a value is written in a record: integers and floats in full, text in JSON quotes."""
    if isinstance(value, (bool, str)):
        text = json.dumps(value, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode()  # half of a surrogate pair is no UTF-8
    return f"{value} {unit}".rstrip()


def read(path: Path) -> tuple[dict[str, tuple[int, str]], list[tuple[int, str]]]:
    """The entries of a record, key to (line, text), and its first fault, as [(line, what is wrong)]: others follow from it."""
    entries: dict[str, tuple[int, str]] = {}
    problems = []
    if not path.exists():
        return entries, problems
    try:
        text = path.read_bytes().decode("utf-8")  # line ends as they are
    except UnicodeDecodeError:
        return entries, [(1, "this record is not UTF-8 text")]
    lines = text.split("\n")
    if lines[0] != HEADER:
        problems.append((1, f"this record begins with {lines[0]!r}, not with its header line"))
    for number, line in enumerate(lines[1:-1], 2):
        match = _LINE.fullmatch(line)
        if re.match(r"<{7}|={7}|>{7}|\|{7}", line):
            problems.append((number, "a merge conflict is left in this record"))
        elif match is None:
            problems.append((number, f"cannot read this record line: {line!r}"))
        elif match["key"] in entries:
            problems.append((number, f"{match['key']} is recorded twice"))
        else:
            entries[match["key"]] = (number, match["text"])
    if lines[-1] != "":
        problems.append((len(lines), "this record is cut off: its last line has no end"))
    return entries, problems[:1]


def write(entries: dict[str, str]) -> str:
    """The text of a record file."""
    return "\n".join([HEADER, *(f"{key} = {text}" for key, text in entries.items()), ""])


def agree(recorded: str, computed: str, tolerance: float) -> bool:
    """Whether a recorded text stands for the computed one: the same text, or numbers within the tolerance."""
    if recorded == computed:
        return True
    old, new = number(recorded), number(computed)
    if not tolerance or old is None or new is None or recorded.partition(" ")[2] != computed.partition(" ")[2]:
        return False
    return abs(old - new) <= Fraction(tolerance)


def number(text: str) -> Fraction | None:
    """The number a recorded text begins with, before its unit."""
    match = _NUMBER.fullmatch(text)
    try:
        return match and Fraction(match[1])
    except ValueError:
        return None
