"""The real site's glossary: each term is used, and shown where it first is."""

import html
import re
from pathlib import Path

import pytest
from test_browser import base, browser, opened  # noqa: F401 (fixtures)

from scaling_lesson.site.web.terms import read_terms

ROOT = Path(__file__).resolve().parents[2]
TERMS = read_terms(ROOT / "docs/glossary.md")


@pytest.mark.slow
def test_each_term_is_used_on_some_page(built):
    shown = set()
    for file in built.rglob("*.html"):
        shown.update(
            html.unescape(title) for title in re.findall(r'<abbr tabindex="?0"? title="([^"]*)"', file.read_text())
        )
    assert [term for term, definition in TERMS.items() if definition not in shown] == []
    assert len(set(TERMS.values())) >= 35


@pytest.mark.slow
@pytest.mark.parametrize("touch", [False, True])
def test_a_definition_shows_on_hover_and_tap_and_looks_quieter_than_a_claim(opened, touch):  # noqa: F811
    width = 390 if touch else 1280
    page = opened("scaling-and-efficiency/roofline.html", viewport={"width": width, "height": 800}, has_touch=touch)
    term = page.locator("abbr", has_text="memory-bound").first
    assert term.get_attribute("title") == TERMS["Memory-bound"]
    tip = page.locator(".md-tooltip2", has_text=TERMS["Memory-bound"])
    if touch:
        term.tap()
    else:
        term.hover()
    tip.wait_for(state="visible")
    box = tip.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    line = term.evaluate("e => [getComputedStyle(e).borderBottomColor, getComputedStyle(e).textDecorationLine]")
    claim = page.locator(".claim a").first.evaluate("e => getComputedStyle(e).textDecorationColor")
    assert line[1] == "none" and line[0] != claim


@pytest.mark.slow
def test_a_definition_is_a_title_without_javascript(opened):  # noqa: F811
    page = opened("scaling-and-efficiency/roofline.html", java_script_enabled=False)
    assert page.locator("abbr", has_text="memory-bound").first.get_attribute("title") == TERMS["Memory-bound"]
