"""The gate on small sites: what it catches, with the line, and what it lets through."""

import logging
import re

import pytest

from scaling_lesson.site.web.numbers_json import published

PAGE = """
# Page

The cache takes [37.7 MB](calc:cache), or [36.0 MiB](calc:cache).

```python exec="on" source="above"
cache = 2 * 12 * 12 * 64 * 1024 * 2
print(cache)
publish("B", cache=cache)
```

!!! note "Nested"

    ```python exec="on"
    table("sizes", ["name", ("size", "MB", 1)], [["one", cache], ["two", 2 * cache]])
    ```

| what | size |
|------|------|
| one  | [37,748,736 bytes](calc:cache) |
"""


def test_a_true_page_passes_and_says_where_numbers_come_from(site):
    made = site(PAGE)
    assert made.messages() == []
    html = made.html()
    assert html.count('<data class="claim-number" value="37748736">') == 3
    assert '<a href="#calc-cache" aria-describedby="claim-0-card">' in html
    assert '<span id="calc-cache"></span>' in html
    assert "<code>2 * 12 * 12 * 64 * 1024 * 2</code>" in html
    assert "publish(" not in html
    assert '<data class="cell" value="75497472" data-unit="MB">75.5</data>' in html
    assert "(calc:" not in html and "⟦" not in html


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[37.7 MB]", "[37.8 MB]", ['docs/page.md:3: claim "37.8 MB": cache is 37748736 B (37.7 MB)']),
        ("[37.7 MB]", "[37.7 MiB]", ['docs/page.md:3: claim "37.7 MiB": cache is 37748736 B (36.0 MiB)']),
        (
            "[37.7 MB]",
            "[37.7 MFLOP]",
            ['docs/page.md:3: claim "37.7 MFLOP": cache is 37748736 B (37,748,736 B); MFLOP is work, not data'],
        ),
        (
            "[37.7 MB]",
            "[37.7 Mb]",
            [
                'docs/page.md:3: claim "37.7 Mb": cache is 37748736 B; unit must be one of those in '
                "scaling_lesson.units; got 'Mb'; did you mean MB?"
            ],
        ),
        (
            "(calc:cache), or",
            "(calc:cash), or",
            ['docs/page.md:3: claim "37.7 MB": nothing publishes cash; did you mean cache?'],
        ),
        ("(calc:cache), or", "(calc:other/cache), or", ["docs/page.md:3: claim \"37.7 MB\": there is no page 'other'"]),
        (
            "(calc:cache), or",
            "(calc:pages/cache), or",
            ["docs/page.md:3: claim \"37.7 MB\": there is no page 'pages'; did you mean 'page'?"],
        ),
        (
            "[37,748,736 bytes]",
            "[37,748,735 bytes]",
            ['docs/page.md:19: claim "37,748,735 bytes": cache is 37748736 B (37,748,736 bytes)'],
        ),
        (
            "[37,748,736 bytes](calc:cache)",
            "37 MB",
            ['docs/page.md:19: naked number "37": publish it and claim it, [37](calc:name)'],
        ),
        (
            "The cache",
            "The 12 layers' cache",
            ['docs/page.md:3: naked number "12": publish it and claim it, [12](calc:name)'],
        ),
        (
            "print(cache)",
            "print(cache, 1)",
            ['docs/page.md:6: block 1 line 1: recorded "37748736", computed "37748736 1"'],
        ),
        (
            "* 1024 * 2\n",
            "* 1024 * 4\n",
            [
                'docs/page.md:3: claim "36.0 MiB": cache is 75497472 B (72.0 MiB)',
                'docs/page.md:3: claim "37.7 MB": cache is 75497472 B (75.5 MB)',
                'docs/page.md:6: block 1 line 1: recorded "37748736", computed "75497472"',
                "docs/page.md:8: published cache: recorded 37748736 B, computed 75497472 B",
                "docs/page.md:14: table sizes row 1 size: recorded 37748736, computed 75497472",
                "docs/page.md:14: table sizes row 2 size: recorded 75497472, computed 150994944",
                'docs/page.md:19: claim "37,748,736 bytes": cache is 75497472 B (75,497,472 bytes)',
            ],
        ),
        (
            "2 * cache]]",
            "3 * cache]]",
            ["docs/page.md:14: table sizes row 2 size: recorded 75497472, computed 113246208"],
        ),
        (
            'publish("B", cache=cache)',
            'publish("B", cache=cache, spare=cache)',
            [
                "docs/page.md:8: published spare: 37748736 B is not in the record",
                "docs/page.md:8: published spare: nothing claims it",
            ],
        ),
        ("\nprint(cache)", "\nraise KeyError(cache)", ["docs/page.md:7: the block raised KeyError: 37748736"]),
        ("\nprint(cache)", "\nimport sys; sys.exit(0)", ["docs/page.md:7: the block called sys.exit(0)"]),
        ("\nprint(cache)", "\nimport os; os._exit(0)", ["docs/page.md:7: the block ended its process (status 0)"]),
        ("\nprint(cache)", "\nexit()", ["docs/page.md:7: the block called sys.exit(None)"]),
        ("\nprint(cache)", "\nraise KeyboardInterrupt", ["docs/page.md:7: the block raised KeyboardInterrupt"]),
        ("\nprint(cache)", "\nprint(cache", ["docs/page.md:7: the block raised SyntaxError: '(' was never closed"]),
    ],
)
def test_each_defect_is_told_with_its_line_and_nothing_else(site, old, new, expected):
    made = site(PAGE)
    assert old in PAGE
    made.write(PAGE.replace(old, new, 1))
    assert made.messages() == expected
    assert made.fails()


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "while True:\n    try:\n        import time; time.sleep(9)\n    except Exception:\n        pass",
    ],
)
def test_a_block_that_never_ends_is_stopped(site, code):
    made = site(f'# Page\n\n```python exec="on" timeout="0.3"\n{code}\n```\n', accepted=False)
    (message,) = made.messages()
    assert re.match(r"docs/page\.md:\d: the block ran longer than 0\.3 s", message), message


