"""What running a page's blocks takes, and what it leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from scaling_lesson.site.numbers.value import Cell, Entry, Fact, Place, Value


@dataclass(frozen=True)
class Job:
    """A block to run: its index on the page, the line of its fence, its code, its limit in seconds.

    runs: False for one that cannot; what it would have named is unknown then.
    """

    index: int
    line: int
    code: str
    limit_s: float
    runs: bool = True


@dataclass(frozen=True)
class Table:
    """Computed cells and text; columns are (title, unit shown, decimals)."""

    columns: Sequence[tuple[str, str, int | None]]
    rows: Sequence[Sequence[Cell | str]]


@dataclass(frozen=True)
class Figure:
    """An inline SVG, and its data."""

    svg: str
    data: Table | None


@dataclass(frozen=True)
class BlockResult:
    """What one block left behind. problems: what ended it, or what in it misleads a reader. failed: whether it ended
    early. missing: the name it then did not find. reads: the files of the project it opened, and those of the lesson's
    modules that were imported.
    """

    printed: str = ""
    shown: list[Figure | Table] = field(default_factory=list)
    problems: Sequence[tuple[Place, str]] = ()
    failed: bool = False
    missing: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    reads: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """How many characters it shows."""
        return len(self.printed) + sum(len(part.svg) for part in self.shown if isinstance(part, Figure))


@dataclass(frozen=True)
class Results:
    """What all blocks of a page left behind, by the index of the block, and together."""

    blocks: dict[int, BlockResult] = field(default_factory=dict)

    @cached_property
    def values(self) -> dict[str, Value]:
        return {name: value for block in self.blocks.values() for name, value in block.values.items()}

    @cached_property
    def entries(self) -> dict[str, Entry]:
        return {key: entry for block in self.blocks.values() for key, entry in block.entries.items()}

    @cached_property
    def failures(self) -> list[BlockResult]:
        return [block for block in self.blocks.values() if block.failed]

    @property
    def reads(self) -> frozenset[str]:
        return frozenset().union(*(block.reads for block in self.blocks.values()))
