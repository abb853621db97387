"""Inside a page's own process: running its blocks, and what they may call: publish, figure, table, cite."""

import __future__

import ast
import contextlib
import gc
import io
import logging
import math
import os
import random
import re
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import matplotlib
import matplotlib.figure
import numpy
import torch

from scaling_lesson.figures import STYLE, svg
from scaling_lesson.site.numbers import value as numbers
from scaling_lesson.site.numbers.value import Cell, Entry, Fact, Place, Value, canonical
from scaling_lesson.site.run.provenance import Provenance
from scaling_lesson.site.run.results import BlockResult, Failure, Figure, Table
from scaling_lesson.units import parse_unit, without_prefix


class Session:
    """What the blocks of one page share. tell: is told the line of each statement before it runs."""

    def __init__(self, path: str, tell: Callable[[int], None]) -> None:
        self.path = path
        self.tell = tell
        self.keys: set[str] = set()
        module = sys.modules["page"] = ModuleType("page")  # dataclasses look their module up
        self._names = module.__dict__
        self._names |= {"publish": self.publish, "figure": self.figure, "table": self.table, "cite": self.cite}
        self._provenance = Provenance()
        self._astray = Astray()
        self._reads: set[str] = set()
        self._root = os.getcwd()
        sys.addaudithook(self._note_open)
        random.seed(0)
        numpy.random.seed(0)
        torch.manual_seed(0)
        torch.set_num_threads(1)  # more threads add in another order
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)

    def execute(self, index: int, first: int, code: str, limit_s: float) -> BlockResult:
        """Run block `index`, whose fence is the page's line `first`."""
        self._fence, self._reads = (index, first), set()
        self._shown: list[Figure | Table] = []
        self._values: dict[str, Value] = {}
        self._entries: dict[str, Entry] = {}
        self._cells: list[Cell] = []
        self._facts: dict[str, Fact] = {}
        source = "\n" * first + code  # so that its lines are the page's
        self.tell(first + 1)
        signal.signal(signal.SIGALRM, self._stop)
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        printed, failure, doubts = io.StringIO(), None, []
        try:
            flags = compile(source, self.path, "exec").co_flags & __future__.annotations.compiler_flag
            tree = ast.parse(source, self.path)
            self._provenance.read(source, tree)
            with contextlib.redirect_stdout(printed), self._astray.watching("asyncio" in code):
                for statement in tree.body:
                    self.tell(statement.lineno)
                    exec(compile(ast.Module([statement], []), self.path, "exec", flags), self._names)
            doubts = [((index, line - first - 1), what) for line, what in self._provenance.mislabelled(self._names)]
        except BaseException as error:
            # Everything, exits too: a block that ends early has not computed the page's numbers.
            failure = Failure(*self._describe(error), (error.name or "") if isinstance(error, NameError) else "")
        else:
            for number, line in enumerate(printed.getvalue().splitlines(), 1):
                self._enter(f"block {index + 1} line {number}", canonical(line))
        signal.setitimer(signal.ITIMER_REAL, 0)
        return BlockResult(
            printed.getvalue(),
            tuple(self._shown),
            failure,
            tuple(doubts),
            self._values,
            self._entries,
            tuple(self._cells),
            self._facts,
            frozenset(self._reads),
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
        place, line = self._place(), self._line()
        for name, value in values.items():
            if f"value {name}" in self.keys:
                raise ValueError(f"{name} is already published on this page")
            if not re.fullmatch("[a-z][a-z0-9_]*", name):
                raise ValueError(f"a published name must be lower_case_with_underscores; got {name!r}")
            value = _plain(name, value)
            if unit and isinstance(value, (str, bool)):
                raise ValueError(f'{name} is {type(value).__name__}, so its unit must be ""; got {unit!r}')
            if tolerance and isinstance(value, (str, bool)):
                raise ValueError(f"{name} is {type(value).__name__}, so it has no tolerance; got {tolerance!r}")
            expression = self._provenance.of(name, line)
            entry = Value(name, value, parsed, float(tolerance), reason, source, expression, place)
            self._values[name] = entry
            self._enter(f"value {name}", entry.text, float(tolerance))

    def cite(self, name: str, value: float, unit: str, source: object) -> None:
        """Enter an outside fact into the list of sources, by its name in the code.

        value: in base units.  unit: the one it is shown in.  source: the Source it stands with.
        """
        if f"fact {name}" in self.keys:
            raise ValueError(f"{name} is already cited on this page")
        plain, shown = _plain(name, value), parse_unit(unit)
        cell = Cell(numbers.in_full(float(Fraction(plain) / shown.factor)), plain, shown)
        self._cells.append(cell)
        self._facts[name] = Fact(name, cell, source)
        self._enter(f"fact {name}", canonical(plain))

    def figure(
        self, figure: matplotlib.figure.Figure, *, name: str, title: str, desc: str, data: tuple | None = None
    ) -> None:
        """Show a matplotlib figure as inline SVG with a title and a description, and its data as a folded table.

        data: (columns, rows) as `table` takes them.
        """
        if not isinstance(figure, matplotlib.figure.Figure):
            raise ValueError(f"figure takes a matplotlib Figure; got {type(figure).__name__}")
        if f"figure {name}" in self.keys:
            raise ValueError(f"there is already a figure {name!r} on this page")
        drawn = svg.svg_of(figure, f"{Path(self.path).stem}-{name}", title, desc)
        self._enter(f"figure {name}", canonical(title))
        self._enter(f"figure {name} desc", canonical(desc))
        for key, text in svg.said(figure):
            self._enter(f"figure {name} {key}", text)
        self._shown.append(Figure(drawn, self._table(name, *data) if data is not None else None))

    def table(self, name: str, columns: list, rows: list) -> None:
        """Show a table of computed cells.

        columns: a title each, or (title, unit shown, decimals) for a column of numbers given in base units.
        rows: lists of text and numbers; whole numbers are shown in full, others to four digits unless decimals say.
        """
        self._shown.append(self._table(name, columns, rows))

    def _table(self, name: str, columns: list, rows: list) -> Table:
        if f"table {name}" in self.keys:
            raise ValueError(f"there is already a table {name!r} on this page")
        specs = tuple((c, "", None) if isinstance(c, str) else (*c, None)[:3] for c in columns)
        titles = [title for title, _, _ in specs]
        if len(set(titles)) < len(titles) or any(" = " in key or "\n" in key for key in (name, *titles)):
            raise ValueError(f"table {name!r} must have titles that differ, without ' = ' or line ends; got {titles}")
        self._enter(f"table {name}", canonical(" | ".join(titles)))
        shown = []
        for number, row in enumerate(rows, 1):
            if len(row) != len(specs):
                raise ValueError(f"row {number} of table {name!r} has {len(row)} cells; expected {len(specs)}")
            cells: list[Cell | str] = []
            for (title, symbol, decimals), value in zip(specs, row, strict=True):
                if isinstance(value, bool):
                    value = "yes" if value else "no"
                if not isinstance(value, str):
                    value, unit = _plain(title, value), parse_unit(symbol)
                    text = numbers.show(Fraction(value), replace(unit, symbol=""), decimals)
                    self._cells.append(Cell(text, value, unit))
                self._enter(f"table {name} row {number} {title}", canonical(value))
                cells.append(value if isinstance(value, str) else self._cells[-1])
            shown.append(tuple(cells))
        return Table(specs, tuple(shown))

    def _enter(self, key: str, text: str, tolerance: float = 0.0) -> None:
        self.keys.add(key)
        self._entries[key] = Entry(text, self._place() if not key.startswith("block ") else (self._fence[0], 0), tolerance)

    def _note_open(self, event: str, arguments: tuple) -> None:
        """A file of the project that a block opens: when it changes, the block runs again."""
        if event == "open" and isinstance(arguments[0], (str, os.PathLike)) and "r" in (arguments[1] or "r"):
            path = os.path.relpath(os.path.abspath(arguments[0]), self._root)
            if not path.startswith(("..", ".venv")) and not path.endswith((".py", ".pyc")):
                self._reads.add(path)

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
        return (index, (lines or [first + 1])[-1] - first - 1), f"the block {what}"


class Astray:
    """What a block does outside its main thread, where nobody would hear of it: errors, output, threads that go on."""

    def __init__(self) -> None:
        self._errors: list[BaseException] = []
        self._futures: dict[Future, BaseException] = {}
        self._output = tempfile.TemporaryFile()
        sys.__stdout__.flush()
        os.dup2(self._output.fileno(), 1)
        threading.excepthook = lambda said: self._errors.append(said.exc_value)
        handler = logging.Handler(logging.ERROR)
        handler.emit = lambda record: self._errors.extend(record.exc_info[1:2] if record.exc_info else ())
        logging.getLogger("asyncio").addHandler(handler)
        set_exception, result, exception = Future.set_exception, Future.result, Future.exception

        def noted(future: Future, error: BaseException) -> None:
            self._futures[future] = error
            set_exception(future, error)

        def asked(ask: Callable) -> Callable:
            def asking(future: Future, timeout: float | None = None) -> object:
                try:
                    return ask(future, timeout)
                finally:
                    self._futures.pop(future, None)

            return asking

        Future.set_exception, Future.result, Future.exception = noted, asked(result), asked(exception)

    @contextlib.contextmanager
    def watching(self, tasks: bool) -> Iterator[None]:
        """Raises the first error of a thread, task or pool that nobody caught, and where a thread or output went astray."""
        before, size = set(threading.enumerate()), os.fstat(1).st_size
        self._errors.clear()
        self._futures.clear()
        yield
        if tasks:
            gc.collect()  # a task tells of its error when it goes
        for error in (*self._errors, *self._futures.values()):
            raise error
        if left := set(threading.enumerate()) - before:
            raise RuntimeError(f"thread {next(iter(left)).name} outlasts its block: join it")
        if os.fstat(1).st_size > size:
            text = os.pread(1, 60, size).decode(errors="replace")
            raise RuntimeError(f"another process, or a library, wrote {text!r}: catch its output, and print it")


def _plain(name: str, value: object) -> int | float | Fraction | str | bool:
    """The value as Python's own type, which every process can read. Raises ValueError when it is no such number or text."""
    kind = next((kind for kind in (bool, int, float, Fraction, str) if isinstance(value, kind)), None)
    if kind is None:
        raise ValueError(f"{name} must be an int, float, Fraction, str or bool; got {type(value).__name__}")
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{name} must be finite; got {value}")
    return kind(value)