def test_a_block_whose_header_is_misspelt_is_told(site):
    made = site(PAGE.replace('exec="on" source="above"', 'exce="on" source="above"'), accepted=False)
    assert made.messages() == [
        "docs/page.md:5: this block would not run: there is no option 'exce'; did you mean 'exec'?"
    ]


def test_a_block_that_markdown_does_not_reach_is_told(site):
    # The list item ends before the fence does, so superfences gives the block up.
    text = '# Page\n\n- item\n\n    ```python exec="on"\n    x = 1\n  y = 2\n    ```\n'
    (message,) = site(text, accepted=False).messages()
    assert message == "docs/page.md:5: this block would not run: a line of it is indented less than its first"


def test_a_block_in_a_comment_is_told(site):
    made = site(PAGE.replace("```python", "<!--\n```python", 1).replace("\n```\n", "\n```\n-->\n", 1))
    (message,) = made.messages()
    assert message == "docs/page.md:6: this block is not on the built page: it did not run, or stands in a comment"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('python exec="on" source="above"', 'python exec="on" source=above'),
        ('python exec="on" source', 'py exec="on" source'),
        ("```python", "~~~python"),
        ("```python", "    ```python"),
    ],
)
def test_of_a_block_that_is_no_block_the_code_is_not_read_as_prose(site, old, new):
    (message,) = site(PAGE.replace(old, new, 1), accepted=False).messages()
    assert message.startswith("docs/page.md:5: ")


def test_a_claim_that_is_not_rendered_is_told(site):
    made = site(PAGE + "\n## On [37.7 MB](calc:cache)\n\n<p>[37.7 MB](calc:cache)</p>\n")
    assert made.messages() == [
        'docs/page.md:21: claim "37.7 MB" is not on the built page: a heading cannot hold one',
        "docs/page.md:23: <p> may show what nothing checks: write Markdown",
    ]


def test_front_matter_is_prose_and_shifts_no_line(site):
    made = site(
        "---\ntitle: Page\ndescription: takes 37 MB\nsize: '[37.7 MB](calc:cache)'\n---\n"
        + PAGE.lstrip("\n").replace("[37.7 MB]", "[37.8 MB]")
    )
    made.accept()
    assert made.messages() == [
        'docs/page.md:3: naked number "37": publish it and claim it, [37](calc:name)',
        "docs/page.md:4: front matter cannot hold a claim",
        'docs/page.md:8: claim "37.8 MB": cache is 37748736 B (37.7 MB)',
    ]


CODE_TEXT = {
    "# It takes 99 MB.\nx = 5": '5: naked number "99 MB" in code: put it in by an f-string, or leave it out',
    'x = 5\nprint(f"{x}, or 99 MB")': '6: naked number "99 MB" in code: put it in by an f-string, or leave it out',
    'x = 5\nlabel = "99 MB"\nprint(label)': '6: naked number "99 MB" in code: put it in by an f-string, or leave it out',
    'x = 5\na = f"{x:.1f}e9"\npublish("", a=a)': '7: published a: "5.0e9" has a number: publish that, or the source= of what is quoted',
    'x = 5\na = "float16"\npublish("", a=a)': None,
    'x = 5\na = "99 MB"\npublish("", a=a, source="a letter")': None,
    'x = 5\npublish("", y=x, tolerance=1, reason="99 on a GPU")': '6: naked number "99" in code: put it in by an f-string, or leave it out',
    'x = 5\nprint("33 layers")': '6: naked number "33 layers" in code: put it in by an f-string, or leave it out',
    'x = 5\nprint("2,119 in all")': '6: naked number "2,119" in code: put it in by an f-string, or leave it out',
    'x = 5\nprint("step 3 of float16")': None,
}


@pytest.mark.parametrize("code", CODE_TEXT)
def test_what_code_says_in_words_is_computed_or_quoted(site, code):
    made = site(f'# Page\n\n[5](calc:x)\n```python exec="on"\n{code}\npublish("", x=x)\n```\n')
    messages = made.messages()
    unused = [message for message in messages if message.endswith("nothing claims it")]
    assert len(unused) == code.count("publish(")
    assert [message for message in messages if message not in unused] == (
        [f"docs/page.md:{CODE_TEXT[code]}"] if CODE_TEXT[code] else []
    )


def test_an_image_and_raw_html_are_told(site):
    assert site('# Page\n\n![The cache](cache.svg)\n\n<iframe srcdoc="x"></iframe>\n').messages() == [
        "docs/page.md:3: an image shows what nothing checks: draw it with figure(...)",
        'docs/page.md:5: <iframe srcdoc="x"> may show what nothing checks: write Markdown',
    ]


