"""Inside a page's own process: running its blocks, and what they may call: publish, figure, table, cite."""

import __future__

import ast
import contextlib
import io
import math
import os
import random
import re
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib
import matplotlib.figure
import numpy
import torch

from scaling_lesson import digits
from scaling_lesson.figures import STYLE, svg
from scaling_lesson.site.numbers.value import Cell, Entry, Fact, Place, Value, canonical
from scaling_lesson.site.run.astray import Astray
from scaling_lesson.site.run.provenance import Provenance
from scaling_lesson.site.run.results import BlockResult, Figure, Job, Table
from scaling_lesson.units import parse_unit, without_prefix


class Session:
    """What the blocks of one page share. tell: is told the line of each statement before it runs."""

    def __init__(self, path: str, tell: Callable[[int], None]) -> None:
        self._path, self._tell, self._root = path, tell, os.getcwd()
        # The first module that is not the server's: to look at what that imported takes longer than a block.
        self._first = [*sys.modules].index("scaling_lesson")
        self._keys: set[str] = set()
        module = sys.modules["page"] = ModuleType("page")  # dataclasses look their module up
        self._names: Any = module.__dict__
        self._names.update(publish=self.publish, figure=self.figure, table=self.table, cite=self.cite)
        self._provenance, self._astray = Provenance(), Astray()
        self._reads: set[str] = set()
        self._wrote: set[str] = set()
        sys.addaudithook(self._note_open)
        random.seed(0)
        numpy.random.seed(0)
        torch.manual_seed(0)
        torch.set_num_threads(1)  # more threads add in another order
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)  # pyright: ignore (its keys are texts)

    def execute(self, job: Job) -> BlockResult:
        """Run a block."""
        self._job, self._left, self._reads = job, BlockResult(), set()
        source = "\n" * job.line + job.code  # so that its lines are the page's
        printed, error = io.StringIO(), None
        self._tell(job.line + 1)
        signal.signal(signal.SIGALRM, self._stop)
        signal.setitimer(signal.ITIMER_REAL, job.limit_s)
        try:
            flags = compile(source, self._path, "exec").co_flags & __future__.annotations.compiler_flag
            tree = ast.parse(source, self._path)
            self._provenance.read(source, tree)
            with contextlib.redirect_stdout(printed), self._astray.watching("asyncio" in job.code):
                for statement in tree.body:
                    self._tell(statement.lineno)
                    exec(compile(ast.Module([statement], []), self._path, "exec", flags), self._names)
        except BaseException as raised:
            error = raised  # whatever it is, exits too: a block that ends early has not computed the page's numbers
        else:
            for n, line in enumerate(printed.getvalue().splitlines(), 1):
                self._enter(f"block {job.index + 1} line {n}", canonical(line), (job.index, 0))
        signal.setitimer(signal.ITIMER_REAL, 0)
        problems = self._provenance.mislabelled(self._names) if error is None else [self._ended(error)]
        ours = (str(Path(digits.__file__).parent), f"{self._root}{os.sep}")
        new = [*sys.modules][self._first :]
        files = (str(getattr(sys.modules.get(name), "__file__", "")) for name in new)
        imported = {file for file in files if file.startswith(ours) and "site-packages" not in file}
        return replace(
            self._left,
            printed=printed.getvalue(),
            problems=[(self._place(line), message) for line, message in problems],
            failed=error is not None,
            missing=(error.name or "") if isinstance(error, NameError) else "",
            reads=frozenset(self._reads | imported),
        )

    def publish(
        self, unit: str, *, tolerance: float = 0.0, reason: str = "", source: object = "", **values: object
    ) -> None:
        """Make values known by name to the prose, in the base unit `unit` ("" for a plain number, text, or a truth).

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
        if base := without_prefix(unit):
            raise ValueError(f'publish in base units, and let the sentence choose the prefix: "{base}", not {unit!r}')
        for name, value in values.items():
            if not re.fullmatch("[a-z][a-z0-9_]*", name):
                raise ValueError(f"a published name must be lower_case_with_underscores; got {name!r}")
            value = _plain(name, value)
            if (unit or tolerance) and isinstance(value, (str, bool)):
                needs = f'its unit must be ""; got {unit!r}' if unit else f"it has no tolerance; got {tolerance!r}"
                raise ValueError(f"{name} is {type(value).__name__}, so {needs}")
            expression = self._provenance.of(name, self._line())
            entry = Value(name, value, parsed, float(tolerance), reason, _printed(source), expression, self._place())
            self._enter(f"value {name}", entry.text, entry.place, entry.tolerance)
            self._left.values[name] = entry

    def cite(self, name: str, value: float, unit: str, source: object) -> None:
        """Enter an outside fact into the list of sources, by its name in the code.

        value: in base units.  unit: the one it is shown in.  source: the Source it stands with.
        """
        plain, shown = _plain(name, value), parse_unit(unit)
        self._enter(f"fact {name}", canonical(plain))
        text = digits.in_full(float(Fraction(plain) / shown.factor))
        self._left.facts.append(Fact(name, Cell(text, plain, shown), _printed(source)))

    def figure(
        self, figure: matplotlib.figure.Figure, *, name: str, title: str, desc: str, data: tuple | None = None
    ) -> None:
        """Show a matplotlib figure as inline SVG with a title and a description, and its data as a folded table.

        data: (columns, rows) or (columns, rows, yours) as `table` takes them.
        """
        if not isinstance(figure, matplotlib.figure.Figure):
            raise ValueError(f"figure takes a matplotlib Figure; got {type(figure).__name__}")
        drawn = svg.svg_of(figure, f"{Path(self._path).stem}-{name}", title, desc)
        self._enter(f"figure {name}", canonical(title))
        self._enter(f"figure {name} desc", canonical(desc))
        for key, text in svg.said(figure):
            self._enter(f"figure {name} {key}", text)
        self._left.shown.append(Figure(drawn, self._table(name, *data) if data is not None else None))

    def table(self, name: str, columns: list, rows: list, yours: Sequence[list] = ()) -> None:
        """Show a table of computed cells.

        columns: a title each, or (title, unit shown, decimals) for a column of numbers given in base units.
        rows: lists of text and numbers; whole numbers are shown in full, others to four digits unless decimals say.
        A text in backticks is shown as code, and may hold any digit.
        yours: more rows, of the reader's own measurement, which the record does not hold.
        """
        self._left.shown.append(self._table(name, columns, rows, yours))

    def _table(self, name: str, columns: list, rows: list, yours: Sequence[list] = ()) -> Table:
        specs: list[Any] = [(c, "", None) if isinstance(c, str) else (*c, None)[:3] for c in columns]
        titles = [title for title, _, _ in specs]
        if len(set(titles)) < len(titles) or any(" = " in key or "\n" in key for key in (name, *titles)):
            raise ValueError(f"table {name!r} must have titles that differ, without ' = ' or line ends; got {titles}")
        self._enter(f"table {name}", canonical(" | ".join(titles)))
        shown = []
        for n, row in enumerate([*rows, *yours], 1):
            if len(row) != len(specs):
                raise ValueError(f"row {n} of table {name!r} has {len(row)} cells; expected {len(specs)}")
            cells = [self._cell(column, value) for column, value in zip(specs, row, strict=True)]
            for title, cell in zip(titles, cells, strict=True) if n <= len(rows) else ():
                self._enter(f"table {name} row {n} {title}", canonical(cell.value if isinstance(cell, Cell) else cell))
            shown.append(cells)
        return Table(specs, shown)

    def _cell(self, column: tuple[str, str, int | None], value: Any) -> Cell | str:
        if isinstance(value, (str, bool)):
            return value if isinstance(value, str) else "yes" if value else "no"
        title, symbol, decimals = column
        plain, unit = _plain(title, value), parse_unit(symbol)
        return Cell(digits.show(Fraction(plain), replace(unit, symbol=""), decimals), plain, unit)

    def _enter(self, key: str, text: str, place: Place | None = None, tolerance: float = 0.0) -> None:
        """Add a line to the page's record."""
        if key in self._keys:
            raise ValueError(f"this page already has {key}")
        self._keys.add(key)
        self._left.entries[key] = Entry(text, place or self._place(), tolerance)

    def _note_open(self, event: str, arguments: tuple) -> None:
        """A file of the project that a block opens, or a folder it lists: when it changes, the block runs again."""
        if event in ("open", "os.scandir", "os.listdir") and isinstance(arguments[0], (str, bytes, os.PathLike)):
            path = os.path.relpath(os.path.abspath(os.fsdecode(arguments[0])), self._root)
            # Python itself may open the page, for the lines of a message, and looks for modules.
            pythons = path.startswith(("..", ".venv", self._path)) or "importlib" in sys._getframe(1).f_code.co_filename
            if event == "open" and "r" not in (arguments[1] or "r"):
                self._wrote.add(path)  # what it reads of that is its own
            elif not pythons and path not in self._wrote:
                self._reads.add(path)

    def _stop(self, *_: object) -> None:
        """The time is up. Nothing is raised, for a block could catch it."""
        self._tell(self._line())
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGALRM)

    def _line(self) -> int:
        """The page's line that is running: that of the deepest frame of its own file."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != self._path:
            frame = frame.f_back
        return frame.f_lineno if frame else self._job.line + 1

    def _place(self, line: int = 0) -> Place:
        """Of a line of the page; without one, of that which is running."""
        return self._job.index, (line or self._line()) - self._job.line - 1

    def _ended(self, error: Any) -> tuple[int, str]:
        """Where and why the block ended early."""
        frames, syntax = traceback.extract_tb(error.__traceback__), isinstance(error, SyntaxError)
        lines = [self._job.line + 1, *(frame.lineno for frame in frames if frame.filename == self._path)]
        if syntax and error.filename == self._path:
            lines.append(error.lineno or lines[0])
        said = " ".join(str(error.msg if syntax else error).split())
        if syntax and error.filename != self._path and os.path.exists(error.filename or ""):
            said += f" ({os.path.basename(error.filename)}, line {error.lineno})"
        what = f"raised {type(error).__name__}{said and f': {said}'}"
        if isinstance(error, SystemExit):
            what = f"called sys.exit({error})"
        return lines[-1], f"the block {what}"


def _printed(source: Any) -> dict[str, str]:
    """Where an outside fact is printed, as texts, which a process without the lesson's code can read too."""
    return {"title": str(source), **getattr(source, "__dict__", {}), "text": str(source)} if source else {}


def _plain(name: str, value: Any) -> Any:
    """The value as Python's own type, which every process can read. Raises ValueError when it is none."""
    kind = next((kind for kind in (bool, int, float, Fraction, str) if isinstance(value, kind)), None)
    if kind is None:
        raise ValueError(f"{name} must be an int, float, Fraction, str or bool; got {type(value).__name__}")
    if kind is float and not math.isfinite(float(value)):
        raise ValueError(f"{name} must be finite; got {value}")
    return kind(value)
