"""Writing numbers: all digits of a value, a value as a cell shows it, a claim's text with other digits."""

from fractions import Fraction

from scaling_lesson.site.claims import WORDS, Claim, holds, is_number, parse
from scaling_lesson.units import Unit

_LIFT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


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
    tail = (
        f"{parts['times']}{str(exponent).translate(_LIFT)}" if parts["times"] else f"e{exponent}" if parts["e"] else ""
    )
    word = f" {parts['word']}" if parts["word"] else ""
    unit = parts["touching"] or (f" {parts['unit']}" if parts["unit"] else "")
    text = f"{parts['bound']}{digits}{tail}{word}{unit}"
    return text if is_number(text) and holds(parse(text), value) else None


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