@pytest.mark.parametrize("name", ["99", "99 MB", "12:30"])
def test_a_name_is_no_number(site, name):
    made = site("# Page\n")
    config = made.root / "mkdocs.yml"
    config.write_text(config.read_text().replace("names: [GPT-2", f"names: ['{name}', GPT-2"))
    with pytest.raises(SystemExit, match="a name has a letter"):
        made.messages()


def test_a_title_that_is_a_number_is_naked(site):
    assert site("---\ntitle: 99\n---\n# Page\n").messages() == [
        'docs/page.md:2: naked number "99": publish it and claim it, [99](calc:name)',
    ]


def test_a_tab_is_four_columns(site):
    assert site('!!! note\n\n    ```python exec="on"\n    x = 1\n\t```\n', accepted=False).messages() == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("so $$ x", "Markdown did not read this, and shows it as it stands: $$ x"),
        ("so ```python", "Markdown did not read this, and shows it as it stands: ```python"),
    ],
)
def test_what_markdown_leaves_unread_is_told(site, text, told):
    assert site(f"# Page\n\n{text}\n", accepted=False).messages() == [f"docs/page.md:3: {told}"]


def test_figure_text_is_prose(site):
    block = """
    # Page

    ```python exec="on"
    import matplotlib.pyplot as plt
    fig, ax = plt.subplots()
    ax.plot([1, 2], [3, 4], color="#2f6bd8")
    figure(fig, name="line-2", title="Up to 4",
           desc=f"From {3} to 4, at {0.5:.1f}")
    ```
    """
    assert site(block, accepted=True).messages() == [
        'docs/page.md:7: naked number "4" in code: put it in by an f-string, or leave it out',
        'docs/page.md:8: naked number "4" in code: put it in by an f-string, or leave it out',
    ]


def test_a_record_holds_what_a_figure_and_its_table_say(site):
    made = site(
        '```python exec="on"\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n'
        'rows = [["x", True], ["y", False]]\nfigure(fig, name="a", title="t", desc="d", data=(["n", "ok"], rows))\n```\n'
    )
    assert made.messages() == []
    entries = made.page("docs/page.md").results.entries
    said = {
        "figure a": '"t"',
        "figure a desc": '"d"',
        "table a": '"n | ok"',
        "table a row 1 ok": '"yes"',
        "table a row 2 ok": '"no"',
    }
    assert {key: entries[key].text for key in said} == said


def test_a_colour_outside_the_palette_is_refused(site):
    block = (
        '```python exec="on"\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2], color="#ff0000")\n'
        'figure(fig, name="a", title="t", desc="d")\n```\n'
    )
    (message,) = site(block, accepted=False).messages()
    assert "docs/page.md:5: the block raised ValueError: figure 'page-a' must use the palette" in message


def test_an_exemption_needs_no_quotes(site):
    assert site("# Page\n\nSeries 2.\n", exempt='{docs/page.md: {2: "its name"}}').messages() == []


def test_exemptions_are_used_or_told_at_their_line(site):
    exempt = '{docs/page.md: {"2": "its name",\n  "9": "gone"},\n  docs/pag.md: {"3": "its name"}}'
    made = site("# Page\n\nSeries 2 and part 3.\n", exempt=exempt)
    assert made.messages() == [
        'docs/page.md:3: naked number "3": publish it and claim it, [3](calc:name)',
        'mkdocs.yml:5: the exemption of "9" matches nothing on docs/page.md',
        'mkdocs.yml:6: the exemption of "3" matches nothing on docs/pag.md',
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('publish("B")', "publish needs at least one name=value"),
        ('publish("Bite", x=1)', "unit must be one of"),
        ('publish("B", x=float("nan"))', "x must be finite; got nan"),
        ('publish("B", x=float("inf"))', "x must be finite; got inf"),
        ('publish("B", x=None)', "x must be an int, float, Fraction, str or bool; got NoneType"),
        ('publish("B", x="text")', 'x is str, so its unit must be ""; got'),
        ('publish("B", X=1)', "lower_case_with_underscores"),
        ('publish("", x=1, tolerance=0.1)', "tolerance and reason go together"),
        ('publish("", x=1, reason="why")', "tolerance and reason go together"),
        ('publish("", x=1, tolerance=-1, reason="why")', "tolerance must be a finite number"),
        ('x = 1; publish("", x=x); publish("", x=x)', "this page already has value x"),
        ('table("t", ["a"], [[1, 2]])', "row 1 of table 't' has 2 cells; expected 1"),
        ('table("t", ["a"], [[1]]); table("t", ["a"], [[1]])', "this page already has table t"),
        ('figure(1, name="a", title="t", desc="d")', "figure takes a matplotlib Figure; got int"),
    ],
)
def test_a_bad_call_says_what_it_needs(site, call, message):
    found = site(f'```python exec="on"\n{call}\n```\n', accepted=False).messages()
    assert any(
        line.startswith("docs/page.md:2: the block raised ValueError: ") and message in line for line in found
    ), found


