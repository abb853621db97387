"""Claims held against a number in base units, as against a value that a page published: for tests of many texts."""

from fractions import Fraction

from scaling_lesson.site.numbers.claim import Claim
from scaling_lesson.site.numbers.value import Value
from scaling_lesson.units import Unit


def _value(number: Fraction, unit: Unit, tolerance: Fraction = Fraction(0)) -> Value:
    return Value("x", number / unit.factor, unit, tolerance / unit.factor, "sums" * bool(tolerance), "", "x", (0, 0))


def disagreement(
    claim: Claim, number: Fraction, unit: Unit, tolerance: Fraction = Fraction(0), around: Fraction | None = None
) -> str | None:
    """Why the claim does not hold for a number in base units of `unit`, accepted as `around`; None when it does."""
    return _value(number, unit, tolerance).disagreement(claim, None if around is None else around / unit.factor)


def correction(claim: Claim, number: Fraction) -> str | None:
    """The claim's text with digits that hold for a number in base units of its own."""
    return _value(number, claim.unit).correction(claim, None)
