"""What running a page's blocks left behind."""

from dataclasses import dataclass, field

from scaling_lesson.site.numbers.value import Cell, Entry, Fact, Place, Value


@dataclass(frozen=True)
class Table:
    """Computed cells and text; columns are (title, unit shown, decimals)."""

    columns: tuple[tuple[str, str, int | None], ...]
    rows: tuple[tuple[Cell | str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """An inline SVG, and its data."""

    svg: str
    data: Table | None


@dataclass(frozen=True)
class Failure:
    """Why a block did not run to its end. missing: the name it did not find, "" for another reason."""

    place: Place
    message: str
    missing: str = ""


@dataclass(frozen=True)
class BlockResult:
    """What one block left behind. reads: the files of the project it opened. doubts: what in it misleads a reader."""

    printed: str = ""
    shown: tuple[Figure | Table, ...] = ()
    failure: Failure | None = None
    doubts: tuple[tuple[Place, str], ...] = ()
    values: dict[str, Value] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    facts: dict[str, Fact] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Results:
    """What all blocks of a page left behind, by the index of the block, and together."""

    blocks: dict[int, BlockResult] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    facts: dict[str, Fact] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    reads: frozenset[str] = frozenset()


def together(blocks: dict[int, BlockResult], lost: set[str]) -> Results:
    """The results of a page's blocks. lost: words of code that did not run; to miss one of those names is no failure."""
    all_of = list(blocks.values())
    return Results(
        blocks,
        {name: value for block in all_of for name, value in block.values.items()},
        {key: entry for block in all_of for key, entry in block.entries.items()},
        tuple(cell for block in all_of for cell in block.cells),
        {name: fact for block in all_of for name, fact in block.facts.items()},
        tuple(block.failure for block in all_of if block.failure and block.failure.missing not in lost),
        frozenset().union(*(block.reads for block in all_of)),
    )
