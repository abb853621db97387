"""Writing numbers out, from exact arithmetic: with all their digits, with a number of decimals, or in a unit."""

from fractions import Fraction

from scaling_lesson.units import Unit

_LIFT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def raised(exponent: int) -> str:
    """An exponent as it stands behind its base: ⁻⁸."""
    return str(exponent).translate(_LIFT)


def exponent_of(number: Fraction, decimals: int) -> int:
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
    """All digits of a number: whole ones with separators, others as Python writes them, its powers of ten raised."""
    if Fraction(number).denominator == 1 and abs(number) < 2**53:  # a larger float is written as it is
        return f"{int(number):,}"
    digits, e, exponent = str(number).partition("e")
    return f"{digits} × 10{raised(int(exponent))}" if e else digits


def show(value: Fraction, unit: Unit, decimals: int | None = None) -> str:
    """A value in base units as a claim would show it in `unit`: a table cell, or what a claim should read.

    Without `decimals`, or where they would show nothing of it: whole numbers in full, others to four digits.
    """
    number = value / unit.factor
    size = abs(number)
    if decimals is None and number.denominator == 1 and size < 10**15:
        decimals = 0
    elif decimals is None and Fraction(1, 1000) <= size < 10**6:
        decimals = max(0, 3 - exponent_of(size, 3))
    if decimals is not None and size < 10**26 and (round(number * 10**decimals) or not number):
        text = fixed(number, decimals, grouped=True)
    else:
        exponent = exponent_of(abs(number), 3)
        text = f"{fixed(number / Fraction(10) ** exponent, 3)} × 10{raised(exponent)}"
    space = "" if unit.symbol in ("", "%", "×", "x") else " "
    return f"{text}{space}{unit.symbol}"
