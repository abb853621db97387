"""Running the blocks of one page, and what they publish, draw and print."""

import ast
import contextlib
import io
import math
import re
import sys
import traceback
from dataclasses import dataclass, replace
from fractions import Fraction
from html import escape
from types import ModuleType

from matplotlib.figure import Figure

from scaling_lesson.site import claims, svg
from scaling_lesson.site.isolate import fresh_start, kept_process, time_limit
from scaling_lesson.site.records import canonical, drawn
from scaling_lesson.site.source import Fence
from scaling_lesson.units import COUNTED, Unit, parse_unit

Place = tuple[int, int]
"""Where something happened: the index of the page's fence, and the line within its body (0-based)."""


@dataclass
class Value:
    """A published value. `exact` is its number in base units of `unit`; None for text, True and False."""

    name: str
    value: int | float | Fraction | str | bool
    unit: Unit
    tolerance: float
    reason: str
    source: object
    expression: str
    place: Place
    used: bool = False

    @property
    def exact(self) -> Fraction | None:
        return None if isinstance(self.value, (str, bool)) else Fraction(self.value) * self.unit.factor

    @property
    def margin(self) -> Fraction:
        return Fraction(self.tolerance) * self.unit.factor

    @property
    def text(self) -> str:
        """The value in full with its unit, as messages and records give it."""
        return canonical(self.value, self.unit.symbol)

    @property
    def in_full(self) -> str:
        """The value in full, as readers see it."""
        return str(self.value) if self.exact is None else f"{claims.in_full(self.value)} {self.unit.symbol}".rstrip()


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

    @property
    def html(self) -> str:
        return f'<data class="cell" value="{self.value}" data-unit="{self.unit.symbol}">{self.text}</data>'


@dataclass
class Fact:
    """An outside fact, by its name in the code, and the Source it has there."""

    name: str
    cell: Cell
    source: object


