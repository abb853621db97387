"""Inside a page's own process: running its blocks, and what they may call."""

import __future__

import ast
import contextlib
import io
import math
import random
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import matplotlib
import numpy
import torch
from matplotlib.figure import Figure

from scaling_lesson.figures import STYLE
from scaling_lesson.site import digits, svg, tables
from scaling_lesson.site.expressions import Expressions
from scaling_lesson.site.records import canonical
from scaling_lesson.site.run import Cell, Entry, Fact, Place, Value
from scaling_lesson.units import parse_unit


class Session:
    """What the blocks of one page share. tell: is told the line of each statement before it runs."""

    def __init__(self, path: str, tell: Callable[[int], None]) -> None:
        self.path = path
        self.tell = tell
        self.values: dict[str, Value] = {}
        self.entries: dict[str, Entry] = {}
        self.cells: list[Cell] = []
        self.facts: dict[str, Fact] = {}
        module = sys.modules["page"] = ModuleType("page")  # dataclasses look their module up
        self._names = module.__dict__
        self._names |= {"publish": self.publish, "figure": self.figure, "table": self.table, "cite": self.cite}
        self._expressions = Expressions()
        self._fence = (0, 0)
        self._extra: list[str] = []
        random.seed(0)
        numpy.random.seed(0)
        torch.manual_seed(0)
        torch.set_num_threads(1)  # more threads add in another order
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)

    def execute(self, index: int, first: int, code: str, limit: float) -> tuple:
        """Run block `index`, whose fence is the page's line `first`.

        Returns what it printed, the HTML of its figures and tables, its failure as (place, message, missing name) or
        None, and the values, entries, cells and facts of the page so far.
        """
        self._fence, self._extra = (index, first), []
        source = "\n" * first + code  # so that its lines are the page's
        self.tell(first + 1)
        signal.signal(signal.SIGALRM, self._stop)
        signal.setitimer(signal.ITIMER_REAL, limit)
        printed, failure = io.StringIO(), None
        try:
            flags = compile(source, self.path, "exec").co_flags & __future__.annotations.compiler_flag
            tree = ast.parse(source, self.path)
            self._expressions.read(source, tree)
            with contextlib.redirect_stdout(printed):
                for statement in tree.body:
                    self.tell(statement.lineno)
                    exec(compile(ast.Module([statement], []), self.path, "exec", flags), self._names)
        except BaseException as error:
            # Everything, exits too: a block that ends early has not computed the page's numbers.
            failure = (*self._describe(error), error.name if isinstance(error, NameError) else "")
        else:
            for number, line in enumerate(printed.getvalue().splitlines(), 1):
                self.entries[f"block {index + 1} line {number}"] = Entry(canonical(line), (index, 0))
        signal.setitimer(signal.ITIMER_REAL, 0)
        return printed.getvalue(), "".join(self._extra), failure, self.values, self.entries, self.cells, self.facts

    def publish(
        self, unit: str, *, tolerance: float = 0.0, reason: str = "", source: object = "", **values: object
    ) -> None:
        """Make values known by name to the prose, in `unit` ("" for a plain number, text, or a truth).

        tolerance: how far another machine's value may lie from this one, in `unit`; it needs a `reason`.
        source: where an outside fact stands, shown with the number.
        """
        if not values:
            raise ValueError("publish needs at least one name=value")
        if bool(tolerance) != bool(reason):
            raise ValueError(f"tolerance and reason go together; got tolerance={tolerance!r}, reason={reason!r}")
        if not (isinstance(tolerance, (int, float)) and math.isfinite(tolerance) and tolerance >= 0):
            raise ValueError(f"tolerance must be a finite number, not negative; got {tolerance!r}")
        parsed = parse_unit(unit)
        place, line = self._place(), self._line()
        for name, value in values.items():
            if name in self.values:
                raise ValueError(f"{name} is already published on this page")
            if not name.isidentifier() or name != name.lower() or not name[0].isalpha():
                raise ValueError(f"a published name must be lower_case_with_underscores; got {name!r}")
            value = _plain(name, value)
            if unit and isinstance(value, (str, bool)):
                raise ValueError(f'{name} is {type(value).__name__}, so its unit must be ""; got {unit!r}')
            if tolerance and isinstance(value, (str, bool)):
                raise ValueError(f"{name} is {type(value).__name__}, so it has no tolerance; got {tolerance!r}")
            expression = self._expressions.of(name, line)
            entry = Value(name, value, parsed, float(tolerance), reason, source, expression, place)
            self.values[name] = entry
            self.entries[f"value {name}"] = Entry(entry.text, place, float(tolerance))

    def cite(self, name: str, value: int | float, unit: str, source: object) -> None:
        """Enter an outside fact into the list of sources, by its name in the code.

        value: in base units.  unit: the one it is shown in.  source: the Source it stands with.
        """
        if name in self.facts:
            raise ValueError(f"{name} is already cited on this page")
        value, shown, place = _plain(name, value), parse_unit(unit), self._place()
        cell = Cell(digits.in_full(float(Fraction(value) / shown.factor)), value, shown, place)
        self.cells.append(cell)
        self.facts[name] = Fact(name, cell, source)
        self.entries[f"fact {name}"] = Entry(canonical(value), place)

    def figure(
        self, figure: Figure, *, name: str, title: str, desc: str, data: tuple[list, list] | None = None
    ) -> None:
        """Show a matplotlib figure as inline SVG with a title and a description, and its data as a folded table.

        data: (columns, rows) as `table` takes them.
        """
        place = self._place()
        if not isinstance(figure, Figure):
            raise ValueError(f"figure takes a matplotlib Figure; got {type(figure).__name__}")
        if f"figure {name}" in self.entries:
            raise ValueError(f"there is already a figure {name!r} on this page")
        self._extra.append(svg.render(figure, f"{Path(self.path).stem}-{name}", title, desc))
        self.entries[f"figure {name}"] = Entry(canonical(title), place)
        self.entries[f"figure {name} desc"] = Entry(canonical(desc), place)
        for key, text in svg.drawn(figure):
            self.entries[f"figure {name} {key}"] = Entry(text, place)
        if data is not None:
            self._extra.append(tables.folded(self._table(name, *data, place)))

    def table(self, name: str, columns: list, rows: list) -> None:
        """Show a table of computed cells.

        columns: a title each, or (title, unit shown, decimals) for a column of numbers given in base units.
        rows: lists of text and numbers; whole numbers are shown in full, others to four digits unless decimals say.
        """
        self._extra.append(self._table(name, columns, rows, self._place()))

    def _table(self, name: str, columns: list, rows: list, place: Place) -> str:
        if f"table {name}" in self.entries:
            raise ValueError(f"there is already a table {name!r} on this page")
        specs = [(c, "", None) if isinstance(c, str) else (*c, None)[:3] for c in columns]
        titles = [title for title, _, _ in specs]
        if len(set(titles)) < len(titles) or any(" = " in key or "\n" in key for key in (name, *titles)):
            raise ValueError(f"table {name!r} must have titles that differ, without ' = ' or line ends; got {titles}")
        self.entries[f"table {name}"] = Entry(canonical(" | ".join(title for title, _, _ in specs)), place)
        shown = []
        for number, row in enumerate(rows, 1):
            if len(row) != len(specs):
                raise ValueError(f"row {number} of table {name!r} has {len(row)} cells; expected {len(specs)}")
            shown.append([])
            for (title, symbol, decimals), value in zip(specs, row, strict=True):
                if isinstance(value, bool):
                    value = "yes" if value else "no"
                if not isinstance(value, str):
                    value, unit = _plain(title, value), parse_unit(symbol)
                    self.cells.append(
                        Cell(digits.show(Fraction(value), replace(unit, symbol=""), decimals), value, unit, place)
                    )
                self.entries[f"table {name} row {number} {title}"] = Entry(canonical(value), place)
                shown[-1].append(value if isinstance(value, str) else self.cells[-1])
        return tables.table(specs, shown)

    def _stop(self, *_: object) -> None:
        """The time is up. Nothing is raised, for a block could catch it."""
        self.tell(self._line())
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGALRM)

    def _line(self) -> int:
        """The page's line that is running: that of the deepest frame of its own file."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != self.path:
            frame = frame.f_back
        return frame.f_lineno if frame else self._fence[1] + 1

    def _place(self) -> Place:
        index, first = self._fence
        return index, self._line() - first - 1

    def _describe(self, error: BaseException) -> tuple[Place, str]:
        index, first = self._fence
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == self.path]
        if isinstance(error, SyntaxError) and error.filename == self.path:
            lines = [error.lineno or first + 1]
        said = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
        raised = f"raised {type(error).__name__}: {said}".removesuffix(": ")
        what = f"called sys.exit({error})" if isinstance(error, SystemExit) else raised
        return (index, (lines or [first])[-1] - first - 1), f"the block {what}"


def _plain(name: str, value: object) -> int | float | Fraction | str | bool:
    """The value as Python's own type, which every process can read. Raises ValueError when it is no such number or text."""
    kind = next((kind for kind in (bool, int, float, Fraction, str) if isinstance(value, kind)), None)
    if kind is None:
        raise ValueError(f"{name} must be an int, float, Fraction, str or bool; got {type(value).__name__}")
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{name} must be finite; got {value}")
    return kind(value)
