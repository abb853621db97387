"""Claims: the numbers of the prose, read as people write them and checked in exact arithmetic.

A claim is the text of a link such as `[37.7 MB](calc:one_sequence)`. It holds when the text is the correct rounding
(half to even, as Python formats) of the published value at the digits shown, in a unit of the same dimension.

    claim   = [bound] number [word] [unit]; the bound may begin a sentence
    bound   = about | over | more than | at least | under | less than | at most | > | ≥ | < | ≤
    number  = 37.7 | 1,024 | -0.5 | 5.9 × 10²³ | 5.9e23 | 2⁻¹¹ | 1/12
    word    = thousand | million | billion | trillion
    unit    = a unit of scaling_lesson.units, after a space; % and × and x may touch the number
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from scaling_lesson.units import COUNTED, Unit, parse_unit

BOUNDS = {
    "about": "about", "over": ">", "more than": ">", "at least": ">=", "under": "<", "less than": "<", "at most": "<=",
    ">": ">", "≥": ">=", "<": "<", "≤": "<=",
}  # fmt: skip
WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_LIFT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

_CLAIM = re.compile(
    r"(?P<bound>(?i:" + "|".join(BOUNDS) + r")\s*)?"
    r"(?P<sign>[-−])?"
    r"(?:(?P<base>2|10)(?P<power>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})"
    r"|(?P<above>[0-9]{1,9})/(?P<below>[0-9]{1,9})"
    r"|(?P<whole>[0-9]{1,3}(?:,[0-9]{3}){1,8}|[0-9]{1,27})(?P<decimals>\.[0-9]{1,30})?"
    r"(?:(?P<times>\s?[×x]\s?10)(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})|[eE](?P<e>[-+]?[0-9]{1,4}))?)"
    r"(?:\s(?P<word>" + "|".join(WORDS) + r"))?"
    r"(?:(?P<touching>\s?[%×x])|\s(?P<unit>[^\s0-9][^0-9]*))?"
)


@dataclass(frozen=True)
class Claim:
    """A parsed claim. The number shown is `digits * step`; `step` is one unit in the last digit shown.

    step is None where the text states an exact number (a ratio or a power of two).
    """

    text: str
    bound: str
    digits: int
    step: Fraction | None
    number: Fraction
    unit: Unit
    parts: dict[str, str]


def parse(text: str) -> Claim:
    """Read a claim. Raises ValueError, saying what is expected, when the text is not one."""
    match = _CLAIM.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" does not read as a number with an optional bound and unit')
    parts = {name: part or "" for name, part in match.groupdict().items()}
    unit = parse_unit((parts["touching"] or parts["unit"]).strip())
    scale = unit.factor * WORDS.get(parts["word"], 1)
    sign = -1 if parts["sign"] else 1
    bound = BOUNDS.get(parts["bound"].strip().lower(), "")
    if parts["above"]:
        if int(parts["below"]) == 0:
            raise ValueError(f'"{text}" divides by zero')
        exact = sign * Fraction(int(parts["above"]), int(parts["below"])) * scale
        return Claim(text, bound, 1, None, exact, unit, parts)
    if parts["base"]:
        digits, step = sign, Fraction(int(parts["base"])) ** int(parts["power"].translate(_RAISED)) * scale
        return Claim(text, bound, digits, None if parts["base"] == "2" else step, digits * step, unit, parts)
    decimals = parts["decimals"].removeprefix(".")
    digits = sign * int(parts["whole"].replace(",", "") + decimals)
    exponent = int(parts["e"] or parts["raised"].translate(_RAISED) or 0)
    step = Fraction(10) ** (exponent - len(decimals)) * scale
    if bound == "about" and not decimals:
        while digits and digits % 10 == 0:  # "about 500,000" promises one digit, a bare 500,000 promises six
            digits, step = digits // 10, step * 10
    return Claim(text, bound, digits, step, digits * step, unit, parts)


def is_number(text: str) -> bool:
    """Whether the text reads as a claim and nothing else, so that it is a number and not code."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def disagreement(
    claim: Claim, value: Fraction, unit: Unit, tolerance: Fraction = Fraction(0), around: Fraction | None = None
) -> str | None:
    """Why the claim does not hold for a value in base units of `unit`, or None when it holds.

    With a tolerance it must hold at both ends of value ± tolerance too, so that no machine can flip it; or, so that all
    machines judge alike, of `around` ± tolerance, the value all are compared with.
    """
    shown = claim.unit
    # A count may leave its noun to the sentence: "12" for 12 layers.
    if shown.dimension != unit.dimension and not (shown.symbol == "" and unit.dimension in COUNTED):
        return f"{shown.symbol or 'a bare number'} is {shown.dimension}, not {unit.dimension}"
    if not _holds(claim, value):
        return "the digits differ"
    middle = value if around is None else around
    if not all(_holds(claim, end) for end in (middle - tolerance, middle + tolerance)):
        return "its tolerance reaches over the rounding boundary: show fewer digits"
    return None


def _holds(claim: Claim, value: Fraction) -> bool:
    match claim.bound:
        case ">":
            return value > claim.number
        case ">=":
            return value >= claim.number
        case "<":
            return value < claim.number
        case "<=":
            return value <= claim.number
    if claim.step is None:
        return value == claim.number
    if value != 0 and claim.digits == 0:
        return False  # "0.0 MB" for something that is not nothing
    return round(value / claim.step) == claim.digits


def rewrite(claim: Claim, value: Fraction) -> str | None:
    """The claim's text with digits that hold for `value`, in the same shape; None where a person must choose."""
    parts, scale = claim.parts, claim.unit.factor * WORDS.get(claim.parts["word"], 1)
    if claim.bound not in ("", "about") or claim.step is None or parts["base"]:
        return None
    decimals = len(parts["decimals"].removeprefix("."))
    exponent = 0
    if parts["times"] or parts["e"]:
        if value == 0:
            return None
        exponent = _exponent(abs(value) / scale, decimals)
    step = claim.step if claim.bound == "about" and not exponent else Fraction(10) ** (exponent - decimals) * scale
    number = round(value / step) * step / scale / Fraction(10) ** exponent
    digits = fixed(number, decimals, "," in parts["whole"] or abs(number) >= 1000 and len(parts["whole"]) < 4)
    digits = digits.replace("-", parts["sign"] or "−")
    tail = f"{parts['times']}{str(exponent).translate(_LIFT)}" if parts["times"] else f"e{exponent}" if parts["e"] else ""
    word = f" {parts['word']}" if parts["word"] else ""
    unit = parts["touching"] or (f" {parts['unit']}" if parts["unit"] else "")
    text = f"{parts['bound']}{digits}{tail}{word}{unit}"
    return text if is_number(text) and _holds(parse(text), value) else None


def _exponent(number: Fraction, decimals: int) -> int:
    """The power of ten that leaves one digit before the point, after rounding to `decimals`."""
    exponent = len(str(number.numerator)) - len(str(number.denominator))
    while number < Fraction(10) ** exponent:
        exponent -= 1
    rounds_up = round(number / Fraction(10) ** (exponent - decimals)) >= 10 ** (decimals + 1)
    return exponent + 1 if rounds_up else exponent


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