def test_a_tolerance_lets_a_record_differ_and_keeps_claims_safe(site):
    text = '[under 0.001](calc:x)\n\n```python exec="on"\nx = 0.0004\npublish("", x=x, tolerance=0.0005, reason="sums")\n```\n'
    made = site(text)
    made.write(text.replace("0.0004", "0.00045"))
    assert made.messages() == []
    made.write(text.replace("0.0004", "0.00095"))
    assert [re.sub(";.*", "", m) for m in made.messages()] == [
        'docs/page.md:1: claim "under 0.001": x is 0.00095',
        "docs/page.md:5: published x: recorded 0.0004, computed 0.00095",
    ]
    assert made.summary.startswith("1 number drifted on 1 page. 1 more problem to mend by hand.")


def test_a_block_may_define_a_dataclass(site):
    made = site(
        '```python exec="on"\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: "int" = 5\n'
        "print(A(), A.__module__)\n```\n"
    )
    assert made.messages() == []
    assert made.page("docs/page.md").results.entries["block 1 line 1"].text == '"A(x=5) page"'


def test_pages_share_nothing(site):
    made = site(
        '```python exec="on"\nimport torch, os\ntorch.set_default_dtype(torch.float64)\ntorch.manual_seed(5)\nleak = 1\n'
        'os.environ["LEAK"] = "1"\nos.chdir("/")\nimport matplotlib; matplotlib.rcParams["font.size"] = 99\n'
        "import scaling_lesson.models as m; m.GPT2_SMALL = None\n```\n"
    )
    later = made.write(
        '```python exec="on"\nimport torch, os, matplotlib\nfrom scaling_lesson.models import GPT2_SMALL\n'
        'print(torch.get_default_dtype(), torch.rand(1).item(), "leak" in globals(), os.environ.get("LEAK"),\n'
        '      matplotlib.rcParams["font.size"] == 99, GPT2_SMALL is None, os.getcwd() == "/")\n```\n',
        "z.md",
    )
    made.messages()
    together = made.page("docs/z.md").results.entries["block 1 line 1"].text
    later.rename(later.with_name("a.md"))
    made.messages()
    alone = made.page("docs/a.md").results.entries["block 1 line 1"].text
    assert together == alone
    assert re.fullmatch(r'"torch\.float32 0\.\d+ False None False False False"', together)


def test_claims_reach_across_pages_whatever_their_order(site):
    made = site(PAGE)
    made.write("# A\n\n[37.7 MB](calc:page/cache)\n", "a.md")
    made.write("# Z\n\n[37.9 MB](calc:page/cache)\n", "deep/z.md")
    made.write("# B\n\n[37.7 MB](calc:cache)\n", "b.md")
    assert made.messages() == [
        'docs/b.md:3: claim "37.7 MB": nothing publishes cache; did you mean page/cache?',
        'docs/deep/z.md:3: claim "37.9 MB": cache is 37748736 B (37.7 MB)',
    ]
    (made.root / "docs/b.md").unlink()
    made.write("# Z\n\n[37.7 MB](calc:page/cache)\n", "deep/z.md")
    made.html()
    assert 'href="../page/#calc-cache"' in (made.root / "site/a/index.html").read_text()
    assert 'href="../../page/#calc-cache"' in (made.root / "site/deep/z/index.html").read_text()


def test_a_value_used_on_another_page_only_is_used(site):
    made = site('# Page\n\n```python exec="on"\ncache = 5\npublish("B", cache=cache)\n```\n')
    assert made.messages() == ["docs/page.md:5: published cache: nothing claims it"]
    made.write("# A\n\n[5 B](calc:page/cache)\n", "a.md")
    assert made.messages() == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("[5 B](calc:page/cache)", "[5\nB](calc:page/cache)", "2: this is not a claim"),
        ("[5 B](calc:page/cache)", '[5 B](calc:page/cache "size")', "1: this is not a claim"),
        ("page/cache", "page/cash", '1: claim "5 B": nothing publishes cash'),
        ("page/cache", "pag/cache", "1: claim \"5 B\": there is no page 'pag'"),
        ("\n\n[5 B]", "\n\n~~~python\n\n[5 B]", "1: this block is never closed"),
    ],
)
def test_what_a_broken_claim_means_is_not_told_as_unused(site, old, new, what):
    made = site('# Page\n\n```python exec="on"\ncache = 5\npublish("B", cache=cache)\n```\n')
    made.write("\n\n[5 B](calc:page/cache)\n".replace(old, new, 1), "a.md")
    (message,) = made.messages()
    assert message.startswith(f"docs/a.md:{what}"), message


def test_beside_a_claim_a_naked_number_is_told_as_that(site):
    made = site(PAGE.replace("[37.7 MB]", "1[37.7 MB]", 1))
    assert made.messages() == ['docs/page.md:3: naked number "1": publish it and claim it, [1](calc:name)']


def test_a_listing_that_runs_nothing_leaves_the_blocks_their_numbers(site):
    made = site(PAGE)
    made.write(PAGE.replace("```python", "```text\na text\n```\n\n```python", 1))
    assert made.messages() == []


def test_a_page_that_is_not_built_cannot_hide_numbers(site):
    made = site(PAGE)
    config = made.root / "mkdocs.yml"
    config.write_text(config.read_text().replace('exclude_docs: "*.record"', 'exclude_docs: "*.record\\npage.md"'))
    assert made.messages() == ["docs/page.md:3: this page has numbers, but the build does not reach it"]


