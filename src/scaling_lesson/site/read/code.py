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
    shown, unshown = set(), set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="figure" | "table")):
                shown.update(ast.walk(node))
            case ast.keyword(arg="name", value=part):
                unshown.update(ast.walk(part))
            case ast.FormattedValue(format_spec=ast.JoinedStr() as part):
                part.values.clear()  # how a number is set says nothing
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    said = [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
    said += [(node.lineno, str(node.value)) for node in texts if node not in shown - unshown]
    return [(node.lineno, str(node.value)) for node in texts if node in shown - unshown], said


def titles(text: str, first: int = 1) -> Iterator[tuple[int, str]]:
    """What readers see of a page's front matter, or of mkdocs.yml, whose first line is `first`; each with its line."""
    lines = text.split("\n")
    for key, value in yaml.compose(text, yaml.CSafeLoader).value:  # that in C: a tenth of the time
        for node in _titles(value) if key.value == "nav" else [value] if key.value in _SHOWN else []:
            line = node.start_mark.line
            if getattr(node, "style", "") in ("|", ">"):
                yield first + line + 1, "\n".join(lines[line + 1 : node.end_mark.line])
            elif isinstance(node, yaml.ScalarNode):
                yield first + line, node.value


def _titles(node: yaml.Node) -> Iterator[yaml.Node]:
    for item in () if isinstance(node, yaml.ScalarNode) else node.value:
        if isinstance(node, yaml.MappingNode):
            yield item[0]
        yield from _titles(item[1] if isinstance(node, yaml.MappingNode) else item)
