"""What the code of a block, front matter and the settings of the site say in words, each with its line."""

import ast
import io
import tokenize
from collections.abc import Iterator

import yaml

_SHOWN = ("title", "description", "site_name", "site_description", "site_author", "copyright")


def words(code: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The texts of a block that ran: those that figure(...) and table(...) show; all else."""
    tree = ast.parse(code)
    shown: dict[ast.AST, tuple[int, str]] = {}

    def collect(node: ast.AST) -> None:
        match node:
            case ast.Constant(value=str(text)):
                shown[node] = (node.lineno, text)
            case ast.FormattedValue():  # its format, ".1f", is not shown
                collect(node.value)
            case ast.keyword(arg="name"):
                pass
            case _:
                for child in ast.iter_child_nodes(node):
                    collect(child)

    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("figure", "table"):
            for argument in (*node.args, *node.keywords):
                collect(argument)
    texts = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str) and n not in shown]
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
    return list(shown.values()), [(n.lineno, str(n.value)) for n in texts] + comments


def titles(text: str, first: int = 1) -> Iterator[tuple[int, str]]:
    """What readers see of a page's front matter, or of mkdocs.yml, whose first line is `first`; each with its line."""
    lines = text.split("\n")
    for key, value in yaml.compose(text).value:
        for node in _titles(value) if key.value == "nav" else [value] if key.value in _SHOWN else []:
            line = node.start_mark.line
            if getattr(node, "style", "") in ("|", ">"):
                yield first + line + 1, "\n".join(lines[line + 1 : node.end_mark.line])
            else:
                yield first + line, str(node.value)


def _titles(node: yaml.Node) -> Iterator[yaml.Node]:
    for item in () if isinstance(node, yaml.ScalarNode) else node.value:
        if isinstance(node, yaml.MappingNode):
            yield item[0]
        yield from _titles(item[1] if isinstance(node, yaml.MappingNode) else item)