def test_a_record_without_a_page_is_told(site):
    made = site(PAGE)
    (made.root / "docs/gone.record").write_text("")
    assert made.messages() == ["docs/gone.record:1: this record's page is gone"]


def test_a_record_of_what_is_no_longer_published_is_told(site):
    made = site(PAGE)
    record = made.root / "docs/page.record"
    record.write_text(record.read_text() + "value old = 5 B\n")
    assert made.messages() == ["docs/page.record:9: value old is recorded, but the page no longer has it"]
    assert made.summary.startswith("1 number drifted on 1 page.")
    record.write_text(record.read_text().replace("value old", "old"))
    assert made.messages() == ["docs/page.record:9: cannot read this record line: 'old = 5 B'"]
    assert made.summary.startswith("1 number drifted on 1 page.")


def test_of_a_broken_record_nothing_else_is_told(site):
    made = site(PAGE)
    record = made.root / "docs/page.record"
    record.write_text(
        record.read_text().replace("value cache = 37748736 B", "<<<<<<< ours\nvalue cache = 1 B\n=======\n")
    )
    assert made.messages() == ["docs/page.record:2: a merge conflict is left in this record"]


def test_a_failed_build_leaves_the_site_as_it_was(site):
    made = site(PAGE)
    made.html()
    before = {f: f.read_bytes() for f in (made.root / "site").rglob("*") if f.is_file()}
    made.write(PAGE.replace("[37.7 MB]", "[37.8 MB]"))
    assert made.fails()
    assert {f: f.read_bytes() for f in (made.root / "site").rglob("*") if f.is_file()} == before
    assert sorted(p.name for p in made.root.iterdir()) == [".site-lock", "docs", "mkdocs.yml", "site"]


def test_a_build_replaces_the_whole_site(site):
    made = site(PAGE)
    made.html()
    (made.root / "site/stale.html").write_text("old")
    made.html()
    assert not (made.root / "site/stale.html").exists()


def test_the_summary_counts_and_names_the_command(site):
    made = site(PAGE)
    made.write(PAGE.replace("[37.7 MB]", "[37.8 MB]").replace("The cache", "The 12 caches"))
    made.messages()
    assert (
        made.summary
        == "1 number drifted on 1 page. 1 more problem to mend by hand. To accept: scripts/record docs/page.md"
    )


def test_two_builds_give_the_same_bytes(site):
    text = (
        PAGE
        + '\n```python exec="on"\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2], color="#2f6bd8")\n'
        'figure(fig, name="a", title="t", desc="d")\n```\n'
    )
    made = site(text)
    assert made.html() == made.html()
    assert "<svg" in made.html()


def test_a_value_is_not_computed_where_readers_cannot_see_it(site):
    found = site('```python exec="on"\npublish("", x=2 + 3)\n```\n', accepted=False).messages()
    assert found == [
        "docs/page.md:2: the block raised ValueError: publish lines are not shown, so x must be computed in a "
        "line of its own above"
    ]


def test_two_pages_of_one_name_cannot_be_told_apart(site):
    made = site(PAGE)
    made.write("# Reference\n", "deep/page.md")  # publishes nothing, so nobody means it
    made.write("[37.7 MB](calc:page/cache)\n", "a.md")
    assert made.messages() == []
    made.write(PAGE, "deep/page.md")
    made.accept()
    assert made.messages() == ["docs/a.md:1: claim \"37.7 MB\": 'page' could be docs/page.md or docs/deep/page.md"]


def test_a_block_cannot_print_a_claim(site):
    made = site(PAGE.replace("print(cache)", "print(cache, '[1](calc:cache) ⟦claim 0⟧')"))
    assert made.messages() == []
    assert "[1](calc:cache) ⟦claim 0⟧" in made.html()


@pytest.mark.parametrize(
    "text",
    [
        "- Call the `cache\n- It takes 99 MB per sequence\n- Then `model` is free",
        "| a | b |\n|---|---|\n| `cache | 99 MB |\n| model` | two |",
        "## The `cache\n\nIt takes 99 MB, not `much",
        "<!-- don't use ` here -->\n\nThe cache takes 99 MB, says `x`.",
        "The size in MB of this model is\n99. That is a lot.",
        "The size (about\n99) is fine.",
        "[Note]: 99 MB is the size of the cache.",
        "For t <T the step is cheap.\n\nThe cache takes 99 MB.\n\n> A quote.",
        "&#57;&#57; MB",
        "*text*{: .x title=99MB }",
        "learning rates {.1, .99}",
    ],
)
def test_a_number_that_only_markdown_sees_is_naked_too(site, text):
    found = site(f"# Page\n\n{text}\n", accepted=False).messages()
    assert found and all("naked number" in line for line in found), found


def test_a_claim_inside_what_looks_like_code_is_told(site):
    made = site(PAGE + "\n- Call the `cache\n- It takes [99 MB](calc:cache) per sequence\n- Then `model` is free\n")
    assert made.messages() and made.fails()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("$x^$", "cannot read the formula 'x^'"),
        ("so $\\left( x$ is", "cannot read the formula"),
        ("$\\fraq{a}{b}$", "unknown command \\fraq"),
    ],
)
def test_a_formula_that_cannot_be_read_is_told_with_its_line(site, text, what):
    (message,) = site(f"# Page\n\n{text}\n", accepted=False).messages()
    assert message.startswith("docs/page.md:3: ") and what in message


