"""Claims as a page shows them: the number, a link to its code, and a card that says where it comes from."""

import re
from collections.abc import Callable, Sequence
from html import escape

from scaling_lesson.site.gate import Page, Problem, Verdict, summary
from scaling_lesson.site.numbers.value import Value
from scaling_lesson.site.read.source import MARK
from scaling_lesson.site.show.blocks import error_html

_SLOT = re.compile(f"{MARK}(claim|block)(\\d+){MARK}")


def fill(
    html: str, page: Page, verdicts: dict[int, Verdict], address: Callable[[str, str], str], found: Sequence[Problem]
) -> str:
    """The page's HTML with every slot filled: with its claim, or with those problems that lie in its block.

    address: gives the relative address of one page's url from another's.
    """

    def filled(match: re.Match) -> str:
        number = int(match[2])
        if match[1] == "claim":
            return _claim(page, number, verdicts[number], address)
        block = page.source.blocks[number]
        return "".join(error_html(str(p)) for p in found if p.path == page.path and block.line <= p.line <= block.end)

    return _SLOT.sub(filled, html)


def notice(found: Sequence[Problem]) -> str:
    """What a page under serve says at its top of what was found on it."""
    boxes = "".join(error_html(str(problem)) for problem in found)
    return f'<section class="gate-notice"><p>{summary(found)}</p>{boxes}</section>' if found else ""


def _claim(page: Page, number: int, verdict: Verdict, address: Callable[[str, str], str]) -> str:
    text, value = escape(verdict.link.text), verdict.value
    wrong = " claim-number--wrong" if verdict.message else ""
    if value is None:
        said = (verdict.message or "was not computed").removeprefix(f'claim "{verdict.link.text}": ')
        return f'<data class="claim-number{wrong}">{text}</data>{_correction(said)}'
    data = f'<data class="claim-number{wrong}" value="{escape(str(value.value))}">{text}</data>'
    if wrong:
        data += _correction(f"should read {verdict.correction or value.text}")
    here = "" if verdict.owner is page else address(verdict.owner.url, page.url)
    card = f"claim-{number}-card"
    return (
        f'<a href="{here}#calc-{value.name}" aria-describedby="{card}">{data}</a>'
        f'<span class="claim-card" role="tooltip" id="{card}" data-search-exclude>{_provenance(value)}</span>'
    )


def _correction(text: str) -> str:
    return f' <strong class="claim-correction">{escape(text)}</strong>'


def _provenance(value: Value) -> str:
    parts = [escape(value.in_full), f"<code>{escape(value.expression)}</code>"]
    if value.tolerance:
        parts.append(f"<span>{escape(value.margin)}</span>")
    if value.source:
        parts.append(f"<span>Source: {escape(value.source['text'])}</span>")
    return " ".join(parts)
