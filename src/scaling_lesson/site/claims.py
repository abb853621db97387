"""Claims: the numbers of the prose, read as people write them and checked in exact arithmetic.

A claim is the text of a link such as `[37.7 MB](calc:one_sequence)`. It holds when the text is the correct rounding
(half to even, as Python formats) of the published value at the digits shown, in a unit of the same dimension.

    claim   = [bound] number [word] [unit]; the bound may begin a sentence
    bound   = about | exactly | over | more than | at least | under | less than | at most | > | ≥ | < | ≤
    number  = 37.7 | 1,024 | -0.5 | 5.9 × 10²³ | 5.9e23 | 2⁻¹¹ | 1/12
    word    = thousand | million | billion | trillion
    unit    = a unit of scaling_lesson.units, after a space; % and × and x may touch the number
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from scaling_lesson.units import COUNTED, Unit, parse_unit

BOUNDS = {
    "about": "about",
    "exactly": "=",
    "over": ">",
    "more than": ">",
    "at least": ">=",
    "under": "<",
    "less than": "<",
    "at most": "<=",
    ">": ">",
    "≥": ">=",
    "<": "<",
    "≤": "<=",
}
WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

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
    if not holds(claim, value):
        return "the digits differ"
    middle = value if around is None else around
    ends = (middle - tolerance, middle + tolerance)
    if not all(holds(claim, end) for end in ends):
        return "its tolerance reaches over the rounding boundary: show fewer digits"
    if claim.bound[:1] in ("<", ">") and claim.number:
        near, (low, high) = ends[claim.bound[0] == "<"], sorted((claim.number / 2, claim.number * 2))
        if not low <= near <= high:
            return "the bound says too little: it lies off by more than a factor of two"
    return None


def holds(claim: Claim, value: Fraction) -> bool:
    """Whether the number shown stands for `value`, in base units: the right rounding of it, or within the bound."""
    match claim.bound:
        case "=":
            return value == claim.number
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
