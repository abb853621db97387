"""The claim grammar: nothing but ValueError, and whatever the formatters write reads back as what it was made from."""

from fractions import Fraction

from valued import correction, disagreement

from fuzz import ODD, decode, value_of
from scaling_lesson import digits
from scaling_lesson.site.numbers import claim as claims
from scaling_lesson.units import UNITS, Unit, parse_unit

UNIT_SYMBOLS = [*UNITS, "FLOP/s", "B/s", "FLOP/B", "B/token"]
PIECES = [
    *"0123456789.,-−/ ×x%",
    *"⁰¹²³⁴⁵⁶⁷⁸⁹⁻",
    "e",
    "E",
    "+",
    " × 10",
    "x 10",
    "e9999",
    "10⁹⁹⁹⁹",
    "2⁻",
    "9" * 27,
    "000",
    ",000",
    *claims.BOUNDS,
    *claims.WORDS,
    *UNIT_SYMBOLS,
    *ODD,
]


def one_input(data: bytes) -> None:
    value, rest = value_of(data)
    unit = parse_unit(UNIT_SYMBOLS[rest[0] % len(UNIT_SYMBOLS)]) if rest else parse_unit("")
    shown(value, unit, None if len(rest) < 2 or rest[1] > 30 else rest[1])
    read(decode(rest[2:], PIECES), value)


def shown(value: Fraction, unit: Unit, decimals: int | None) -> None:
    """What `show` and `fixed` write of a value is a claim that holds for it, and reads at the digits shown."""
    text = digits.show(value, unit, decimals)
    claim = claims.parse(text)
    assert disagreement(claim, value, unit) is None, (text, value, unit)
    assert abs(claim.number - value) <= claim.step / 2, (text, value)
    if decimals is not None:
        number = digits.fixed(value, decimals)
        assert Fraction(number) * 10**decimals == round(value * 10**decimals), (number, value)


def read(text: str, value: Fraction) -> None:
    """A text is a claim or a ValueError; correcting one gives a text that holds, and stays as it is when corrected."""
    found(text)
    if not _parses(text):
        return
    claim = claims.parse(text)
    verdict = disagreement(claim, value, claim.unit)
    assert verdict in (None, "the digits differ") or (
        claim.bound in (">", ">=", "<", "<=") and "too little" in verdict
    ), verdict
    if claim.bound in ("", "about") and claim.number:
        assert disagreement(claim, claim.number, claim.unit) is None, text
    writable = abs(claim.number.numerator) < 10**4000  # Python writes few more digits
    for new_value in (value, claim.number) if writable else (value,):
        new = correction(claim, new_value)
        if new is None:
            continue
        again = claims.parse(new)
        assert disagreement(again, new_value, claim.unit) is None, (text, new, new_value)
        assert correction(again, new_value) == new, (text, new, new_value)
        assert again.unit == claim.unit and again.bound == claim.bound, (text, new)


def found(text: str) -> None:
    """Each number found in a text stands there, in order, with its unit at its end, and reads as a number itself."""
    at = 0
    for number, unit in claims.find(text):
        at = text.index(number, at) + len(number)
        assert number.endswith(unit) and any(map(str.isdecimal, number)), (text, number, unit)
        bare = number.removesuffix(unit).rstrip()
        assert _parses(bare) or bare.endswith("/0"), (text, number)


def _parses(text: str) -> bool:
    try:
        claims.parse(text)
    except ValueError as error:
        assert str(error), text
        return False
    return True
