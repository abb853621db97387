"""Pages the site makes of itself: every published number with its uses, and every outside fact with its source.

Such a page is written like any other and holds a marker, `<!-- listing: numbers -->` or `<!-- listing: sources -->`, in
whose place the list stands once every page is rendered. What is listed was computed, so none of it is read for naked
numbers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from scaling_lesson.site.gate import Page, Verdicts
from scaling_lesson.site.numbers.value import Fact, Value
from scaling_lesson.site.show.blocks import cell_html

MARKER = re.compile(r"<!-- listing: (numbers|sources) -->")

@dataclass
class Listing:
    """All pages in the order of the navigation, and the page that lists them.

    address: gives the relative address of one page's url from another's.
    """

    verdicts: Verdicts
    pages: list[Page]
    here: Page
    address: Callable[[str, str], str]

    def fill(self, html: str) -> tuple[str, list[tuple[str, str]]]:
        """The page's HTML with its markers replaced, and the sections that came in: (title, id)."""
        self.sections: list[tuple[str, str]] = []
        self.uses: dict[int, list[tuple[Page, int]]] = {}
        for page in self.pages:
            for number, verdict in self.verdicts.claims[page.path].items():
                if verdict.value is not None:
                    self.uses.setdefault(id(verdict.value), []).append((page, number))
        lists = {"numbers": self._numbers, "sources": self._sources}
        return MARKER.sub(lambda match: f'<div class="computed">{lists[match[1]]()}</div>', html), self.sections

    def _numbers(self) -> str:
        parts = []
        for page in self.pages:
            if page.results.values:
                rows = "".join(
                    f"<tr><td>{self._code(page, value)}<br><code>= {escape(value.expression)}</code></td>"
                    f"<td>{_in_full(value)}{_tolerance(value)}</td><td>{self._places(page, [value])}</td></tr>"
                    for value in page.results.values.values()
                )
                head = ("number", "value", "claimed as")
                parts.append(self._heading(page.title, f"of-{page.slug}") + _table(head, f"<tbody>{rows}</tbody>"))
        return "".join(parts)

    def _sources(self) -> str:
        """One section a document, one group of rows a table or section of it."""
        cited: dict[tuple, dict[str, list]] = {}
        for page in self.pages:
            for item in (
                *page.results.facts.values(),
                *(v for v in page.results.values.values() if v.source and v.exact is not None),
            ):
                document, where = _printed(item.source)
                cited.setdefault(document, {}).setdefault(where, []).append((page, item))
        parts = []
        for number, (title, date, url) in enumerate(sorted(cited), 1):
            groups = cited[title, date, url]
            link = f'<p><a href="{escape(url)}">{escape(re.sub("^https?://", "", url))}</a></p>' if url else ""
            body = "".join(self._printed_in(where, items) for where, items in groups.items())
            name = f"{title} ({date})" if date else title
            head = ("fact", "value", "claimed as")
            parts.append(f"{self._heading(name, f'source-{number}')}{link}{_table(head, body)}")
        return "".join(parts)

    def _printed_in(self, where: str, items: list[tuple[Page, Fact | Value]]) -> str:
        """Rows of the facts printed in one place of a document, and of what was computed from them."""
        rows, values = [], [(page, item) for page, item in items if isinstance(item, Value)]
        told = set()
        for _, fact in items:
            if isinstance(fact, Fact):
                uses = [(page, value) for page, value in values if _is(value, fact)]
                told.update(id(value) for _, value in uses)
                places = "; ".join(self._places(self.here, [value]) for _, value in uses)
                name = escape(fact.name).replace(".", ".<wbr>").replace("[", "<wbr>[")
                unit = fact.cell.unit.symbol
                value = cell_html(fact.cell) + (unit if unit == "×" else f" {escape(unit)}")
                rows.append(f"<tr><td><code>{name}</code></td><td>{value}</td><td>{places}</td></tr>")
        for page, value in values:
            if id(value) not in told:
                places = self._places(self.here, [value])
                name = f"{self._code(page, value)}, from it"
                rows.append(f"<tr><td>{name}</td><td>{_in_full(value)}</td><td>{places}</td></tr>")
        return f'<tbody><tr><th colspan="3" scope="rowgroup">{escape(where)}</th></tr>{"".join(rows)}</tbody>'

    def _places(self, home: Page, values: list[Value]) -> str:
        """A link to each claim of the values; claims that are not on `home` come after their page's title."""
        by_page: dict[str, list[str]] = {}
        for page, number in (use for value in values for use in self.uses.get(id(value), [])):
            link = self._link(page, f"claim-{number}", escape(page.source.claims[number].text))
            by_page.setdefault("" if page is home else f"{escape(page.title)}: ", []).append(link)
        return "; ".join(f"{title}{', '.join(links)}" for title, links in by_page.items())

    def _code(self, page: Page, value: Value) -> str:
        return self._link(page, f"calc-{value.name}", f"<code>{value.name}</code>")

    def _link(self, page: Page, anchor: str, html: str) -> str:
        address = "" if page is self.here else self.address(page.url, self.here.url)
        return f'<a href="{address}#{anchor}">{html}</a>'

    def _heading(self, title: str, anchor: str) -> str:
        self.sections.append((title, anchor))
        permalink = f'<a class="headerlink" href="#{anchor}" title="Permanent link">¶</a>'
        return f'<h2 id="{anchor}">{escape(title)}{permalink}</h2>'


def _printed(source: object) -> tuple[tuple[str, str, str], str]:
    """A source's document, as (title, date, url), and the place in it; a source given as text is all title."""
    if isinstance(source, str):
        return (source, "", ""), ""
    return (source.title, source.date, source.url), source.where


def _is(value: Value, fact: Fact) -> bool:
    """Whether a published value is this fact: the same number, by an expression that names it."""
    words = set(re.findall(r"\w+", value.expression))
    return value.exact == fact.cell.value and words.issuperset(re.findall(r"\w+", fact.name.partition("[")[0]))


def _in_full(value: Value) -> str:
    return f'<data value="{escape(str(value.value))}">{escape(value.in_full)}</data>'


def _tolerance(value: Value) -> str:
    return f"<br>{escape(value.margin)}" if value.tolerance else ""


def _table(head: tuple[str, ...], bodies: str) -> str:
    cells = "".join(f"<th scope=col>{title}</th>" for title in head)
    return f'<div class="md-typeset__scrollwrap listing"><table><thead><tr>{cells}</tr></thead>{bodies}</table></div>'
