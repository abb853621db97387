"""The glossary: read from its page, marked quietly on all others, and used."""

import html
import re
from pathlib import Path

import pytest
from scaling_lesson.site.read.terms import read_terms
from test_browser import base, browser, opened  # noqa: F401 (fixtures)

ROOT = Path(__file__).resolve().parents[3]
TERMS = read_terms(ROOT / "docs/glossary.md")

GLOSSARY = """\
# Glossary

A text before, [3](calc:n).

Tile
:   A **block** of `queries`,
    or keys; see [here](page.md).

Key-value cache
KV cache
:   What "is" kept.

```python exec="on"
n = 3
publish("", n=n)
```
"""


@pytest.fixture
def marked(site):
    """marked(text): the abbr elements of a page, as (definition, text), with a glossary in place."""

    def make(text: str) -> list[tuple[str, str]]:
        made = site("# Page\n", accepted=False)
        made.write(GLOSSARY, "glossary.md")
        settings = (
            (made.root / "mkdocs.yml").read_text().replace("{numbers: {", "{numbers: {glossary: docs/glossary.md, ")
        )
        (made.root / "mkdocs.yml").write_text(settings)
        made.write(text)
        made.accept()
        assert "<abbr" not in made.html("glossary/index.html")
        found = re.findall(r"<abbr tabindex=\"0\" title=\"([^\"]*)\">([^<]*)</abbr>|<abbr", made.html())
        return [(html.unescape(title), word) for title, word in found]

    return make


def test_terms_are_read_from_the_page(tmp_path):
    (tmp_path / "g.md").write_text(GLOSSARY)
    kept = 'What "is" kept.'
    assert read_terms(tmp_path / "g.md") == {
        "Tile": "A block of queries, or keys; see here.",
        "Key-value cache": kept,
        "KV cache": kept,
    }


def test_a_term_is_marked_once_at_its_first_place_in_running_text(marked):
    assert marked(
        "# A tile\n\n## Tiles `tile`\n\n`tile` and [a tile](index.md) and\n\n"
        '!!! note "The tile"\n\n    Reptiles, *two KV\n    caches* and a KV cache, tiles here.\n'
        "\nA tile. The key-value cache.\n"
    ) == [('What "is" kept.', "KV\ncaches"), ("A block of queries, or keys; see here.", "tiles")]


def test_a_claim_is_never_a_term(marked):
    text = (
        '# Page\n\n[Tile](calc:a)\n\n```python exec="on"\na = "Tile"\npublish("", a=a)\nprint("tile")\n```\n\nTiles.\n'
    )
    assert marked(text) == [("A block of queries, or keys; see here.", "Tiles")]


def test_a_number_in_a_definition_is_told_once_where_it_stands(site):
    made = site("# Page\n\nA tile.\n", accepted=False)
    made.write("# Glossary\n\nTile\n:   Of 128 rows.\n", "glossary.md")
    settings = (made.root / "mkdocs.yml").read_text().replace("{numbers: {", "{numbers: {glossary: docs/glossary.md, ")
    (made.root / "mkdocs.yml").write_text(settings)
    assert made.messages() == ['docs/glossary.md:4: naked number "128": publish it and claim it, [128](calc:name)']


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
    page = opened("scaling-and-efficiency/roofline/", viewport={"width": width, "height": 800}, has_touch=touch)
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
    page = opened("scaling-and-efficiency/roofline/", java_script_enabled=False)
    assert page.locator("abbr", has_text="memory-bound").first.get_attribute("title") == TERMS["Memory-bound"]
