"""The pages the site makes of itself: all numbers with their uses, all outside facts with their sources."""

import html
import importlib
import json
import pkgutil
import re

import pytest

import scaling_lesson
from scaling_lesson.sources import facts_of

PAGE = """\
# Page

The GPU reaches [312 TFLOP/s](calc:peak), the model has [12 layers](calc:n_layer).

```python exec="on"
from scaling_lesson.hardware import A100_80GB_SXM as a100
from scaling_lesson.models import GPT2_SMALL
import torch
half = torch.float16
gpt2 = GPT2_SMALL
card = a100
peak = card.peak_flop_per_s[half]
publish("FLOP/s", peak=peak, source=a100.source)
publish("layer", n_layer=gpt2.n_layer, source=gpt2.source)
```
"""
OTHER = """\
---
title: Q & A
---

# Other

Again [12](calc:page/n_layer), and then [24](calc:twice), by a book.

```python exec="on"
from scaling_lesson import models
from scaling_lesson.sources import facts_of
twice = 24.0
publish("", twice=twice, tolerance=0.25, reason="it <varies>", source="A book, page two")
for fact in facts_of(models):
    cite(*fact)
```

<!-- listing: numbers -->

<!-- listing: sources -->
"""


def rows(text: str) -> list[list[str]]:
    """The cells of each table row, without markup."""
    found = [re.findall(r"<td>(.*?)</td>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", text, re.S)]
    return [[html.unescape(re.sub("<[^>]+>", "", cell)) for cell in row] for row in found]


def test_a_listing_holds_each_number_its_code_and_its_uses(site):
    made = site(PAGE)
    made.dress()
    made.write(OTHER, "sub/other.md")
    made.accept()
    text = made.html("sub/other/index.html")
    by_name = {row[0].split("=")[0]: row for row in rows(text.split('id="source-1"')[0]) if row}
    assert by_name["n_layer"] == ["n_layer= gpt2.n_layer, with gpt2 = GPT2_SMALL", "12 layers", "12 layers; Q & A: 12"]
    assert by_name["twice"][1:] == ["24± 0.25: it <varies>", "24"]
    assert by_name["peak"][0] == "peak= card.peak_flop_per_s[half]"
    assert '<a href="../../page/#calc-n_layer"><code>n_layer</code></a>' in text
    assert re.search(r'<a href="../../page/#claim-1">12 layers</a>; Q &amp; A: <a href="#claim-0">12</a>', text)
    assert 'id="claim-0"' in text and 'id="claim-1"' in made.html()
    assert '<a href="#of-page" class="md-nav__link">' in text  # its table of contents has the sections
    (layers,) = [row for row in rows(text) if row and row[0] == "GPT2_SMALL.n_layer"]
    assert layers == ["GPT2_SMALL.n_layer", "12 layers", "Page: 12 layers; 12"]
    assert ["twice, from it", "24", "24"] in rows(text)
    assert "A book, page two</h2>" in re.sub("<a class.*?</a>", "", text)


def test_facts_come_in_base_units_and_with_the_unit_their_name_tells():
    from scaling_lesson import hardware, models

    found = {name: (value, unit) for name, value, unit, _ in facts_of(models, hardware)}
    assert found["GPT2_SMALL.d_model"] == (768, "")
    assert found["GPT2_SMALL.max_seq_len"] == (1024, "token position")
    assert found["LLAMA_65B.days"] == (21 * 86400, "day")
    assert found["FLASH_SRAM_BYTES"] == (102400, "kB")
    assert found["V100_SXM.memory_bytes_per_s"] == (0.9e12, "GB/s")
    assert found["A100_80GB_SXM.peak_flop_per_s[torch.bfloat16]"] == (312e12, "TFLOP/s")
    assert "GPT3.days" not in found and "GPT2_SMALL.layout" not in found
    assert len(list(facts_of(models, models))) == len(list(facts_of(models)))


def test_cite_refuses_a_second_fact_of_one_name(site):
    made = site('# Page\n\n```python exec="on"\nfor _ in range(2):\n    cite("A.b", 5, "B", "book")\n```\n')
    assert made.messages() == ["docs/page.md:5: the block raised ValueError: this page already has fact A.b"]


def test_a_fact_is_recorded_like_any_number(site):
    made = site('# Page\n\n```python exec="on"\ncite("A.b", 5, "B", "book")\n```\n')
    made.write('# Page\n\n```python exec="on"\ncite("A.b", 6, "B", "book")\n```\n')
    assert made.messages() == ["docs/page.md:4: fact A.b: recorded 5, computed 6"]


def test_the_real_page_of_numbers_has_all_and_no_dead_link(built):
    text = (built / "numbers.html").read_text()
    pages = json.loads((built / "numbers.json").read_text())["pages"]
    assert len(rows(text)) - text.count("<thead>") == sum(len(page["values"]) for page in pages.values()) > 100
    assert text.count("#claim-") == sum(len(page["claims"]) for page in pages.values())


@pytest.mark.parametrize("page", ["numbers", "sources"])
def test_every_link_of_a_listing_leads_somewhere(built, page):
    text = (built / f"{page}.html").read_text()
    ids = {}
    for address, anchor in set(re.findall(r'<a href="([^"#]*)#((?:calc|claim)-[^"]+)"', text)):
        file = (built / (address or f"{page}.html")).resolve()
        ids.setdefault(file, set(re.findall(r'\sid="?([^\s">]+)', file.read_text())))
        assert anchor in ids[file], (address, anchor)
    assert len(ids) >= 2


def test_the_page_of_sources_has_every_fact_of_the_package(built):
    text = html.unescape((built / "sources.html").read_text().replace("<wbr>", ""))
    modules = [
        importlib.import_module(f"scaling_lesson.{m.name}")
        for m in pkgutil.iter_modules(scaling_lesson.__path__)
        if not m.ispkg
    ]
    facts = list(facts_of(*modules))
    assert len(facts) > 120
    missing = [name for name, _, _, source in facts if f"<code>{name}</code>" not in text or source.url not in text]
    assert missing == []
    assert [source for _, _, _, source in facts if source.where not in text] == []
