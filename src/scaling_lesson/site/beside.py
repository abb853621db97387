"""What stands beside a claim: it must not make another number of it than the one that was checked.

`[10](calc:ten) million` or `over [10](calc:ten)` would show a reader what nothing has checked. What belongs to a number
goes inside its link.
"""

import re

from scaling_lesson.site.claims import BOUNDS, WORDS, Claim
from scaling_lesson.units import COUNTED, Unit, parse_unit

_WORDED = "|".join(bound for bound in BOUNDS if bound[0].isalpha())
_BOUND_BEFORE = re.compile(
    rf"(?:\b(?:{_WORDED}|nearly|almost|roughly|approximately|around|up to|close to|not quite"
    r"|(?:greater|higher|larger|lower|smaller|fewer) than|as (?:much|many|little|few) as|(?:min|max)imum of)\s+|(?<!\b\w\s)[<>≤≥≈~]\s*)\Z",
    re.I,
)
_BOUND_AFTER = re.compile(r"\s+(?:(?:or|and) (?:more|less|fewer|so)|at least|at most)\b")

# Glued to it, but for what opens or closes a quotation or the like; a sign.
_SIGN_BEFORE = re.compile(
    r"[^\s\0(\[{\"“‘'—–]\Z|(?<!⟧)–\Z|(?<![⟧)]\s)(?<!\b\w\s)[-−]\s+\Z"
    r"|\b(?:minus|negative|plus|twice|half|triple|double|hundred|thousand|[a-z]+ty)\s+\Z",
    re.I,
)
_GROUP_BEFORE, _GROUP = re.compile(r"⟦[^⟧\0]*\d⟧\s\Z"), re.compile(r"\d{3}(?!\d)")
"""37 748 is one number."""
_GLUED_AFTER = re.compile(r"(?![)\]}\"”’'.,;:!?…]*(?:[\s\0—–]|\Z)|['’]s\b|-[A-Za-z]{2})[^\s\0]+")
_NUMBER_AFTER = re.compile(
    rf"[\"”’']*[\s-]\s*\(?(?:(?:(?i:{'|'.join(WORDS)}|quadrillion|hundred|dozen)s?|per ?cent|pct|squared|cubed|fold|bn|mln|[kKMGT])\b"
    r"|(?:kilo|mega|giga|tera|peta|kibi|mebi|gibi|milli|micro|nano)[a-z]+|(?:minute|week|month)s?\b|[TPG]?FLOPS\b|[kM]?Wh?\b|[$€£‰]"
    r"|(?:per|an?|each|every|in an?) (?:second|minute|hour|day|week|month|year)\b|/\s*\w"
    r"|and an? (?:half|third|quarter)\b|point\s+\w+|[×x](?!\s+[⟦(\w]))"
)
_WORD = r"([^\s\0⟦.,;:!?)\]”’\"]+)"
_WORDS_AFTER = re.compile(rf"[\s-]\s*{_WORD}(?: {_WORD})?(?: {_WORD})?")


def beside(before: str, after: str, claim: Claim | None, unit: Unit) -> str | None:
    """What is wrong with the text before and after a claim, whose value is published in `unit`; None when nothing is.

    In the text, other claims stand in ⟦ ⟧, and lines begin and end with \\0. claim: None where the value is a text.
    """
    if claim and (bound := _BOUND_BEFORE.search(before) or _BOUND_AFTER.match(after)):
        return f'"{bound[0].strip()}" belongs inside the link, where it is checked'
    grouped = claim and _GROUP.match(claim.text) and _GROUP_BEFORE.search(before)
    found = grouped or _SIGN_BEFORE.search(before) or _GLUED_AFTER.match(after) or _NUMBER_AFTER.match(after)
    word = re.sub("[⟦⟧]", "", found[0]).strip() if found else _unit_after(after, claim, unit)
    return f'"{word}" makes it another number: put it inside the link, where it is checked' if word else None


def _unit_after(after: str, claim: Claim | None, unit: Unit) -> str | None:
    """A unit after a claim that has none, unless it is what the value counts. A noun must be plural: others begin more."""
    words = _WORDS_AFTER.match(after)
    if claim is None or words is None or claim.unit.symbol:
        return None
    one, two, three = words.groups("")
    for word in (f"{one} {two}", one, two, three):
        try:
            said = parse_unit(word)
        except ValueError:
            continue
        noun = said.dimension in COUNTED
        if (
            (said.dimension == unit.dimension and noun)
            or word == "times"
            or (noun and (unit.dimension == "number" or word[-1] != "s"))
        ):
            return None
        return None if word == "×" else word
    return None
