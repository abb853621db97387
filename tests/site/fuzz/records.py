"""Records: what is written is read back, and no damage is taken for something else."""

from fuzz import ODD, decode, value_of
from scaling_lesson.site.numbers.record import HEADER, Record, accepted, agree
from scaling_lesson.site.numbers.record import read as read_record
from scaling_lesson.site.numbers.value import Entry, canonical

PIECES = [
    *"0123456789.-e ",
    "\n",
    " = ",
    '"',
    "\\",
    "value ",
    "value one = 1 B",
    "figure ",
    "table t row 1 ",
    "block 1 line 1 = ",
    "e+99999999",
    "e-99999999",
    "nan",
    "inf",
    " B",
    " B/s",
    "true",
    "one",
    "[1, 2]",
    "<<<<<<< ours\n",
    "=======\n",
    ">>>>>>> theirs\n",
    "|||||||",
    HEADER,
    HEADER + "\n",
    *ODD,
]


class File:
    """As much of a path as `record.read` asks for; a real file would be ten times slower."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def exists(self) -> bool:
        return True

    def read_bytes(self) -> bytes:
        return self.raw


def one_input(data: bytes) -> None:
    value, rest = value_of(data)
    text = decode(rest, PIECES)
    raw(text.encode("utf-8", "surrogatepass"))
    raw(f"{HEADER}\n{text}\n".encode("utf-8", "surrogatepass"))
    entries(decode(rest[: len(rest) // 2], PIECES), decode(rest[len(rest) // 2 :], PIECES), value)
    damaged(rest)
    recorded, _, computed = text.partition("\n")
    assert agree(recorded, Entry(recorded, (0, 0)))
    for tolerance in (0.0, 1e-300, 0.5, 1e300):
        if agree(recorded, Entry(computed, (0, 0), tolerance)):
            assert recorded == computed or tolerance, (recorded, computed)
            assert agree(computed, Entry(recorded, (0, 0), tolerance)), (recorded, computed)


def read(raw: bytes) -> tuple[dict[str, str], tuple[int, str] | None]:
    found = read_record(File(raw))
    assert found.there and (found.fault is None or 1 <= found.fault[0] <= raw.count(b"\n") + 1)
    return {key: text for key, (_, text) in found.entries.items()}, found.fault


def write(texts: dict[str, str]) -> str:
    """The record of a page that had none."""
    return accepted(Record(), {key: Entry(text, (0, 0)) for key, text in texts.items()})


def raw(data: bytes) -> None:
    """A record that is read without a problem is written back as it was."""
    found, fault = read(data)
    if not fault and found:
        assert write(found).encode() == data, data
        kept = read_record(File(data))
        assert accepted(kept, {key: Entry(text, (0, 0)) for key, text in found.items()}).encode() == data, data
        assert accepted(kept, {}, set()).encode() == data, data


def entries(name: str, text: str, value: object) -> None:
    """What can be published is read back as it was, text with any characters among it."""
    kept = {f"value {index}": canonical(entry) for index, entry in enumerate((text, value, True, float(value)))}
    kept["table t"] = canonical(name)
    assert read(write(kept).encode()) == (kept, None), kept


GOOD = write({"value one": "37748736 B", "block 1 line 1": '"stored as 0.0"', "figure f": '"t"'})


def damaged(changes: bytes) -> None:
    """A good record with a part cut out and another put in: told, or read as what it now says in full."""
    start, length, *new = changes.ljust(2, b"\0")
    good, start = GOOD.encode(), start % (len(GOOD) + 1)
    raw(good[:start] + decode(bytes(new), PIECES).encode("utf-8", "surrogatepass") + good[start + length :])
