"""What a page's values were computed by, read from its blocks, so that each number can say where it comes from."""

import ast
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

from scaling_lesson.site.numbers.claim import unit_after
from scaling_lesson.units import without_prefix

Computed = tuple[int, str, ast.expr | None]
"""A line that gives a name its value, the value's expression, and its tree: "" and None when it is one of several."""

PREFIXES = {Fraction(base) ** power for base in (1000, 1024) for power in range(-7, 8)} - {1}
_OTHERS = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Provenance:
    """What the names of a page's blocks were computed by. Each block must be read before it runs."""

    def __init__(self) -> None:
        self._computed: dict[str, list[Computed]] = {}

    def read(self, source: str, tree: ast.Module) -> None:
        """Remember a block's assignments. Its lines are the page's."""
        self._lines, self._tree, self._publishing = source.encode().split(b"\n"), tree, []
        others, branches = (
            {inner for node in ast.walk(tree) if isinstance(node, kinds) for inner in ast.walk(node)}
            for kinds in (_OTHERS, (ast.If, ast.Try, ast.Match))
        )
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=targets, value=value) if node not in others and node not in branches:
                    for target in targets:
                        self._assign(target, value)
                case ast.Call(func=ast.Name(id="publish")):
                    self._publishing.append(node)
                case ast.Name(id=name, ctx=ast.Store()) | ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                    if node not in others:
                        self._computed.setdefault(name, []).append((node.lineno, "", None))

    def of(self, name: str, line: int) -> str:
        """What the value published as `name` by the call at `line` was computed by.

        That is its own expression, or that of the name it consists of. Raises ValueError when the publishing line
        computes: readers are not shown it.
        """
        calls = [call for call in self._publishing if call.lineno <= line <= (call.end_lineno or 0)]
        given = next((k.value for call in calls for k in call.keywords if k.arg == name), None)
        if given is None:
            return name
        root = given
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        if not isinstance(root, ast.Name) or any(isinstance(node, (ast.Call, ast.BinOp)) for node in ast.walk(given)):
            raise ValueError(f"publish lines are not shown, so {name} must be computed in a line of its own above")
        text = self._text(given)
        if computed := self._last(root.id, line)[1]:
            text = computed if root is given else f"{text}, with {root.id} = {computed}"
        return " ".join(text.split())

    def mislabelled(self, names: dict[str, object]) -> Iterator[tuple[int, str]]:
        """Where an f-string types a unit behind a number that was divided by another prefix, as in `{b / 1024**3} GB`.

        names: what the block's names are bound to.
        """
        for text in (node for node in ast.walk(self._tree) if isinstance(node, ast.JoinedStr)):
            for shown, behind in pairwise(text.values):
                if isinstance(shown, ast.FormattedValue) and isinstance(behind, ast.Constant):
                    unit, divisor = unit_after(str(behind.value)), self._divisor(shown.value, names, shown.lineno)
                    if unit and without_prefix(unit.symbol) and divisor != unit.factor and divisor in PREFIXES:
                        by = f"{divisor.numerator:,}" + f"/{divisor.denominator:,}" * (divisor < 1)
                        yield shown.lineno, f'"{unit.symbol}" is typed behind a number divided by {by}'

    def _divisor(self, node: Any, names: dict[str, object], line: int) -> Fraction:
        """The prefix a value was divided by, in its own line or in that which computed the name it consists of."""
        if isinstance(node, ast.Name):
            node = self._last(node.id, line)[2]
        constant = _constant(node.right, names) if isinstance(node, ast.BinOp) else None
        if constant and isinstance(node.op, ast.Div):
            return Fraction(constant)
        if isinstance(constant, float) and isinstance(node.op, ast.Mult):  # whole numbers count something
            return 1 / Fraction(constant)
        return Fraction(1)

    def _last(self, name: str, line: int) -> Computed:
        known = [computed for computed in self._computed.get(name, []) if computed[0] <= line]
        return max(reversed(known), key=lambda computed: (computed[0], computed[1] != ""), default=(0, "", None))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Tuple(elts=names), ast.Tuple(elts=values) if len(names) == len(values):
                for name, part in zip(names, values, strict=True):
                    self._assign(name, part)
            case ast.Tuple(elts=names), _:
                for name in names:
                    self._assign(name, value)
            case ast.Name(id=name), _:
                self._computed.setdefault(name, []).append((value.lineno, self._text(value), value))

    def _text(self, node: Any) -> str:
        """How an expression is written. ast.get_source_segment would split the source for each anew."""
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        return b"\n".join(lines)[node.col_offset :].decode()


def _constant(node: ast.expr, names: dict[str, object]) -> int | float | None:
    """The value of an expression of numbers, or of names in capitals such as GIB; None for any other."""
    text = ast.unparse(node)
    if not re.fullmatch(r"[A-Z0-9_.*+/() e-]+", text):
        return None
    try:
        value = eval(text, {"__builtins__": {}}, dict(names))
    except (ArithmeticError, TypeError, NameError):
        return None
    return value if isinstance(value, (int, float)) else None
