"""The HTML of what a block shows: its code without what it publishes, its output, its figures and tables."""

import ast
import re
from collections.abc import Callable
from html import escape

from scaling_lesson.site.numbers.value import Cell
from scaling_lesson.site.read.source import Source, slot
from scaling_lesson.site.run.results import BlockResult, Figure, Results, Table
from scaling_lesson.units import COUNTED, parse_unit

Highlight = Callable[[str, str, str], str]


def block_html(source: Source, results: Results, index: int, highlight: Highlight) -> tuple[str, str, str]:
    """What stands before a block's output, the output, and what stands after it. highlight(code, language, title)."""
    block, wrong = source.blocks[index], slot("block", index)
    if block.problem:
        return "", error_html("this block does not run"), wrong
    result = results.blocks.get(index, BlockResult())
    listing = highlight(shown_code(block.code), "python", block.options.get("title", ""))
    printed = result.printed.rstrip("\n")
    output = highlight(printed, "text", "") if printed else ""
    drawn = "".join(map(_drawn, result.shown))
    anchors = "".join(f'<span id="calc-{name}"></span>' for name in result.values)
    if block.options.get("source") == "above":
        return f'<div class="block">{anchors}{listing}', output, f"{drawn}{wrong}</div>"
    folded = f'<details class="block-code"><summary>Where these numbers come from</summary>{anchors}{listing}</details>'
    return f'<div class="block">{drawn}', output, f"{wrong}{folded}</div>"


def error_html(message: str) -> str:
    """A problem shown on the page, under serve."""
    return f'<div class="gate-problem"><code>{escape(message)}</code></div>'


def cell_html(cell: Cell | str) -> str:
    """A computed number, which carries its value in base units; or a text, which is code when it is in backticks."""
    if isinstance(cell, Cell):
        return f'<data class="cell" value="{cell.value}" data-unit="{cell.unit.symbol}">{cell.text}</data>'
    quoted = re.fullmatch("`([^`]+)`", cell)
    return f"<code>{escape(quoted[1])}</code>" if quoted else escape(cell)


def _drawn(shown: Figure | Table) -> str:
    if isinstance(shown, Table):
        return _table(shown)
    data = f"<summary>The data of this figure</summary>{_table(shown.data)}" if shown.data else ""
    return f'<div class="figure">{shown.svg}</div>' + (f'<details class="figure-data">{data}</details>' if data else "")


def _table(table: Table) -> str:
    numbers = {at for row in table.rows for at, cell in enumerate(row) if isinstance(cell, Cell)}
    right = ' style="text-align: right;"'
    head = "".join(
        f"<th scope=col{right * (at in numbers)}>{escape(title)}{_in(symbol)}</th>"
        for at, (title, symbol, _) in enumerate(table.columns)
    )
    body = "".join(f"<tr><td>{'</td><td>'.join(map(cell_html, row))}</td></tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _in(symbol: str) -> str:
    """The unit of a column, in its head; a counted noun is in the title already."""
    return f" ({escape(symbol)})" if symbol and parse_unit(symbol).dimension not in COUNTED else ""


def shown_code(code: str) -> str:
    """The code without its publish(...) statements."""
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