class Run:
    """The session of one page: fresh names, fresh state, and everything its blocks leave behind."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: dict[str, Value] = {}
        self.entries: dict[str, Entry] = {}
        self.cells: list[Cell] = []
        self.facts: dict[str, Fact] = {}
        self.failures: list[tuple[Place, str]] = []
        self.html: dict[int, str] = {}
        self._module = ModuleType("page")
        self._names = self._module.__dict__
        self._names |= {"publish": self.publish, "figure": self.figure, "table": self.table, "cite": self.cite}
        self._expressions: dict[str, list[tuple[Place, str]]] = {}
        self._lost: set[str] = set()
        """The words of failed blocks: a later block that misses such a name has no failure of its own."""
        self._tree: ast.Module | None = None
        self._code = ""
        self._fence = (0, 0)
        self._extra: list[str] = []
        fresh_start()

    def execute(self, index: int, fence: Fence, code: str) -> tuple[str, str]:
        """Run one block; return what it printed, and the HTML of its figures and tables. Failures are collected."""
        self._fence, self._code, self._extra = (index, fence.line), code, []
        printed = io.StringIO()
        sys.modules["page"] = self._module  # dataclasses look their module up
        try:
            compile(code, self.path, "exec")  # some errors come only now, and with the block's own line numbers
            self._tree = ast.parse(code, self.path)
            self._remember_expressions()
            tree = ast.increment_lineno(ast.parse(code, self.path), fence.line)
            with kept_process(), contextlib.redirect_stdout(printed), time_limit(_limit(fence)):
                exec(compile(tree, self.path, "exec"), self._names)
        except BaseException as error:
            # Everything, exits and time-outs too: a block that ends early has not computed the page's numbers.
            if not (isinstance(error, NameError) and error.name in self._lost):
                self.failures.append(self._describe(error))
            self.lose(code)
            return printed.getvalue(), "".join(self._extra)
        finally:
            sys.modules.pop("page", None)
        for number, line in enumerate(printed.getvalue().splitlines(), 1):
            self.entries[f"block {index + 1} line {number}"] = Entry(canonical(line), (index, 0))
        return printed.getvalue(), "".join(self._extra)

    def lose(self, code: str) -> None:
        """Note that this code did not run to its end: names it would have assigned are unknown. It may not even parse."""
        self._lost.update(re.findall(r"\w+", code))

    def publish(self, unit: str, *, tolerance: float = 0.0, reason: str = "", source: object = "", **values: object) -> None:
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
        place = self._place()
        call = self._call_at(place[1])
        for name, value in values.items():
            if name in self.values:
                raise ValueError(f"{name} is already published on this page")
            if not name.isidentifier() or name != name.lower() or not name[0].isalpha():
                raise ValueError(f"a published name must be lower_case_with_underscores; got {name!r}")
            _check_value(name, value)
            if unit and isinstance(value, (str, bool)):
                raise ValueError(f'{name} is {type(value).__name__}, so its unit must be ""; got {unit!r}')
            expression = self._expression(call, name)
            entry = Value(name, value, parsed, float(tolerance), reason, source, expression, place)
            self.values[name] = entry
            self.entries[f"value {name}"] = Entry(entry.text, place, float(tolerance))

    def cite(self, name: str, value: int | float, unit: str, source: object) -> None:
        """Enter an outside fact into the list of sources, by its name in the code.

        value: in base units.  unit: the one it is shown in.  source: the Source it stands with.
        """
        if name in self.facts:
            raise ValueError(f"{name} is already cited on this page")
        _check_value(name, value)
        shown, place = parse_unit(unit), self._place()
        number = Fraction(value) / shown.factor
        cell = Cell(claims.in_full(float(number)), value, shown, place)
        self.cells.append(cell)
        self.facts[name] = Fact(name, cell, source)
        self.entries[f"fact {name}"] = Entry(canonical(value), place)

    def figure(self, figure: Figure, *, name: str, title: str, desc: str, data: tuple[list, list] | None = None) -> None:
        """Show a matplotlib figure as inline SVG with a title and a description, and its data as a folded table.

        data: (columns, rows) as `table` takes them.
        """
        place = self._place()
        if not isinstance(figure, Figure):
            raise ValueError(f"figure takes a matplotlib Figure; got {type(figure).__name__}")
        if f"figure {name}" in self.entries:
            raise ValueError(f"there is already a figure {name!r} on this page")
        self._extra.append(svg.render(figure, f"{self._slug()}-{name}", title, desc))
        self.entries[f"figure {name}"] = Entry(canonical(title), place)
        self.entries[f"figure {name} desc"] = Entry(canonical(desc), place)
        for key, text in drawn(figure):
            self.entries[f"figure {name} {key}"] = Entry(text, place)
        if data is not None:
            inner = self._table(name, *data, place)
            self._extra.append(f'<details class="figure-data"><summary>The data of this figure</summary>{inner}</details>')

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
        head = "".join(f"<th scope=col>{escape(title)}{_in(symbol)}</th>" for title, symbol, _ in specs)
        body = []
        for number, row in enumerate(rows, 1):
            if len(row) != len(specs):
                raise ValueError(f"row {number} of table {name!r} has {len(row)} cells; expected {len(specs)}")
            shown = []
            for (title, symbol, decimals), value in zip(specs, row, strict=True):
                key = f"table {name} row {number} {title}"
                if isinstance(value, (str, bool)):
                    text = value if isinstance(value, str) else "yes" if value else "no"
                    shown.append(f"<td>{escape(text)}</td>")
                    self.entries[key] = Entry(canonical(text), place)
                    continue
                _check_value(title, value)
                unit = parse_unit(symbol)
                text = claims.show(Fraction(value), replace(unit, symbol=""), decimals)
                cell = Cell(text, value, unit, place)
                self.cells.append(cell)
                self.entries[key] = Entry(canonical(value), place)
                shown.append(f"<td>{cell.html}</td>")
            body.append(f"<tr>{''.join(shown)}</tr>")
        return f'<div class="md-typeset__scrollwrap"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'

    def _slug(self) -> str:
        return self.path.rsplit("/", 1)[-1].removesuffix(".md")

    def _place(self) -> Place:
        """Where in the page the running call was written: the deepest frame of the page's own file."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != self.path:
            frame = frame.f_back
        index, first = self._fence
        return index, (frame.f_lineno - first - 1 if frame else 0)

    def _describe(self, error: BaseException) -> tuple[Place, str]:
        index, first = self._fence
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == self.path]
        offset = lines[-1] - first - 1 if lines else -1
        if isinstance(error, SyntaxError) and error.filename == self.path:
            offset = (error.lineno or 1) - 1
        kind = type(error).__name__
        said = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
        what = {
            "SystemExit": f"the block called sys.exit({error})",
            "BlockExit": f"the block {error}",
            "BlockTimeout": f"the block {error}",
        }.get(kind, f"the block raised {kind}: {said}".removesuffix(": "))
        return (index, offset), what

    def _remember_expressions(self) -> None:
        """Keep how each name was computed and where, so that a number can say where it comes from."""
        for node in ast.walk(self._tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._remember(target, value)
                case ast.AugAssign(target=ast.Name(id=name)) | ast.For(target=ast.Name(id=name)):
                    self._computed(name, node, "")  # built up step by step: no one expression

    def _computed(self, name: str, node: ast.stmt | ast.expr, text: str) -> None:
        self._expressions.setdefault(name, []).append(((self._fence[0], node.lineno), text))

    def _remember(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Tuple(elts=names), ast.Tuple(elts=values) if len(names) == len(values):
                for name, part in zip(names, values, strict=True):
                    self._remember(name, part)
            case ast.Tuple(elts=names), _:
                for name in names:
                    self._remember(name, value)
            case (ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name))), _:
                self._computed(name, value, ast.get_source_segment(self._code, value))

    def _call_at(self, offset: int) -> ast.Call | None:
        calls = [n for n in ast.walk(self._tree) if isinstance(n, ast.Call) and n.lineno <= offset + 1 <= n.end_lineno]
        return next((c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "publish"), None)

    def _expression(self, call: ast.Call | None, name: str) -> str:
        """What a published value was computed by: its expression, or that of the names it consists of.

        Raises ValueError when the publishing line computes: readers are not shown it.
        """
        keyword = next((k for k in call.keywords if k.arg == name), None) if call else None
        if keyword is None:
            return name
        if not isinstance(keyword.value, (ast.Name, ast.Attribute, ast.Subscript)) or any(
            isinstance(node, (ast.Call, ast.BinOp)) for node in ast.walk(keyword.value)
        ):
            raise ValueError(f"publish lines are not shown, so {name} must be computed in a line of its own above")
        text = ast.get_source_segment(self._code, keyword.value)
        root = keyword.value
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        root = getattr(root, "id", None)
        here = (self._fence[0], call.lineno)
        computed = max((known for known in self._expressions.get(root, []) if known[0] <= here), default=((0, 0), ""))[1]
        if computed:
            text = computed if isinstance(keyword.value, ast.Name) else f"{text}, with {root} = {computed}"
        return " ".join(text.split())


def shown_code(code: str) -> str:
    """The code without its publish(...) statements, as the page shows it."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return code
    hidden, kept = set(), set()
    for node in tree.body:
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name(id="publish"))):
                hidden.update(range(node.lineno, node.end_lineno + 1))
            case _:
                kept.update(range(node.lineno, node.end_lineno + 1))
    lines = [line for number, line in enumerate(code.split("\n"), 1) if number not in hidden - kept]
    return "\n".join(lines).strip("\n")


def _in(symbol: str) -> str:
    """The unit of a column, in its head; a counted noun is in the title already."""
    return f" ({escape(symbol)})" if symbol and parse_unit(symbol).dimension not in COUNTED else ""


def _limit(fence: Fence) -> float:
    return float(fence.options.get("timeout", "20"))


def _check_value(name: str, value: object) -> None:
    if not isinstance(value, (int, float, Fraction, str, bool)):
        raise ValueError(f"{name} must be an int, float, Fraction, str or bool; got {type(value).__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} must be finite; got {value}")
