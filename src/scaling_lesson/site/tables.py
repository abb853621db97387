"""The HTML of a block's tables."""

from html import escape

from scaling_lesson.site.run import Cell
from scaling_lesson.units import COUNTED, parse_unit


def cell(found: Cell) -> str:
    """A computed number, which carries its value in base units."""
    return f'<data class="cell" value="{found.value}" data-unit="{found.unit.symbol}">{found.text}</data>'


def table(columns: list[tuple[str, str, object]], rows: list[list[Cell | str]]) -> str:
    """A table of computed cells and text; columns are (title, unit shown, decimals)."""
    head = "".join(f"<th scope=col>{escape(title)}{_in(symbol)}</th>" for title, symbol, _ in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_shown(part)}</td>' for part in row)}</tr>" for row in rows)
    return (
        f'<div class="md-typeset__scrollwrap"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def folded(inner: str) -> str:
    """A figure's table, which opens on request."""
    return f'<details class="figure-data"><summary>The data of this figure</summary>{inner}</details>'


def _shown(part: Cell | str) -> str:
    return cell(part) if isinstance(part, Cell) else escape(part)


def _in(symbol: str) -> str:
    """The unit of a column, in its head; a counted noun is in the title already."""
    return f" ({escape(symbol)})" if symbol and parse_unit(symbol).dimension not in COUNTED else ""
