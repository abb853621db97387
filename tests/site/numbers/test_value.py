"""A published value, and how a number is written out: exact rounding, all digits, and a claim's own shape."""

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from valued import correction, disagreement

from scaling_lesson import audit
from scaling_lesson.digits import fixed, in_full, show
from scaling_lesson.site.numbers.claim import parse
from scaling_lesson.site.numbers.value import Value, canonical
from scaling_lesson.units import parse_unit


@pytest.mark.parametrize("digits", [0, 1, 2, 3])
@pytest.mark.parametrize("value", [0.125, 0.375, 2.5, 3.5, 0.25, 0.75, 1.005, 2.675, 12345.5, 0.5, 1.5, 99.95, 0.045])
def test_rounding_is_half_to_even_of_the_exact_binary_value(value, digits):
    # The second route is the decimal module, which shares no code with ours.
    expected = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    assert fixed(Fraction(value), digits) == f"{expected:f}"
    if expected:
        assert disagreement(parse(f"{expected:f}"), Fraction(value), parse_unit("")) is None
        above = expected + Decimal(1).scaleb(-digits)
        assert disagreement(parse(f"{above:f}"), Fraction(value), parse_unit("")) is not None


TOLERANCE_TOLD = "its tolerance reaches over the rounding boundary: show fewer digits"


@pytest.mark.parametrize("recorded", [None, Fraction("1.238")])
def test_a_tolerance_is_in_the_unit_published(recorded):
    value = Value("x", 1.24, parse_unit("MB"), 0.004, "sums", "", "x", (0, 0))
    assert value.disagreement(parse("1.2 MB"), recorded) is None
    assert value.disagreement(parse("1.24 MB"), recorded) == (None if recorded is None else TOLERANCE_TOLD)
    wide = replace(value, tolerance=0.02)
    assert wide.disagreement(parse("1,240 kB"), recorded) == TOLERANCE_TOLD


@pytest.mark.parametrize(
    ("text", "value", "unit", "expected"),
    [
        ("37.7 MB", 75_497_472, "B", "75.5 MB"),
        ("36.0 MiB", 75_497_472, "B", "72.0 MiB"),
        ("37,748,736 bytes", 75_497_472, "B", "75,497,472 bytes"),
        ("999", 1_000, "step", "1,000"),
        ("about 38 MB", 75_497_472, "B", "about 75 MB"),
        ("exactly 36 MiB", 75_497_472, "B", "exactly 72 MiB"),
        ("exactly 36 MiB", 75_497_473, "B", None),
        ("5.9 × 10²³ FLOPs", 1.23e24, "FLOP", "1.2 × 10²⁴ FLOPs"),
        ("5.9e23 FLOPs", 9.99e23, "FLOP", "1.0e24 FLOPs"),
        ("5.9e3 MB", 0, "B", None),
        ("about 5.9e3 MB", 1_230_000, "B", "about 1.2e0 MB"),
        ("about 500", 1_234, "", "about 1,200"),
        ("1234", 56_789, "", "56789"),
        ("0.5", Fraction(-1, 4), "", "−0.2"),
        ("54.6×", Fraction(11, 2), "", "5.5×"),
        ("31.6%", Fraction(1, 4), "", "25.0%"),
        ("1.5 million parameters", 2_540_000, "parameter", "2.5 million parameters"),
        ("-0.5", Fraction(-1, 4), "", "-0.2"),
        ("−0.5", Fraction(-3, 4), "", "−0.8"),
        ("over 50×", Fraction(81, 2), "", None),  # which bound to state is a person's choice
        ("10⁸", 10**7, "", None),
        ("2⁻¹¹", 2.0**-8, "", None),
        ("1/12", Fraction(1, 6), "", None),
        ("0.1 MB", 1, "B", None),  # this shape would read zero
    ],
)
def test_a_correction_keeps_the_shape(text, value, unit, expected):
    assert correction(parse(text), Fraction(value)) == expected
    if expected:
        assert disagreement(parse(expected), Fraction(value), parse_unit(unit)) is None


@pytest.mark.parametrize(
    ("value", "symbol", "decimals", "expected"),
    [
        (37_748_736, "MB", 1, "37.7 MB"),
        (37_748_736, "B", None, "37,748,736 B"),
        (Fraction(1, 3), "", None, "0.3333"),
        (Fraction(200_000, 3), "", None, "66,667"),
        (1e-8, "", None, "1.000 × 10⁻⁸"),
        (5.88e23, "FLOP", None, "5.880 × 10²³ FLOP"),
        (Fraction(9999, 10**8), "", None, "9.999 × 10⁻⁵"),
        (Fraction(99999, 10**9), "", None, "1.000 × 10⁻⁴"),
        (Fraction(3, 10), "%", None, "30%"),
        (-1.5, "×", 2, "-1.50×"),
        (0, "MB", 1, "0.0 MB"),
        (Fraction(99999, 10000), "", None, "10.00"),
        (54.59, "x", 1, "54.6x"),
        (10**15, "", None, "1.000 × 10¹⁵"),
        (Fraction(3_000_001, 2), "", None, "1.500 × 10⁶"),
        (Fraction(1, 1000), "", None, "0.001000"),
        (Fraction(9995, 10**7), "", None, "9.995 × 10⁻⁴"),
        (10**26, "", 0, "1.000 × 10²⁶"),
        (Fraction(1, 20), "", 1, "5.000 × 10⁻²"),
    ],
)
def test_showing_a_value(value, symbol, decimals, expected):
    assert show(Fraction(value), parse_unit(symbol), decimals) == expected
    if value:
        assert disagreement(parse(expected), Fraction(value), parse_unit(symbol)) is None


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1_234_567, "1,234,567"),
        (-1234567.0, "-1,234,567"),
        (2.0**53, "9007199254740992.0"),
        (0.5, "0.5"),
        (Fraction(1, 3), "1/3"),
        (1.5e-8, "1.5 × 10⁻⁸"),
        (1e300, "1 × 10³⁰⁰"),
    ],
)
def test_all_digits_of_a_number(number, expected):
    assert in_full(number) == expected


@pytest.mark.parametrize(
    ("number", "unit", "expected"),
    [
        (10, "token", "10 tokens"),
        (1, "token", "1 token"),
        (0, "entry", "0 entries"),
        (1024, "token position", "1,024 token positions"),
        (2.5, "token/s", "2.5 tokens/s"),
        (3, "forward pass", "3 forward passes"),
        (2, "B", "2 B"),
        (2, "B/token", "2 B/token"),
        (7, "", "7"),
    ],
)
def test_a_reader_sees_several_of_a_noun(number, unit, expected):
    assert Value("x", number, parse_unit(unit), 0.0, "", "", "x", (0, 0)).in_full == expected
    assert audit.in_full(expected, str(number), unit)
    assert not audit.in_full(expected, str(number), "weight")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (37_748_736, "B", "37748736 B"),
        (5, "", "5"),
        (0.1, "s", "0.1 s"),
        (Fraction(1, 12), "FLOP/B", "1/12 FLOP/B"),
        (True, "", "true"),
        ('a "b" × ⁻', "", '"a \\"b\\" × ⁻"'),
        ("\ud800", "", '"\\ud800"'),
    ],
)
def test_a_value_is_recorded_in_one_way(value, unit, text):
    assert canonical(value, unit) == text
