"""What a page's values were computed by, read from its blocks, so that each number can say where it comes from."""

import ast


class Expressions:
    """The expressions of a page's blocks. Each block must be read before it runs."""

    def __init__(self) -> None:
        self._computed: dict[str, list[tuple[int, str]]] = {}
        """By name: each line that gives it a value, and that value's expression, "" when it is built up step by step."""

    def read(self, source: str, tree: ast.Module) -> None:
        """Remember a block's assignments. Its lines are the page's."""
        self._source, self._tree = source, tree
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign(target, value)
                case ast.AugAssign(target=ast.Name(id=name)) | ast.For(target=ast.Name(id=name)):
                    self._remember(name, node, "")

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
        computed = max((known for known in self._computed.get(root, []) if known[0] <= line), default=(0, ""))[1]
        if computed:
            text = computed if isinstance(keyword.value, ast.Name) else f"{text}, with {root} = {computed}"
        return " ".join(text.split())

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
                self._remember(name, value, ast.get_source_segment(self._source, value))

    def _remember(self, name: str, node: ast.stmt | ast.expr, text: str) -> None:
        self._computed.setdefault(name, []).append((node.lineno, text))
