"""How what the gate found is shown: claims with their cards, tables, problems in their place. Decides nothing."""

import ast
import re
from collections.abc import Callable
from html import escape

from scaling_lesson.site.gate import SLOT, Gate, Page, Problem, slot
from scaling_lesson.site.run import Value

_BLOCK_SLOT = re.compile(f"<!-- {SLOT.pattern} -->")
"""What stands for the problems of a block: a comment, which nobody who reads the page takes for text."""


def block_slot(index: int) -> str:
    """What stands for the problems of a block."""
    return f"<!-- {slot(index)} -->"


def fill_slots(gate: Gate, page: Page, html: str, address: Callable[[str, str], str], found: list[Problem]) -> str:
    """The page's HTML with every slot filled: with its claim (the number, a link to its code, and where it comes from),
    or with those problems that lie in its block.

    address: gives the relative address of one page's url from another's.
    """

    def wrong(match: re.Match) -> str:
        fence = page.fences[int(match[1])]
        lines = range(fence.line, fence.line + len(fence.body) + 2)
        return "".join(error_box(str(p)) for p in found if p.path == page.path and p.line in lines)

    return SLOT.sub(lambda match: _claim(gate, page, int(match[1]), address), _BLOCK_SLOT.sub(wrong, html))


def _claim(gate: Gate, page: Page, index: int, address: Callable[[str, str], str]) -> str:
    link = page.links[index]
    found = gate.look_up(page, link)
    wrong = gate.verdict(page, link)
    if gate.lost(page, link):
        return f'<data class="claim-number">{escape(link.text)}</data>{_correction("was not computed")}'
    if isinstance(found, str):
        return f'<data class="claim-number claim-number--wrong">{escape(link.text)}</data>{_correction(wrong)}'
    owner, value = found
    kind = "claim-number claim-number--wrong" if wrong else "claim-number"
    data = f'<data class="{kind}" value="{escape(str(value.value))}">{escape(link.text)}</data>'
    if wrong:
        data += _correction(f"should read {gate.correct(link, value) or value.text}")
    here = "" if owner is page else address(owner.url, page.url)
    card = f"claim-{index}-card"
    return (
        f'<a href="{here}#calc-{value.name}" aria-describedby="{card}">{data}</a>'
        f'<span class="claim-card" role="tooltip" id="{card}" data-search-exclude>{_provenance(value)}</span>'
    )


def _correction(text: str) -> str:
    return f' <strong class="claim-correction">{escape(text)}</strong>'


def _provenance(value: Value) -> str:
    parts = [f'<span class="claim-exact">{escape(value.in_full)}</span>', f"<code>{escape(value.expression)}</code>"]
    if value.tolerance:
        margin = f"± {value.tolerance:g} {value.unit.symbol}".rstrip()
        parts.append(f"<span>{escape(f'{margin}: {value.reason}')}</span>")
    if value.source:
        parts.append(f"<span>Source: {escape(str(value.source))}</span>")
    return " ".join(parts)


def summary(found: list[Problem]) -> str:
    """The last line of a report: how many problems, and the command that accepts what merely drifted."""
    drifted = [p for p in found if p.drift]
    other = len(found) - len(drifted)
    pages = sorted({re.sub(r"\.record$", ".md", p.path) for p in drifted})
    parts = []
    if drifted:
        numbers = "1 number" if len(drifted) == 1 else f"{len(drifted)} numbers"
        parts.append(f"{numbers} drifted on {'1 page' if len(pages) == 1 else f'{len(pages)} pages'}.")
    if other:
        more = " more" if drifted else ""
        parts.append(f"{other}{more} problem{'' if other == 1 else 's'} to mend by hand.")
    if drifted:
        parts.append(f"To accept: scripts/record {' '.join(pages)}")
    return " ".join(parts)


def error_box(message: str) -> str:
    """A problem shown on the page, under serve."""
    return f'<div class="gate-problem"><code>{escape(message)}</code></div>'


def notice(found: list[Problem]) -> str:
    """What a page under serve says at its top of what was found on it."""
    boxes = "".join(error_box(str(problem)) for problem in found)
    return f'<section class="gate-notice"><p>{summary(found)}</p>{boxes}</section>' if found else ""


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
