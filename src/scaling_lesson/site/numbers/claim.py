"""The grammar of a number, as people write it, and whether one stands for a value. Exact arithmetic, no floats.

A claim is the text of a link such as `[37.7 MB](calc:one_sequence)`. It holds when the text is the correct rounding
(half to even, as Python formats) of the published value at the digits shown, in a unit of the same dimension.

    claim   = [bound] number [word] [unit]; the bound may begin a sentence
    bound   = about | exactly | over | more than | at least | under | less than | at most | > | ≥ | < | ≤ | ≈ | ~
    number  = 37.7 | 1,024 | -0.5 | 5.9 × 10²³ | 5.9e23 | 2⁻¹¹ | 1/12
    word    = thousand | million | billion | trillion
    unit    = a unit of scaling_lesson.units, after a space; % and × and x may touch the number
"""

import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from scaling_lesson.units import COUNTED, UNITS, Unit, parse_unit

BOUNDS = (
    dict.fromkeys(("about", "≈", "~"), "about")
    | {"exactly": "="}
    | dict.fromkeys(("over", "more than", ">"), ">")
    | dict.fromkeys(("at least", "≥"), ">=")
    | dict.fromkeys(("under", "less than", "<"), "<")
    | dict.fromkeys(("at most", "≤"), "<=")
)
WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_COMPARE = {"=": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_WORDED = "|".join(bound.replace(" ", r"\s") for bound in BOUNDS if bound.isascii() and bound[0].isalpha())
_BOUND = rf"(?P<bound>\b(?i:{_WORDED})\s+|[<>≥≤≈~]\s*)"
_NUMBER = re.compile(
    rf"""(?:(?<!\w){_BOUND})?(?P<sign>(?<!\w)[-−])?(?:  # 2-3 is a range, and x>5 has a 5
        (?P<base>2|10)(?P<power>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,4}})
      | (?P<above>[0-9]{{1,9}})/(?P<below>[0-9]{{1,9}})
      | (?P<whole>[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,8}}|[0-9]{{1,27}})(?P<decimals>\.[0-9]{{1,30}})?
        (?:(?P<times>\s?[×x]\s?10)(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,4}})|[eE](?P<e>[-+]?[0-9]{{1,4}}))?
    )(?:\s(?P<word>{"|".join(WORDS)})\b)?""",
    re.X,
)
_SYMBOL = "|".join(re.escape(s) for s in sorted(UNITS, key=len, reverse=True) if s[:1].isalpha() and s != "x")
_UNIT = re.compile(
    rf"\s?(?:%|×(?!\s?[\w(])|x\b(?!\s?[\d(])|/\s?(?:{_SYMBOL})\b|(?:{_SYMBOL})(?:/(?:{_SYMBOL}))?\b(?!['’]))"
)


@dataclass(frozen=True)
class Claim:
    """A number as it was written. What it shows is `digits * step`; `step` is one unit in the last digit shown.

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
    match = _NUMBER.match(text)
    rest = text[match.end() :] if match else text
    if match is None or not (rest[:1].isspace() or rest in ("", "%", "×", "x")):
        unspaced = match and (unit_after(rest) or rest in WORDS)
        hint = f'; a space is missing: "{text[: match.end()]} {rest}"' if unspaced else ""
        raise ValueError(f'"{text}" does not read as a number with an optional bound and unit{hint}')
    unit = parse_unit(rest[1:] if rest[:1].isspace() else rest)
    parts = {name: part or "" for name, part in match.groupdict().items()} | {"unit": rest}
    scale = unit.factor * WORDS.get(parts["word"], 1)
    sign = -1 if parts["sign"] else 1
    bound = BOUNDS.get(" ".join(parts["bound"].lower().split()), "")
    if parts["above"] and not int(parts["below"]):
        raise ValueError(f'"{text}" divides by zero')
    if parts["above"]:
        exact = sign * Fraction(int(parts["above"]), int(parts["below"])) * scale
        return Claim(text, bound, 1, None, exact, unit, parts)
    if parts["base"]:
        step = Fraction(int(parts["base"])) ** int(parts["power"].translate(_RAISED)) * scale
        return Claim(text, bound, sign, None if parts["base"] == "2" else step, sign * step, unit, parts)
    decimals = parts["decimals"].removeprefix(".")
    digits = sign * int(parts["whole"].replace(",", "") + decimals)
    exponent = int(parts["e"] or parts["raised"].translate(_RAISED) or 0)
    step = Fraction(10) ** (exponent - len(decimals)) * scale
    if bound == "about" and not decimals:
        while digits and digits % 10 == 0:  # "about 500,000" promises one digit, a bare 500,000 promises six
            digits, step = digits // 10, step * 10
    return Claim(text, bound, digits, step, digits * step, unit, parts)


def find(text: str) -> Iterator[tuple[str, str]]:
    """Each number in a text that is no part of a word, and the unit or word of size behind it: ("37.7 MB", "MB")."""
    for match in _NUMBER.finditer(text):
        unit = _UNIT.match(text, match.end())
        end = unit.end() if unit else match.end()
        start = match.start()
        if not re.match(r"[\w.^]", text[max(start - 1, 0) : start]) and not re.match(r"\w", text[end:]):
            yield text[start:end], unit[0].strip() if unit else match["word"] or ""


def unit_after(text: str) -> Unit | None:
    """The unit that stands at the beginning of what follows a number; None for none."""
    match = _UNIT.match(text)
    try:
        return parse_unit(match[0].strip()) if match else None
    except ValueError:  # "/s" alone
        return None


def beside(before: str, claim: Claim | None, value: Unit, after: str) -> str | None:
    """What is wrong with the text before and after a claim, whose value is in the unit `value`; None when nothing is.

    The claim with its neighbours must not be another number than the one that was checked: `[10](calc:x) million`.
    In the text, other claims stand in ⟦ ⟧, and \\0 ends a line. A digit beside it is told as a naked number. claim:
    None where the value is a text.
    """
    if sign := re.search(r"[^\s\d\0(\[{\"“‘'—–⟧-]\Z|(?<![\w⟧])[-–]\Z|(?<![\w)\]%⟧]\s)[−±]\s\Z", before):
        return _another(sign[0].strip())
    bound = re.search(rf"(?<!\b\w\s){_BOUND}\Z", before) if claim else None
    if bound and not (value.dimension in COUNTED and bound[0].strip().isalpha()):  # averaged over 12 layers
        return f'"{bound[0].strip()}" belongs inside the link, where it is checked'
    group = re.search(r"⟦([^⟧\0]*\d)⟧\s\Z", before)
    if claim and group and re.match(r"\d{3}(?!\d)", claim.text):
        return _another(group[1])  # 37 748 is one number
    if claim and (word := re.match(rf"[\s-](?i:{'|'.join(WORDS)})s?\b", after)):
        return _another(word[0].strip())
    if glued := re.match(r"(?=[.,:]?⟦|[^\W\d]|[%×‰°^+/$€£])[^\s\0]+", after):
        return _another(re.sub("[⟦⟧]", "", glued[0]))
    unit = claim and not claim.unit.symbol and _UNIT.match(re.sub("[⟦\0].*", "(", after, flags=re.S))
    return _another(unit[0].strip()) if unit and not _counts(unit[0].strip(), value) else None


def _another(word: str) -> str:
    return f'"{word}" makes it another number: put it inside the link, where it is checked'


def _counts(word: str, value: Unit) -> bool:
    """Whether a word behind a bare number may be the noun of what the value counts."""
    noun = UNITS[word].dimension if word in UNITS else ""
    return word == "times" or (noun in COUNTED and (value.dimension in ("number", noun) or word[-1] != "s"))


def measures(shown: Unit, unit: Unit) -> bool:
    """Whether what is in one unit may be shown in the other. A count may leave its noun to the sentence: "12"."""
    return shown.dimension == unit.dimension or (shown.symbol == "" and unit.dimension in COUNTED)


def holds(claim: Claim, value: Fraction) -> bool:
    """Whether the number shown stands for `value`, in base units: the right rounding of it, or within the bound."""
    if claim.bound in _COMPARE:
        return _COMPARE[claim.bound](value, claim.number)
    if claim.step is None:
        return value == claim.number
    if value != 0 and claim.digits == 0:
        return False  # "0.0 MB" for something that is not nothing
    return round(value / claim.step) == claim.digits
