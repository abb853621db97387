"""What a page publishes and shows: values with their unit and origin, cells of tables, facts; and how each is written out."""

import json
from dataclasses import dataclass
from fractions import Fraction

from scaling_lesson.site.numbers.claim import WORDS, Claim, disagreement, holds, parse
from scaling_lesson.units import Unit

Place = tuple[int, int]
"""Where something happened: the index of the page's block, and the line within its body (0-based)."""

_LIFT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True)
class Value:
    """A published value."""

    name: str
    value: int | float | Fraction | str | bool
    unit: Unit
    tolerance: float
    reason: str
    source: object
    expression: str
    place: Place

    @property
    def exact(self) -> Fraction | None:
        """Its number in base units of `unit`; None for text, True and False."""
        return None if isinstance(self.value, (str, bool)) else Fraction(self.value) * self.unit.factor

    @property
    def text(self) -> str:
        """The value in full with its unit, as messages and records give it."""
        return canonical(self.value, self.unit.symbol)

    @property
    def in_full(self) -> str:
        """The value in full, as readers see it."""
        return f"{in_full(self.value)} {self.unit.symbol}".rstrip() if self.exact is not None else str(self.value)

    @property
    def margin(self) -> str:
        """Its tolerance and the reason for it, as readers see them; "" without one."""
        return f"{f'± {self.tolerance:g} {self.unit.symbol}'.rstrip()}: {self.reason}" if self.tolerance else ""

    def disagreement(self, claim: Claim, recorded: Fraction | None) -> str | None:
        """Why a claim does not hold for this number; None when it does. recorded: what it was accepted as, in `unit`."""
        around = Fraction(self.value) if recorded is None else recorded
        factor = self.unit.factor
        return disagreement(claim, self.exact, self.unit, Fraction(self.tolerance) * factor, around * factor)


@dataclass(frozen=True)
class Entry:
    """One line of a record: the canonical text, and how far a recorded number may lie from it."""

    text: str
    place: Place
    tolerance: float = 0.0


@dataclass(frozen=True)
class Cell:
    """One number of a generated table, as shown: `value` in base units, `text` in `unit`."""

    text: str
    value: int | float
    unit: Unit


@dataclass(frozen=True)
class Fact:
    """An outside fact, by its name in the code, and the Source it has there."""

    name: str
    cell: Cell
    source: object


def canonical(value: object, unit: str = "") -> str:
    """The one way a value is written in a record: integers and floats in full, text in JSON quotes."""
    if isinstance(value, (bool, str)):
        text = json.dumps(value, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode()  # half of a surrogate pair is no UTF-8
    return f"{value} {unit}".rstrip()


def rewrite(claim: Claim, value: Fraction) -> str | None:
    """The claim's text with digits that hold for `value`, in the same shape; None where a person must choose."""
    parts, scale = claim.parts, claim.unit.factor * WORDS.get(claim.parts["word"], 1)
    if claim.bound not in ("", "about", "=") or claim.step is None or parts["base"]:
        return None
    decimals = len(parts["decimals"].removeprefix("."))
    exponent, number = 0, round(value / claim.step) * claim.step
    if parts["times"] or parts["e"]:
        if value == 0:
            return None
        exponent, number = _exponent(abs(value) / scale, decimals), value
    number = number / scale / Fraction(10) ** exponent
    digits = fixed(number, decimals, "," in parts["whole"] or (abs(number) >= 1000 and len(parts["whole"]) < 4))
    digits = digits.replace("-", parts["sign"] or "−")
    power = f"{parts['times']}{str(exponent).translate(_LIFT)}" if parts["times"] else f"e{exponent}" * bool(parts["e"])
    word = f" {parts['word']}" if parts["word"] else ""
    text = f"{parts['bound']}{digits}{power}{word}{parts['unit']}"
    try:
        return text if holds(parse(text), value) else None
    except ValueError:
        return None


def _exponent(number: Fraction, decimals: int) -> int:
    """The power of ten that leaves one digit before the point, after rounding to `decimals`."""
    exponent = len(str(number.numerator)) - len(str(number.denominator)) - 1  # or one more
    while round(number / Fraction(10) ** (exponent - decimals)) >= 10 ** (decimals + 1):
        exponent += 1
    return exponent


def fixed(number: Fraction, decimals: int, grouped: bool = False) -> str:
    """`number` with exactly `decimals` digits after the point, rounded half to even, from exact arithmetic."""
    digits = round(number * 10**decimals)
    whole, rest = divmod(abs(digits), 10**decimals)
    sign = "-" if digits < 0 else ""
    return f"{sign}{whole:{',' if grouped else ''}}" + (f".{rest:0{decimals}d}" if decimals else "")


def in_full(number: int | float | Fraction) -> str:
    """All digits of a number: whole ones with separators, others as Python writes them, with a power of ten if it does."""
    if Fraction(number).denominator == 1 and abs(number) < 2**53:  # a larger float is written as it is
        return f"{int(number):,}"
    digits, e, exponent = str(number).partition("e")
    return f"{digits} × 10{str(int(exponent)).translate(_LIFT)}" if e else digits


def show(value: Fraction, unit: Unit, decimals: int | None = None) -> str:
    """A value in base units as a claim would show it in `unit`: a table cell, or what a claim should read.

    Without `decimals`, or where they would show nothing of it: whole numbers in full, others to four digits.
    """
    number = value / unit.factor
    size = abs(number)
    if decimals is None and number.denominator == 1 and size < 10**15:
        decimals = 0
    elif decimals is None and Fraction(1, 1000) <= size < 10**6:
        decimals = max(0, 3 - _exponent(size, 3))
    if decimals is not None and size < 10**26 and (round(number * 10**decimals) or not number):
        text = fixed(number, decimals, grouped=True)
    else:
        exponent = _exponent(abs(number), 3)
        text = f"{fixed(number / Fraction(10) ** exponent, 3)} × 10{str(exponent).translate(_LIFT)}"
    space = "" if unit.symbol in ("", "%", "×", "x") else " "
    return f"{text}{space}{unit.symbol}"
