"""Pages the site makes of itself: every published number with its uses, and every outside fact with its source.

Such a page is written like any other and holds a marker, `<!-- listing: numbers -->` or `<!-- listing: sources -->`, in
whose place the list stands once every page is rendered. What is listed was computed, so none of it is read for naked
numbers.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape

from scaling_lesson.site.gate import Page, Verdicts
from scaling_lesson.site.numbers.value import Fact, Value
from scaling_lesson.site.show.blocks import cell_html
from scaling_lesson.units import plural


@dataclass
class Listing:
    """All pages in the order of the navigation, and the page that lists them.

    address: gives the relative address of one page's url from another's.
    """

    verdicts: Verdicts
    pages: list[Page]
    here: Page
    address: Callable[[str, str], str]

    def told(self) -> list[tuple]:
        """All that a list tells of each page: while this is the same, so is the list."""

        def used(page: Page) -> dict:
            claims = self.verdicts.claims[page.path].items()
            return {n: (claim.link.text, claim.owner and claim.owner.path, claim.value) for n, claim in claims}

        return [(page.title, page.url, page.results, used(page)) for page in self.pages]

    def fill(self, html: str) -> tuple[str, list[tuple[str, str]]]:
        """The page's HTML with its markers replaced, and the sections that came in: (title, id)."""
        titles = []

        def listed(match: re.Match) -> str:
            parts = []
            for title, anchor, body in self._numbers() if match[1] == "numbers" else self._sources():
                titles.append((title, anchor))
                permalink = f'<a class="headerlink" href="#{anchor}" title="Permanent link">¶</a>'
                parts.append(f'<h2 id="{anchor}">{escape(title)}{permalink}</h2>{body}')
            return f'<div class="computed">{"".join(parts)}</div>'

        return re.sub("<!-- listing: (numbers|sources) -->", listed, html), titles

    def _numbers(self) -> Iterator[tuple[str, str, str]]:
        """One section a page, one row a value."""
        for page in self.pages:
            values = page.results.values.values()
            rows = [self._row(page, v, f"<br><code>= {escape(v.expression)}</code>", v.margin, page) for v in values]
            if rows:
                yield page.title, f"of-{page.slug}", _table("number", ["<tbody>", *rows, "</tbody>"])

    def _sources(self) -> Iterator[tuple[str, str, str]]:
        """One section a document, one group of rows a table or section of it."""
        cited = defaultdict(lambda: defaultdict(list))
        for page in self.pages:
            sourced = [v for v in page.results.values.values() if v.source and v.exact is not None]
            facts = [fact for block in page.results.blocks.values() for fact in block.facts]
            for item in (*facts, *sourced):
                title, date, url, where = (item.source.get(part, "") for part in ("title", "date", "url", "where"))
                cited[title, date, url][where].append((page, item))
        for number, (title, date, url) in enumerate(sorted(cited), 1):
            link = f'<p><a href="{escape(url)}">{escape(re.sub("^https?://", "", url))}</a></p>' if url else ""
            rows = [row for where, items in cited[title, date, url].items() for row in self._group(where, items)]
            yield f"{title} ({date})" if date else title, f"source-{number}", link + _table("fact", rows)

    def _group(self, where: str, items: list[tuple[Page, Fact | Value]]) -> Iterator[str]:
        """Rows of the facts printed in one place of a document, and of what was computed from them."""
        yield f'<tbody><tr><th colspan="3" scope="rowgroup">{escape(where)}</th></tr>'
        facts = [item for _, item in items if isinstance(item, Fact)]
        values = [(page, item) for page, item in items if isinstance(item, Value)]
        for fact in facts:
            name, noun = escape(fact.name).replace(".", ".<wbr>").replace("[", "<wbr>["), fact.cell.unit.symbol
            unit = noun if fact.cell.text == "1" else plural(noun)
            number = cell_html(fact.cell) + (unit if unit == "×" else f" {escape(unit)}")
            uses = "; ".join(self._uses(value, self.here) for _, value in values if _is(value, fact))
            yield _cells(f"<code>{name}</code>", number, uses)
        for page, value in values:
            if not any(_is(value, fact) for fact in facts):
                yield self._row(page, value, ", from it", "", self.here)
        yield "</tbody>"

    def _row(self, page: Page, value: Value, origin: str, margin: str, home: Page) -> str:
        name = self._link(page, f"calc-{value.name}", f"<code>{value.name}</code>")
        number = f'<data value="{escape(str(value.value))}">{escape(value.in_full)}</data>'
        return _cells(name + origin, number + f"<br>{escape(margin)}" * bool(margin), self._uses(value, home))

    def _uses(self, value: Value, home: Page) -> str:
        """A link to each claim of a value; claims that are not on `home` come after their page's title."""
        uses = defaultdict(list)
        for page, link in self._claims[id(value)]:
            uses["" if page is home else f"{escape(page.title)}: "].append(link)
        return "; ".join(title + ", ".join(links) for title, links in uses.items())

    @cached_property
    def _claims(self) -> dict[int, list[tuple[Page, str]]]:
        claims = defaultdict(list)
        for page in self.pages:
            for number, verdict in self.verdicts.claims[page.path].items():
                link = self._link(page, f"claim-{number}", escape(verdict.link.text))
                claims[id(verdict.value)].append((page, link))
        return claims

    def _link(self, page: Page, anchor: str, html: str) -> str:
        address = "" if page is self.here else self.address(page.url, self.here.url)
        return f'<a href="{address}#{anchor}">{html}</a>'


def _is(value: Value, fact: Fact) -> bool:
    """Whether a published value is this fact: the same number, by an expression that names it."""
    words = set(re.findall(r"\w+", value.expression))
    return value.exact == fact.cell.value and words.issuperset(re.findall(r"\w+", fact.name.partition("[")[0]))


def _cells(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _table(first: str, rows: list[str]) -> str:
    head = "".join(f"<th scope=col>{title}</th>" for title in (first, "value", "claimed as"))
    table = f"<table><thead><tr>{head}</tr></thead>{''.join(rows)}</table>"
    return f'<div class="listing">{table}</div>'
