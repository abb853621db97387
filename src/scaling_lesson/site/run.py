"""What a page's blocks publish, draw and print, as the gate sees it: the blocks run in a process of their own."""

import re
from dataclasses import dataclass
from fractions import Fraction

from scaling_lesson.site import claims, digits
from scaling_lesson.site.isolate import PageProcess
from scaling_lesson.site.records import canonical
from scaling_lesson.site.source import Fence
from scaling_lesson.units import Unit

Place = tuple[int, int]
"""Where something happened: the index of the page's fence, and the line within its body (0-based)."""


@dataclass
class Value:
    """A published value. `exact` is its number in base units of `unit`; None for text, True and False.

    recorded: the number it was compared with and lies within its tolerance of, when it has one.
    """

    name: str
    value: int | float | Fraction | str | bool
    unit: Unit
    tolerance: float
    reason: str
    source: object
    expression: str
    place: Place
    used: bool = False
    recorded: Fraction | None = None

    @property
    def exact(self) -> Fraction | None:
        return None if isinstance(self.value, (str, bool)) else Fraction(self.value) * self.unit.factor

    def disagreement(self, claim: claims.Claim) -> str | None:
        """Why a claim does not hold for this value, which has a number; None when it does."""
        around = Fraction(self.value) if self.recorded is None else self.recorded
        factor = self.unit.factor
        return claims.disagreement(claim, self.exact, self.unit, Fraction(self.tolerance) * factor, around * factor)

    @property
    def text(self) -> str:
        """The value in full with its unit, as messages and records give it."""
        return canonical(self.value, self.unit.symbol)

    @property
    def in_full(self) -> str:
        """The value in full, as readers see it."""
        return str(self.value) if self.exact is None else f"{digits.in_full(self.value)} {self.unit.symbol}".rstrip()


@dataclass
class Entry:
    """One line of a record: the canonical text, and how far a recorded number may lie from it."""

    text: str
    place: Place
    tolerance: float = 0.0


@dataclass
class Cell:
    """One number of a generated table, as shown: `value` in base units, `text` in `unit`."""

    text: str
    value: int | float
    unit: Unit
    place: Place


@dataclass
class Fact:
    """An outside fact, by its name in the code, and the Source it has there."""

    name: str
    cell: Cell
    source: object


class Run:
    """The run of one page, and everything its blocks left behind."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: dict[str, Value] = {}
        self.entries: dict[str, Entry] = {}
        self.cells: list[Cell] = []
        self.facts: dict[str, Fact] = {}
        self.failures: list[tuple[Place, str]] = []
        self.html: dict[int, str] = {}
        self._process: PageProcess | None = None
        self._ended = False
        self._lost: set[str] = set()
        """The words of failed blocks: a later block that misses such a name has no failure of its own."""

    def execute(self, index: int, fence: Fence, code: str) -> tuple[str, str]:
        """Run one block; return what it printed, and the HTML of its figures and tables. Failures are collected."""
        if self._ended:  # with an earlier block, which is told
            return "", ""
        self._process = self._process or PageProcess(self.path)
        answer, line = self._process.run(index, fence.line, code, float(fence.options.get("timeout", "20")))
        if isinstance(answer, str):
            self._ended = True
            printed, html, failure = "", "", ((index, line - fence.line - 1), f"the block {answer}", "")
        else:
            printed, html, failure, self.values, self.entries, self.cells, self.facts = answer
        if failure:
            place, message, missing = failure
            if missing not in self._lost:
                self.failures.append((place, message))
            self.lose(code)
        return printed, html

    def lose(self, code: str) -> None:
        """Note that this code did not run to its end: names it would have assigned are unknown. It may not even parse."""
        self._lost.update(re.findall(r"\w+", code))

    def end(self) -> None:
        """The page has no more blocks: end its process."""
        if self._process and not self._ended:
            self._process.end()
        self._ended = True
