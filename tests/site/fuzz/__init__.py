"""What the gate promises of any input, as functions of bytes: `one_input(data)`, in a module for each target.

tests/site/test_fuzz.py tries them with Hypothesis; `scripts/check-gate fuzz` with atheris, steered by the code reached.
One byte stands for one piece of text, so that a small change of the bytes is a small change of what is written.
"""

from fractions import Fraction

TARGETS = ("claims", "source", "records", "page")

ODD = [
    "\0",
    "\ufeff",
    "\r",
    "\r\n",
    "\x0b",
    "\x85",
    "\u2028",
    "\u200b",
    "\u2060",
    "\u00ad",
    "\u00a0",
    "\ud800",
    "⟦",
    "⟧",
    "٣",
    "３",
    "²",
    "½",
    "Ⅷ",
    "五",
    "𝟓",
]
"""Characters that are rarely thought of; the last seven are digits to a reader."""


def decode(data: bytes, pieces: list[str]) -> str:
    """The text that bytes stand for: a piece each, or ASCII where there are fewer pieces than bytes."""
    return "".join(pieces[byte] if byte < len(pieces) else chr(byte % 128) for byte in data)


def value_of(data: bytes) -> tuple[Fraction, bytes]:
    """A number of any size, from the first six bytes, and the bytes that follow."""
    head, rest = data[:6].ljust(6, b"\0"), data[6:]
    number = Fraction(int.from_bytes(head[:3], "big"), (1, 2, 3, 7, 10, 1000, 1024, 109)[head[3] % 8])
    number *= Fraction((2, 10)[head[4] % 2]) ** (head[5] % 128 - 64)
    return (-number if head[4] & 2 else number), rest