@pytest.mark.parametrize("header", ["{ .python }", '{ .python exec="on" }', ".python"])
def test_a_header_in_braces_is_told(site, header):
    found = site(f"# Page\n\n```{header}\ny = x\n```\n", accepted=False).messages()
    assert len(found) == 1 and "docs/page.md:3: this block would not run" in found[0], found


@pytest.mark.parametrize(
    ("code", "line"), [("return a", 4), ("x = 1\nbreak", 5), ("x = 1\nfrom __future__ import braces", 5)]
)
def test_an_error_of_compiling_names_its_line(site, code, line):
    (message,) = site(f'# Page\n\n```python exec="on"\n{code}\n```\n', accepted=False).messages()
    assert message.startswith(f"docs/page.md:{line}: the block raised SyntaxError"), message


def test_a_time_out_that_is_swallowed_still_counts(site):
    code = "import time\ntry:\n    time.sleep(9)\nexcept BaseException:\n    pass"
    (message,) = site(f'```python exec="on" timeout="0.3"\n{code}\n```\n', accepted=False).messages()
    assert "the block ran longer than 0.3 s" in message


def test_a_far_too_large_value_is_a_message_and_no_crash(site):
    found = site(
        '[5](calc:x) [65,504](calc:y)\n\n```python exec="on"\nx = 10**400\ny = 3.4e38\npublish("", x=x, y=y)\n```\n'
    ).messages()
    assert len(found) == 2 and all("claim" in line for line in found)


def test_only_publish_lines_are_hidden(site):
    made = site(
        '[2](calc:y) [3](calc:z)\n\n```python exec="on" source="above" title="two.py"\ny = 2; publish("", y=y)\nz = 3\npublish("", z=z)\n```\n'
    )
    html = re.sub(r"<[^>]+>", "", made.html())
    assert "y = 2; publish" in html.replace("&#34;", '"') and 'publish("", z=z)' not in html.replace("&#34;", '"')
    assert "two.py" in html


@pytest.mark.parametrize("columns", ['["a", "a"]', '["a = b", "c"]', '["a\\nb", "c"]'])
def test_table_titles_must_make_keys(site, columns):
    (message,) = site(f'```python exec="on"\ntable("t", {columns}, [[1, 2]])\n```\n', accepted=False).messages()
    assert "must have titles that differ" in message


def test_switches_and_attributes_do_not_leak(site):
    made = site(
        '```python exec="on"\nimport torch, numpy, decimal, sys\nfrom scaling_lesson import units\nunits.KIB = 1000\n'
        'torch.set_flush_denormal(True)\nnumpy.seterr(all="raise")\ndecimal.getcontext().prec = 2\n```\n'
    )
    made.write(
        '```python exec="on"\nimport decimal, numpy\nfrom scaling_lesson import units\n'
        'print(units.KIB, 5e-324 * 1.0, decimal.getcontext().prec, numpy.geterr()["divide"])\n```\n',
        "z.md",
    )
    made.messages()
    assert made.page("docs/z.md").results.entries["block 1 line 1"].text == '"1024 5e-324 28 warn"'


def test_warnings_of_a_strict_build_leave_the_site_as_it_was(site):
    made = site(PAGE)
    config = made.root / "mkdocs.yml"
    config.write_text(config.read_text() + "strict: true\n")
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    made.html()
    before = (made.root / "site/page/index.html").read_bytes()
    made.write(PAGE.replace("The cache", "The [gone](gone.md) cache"))
    assert made.fails()
    assert (made.root / "site/page/index.html").read_bytes() == before


def lines_of(site, texts, published='publish("", ten=ten)', **options):
    """Each text as a paragraph of one page that publishes ten, from line 3 on; what is told, by the text."""
    paragraphs = "\n\n".join(texts)
    made = site(f'# Page\n\n{paragraphs}\n\n```python exec="on"\nten = 10\n{published}\n```\n', **options)
    told = {text: [] for text in texts}
    by_line = dict(enumerate([text for text in texts for _ in range(text.count("\n") + 2)], 3))
    for message in made.messages():
        path, line, what = message.split(":", 2)
        assert path == "docs/page.md" and int(line) in by_line, message
        told[by_line[int(line)]].append(what.strip())
    return told


TEN = "[10](calc:ten)"
ANOTHER = {
    f"{TEN}k tokens": "k",
    f"{TEN} million tokens": "million",
    f"{TEN}%": "%",
    f"{TEN} %": "%",
    f"{TEN} MB": "MB",
    f"{TEN}/s": "/s",
    f"−{TEN}": "−",
    f"-{TEN}": "-",
    f"is –{TEN}": "–",
    f"− {TEN} of it": "−",
    f"±{TEN}": "±",
    f"{TEN}×": "×",
    f"{TEN}x": "x",
    f"{TEN} FLOP/s": "FLOP/s",
    f"{TEN} ms of it": "ms",
    f"{TEN} percent": "percent",
    f"{TEN} billion": "billion",
    f"**{TEN}**k": "k",
    f"<b>{TEN}</b> <i>million</i>": "million",
    f"{TEN}&nbsp;million": "million",
    f"{TEN}`k`": "k",
    f"{TEN} `MB`": "MB",
    f"{TEN}$k$": "k",
    f"{TEN}\u200bk": "k",
    f"{TEN} \u200bmillion": "million",
    f"{TEN}{TEN}": "10",
    f"{TEN}.{TEN}": ".10",
    f"{TEN},{TEN}": ",10",
    f"{TEN}^n^": "^n^",
    f"{TEN}<sup>n</sup>": "n",
    f"${TEN}": "$",
    f"x{TEN}": "x",
    f"{TEN}-million": "-million",
    f"{TEN}:{TEN}": ":10",
    f"{TEN}+": "+",
    f"{TEN} layers/step": "layers/step",
    f"{TEN} Million": "Million",
    f"{TEN} millions": "millions",
    f"{TEN} minutes": "minutes",
    f"{TEN} /s": "/s",
}


