"""The claim grammar, exact rounding, dimensions, and what may stand beside a claim."""

from fractions import Fraction

import pytest
from valued import disagreement

from scaling_lesson.site.numbers.claim import beside, find, parse, unit_after
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
    ("≈ 38 MB", 37_748_736, "B"),
    ("~40 MB", 37_748_736, "B"),
    ("More than 37 MB", 37_748_736, "B"),
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
    ("~600,000 positions", 500_500, "token position"),
    ("≈37 MB", 37_748_736, "B"),
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


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("37.7MB", '; a space is missing: "37.7 MB"'),
        ("5million", '; a space is missing: "5 million"'),
        ("5each", ""),
        ("MB", ""),
    ],
)
def test_a_missing_space_is_named(text, hint):
    with pytest.raises(ValueError) as error:
        parse(text)
    assert str(error.value) == f'"{text}" does not read as a number with an optional bound and unit{hint}'


def test_an_unknown_unit_suggests_the_nearest():
    with pytest.raises(ValueError, match="did you mean MiB"):
        parse("36 MiBs")


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


def test_prefixes_are_what_they_say():
    sizes = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
    assert {symbol: UNITS[symbol].factor for symbol in sizes} == sizes
    assert parse_unit("TFLOP/s").factor == 10**12
    assert parse_unit("FLOP/kB").factor == Fraction(1, 1000)
    assert UNITS["ms"].factor == Fraction(1, 1000)
    assert UNITS["%"].factor == Fraction(1, 100)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it takes 37.7 MB, or 1,024 tokens", [("37.7 MB", "MB"), ("1,024 tokens", "tokens")]),
        ("5 and 6", [("5", ""), ("6", "")]),
        ("about 5,950 or over 3 million layers", [("about 5,950", ""), ("over 3 million layers", "layers")]),
        ("x = -0.5, or 5.9 × 10²³ FLOPs", [("-0.5", ""), ("5.9 × 10²³ FLOPs", "FLOPs")]),
        ("1.5e9 B/s and 31 %", [("1.5e9 B/s", "B/s"), ("31 %", "%")]),
        ("GPT2 and x3, H100 and a.5, 4bits2", []),
        ("2-3 and n-4", [("2", ""), ("3", ""), ("4", "")]),
        ("5%, 5×, 5x", [("5%", "%"), ("5×", "×"), ("5x", "x")]),
        ("5×5 and 3x3", [("5", ""), ("5", "")]),
        ("37MB", [("37MB", "MB")]),
        ("x>-5 MB and x>5 MB", [("-5 MB", "MB"), ("5 MB", "MB")]),
        ("5 /s", [("5 /s", "/s")]),
        ("9 MBx and 9 MB's", [("9", ""), ("9", "")]),
        ("2⁻¹¹ or 10⁸", [("2⁻¹¹", ""), ("10⁸", "")]),
        ("x^5 and 5^2", [("5", "")]),
        ("x5", []),
        ("", []),
    ],
)
def test_numbers_are_found_with_their_units(text, found):
    assert list(find(text)) == found


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        (" MB of it", "MB"),
        ("MB", "MB"),
        (" FLOP/s", "FLOP/s"),
        ("%", "%"),
        (" percent", "percent"),
        (" tokens each", "tokens"),
        (" tokened", None),
        ("/s", "/s"),
        ("/ s", None),
        (" of MB", None),
        ("× 5", None),
        ("", None),
    ],
)
def test_the_unit_behind_a_number(text, symbol):
    unit = unit_after(text)
    assert (unit and unit.symbol) == symbol


def told(before: str, text: str | None, after: str, unit: str = "") -> str | None:
    """What beside(...) says is wrong round the claim `text`, whose value is in `unit`; only the words it quotes."""
    message = beside(before, text and parse(text), parse_unit(unit), after)
    if message is None:
        return None
    quoted, reason = message.removeprefix('"').rsplit('" ', 1)
    assert reason in (
        "makes it another number: put it inside the link, where it is checked",
        "belongs inside the link, where it is checked",
    ), message
    return quoted


@pytest.mark.parametrize(
    ("before", "text", "after", "quoted"),
    [
        ("it is over ", "10", " of them", "over"),
        ("At\nmost ", "10", "", "At\nmost"),
        ("is ≥ ", "37.7 MB", "", "≥"),
        ("is ~", "10", "", "~"),
        ("is -", "10", "", "-"),
        ("is –", "10", "", "–"),
        ("± ", "10", "", "±"),
        ("\\0− ", "10", "", "−"),
        ("(− ", "10", "", "−"),
        ("x", "10", "", "x"),
        ("$", "10", "", "$"),
        ("⟦37⟧ ", "748", "", "37"),
        ("", "10", " million", "million"),
        ("", "10", "-thousand", "-thousand"),
        ("", "10", " Billions of it", "Billions"),
        ("", "10", "k tokens", "k"),
        ("", "10", "%", "%"),
        ("", "10", "⟦10⟧", "10"),
        ("", "10", ".⟦10⟧ it", ".10"),
        ("", "10", "^n^ it", "^n^"),
        ("", "10", " MB of it", "MB"),
        ("", "10", " FLOP/s", "FLOP/s"),
        ("", "10", " % of it", "%"),
        ("", "10", " heads", "heads"),
        ("", "10", " /s", "/s"),
        ("", "10", "×\0", "×"),
        ("", "10", " MB⟦5⟧", "MB"),
        ("", None, "k", "k"),
        ("x", None, "", "x"),
    ],
)
def test_what_reads_on_into_another_number(before, text, after, quoted):
    assert told(before, text, after, "layer" if after == " heads" else "") == quoted


@pytest.mark.parametrize(
    ("before", "text", "after", "unit"),
    [
        ("it takes ", "10", " of them.", ""),
        ("so over: ", "10", ", or", ""),
        ("moreover, ", "10", "; or ⟦10⟧", ""),
        ("over\0", "10", "\0MB", ""),
        ("a 2-", "10", "", ""),
        ("⟦5⟧–", "10", "", ""),
        ("⟦5⟧ - ", "10", "", ""),
        ("(", "10", ")", ""),
        ("n − ", "10", "", ""),
        ("“", "10", "”", ""),
        ("\0", "10", "\0", ""),
        ("⟦37⟧, ", "748", "", ""),
        ("⟦37 MB⟧ ", "748", "", ""),
        ("⟦37⟧ ", "74", "", ""),
        ("⟦37⟧ ", "7480", "", ""),
        ("", "10", " a million", ""),
        ("", "10", " × ⟦10⟧", ""),
        ("", "10", " layers", "layer"),
        ("", "10", "-layer model", "layer"),
        ("", "10", " layers", ""),
        ("", "10", " times", "layer"),
        ("", "10", " head size", "layer"),
        ("", "10", "'s", ""),
        ("", "37.7 MB", " MB", "B"),
        ("", "10", ".", ""),
        ("over ", None, " million", ""),
    ],
)
def test_what_leaves_a_claim_the_number_it_is(before, text, after, unit):
    assert told(before, text, after, unit) is None
