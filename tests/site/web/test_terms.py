"""The glossary: read from its page, marked quietly on all others, and used."""

import html
import re

import pytest

from scaling_lesson.site.web.terms import read_terms

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
    found = read_terms(tmp_path / "g.md")
    assert {
        "Tile": "A block of queries, or keys; see here.",
        "Key-value cache": kept,
        "KV cache": kept,
    }.items() <= found.items()
    assert found["key-value caches"] == kept and set(found.values()) == {found["Tile"], kept}


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
