"""What a page publishes and shows: values with their unit and origin, cells of tables, facts."""

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from scaling_lesson.digits import exponent_of, fixed, in_full, raised
from scaling_lesson.site.numbers.claim import WORDS, Claim, holds, measures, parse
from scaling_lesson.units import Unit, plural

Place = tuple[int, int]
"""Where something happened: the index of the page's block, and the line within its body (0-based)."""


@dataclass(frozen=True)
class Value:
    """A published value."""

    name: str
    value: Any  # int, float, Fraction, str or bool
    unit: Unit
    tolerance: float
    reason: str
    source: dict[str, str]
    """Where an outside fact is printed: all as one `text`, and its title, where, date and url; else nothing."""
    expression: str
    place: Place

    @property
    def exact(self) -> Any:
        """Its number in base units of `unit`; None for text, True and False."""
        return None if isinstance(self.value, (str, bool)) else Fraction(self.value) * self.unit.factor

    @property
    def text(self) -> str:
        """The value in full with its unit, as messages and records give it."""
        return canonical(self.value, self.unit.symbol)

    @property
    def in_full(self) -> str:
        """The value in full, as readers see it."""
        if self.exact is None:
            return str(self.value)
        return f"{in_full(self.value)} {self.unit.symbol if self.exact == 1 else plural(self.unit.symbol)}".rstrip()

    @property
    def margin(self) -> str:
        """Its tolerance and the reason for it, as readers see them; "" without one."""
        return f"{f'± {self.tolerance:g} {self.unit.symbol}'.rstrip()}: {self.reason}" if self.tolerance else ""

    def disagreement(self, claim: Claim, recorded: Fraction | None) -> str | None:
        """Why a claim does not hold for this number; None when it does. recorded: as it was accepted, in `unit`.

        With a tolerance the claim must hold at both its ends too, so that no machine can flip it; or, so that all
        machines judge alike, at both ends of the recorded number, with which all are compared.
        """
        if not measures(claim.unit, self.unit):
            return f"{claim.unit.symbol or 'a bare number'} is {claim.unit.dimension}, not {self.unit.dimension}"
        if not holds(claim, self.exact):
            return "the digits differ"
        middle, tolerance = Fraction(self.value) if recorded is None else recorded, Fraction(self.tolerance)
        ends = [end * self.unit.factor for end in (middle - tolerance, middle + tolerance)]
        if not all(holds(claim, end) for end in ends):
            return "its tolerance reaches over the rounding boundary: show fewer digits"
        if claim.bound[:1] in ("<", ">") and claim.number:
            near, (low, high) = ends[claim.bound[0] == "<"], sorted((claim.number / 2, claim.number * 2))
            if not low <= near <= high:
                return "the bound says too little: it lies off by more than a factor of two"
        return None

    def correction(self, claim: Claim, recorded: Fraction | None) -> str | None:
        """The claim's text with digits that hold, in the same shape; None where a person must choose."""
        parts, scale = claim.parts, claim.unit.factor * WORDS.get(claim.parts["word"], 1)
        if claim.bound not in ("", "about", "=") or claim.step is None or parts["base"]:
            return None
        decimals = len(parts["decimals"].removeprefix("."))
        exponent, number = 0, round(self.exact / claim.step) * claim.step
        if parts["times"] or parts["e"]:
            if self.exact == 0:
                return None
            exponent, number = exponent_of(abs(self.exact) / scale, decimals), self.exact
        number = number / scale / Fraction(10) ** exponent
        digits = fixed(number, decimals, "," in parts["whole"] or (abs(number) >= 1000 and len(parts["whole"]) < 4))
        digits = digits.replace("-", parts["sign"] or "−")
        power = f"{parts['times']}{raised(exponent)}" if parts["times"] else f"e{exponent}" * bool(parts["e"])
        word = f" {parts['word']}" if parts["word"] else ""
        text = f"{parts['bound']}{digits}{power}{word}{parts['unit']}"
        try:
            return text if self.disagreement(parse(text), recorded) is None else None
        except ValueError:
            return None


@dataclass(frozen=True)
class Entry:
    """One line of a record: the canonical text, and how far a recorded number may lie from it."""

    text: str
    place: Place
    tolerance: float = 0.0


@dataclass(frozen=True)
class Cell:
    """One number of a generated table, as shown: `value` in base units, `text` in `unit`."""

    text: str
    value: Any
    unit: Unit


@dataclass(frozen=True)
class Fact:
    """An outside fact, by its name in the code, and where it is printed, as for a Value."""

    name: str
    cell: Cell
    source: dict[str, str]


def canonical(value: object, unit: str = "") -> str:
    """The one way a value is written in a record: integers and floats in full, text in JSON quotes."""
    if isinstance(value, (bool, str)):
        text = json.dumps(value, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode()  # half of a surrogate pair is no UTF-8
    return f"{value} {unit}".rstrip()
