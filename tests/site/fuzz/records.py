"""Records: what is written is read back, and no damage is taken for something else."""

from fuzz import ODD, decode, value_of
from scaling_lesson.site import records

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
    records.HEADER,
    records.HEADER + "\n",
    *ODD,
]


class _File:
    """As much of a path as `records.read` asks for; a real file would be ten times slower."""

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
    raw(f"{records.HEADER}\n{text}\n".encode("utf-8", "surrogatepass"))
    entries(decode(rest[: len(rest) // 2], PIECES), decode(rest[len(rest) // 2 :], PIECES), value)
    damaged(rest)
    recorded, _, computed = text.partition("\n")
    assert records.agree(recorded, recorded, 0.0)
    for tolerance in (0.0, 1e-300, 0.5, 1e300):
        if records.agree(recorded, computed, tolerance):
            assert recorded == computed or tolerance, (recorded, computed)
            assert records.agree(computed, recorded, tolerance), (recorded, computed)


def read(raw: bytes) -> tuple[dict[str, str], list]:
    found, problems = records.read(_File(raw))
    return {key: text for key, (_, text) in found.items()}, problems


def raw(data: bytes) -> None:
    """A record that is read without a problem is written back as it was."""
    found, problems = read(data)
    if not problems:
        assert records.write(found).encode() == data, data


def entries(name: str, text: str, value: object) -> None:
    """What can be published is read back as it was, text with any characters among it."""
    kept = {f"value {index}": records.canonical(entry) for index, entry in enumerate((text, value, True, float(value)))}
    kept["table t"] = records.canonical(name)
    found, problems = read(records.write(kept).encode())
    assert (found, problems) == (kept, []), kept


GOOD = records.write({"value one": "37748736 B", "block 1 line 1": '"stored as 0.0"', "figure f": '"t"'})


def damaged(changes: bytes) -> None:
    """A good record with a part cut out and another put in: told, or read as what it now says in full."""
    start, length, *new = changes.ljust(2, b"\0")
    good, start = GOOD.encode(), start % (len(GOOD) + 1)
    raw(good[:start] + decode(bytes(new), PIECES).encode("utf-8", "surrogatepass") + good[start + length :])
