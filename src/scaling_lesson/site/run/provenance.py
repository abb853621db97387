"""What a page's values were computed by, read from its blocks, so that each number can say where it comes from."""

import ast
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from scaling_lesson.site.numbers.claim import unit_after
from scaling_lesson.units import without_prefix


class Provenance:
    """What the names of a page's blocks were computed by. Each block must be read before it runs."""

    def __init__(self) -> None:
        self._computed: dict[str, list[tuple[int, str, ast.expr | None]]] = {}
        """By name: each line that gives it a value, that value's expression, "" when it is built up step by step, and its tree."""

    def read(self, source: str, tree: ast.Module) -> None:
        """Remember a block's assignments. Its lines are the page's."""
        self._source, self._tree = source, tree
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign(target, value)
                case ast.AugAssign(target=ast.Name(id=name)) | ast.For(target=ast.Name(id=name)):
                    self._remember(name, node, "", None)

    def of(self, name: str, line: int) -> str:
        """What the value published as `name` by the call at `line` was computed by.

        That is its own expression, or that of the name it consists of. Raises ValueError when the publishing line
        computes: readers are not shown it.
        """
        keyword = next((k for call in self._publishing(line) for k in call.keywords if k.arg == name), None)
        if keyword is None:
            return name
        if not isinstance(keyword.value, (ast.Name, ast.Attribute, ast.Subscript)) or any(
            isinstance(node, (ast.Call, ast.BinOp)) for node in ast.walk(keyword.value)
        ):
            raise ValueError(f"publish lines are not shown, so {name} must be computed in a line of its own above")
        text = ast.get_source_segment(self._source, keyword.value)
        root = keyword.value
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        root = getattr(root, "id", None)
        computed = self._last(root, line)[1]
        if computed:
            text = computed if isinstance(keyword.value, ast.Name) else f"{text}, with {root} = {computed}"
        return " ".join(text.split())

    def mislabelled(self, names: dict[str, object]) -> Iterator[tuple[int, str]]:
        """Where an f-string types a unit behind a number that was divided by another prefix, as in `{b / 1024**3} GB`.

        names: what the block's names are bound to.
        """
        for text in (node for node in ast.walk(self._tree) if isinstance(node, ast.JoinedStr)):
            for shown, behind in pairwise(text.values):
                if isinstance(shown, ast.FormattedValue) and isinstance(behind, ast.Constant):
                    unit = unit_after(str(behind.value))
                    if unit is None or not without_prefix(unit.symbol):
                        continue
                    divisor = self._divisor(shown.value, names, shown.lineno)
                    if divisor != unit.factor and _is_prefix(divisor):
                        yield shown.lineno, f'"{unit.symbol}" is typed behind a number divided by {_plainly(divisor)}'

    def _divisor(self, node: ast.expr | None, names: dict[str, object], line: int) -> Fraction:
        """The prefix a value was divided by, in its own line or in that which computed the name it consists of."""
        if isinstance(node, ast.Name):
            node = self._last(node.id, line)[2]
        if not isinstance(node, ast.BinOp):
            return Fraction(1)
        constant = _constant(node.right, names)
        if isinstance(node.op, ast.Div) and constant:
            return Fraction(constant)
        if isinstance(node.op, ast.Mult) and isinstance(constant, float):
            return 1 / Fraction(constant)
        return Fraction(1)

    def _last(self, name: str | None, line: int) -> tuple[int, str, ast.expr | None]:
        known = [known for known in self._computed.get(name or "", []) if known[0] <= line]
        return max(known, key=lambda known: known[0], default=(0, "", None))

    def _publishing(self, line: int) -> list[ast.Call]:
        calls = [n for n in ast.walk(self._tree) if isinstance(n, ast.Call) and n.lineno <= line <= n.end_lineno]
        return [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "publish"]

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Tuple(elts=names), ast.Tuple(elts=values) if len(names) == len(values):
                for name, part in zip(names, values, strict=True):
                    self._assign(name, part)
            case ast.Tuple(elts=names), _:
                for name in names:
                    self._assign(name, value)
            case ((ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name))), _):
                self._remember(name, value, ast.get_source_segment(self._source, value), value)

    def _remember(self, name: str, node: ast.stmt | ast.expr, text: str, tree: ast.expr | None) -> None:
        self._computed.setdefault(name, []).append((node.lineno, text, tree))


def _constant(node: ast.expr, names: dict[str, object]) -> int | float | None:
    """The value of an expression of numbers, or of names in capitals such as GIB; None for any other."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and not (part.id.isupper() and isinstance(names.get(part.id), int)):
            return None
        if not isinstance(part, (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Load)):
            return None
    try:
        return eval(compile(ast.Expression(node), "", "eval"), {"__builtins__": {}}, dict(names))
    except (ArithmeticError, TypeError, ValueError):
        return None


def _is_prefix(number: Fraction) -> bool:
    """Whether a number is a power of a thousand or of 1,024, or one over it."""
    return any(number in (Fraction(base) ** power, Fraction(base) ** -power) for base in (1000, 1024) for power in range(1, 8))


def _plainly(number: Fraction) -> str:
    return f"{number.numerator:,}" + (f"/{number.denominator:,}" if number.denominator > 1 else "")
