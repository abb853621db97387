"""What a published page gets beyond its text, piece by piece."""

import base64
import hashlib
import re
from html import unescape
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from mkdocs.exceptions import PluginError

from scaling_lesson.site.read.source import read
from scaling_lesson.site.run.results import BlockResult, Figure, Results
from scaling_lesson.site.web import search
from scaling_lesson.site.web.as_markdown import as_markdown
from scaling_lesson.site.web.plugin import WebPlugin
from scaling_lesson.site.web.policy import guarded, policy
from scaling_lesson.site.web.report import with_reports
from scaling_lesson.site.web.whole import _part


def test_a_policy_names_what_runs_by_its_hash_and_nothing_else():
    runs, styled = "let a = '<b>ü</b>';\n", "a{}"
    html = f"""<meta charset="utf-8"><script>{runs}</script><style>{styled}</style><script src="a.js"></script>
<script id="__config" type="application/json">1</script><script type="application/ld+json">2</script>"""
    rules = dict(rule.split(" ", 1) for rule in policy(html).split("; "))
    for name, content in (("script-src", runs), ("style-src", styled)):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[name] == f"'self' 'sha256-{digest}'"
    assert guarded(html).startswith('<meta charset="utf-8">\n      <meta http-equiv="Content-Security-Policy" content=')
    assert guarded("<p>a page without a head</p>") == "<p>a page without a head</p>"


def test_a_search_reads_no_card_drawing_or_folded_code():
    html = (
        '<p>one <span class="claim"><a>5</a><span class="claim-card"><span>6</span> <code>x</code></span></span> two</p>'
        '<svg><svg>7</svg>8</svg><details class="block-code"><pre>9</pre></details><details><p>three</p></details>'
    )
    assert search.readable(html) == (
        '<p>one <span class="claim"><a>5</a></span> two</p><details><p>three</p></details>'
    )


def test_a_theme_that_fetches_its_index_in_another_way_stops_the_build(tmp_path):
    scripts = tmp_path / "assets/javascripts"
    scripts.mkdir(parents=True)
    (tmp_path / "search").mkdir()
    (tmp_path / "search/search_index.json").write_text('{"docs":[]}')
    bundle = scripts / "bundle.0.min.js"
    bundle.write_text('f(location.protocol!=="file:")')
    search.wait(tmp_path)
    assert bundle.read_text().endswith("f(!1)") and "EventTarget" in bundle.read_text()
    assert (tmp_path / "search/search_index.js").read_text() == 'var __index = {"docs":[]}'
    with pytest.raises(PluginError, match="bundle.0.min.js"):
        search.wait(tmp_path)


PAGE = """\
---
title: A page
---

# A page { #id }

It takes [37.7 MB](calc:other/size) and $x_1$.

```python exec="on" source="above"
x = 5
print(x)
publish("B", x=x)
```

```python exec="on"
figure(fig, name="f")
```

/// caption
So [5 B](calc:x) it is.
///

/// question | Predict: why?
    attrs: {id: predict-why}

Because.
///

```bash
/// question | in a listing
```
"""


def test_a_page_as_markdown_is_what_a_reader_sees_of_it():
    drawn = Figure('<svg><desc id="d">A bar &amp; a line.</desc></svg>', None)
    results = Results({0: BlockResult(printed="5\n"), 1: BlockResult(shown=[drawn])})
    assert as_markdown(read("docs/page.md", PAGE), results) == (
        "# A page\n\nIt takes 37.7 MB and $x_1$.\n\n```python\nx = 5\nprint(x)\n```\n\n```text\n5\n```\n\n"
        "*Figure: A bar & a line.*\n\nSo 5 B it is.\n\n**Predict: why?**\n\nBecause.\n\n"
        "```bash\n/// question | in a listing\n```\n"
    )


def test_a_report_carries_page_name_text_and_value():
    row = (
        '<tr><td><a href="a/b.html#calc-size"><code>size</code></a><br><code>= 2 * x</code></td>'
        '<td><data value="50">50 &lt; B</data></td><td><a href="a/b.html#claim-3">0.05 kB &amp; so</a></td></tr>'
    )
    link = unescape(re.search('<a class="report" href="([^"]*)"', with_reports(row, "https://git.example/x/"))[1])
    asked = parse_qs(urlsplit(link).query)
    assert link.startswith("https://git.example/x/issues/new?") and asked["title"] == ["size on a/b.html"]
    page, shown, value, *_ = asked["body"][0].split("\n")
    assert (page, shown, value) == ("Page: a/b.html#calc-size", "Shown as: 0.05 kB & so", "Value: 50 < B (50)")
    assert with_reports("<tr><td>another row</td></tr>", "https://git.example") == "<tr><td>another row</td></tr>"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<h2 id="x">X</h2>', '<h3 id="l-a-x">X</h3>'),
        ('<a href="#x">', '<a href="#l-a-x">'),
        ('<a href="b.html#x">', '<a href="#l-b-x">'),
        ('<a href="b.html">', '<a href="#l-b">'),
        ('<a href="#calc-x">', '<a href="l/a.html#calc-x">'),
        ('<a href="../glossary.html#x">', '<a href="glossary.html#x">'),
        ('<a href="https://example.org/#x">', '<a href="https://example.org/#x">'),
        (
            '<svg aria-labelledby="t d"><path clip-path="url(#p)">',
            '<svg aria-labelledby="l-a-t l-a-d"><path clip-path="url(#l-a-p)">',
        ),
    ],
)
def test_where_a_part_of_the_whole_points(html, expected):
    names = {"l/a.html": "l-a", "l/b.html": "l-b"}
    assert _part("l/a.html", names, html) == f'<section id="l-a">{expected}</section>'


@pytest.mark.parametrize(
    "search, whole", [(None, False), ({"boost": 2}, False), ({"exclude": True}, True), ("exclude", False)]
)
def test_what_a_page_says_of_search_is_understood_or_left(search, whole):
    """Only a page that is left out keeps its cards for the moment in which the search reads it."""
    card = '<p>It takes <span class="claim-card" data-search-exclude>37,748,736 B</span>.</p>'
    page = SimpleNamespace(meta={"search": search} if search else {}, content=card, url="a/")
    plugin = WebPlugin()
    plugin._contents = {}
    plugin._before_search({}, page=page, config=None, nav=None)
    assert (page.content == card) == whole
    plugin._after_search({}, page=page, config=None, nav=None)
    assert page.content == card
