"""`numbers.json`, which the site publishes: for the second check, the notebook, and anyone who wants to recompute."""

from collections.abc import Iterator, Mapping, Sequence

from scaling_lesson.site.gate import Page, Settings, Verdicts
from scaling_lesson.site.numbers.value import Cell, Value
from scaling_lesson.site.run.results import Figure, Results


def published(pages: Sequence[Page], verdicts: Verdicts, settings: Settings) -> dict:
    """Everything published and claimed."""
    listed = {}
    for page in pages:
        values = [_value(page, value) for value in page.results.values.values()]
        claims = [
            {"text": v.link.text, "page": v.owner.path, "name": v.link.name, "line": v.link.line}
            for v in verdicts.claims[page.path].values()
            if v.owner and v.value
        ]
        cells = [{"text": c.text, "value": str(c.value), "unit": c.unit.symbol} for c in _cells(page.results)]
        if values or claims or cells or page.path in settings.exempt:
            listed[page.path] = {"url": page.url, "values": values, "claims": claims, "cells": cells}
    return {"names": list(settings.names), "exempt": settings.exempt, "pages": listed}


def recomputable(runs: Mapping[str, Results]) -> dict:
    """What of it can be recomputed, which is known as soon as all pages have run."""
    return {"pages": {path: {"values": [_exact(v) for v in run.values.values()]} for path, run in runs.items()}}


def _exact(value: Value) -> dict:
    exact = {"value": str(value.value), "type": type(value.value).__name__, "unit": value.unit.symbol}
    return {"name": value.name, **exact, "tolerance": value.tolerance}


def _cells(results: Results) -> Iterator[Cell]:
    """The numbers of a page's tables, of its figures' data, and of the facts it lists."""
    for block in results.blocks.values():
        tables = [part.data if isinstance(part, Figure) else part for part in block.shown]
        yield from (cell for table in tables if table for row in table.rows for cell in row if isinstance(cell, Cell))
        yield from (fact.cell for fact in block.facts)


def _value(page: Page, value: Value) -> dict:
    accepted = page.accepted(value)
    recorded = str(value.value if accepted is None else accepted)
    margin = {"recorded": recorded, "reason": value.reason}
    origin = {
        "expression": value.expression,
        "source": value.source.get("text", ""),
        "line": page.source.line(value.place),
    }
    return {**_exact(value), **margin, **origin}