def test_what_makes_another_number_of_a_claim_is_told_with_its_line(site):
    told = lines_of(site, list(ANOTHER))
    for text, beside in ANOTHER.items():
        assert any(f': "{beside}' in message and "makes it another number" in message for message in told[text]), (
            text,
            told[text],
        )


NOUNS = {
    f"{TEN} {after}": noun
    for after, noun in {
        "heads": "heads",
        "layers": None,
        "wide layers": None,
        "of the layers": None,
        "heads' layers": None,
        "times the tokens": None,
        "head size": None,
        "tokens.": "tokens",
        "of them. Heads": None,
    }.items()
}


def test_a_noun_that_the_value_does_not_count_is_told(site):
    told = lines_of(site, list(NOUNS), 'publish("layer", ten=ten)')
    for text, noun in NOUNS.items():
        assert [re.findall('"([^"]*)" makes', message) for message in told[text]] == ([[noun]] if noun else []), (
            text,
            told[text],
        )


def test_two_claims_do_not_make_the_groups_of_one_number(site):
    text = '{}\n\n```python exec="on"\na, b = 37, 748\npublish("", a=a, b=b)\n```\n'
    (message,) = site(text.format("[37](calc:a) [748](calc:b)")).messages()
    assert message.startswith('docs/page.md:1: claim "748": "37" makes it another number')
    assert site(text.format("[37](calc:a), [748](calc:b) [37](calc:a)")).messages() == []


BOUNDS = {
    f"It is {bound} {TEN}, or so.": bound
    for bound in (
        "more than",
        "over",
        "exactly",
        "at least",
        "under",
        "about",
        "At most",
        "less than",
        "<b>over</b>",
        ">",
        "≈",
        "~",
    )
}


def test_a_bound_outside_its_claim_is_told(site):
    told = lines_of(site, [*BOUNDS, f"over\n{TEN}"])
    for text, messages in told.items():
        assert len(messages) == 1 and "belongs inside the link" in messages[0], (text, messages)


def test_what_may_stand_beside_a_claim(site):
    texts = [
        f"{TEN}, {TEN}; {TEN}: {TEN}! ({TEN}) “{TEN}” “so {TEN}.” {TEN}—{TEN} {TEN}–{TEN} **{TEN}**, *{TEN}*.",
        f"{TEN} layers, {TEN} tokens, {TEN} times, {TEN}-layer, {TEN}'s and {TEN}’s, {TEN} × {TEN} = {TEN}, {TEN} + {TEN} − {TEN} .",
        f"- {TEN}\n- {TEN}",
        f"| {TEN} | MB |\n|---|---|\n| k | {TEN} |",
        f"so over: {TEN}",
        f"{TEN}\n{{: .x }}",
        f"{TEN} a million",
        f"the other {TEN}, moreover, {TEN} of them; {TEN} or {TEN}, {TEN} is. {TEN}… {TEN} (MB)",
    ]
    made = site("# Page\n\n" + "\n\n".join(texts) + '\n\n```python exec="on"\nten = 10\npublish("", ten=ten)\n```\n')
    assert [message for message in made.messages() if "naked" not in message] == []


def test_numbers_in_formulas_are_found_however_they_are_written(site):
    wrong = [
        r"$x \text{ is } 5950$",
        r"$x \text{is 37.7 MB}$",
        r"$x \textbf{5950}$",
        r"$x \mbox{5950}$",
        r"$x \text{a {5950} b}$",
        "$x = 5{.}9$",
        "$x = 1{}2$",
        "$x = 1{,}024$",
        "$x = {1}{2}$",
        "$x = 1\u200b2$",
        r"$x = 5\text{.}9$",
        r"$x = 1\!2$",
        r"$x = 1\,024$",
        r"$x = \mathrm{1}2$",
        r"$\operatorname{x5950}$",
        r"$x = \text{5}$",
        r"$x \text{5} 9$",
        "$5$",
        r"$5\%$",
    ]
    told = lines_of(site, [TEN, *wrong])
    assert [text for text, messages in told.items() if not messages] == [TEN]


@pytest.mark.parametrize(
    "text",
    [
        r"$\alpha = 2\beta$",
        r"$\Delta + 1$",
        r"$2\varepsilon$",
        r"$\frac{1}{2} \beta$",
        r"$x^2 + 5 y$",
        r"$2 \times \theta_1$",
        r"$x \text{ or } 2 y$",
    ],
)
def test_constants_beside_a_letter_belong_to_the_formula(site, text):
    assert site(f"# Page\n\n{text}\n", accepted=False).messages() == []


