"""The claim grammar, exact rounding and dimensions."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest

from scaling_lesson.site.claims import disagreement, parse
from scaling_lesson.site.digits import fixed, in_full, rewrite, show
from scaling_lesson.site.run import Value
from scaling_lesson.units import UNITS, parse_unit

CACHE = Fraction(37_748_736)

HOLD = [
    # text, value in base units, unit published
    ("37.7 MB", 37_748_736, "B"),
    ("36.0 MiB", 37_748_736, "B"),
    ("At least 36 MiB", 37_748_736, "B"),
    ("36 MiB", 37_748_736, "B"),
    ("37,748,736 bytes", 37_748_736, "B"),
    ("37748736 B", 37_748_736, "B"),
    ("0.0377 GB", 37_748_736, "B"),
    ("3.77 × 10⁷ B", 37_748_736, "B"),
    ("3.77e7 B", 37_748_736, "B"),
    ("about 38 MB", 37_748_736, "B"),
    ("about 40 MB", 37_748_736, "B"),
    ("exactly 36 MiB", 37_748_736, "B"),
    ("over 19 MB", 37_748_736, "B"),
    ("under 75 MB", 37_748_736, "B"),
    ("over −2", -1.5, ""),
    ("under −2", -3, ""),
    ("> 0", 5, ""),
    ("over 37 MB", 37_748_736, "B"),
    ("at least 36 MiB", 37_748_736, "B"),
    ("at most 36 MiB", 37_748_736, "B"),
    ("under 38 MB", 37_748_736, "B"),
    ("less than 38 MB", 37_748_736, "B"),
    ("more than 37 MB", 37_748_736, "B"),
    ("> 37 MB", 37_748_736, "B"),
    ("≥36 MiB", 37_748_736, "B"),
    ("<38 MB", 37_748_736, "B"),
    ("≤ 36 MiB", 37_748_736, "B"),
    ("500,500", 500_500, "token position"),
    ("500,500 positions", 500_500, "token position"),
    ("about 500,000 positions", 500_500, "token position"),
    ("124.4 million parameters", 124_439_808, "parameter"),
    ("about 124 million", 124_439_808, "parameter"),
    ("0.1 billion parameters", 124_439_808, "parameter"),
    ("54.6×", Fraction(5950, 109), ""),
    ("54.6x", Fraction(5950, 109), ""),
    ("54.59 times", Fraction(5950, 109), ""),
    ("31.6%", Fraction(3156, 10000), ""),
    ("31.6 %", Fraction(3156, 10000), ""),
    ("312 TFLOP/s", 312e12, "FLOP/s"),
    ("2.039 TB/s", 2.039e12, "B/s"),
    ("153 FLOP/B", Fraction(312_000, 2_039), "FLOP/B"),
    ("0.140 ms", 0.00014, "s"),
    ("140 µs", 0.00014, "s"),
    ("2⁻¹¹", 2.0**-11, ""),
    ("2⁸", 256, ""),
    ("over 2⁷", 200, ""),
    ("2¹⁰ KiB", 2**20, "B"),
    ("1/2 KiB", 512, "B"),
    ("over 1/13", Fraction(1, 12), ""),
    ("at least 35 MiB", 37_748_736, "B"),
    ("at most 37 MiB", 37_748_736, "B"),
    ("about 12,345,678,901,234,567,890", 12_345_678_901_234_567_893, ""),
    ("10⁻⁸", 1e-8, ""),
    ("1/12 FLOP/B", Fraction(1, 12), "FLOP/B"),
    ("5.9 × 10²³ FLOPs", 5.88e23, "FLOP"),
    ("5.9 x 10²³ FLOPs", 5.88e23, "FLOP"),
    ("5.9e23 FLOPs", 5.88e23, "FLOP"),
    ("-0.5", -0.5, ""),
    ("−0.5", -0.5, ""),
    ("0", 0.0, ""),
    ("1.0", 1.0, ""),
    ("2 days", 172_800, "s"),
]

FAIL = [
    ("37.8 MB", 37_748_736, "B"),
    ("37.6 MB", 37_748_736, "B"),
    ("exactly 37.7 MB", 37_748_736, "B"),
    ("37.7 MiB", 37_748_736, "B"),
    ("36.0 MB", 37_748_736, "B"),
    ("37.7 GB", 37_748_736, "B"),
    ("37,748,735 bytes", 37_748_736, "B"),
    ("500,000", 500_500, "token position"),
    ("about 600,000 positions", 500_500, "token position"),
    ("over 38 MB", 37_748_736, "B"),
    ("over 36 MiB", 37_748_736, "B"),
    ("under 36 MiB", 37_748_736, "B"),
    ("at least 37 MiB", 37_748_736, "B"),
    ("over 50×", 49, ""),
    ("54.5×", Fraction(5950, 109), ""),
    ("55.5×", Fraction(5950, 109), ""),
    ("31.6", Fraction(3156, 10000), ""),
    ("0.0 MB", 1, "B"),
    ("2⁻¹⁰", 2.0**-11, ""),
    ("2⁸", 300, ""),
    ("1/13 FLOP/B", Fraction(1, 12), "FLOP/B"),
    ("0.5", -0.5, ""),
]

OTHER_DIMENSION = [
    ("37.7 MFLOP", "B", "MFLOP is work, not data"),
    ("37.7 MB", "B/s", "MB is data, not data/time"),
    ("37,748,736", "B", "a bare number is number, not data"),
    ("37,748,736 tokens", "token position", "tokens is token, not token position"),
    ("37,748,736 steps", "layer", "steps is step, not layer"),
    ("37,748,736×", "token", "× is number, not token"),
    ("37,748,736", "FLOP/B", "a bare number is number, not work/data"),
    ("37,748,736 tokens", "", "tokens is token, not number"),
]


@pytest.mark.parametrize(("text", "value", "unit"), HOLD)
def test_claim_holds(text, value, unit):
    claim = parse(text)
    assert claim.text == text and disagreement(claim, Fraction(value), parse_unit(unit)) is None


@pytest.mark.parametrize(("text", "value", "unit"), FAIL)
def test_claim_does_not_hold(text, value, unit):
    assert disagreement(parse(text), Fraction(value), parse_unit(unit)) == "the digits differ"


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("over 18 MB", 37_748_736, "B"),
        ("at most 76 MB", 37_748_736, "B"),
        ("under 0.001", -3.0, ""),  # the sign was forgotten: it is off by three
        ("over −2", -0.9, ""),
    ],
)
def test_a_bound_may_lie_off_by_a_factor_of_two(text, value, unit):
    why = disagreement(parse(text), Fraction(value) * parse_unit(unit).factor, parse_unit(unit))
    assert why == "the bound says too little: it lies off by more than a factor of two"


@pytest.mark.parametrize(
    ("text", "value", "tolerance", "holds"),
    [
        ("over 10", 20, 0, True),
        ("under 10", 5, 0, True),
        ("under 10", 4, "1.5", True),
        ("under 10", 4, "0.5", False),
        ("over 10", 21, "1.5", True),
        ("over 10", 21, "0.5", False),
    ],
)
def test_what_a_value_may_be_elsewhere_counts_for_its_bound(text, value, tolerance, holds):
    assert (disagreement(parse(text), Fraction(value), parse_unit(""), Fraction(tolerance)) is None) == holds


@pytest.mark.parametrize(("text", "unit", "reason"), OTHER_DIMENSION)
def test_dimension_is_checked_before_digits(text, unit, reason):
    assert disagreement(parse(text), CACHE, parse_unit(unit)) == reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MB",
        "about",
        "37.7MB",
        "37.7  MB",
        "3,77 MB",
        "37.",
        ".5",
        "1,0000",
        "1e",
        "37.7 MB.",
        "37.7 MB each",
        "~5",
        "around 5",
        "5-6",
        "10^8",
        "٣٧",
        "３７",
        "1e99999",
        "five",
        "1 / 2",
        "1/0",
        "over over 5",
        "37.7 Mb",
        "37.7 mB",
    ],
)
def test_what_is_not_a_claim_is_refused(text):
    with pytest.raises(ValueError) as error:
        parse(text)
    assert f'"{text}"' in str(error.value) or "unit must be one of" in str(error.value)


def test_an_unknown_unit_suggests_the_nearest():
    with pytest.raises(ValueError, match="did you mean MiB"):
        parse("36 MiBs")


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


def test_a_tie_has_one_right_answer():
    assert disagreement(parse("2"), Fraction(5, 2), parse_unit("")) is None
    assert disagreement(parse("3"), Fraction(5, 2), parse_unit("")) is not None


def test_about_drops_trailing_zeros_and_a_bare_number_does_not():
    unit = parse_unit("")
    for value in (450_001, 500_000, 549_999):
        assert disagreement(parse("about 500,000"), Fraction(value), unit) is None
    assert disagreement(parse("about 500,000"), Fraction(449_999), unit)
    assert disagreement(parse("500,000"), Fraction(500_001), unit)


TOLERANCE_TOLD = "its tolerance reaches over the rounding boundary: show fewer digits"


def test_a_tolerance_that_could_flip_the_rounding_is_refused():
    unit = parse_unit("")
    assert disagreement(parse("0.12"), Fraction("0.122"), unit, Fraction("0.002")) is None
    assert disagreement(parse("0.12"), Fraction("0.124"), unit, Fraction("0.002")) == TOLERANCE_TOLD
    assert disagreement(parse("0.12"), Fraction("0.116"), unit, Fraction("0.002")) == TOLERANCE_TOLD
    assert disagreement(parse("0.12"), Fraction("0.124"), unit, Fraction("0.002"), Fraction("0.122")) is None
    assert "tolerance" in disagreement(parse("under 0.13"), Fraction("0.129"), unit, Fraction("0.002"))


@pytest.mark.parametrize("recorded", [None, Fraction("1.238")])
def test_a_tolerance_is_in_the_unit_published(recorded):
    value = Value("x", 1.24, parse_unit("MB"), 0.004, "sums", "", "x", (0, 0), recorded=recorded)
    assert value.disagreement(parse("1.2 MB")) is None
    assert value.disagreement(parse("1.24 MB")) == (None if recorded is None else TOLERANCE_TOLD)
    value.tolerance = 0.02
    assert value.disagreement(parse("1,240 kB")) == TOLERANCE_TOLD


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
def test_rewriting_keeps_the_shape(text, value, unit, expected):
    assert rewrite(parse(text), Fraction(value)) == expected
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


def test_prefixes_are_what_they_say():
    sizes = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
    assert {symbol: UNITS[symbol].factor for symbol in sizes} == sizes
    assert parse_unit("TFLOP/s").factor == 10**12
    assert parse_unit("FLOP/kB").factor == Fraction(1, 1000)
    assert UNITS["ms"].factor == Fraction(1, 1000)
    assert UNITS["%"].factor == Fraction(1, 100)