@pytest.mark.parametrize(
    "attribute", ["aria-description", "aria-valuetext", "label", "aria-label", "title", "alt", "placeholder"]
)
def test_what_is_read_out_is_prose(site, attribute):
    text = f'# Page\n\n*x*{{: .x {attribute}="37 MB" }}\n\n**x**{{: .x {attribute}=38 }}\n'
    found = site(text, accepted=False).messages()
    assert [message.partition(": ")[0] for message in found] == ["docs/page.md:3", "docs/page.md:5"]


def test_what_the_settings_show_is_prose(site):
    made = site(PAGE)
    config = made.root / "mkdocs.yml"
    config.write_text(
        "site_description: For 37 readers of float16\n"
        + config.read_text().replace("Small", "Small 12")
        + "copyright: >\n  since\n  2026\nsite_author: |\n  Agent 7\nnav:\n  - Home 3: index.md\n"
        '  - Part 4:\n    - "The \\x35 pages": page.md\n'
    )
    told = [re.sub(": publish.*", "", message) for message in made.messages()]
    assert told == [
        'mkdocs.yml:1: naked number "37"',
        'mkdocs.yml:2: naked number "12"',
        'mkdocs.yml:10: naked number "2026"',
        'mkdocs.yml:12: naked number "7"',
        'mkdocs.yml:14: naked number "3"',
        'mkdocs.yml:15: naked number "4"',
        'mkdocs.yml:16: naked number "5"',
    ]


@pytest.mark.parametrize(
    ("front", "line"),
    [
        ("title: Part 37", 2),
        ('title: "Part \\x337"', 2),
        ("description: 37 tricks", 2),
        ("x: y\ndescription: >\n  some\n  37 tricks", 5),
    ],
)
def test_the_title_in_tabs_and_search_is_prose(site, front, line):
    found = site(f"---\n{front}\n---\n# Page\n", accepted=False).messages()
    assert any(re.match(r'docs/page\.md:\d: naked number "37"', message) for message in found), found
    assert any(message.startswith(f"docs/page.md:{line}:") for message in found), found


def test_a_title_made_of_the_file_name_is_prose(site):
    made = site(PAGE)
    made.write("Text.\n", "part-37.md")
    assert [re.sub(": publish.*", "", message) for message in made.messages()] == [
        'docs/part-37.md:1: naked number "37"'
    ]


def test_a_text_is_not_confused_with_a_number(site):
    text = (
        '[5](calc:a), [5](calc:b), [True](calc:c), [False](calc:d)\n\n```python exec="on"\n'
        'a, b, c, d = "5", 5, True, False\npublish("", a=a, source="a letter")\npublish("", b=b, c=c, d=d)\n```\n'
    )
    made = site(text)
    assert made.messages() == []
    values = published(made.built.pages, made.built.verdicts, made.built.settings)["pages"]["docs/page.md"]["values"]
    assert [(value["value"], value["type"]) for value in values] == [
        ("5", "str"),
        ("5", "int"),
        ("True", "bool"),
        ("False", "bool"),
    ]
    made.write(text.replace('"5", 5, True', '"6", 5, False'))
    assert [message for message in made.messages() if "claim" in message] == [
        'docs/page.md:1: claim "5": a is "6"',
        'docs/page.md:1: claim "True": c is "False"',
    ]
    assert made.summary == "4 numbers drifted on 1 page. To accept: scripts/record docs/page.md"


TOLERATED = '[{}](calc:x)\n\n```python exec="on"\nx = {}\npublish("", x=x, tolerance={}, reason="sums")\n```\n'


@pytest.mark.parametrize(
    ("shown", "value", "tolerance", "holds"),
    [
        ("0.12", 0.12, 0.004, True),
        ("0.12", 0.12, 0.006, False),
        ("0.1200", 0.12, 0.004, False),
        ("under 0.2", 0.12, 0.07, True),
        ("under 0.2", 0.12, 0.09, False),
        ("over 0.1", 0.12, 0.03, False),
        ("about 500", 500.5, 40, True),
        ("about 500", 500.5, 60, False),
        ("1/2", 0.5, 1e-9, False),
        ("0.12", 0.1249, 0.0005, False),
    ],
)
def test_a_tolerance_is_no_wider_than_the_digits_shown_need(site, shown, value, tolerance, holds):
    found = site(TOLERATED.format(shown, value, tolerance)).messages()
    assert (found == []) == holds and all("its tolerance reaches over" in message for message in found), found


def test_a_claim_that_holds_here_holds_wherever_the_record_does(site):
    """Each machine computes another value within the tolerance of the record: none may find the claim near a boundary."""
    made = site(TOLERATED.format("under 0.2", 0.15, 0.04))
    for elsewhere in (0.12, 0.18, 0.189):
        made.write(TOLERATED.format("under 0.2", elsewhere, 0.04))
        assert made.messages() == []
    made = site(TOLERATED.format("under 0.2", 0.15, 0.06), accepted=True)
    for elsewhere in (0.12, 0.15, 0.18):
        made.write(TOLERATED.format("under 0.2", elsewhere, 0.06))
        assert len(made.messages()) == 1


@pytest.mark.parametrize("value", ['"text"', "True"])
def test_text_has_no_tolerance(site, value):
    (message,) = site(TOLERATED.format("text", value, 0.1).replace("[text](calc:x)", ""), accepted=False).messages()
    assert "x is " in message and "so it has no tolerance" in message
