"""Judging, on pages made by hand, without running anything: every verdict, and every message with its line."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from one_page import render

from scaling_lesson.site.gate import LARGEST, Page, Problem, Settings, Verdict, judge, summary, unreached
from scaling_lesson.site.numbers.record import Record
from scaling_lesson.site.numbers.value import Entry, Value
from scaling_lesson.site.run.results import BlockResult, Figure
from scaling_lesson.units import parse_unit

MKDOCS_YML = "site_name: Small\nplugins:\n  - numbers:\n      exempt:\n        docs/page.md: {37: why, x9: why}\n"
SETTINGS = Settings(("GPT-2", "GPT-2 XL", "float16"), {}, "mkdocs.yml", MKDOCS_YML)
BLOCK = '\n\n```python exec="on"\nx = 5\npublish("", x=x)\n```\n'


def value(
    name: str, number: object, unit: str = "", tolerance: float = 0.0, source: object = "", line: int = 1
) -> Value:
    return Value(name, number, parse_unit(unit), tolerance, "sums" * bool(tolerance), source, "x", (0, line))


def page(
    text: str,
    *values: Value,
    path: str = "docs/page.md",
    record: dict[str, str] | None = None,
    title: str = "",
    **left: object,
) -> Page:
    """A page whose first block published these values; its record holds them, unless another is given.

    left: what else the first block left behind.
    """

    def leave(index: int, code: str, first: bool) -> BlockResult:
        entries = {f"value {v.name}": Entry(v.text, v.place, v.tolerance) for v in values}
        given = {"values": {v.name: v for v in values}, "entries": entries} | left
        return BlockResult(**given) if first else BlockResult()

    made = render(text, path=path, leave=leave, settings=SETTINGS)[1]
    recorded = {key: entry.text for key, entry in made.results.entries.items()} if record is None else record
    kept = Record({key: (line, text) for line, (key, text) in enumerate(recorded.items(), 2)}, None, True)
    return replace(made, record=kept, title=title)


def told(*pages: Page, settings: Settings = SETTINGS, unused: bool = False) -> list[str]:
    """Every problem; that a value is not used only where that is asked for."""
    found = judge(pages, settings).problems
    return [str(problem) for problem in found if unused or not problem.message.endswith("nothing claims it")]


def verdict(text: str, *values: Value, **more: object) -> Verdict:
    """That of the only claim in a text."""
    made = page(text + BLOCK, *values, **more)
    (found,) = judge([made], SETTINGS).claims["docs/page.md"].values()
    assert (found.page, found.link) == (made, made.source.claims[0])
    return found


MB = value("x", 37_748_736, "B")


@pytest.mark.parametrize(
    ("text", "what", "message", "correction"),
    [
        ("37.7 MB", MB, None, None),
        ("37.8 MB", MB, "x is 37748736 B (37.7 MB)", "37.7 MB"),
        ("37.7 MiB", MB, "x is 37748736 B (36.0 MiB)", "36.0 MiB"),
        ("37,748,735 B", MB, "x is 37748736 B (37,748,736 B)", "37,748,736 B"),
        ("37748735 B", MB, "x is 37748736 B", "37748736 B"),
        ("over 40 MB", MB, "x is 37748736 B (37.75 MB)", None),
        ("over 37,748,800 B", MB, "x is 37748736 B", None),
        ("37.7 MFLOP", MB, "x is 37748736 B (37,748,736 B); MFLOP is work, not data", None),
        ("37.7", MB, "x is 37748736 B (37,748,736 B); a bare number is number, not data", None),
        (
            "over 9 MB",
            MB,
            "x is 37748736 B (37.75 MB); the bound says too little: it lies off by more than a factor of two",
            None,
        ),
        ("much", MB, 'x is 37748736 B; "much" does not read as a number with an optional bound and unit', None),
        ("5", value("x", 5), None, None),
        ("6", value("x", 5), "x is 5", "5"),
        ("1/3", value("x", 0.25), "x is 0.25", None),
        ("0.12", value("x", 0.12, "", 0.004), None, None),
        (
            "0.1200",
            value("x", 0.12, "", 0.004),
            "x is 0.12; its tolerance reaches over the rounding boundary: show fewer digits",
            None,
        ),
        ("0.13", value("x", 0.12, "", 0.004), "x is 0.12", "0.12"),
        ("0.1300", value("x", 0.12, "", 0.004), "x is 0.12", None),
        ("float", value("x", "float"), None, None),
        ("double", value("x", "float"), 'x is "float"', "float"),
        ("double", value("x", "[flo]at"), 'x is "[flo]at"', None),
        ("True", value("x", True), None, None),
        ("True", value("x", False), 'x is "False"', "False"),
        ("5", value("x", "5", "", 0.0, "a letter"), None, None),
    ],
)
def test_a_claim_is_judged_against_its_value(text, what, message, correction):
    found = verdict(f"[{text}](calc:x)", what)
    said = f'claim "{text}": {message}' if message else None
    assert (found.message, found.correction, found.value, found.owner) == (said, correction, what, found.page)


@pytest.mark.parametrize(
    ("text", "what", "told"),
    [
        ("over [5](calc:x)", value("x", 5), True),
        ("summed over [5 layers](calc:x)", value("x", 5, "layer"), False),  # as a count of things may be
        ("averaged over [5](calc:x) layers", value("x", 5, "layer"), False),
        ("more than [5 layers](calc:x)", value("x", 5, "layer"), True),
        ("has > [5 layers](calc:x)", value("x", 5, "layer"), True),
        ("over [5 B](calc:x)", value("x", 5, "B"), True),
        ("[5](calc:x)k", value("x", 5), True),
        ("so [5](calc:x).", value("x", 5), False),
        ("over [6](calc:x)", value("x", 5), False),  # that the digits differ is told first
        ("[5](calc:x)k", value("x", "5"), True),
        ("[five](calc:x)k", value("x", "five"), False),
        ("[37.7 MB](calc:x) layers", MB, False),
        ("[5](calc:x) heads", value("x", 5, "layer"), True),
    ],
)
def test_what_stands_beside_it_is_judged_too(text, what, told):
    assert ("inside the link" in (verdict(text, what).message or "")) == told


@pytest.mark.parametrize(
    ("recorded", "holds"),
    [("0.124", True), ("0.1249", False), ("0.13", True), ("0.1 s", True), ("x", True), (None, True)],
)
def test_the_recorded_number_decides_where_it_is_within_the_tolerance(recorded, holds):
    """0.12 ± 0.004 must round alike all round the recorded number, but not round one it has drifted from."""
    what = value("x", 0.121, "", 0.004)
    record = {"value x": recorded} if recorded else {}
    made = page("[0.12](calc:x)" + BLOCK, what, record=record)
    assert made.accepted(what) == (Fraction(recorded) if recorded in ("0.124", "0.1249") else None)
    reaches = any("its tolerance reaches over" in message for message in told(made))
    assert reaches == (recorded in ("0.124", "0.1249"))


def test_a_correction_holds_wherever_the_record_does():
    what = value("x", 0.122, "", 0.002)
    assert verdict("[0.13](calc:x)", what).correction == "0.12"
    assert verdict("[0.13](calc:x)", what, record={"value x": "0.1239"}).correction is None


def test_without_a_tolerance_nothing_was_accepted_as_another_number():
    assert page("[5](calc:x)" + BLOCK, value("x", 5)).accepted(value("x", 5)) is None


def site_of(text: str, **changes: object) -> list[str]:
    """What is told of a page with this text, beside others that publish."""
    others = [
        page("# A" + BLOCK, value("ten", 10), path="docs/lesson/cache.md"),
        page("# B" + BLOCK, value("tens", 10), value("x", 5), path="docs/lesson/index.md"),
        page("# C" + BLOCK, value("ten", 11), path="docs/one/twice.md"),
        page("# D" + BLOCK, value("ten", 12), path="docs/two/twice.md"),
        page("# E", path="docs/reference/cache.md"),
        page("# F", path="docs/reference/empty.md"),
    ]
    return told(*others, page(text, value("mine", 3), **changes))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[10](calc:cache/ten)", None),
        ("[5](calc:lesson/x)", None),
        ("[11](calc:cache/ten)", 'claim "11": ten is 10'),
        ("[10](calc:twice/ten)", "claim \"10\": 'twice' could be docs/one/twice.md or docs/two/twice.md"),
        ("[10](calc:cash/ten)", "claim \"10\": there is no page 'cash'; did you mean 'cache'?"),
        ("[10](calc:emptyy/ten)", "claim \"10\": there is no page 'emptyy'"),
        ("[10](calc:empty/zzzz)", 'claim "10": nothing publishes zzzz'),
        ("[10](calc:ten)", 'claim "10": nothing publishes ten; did you mean cache/ten?'),
        ("[3](calc:mime)", 'claim "3": nothing publishes mime; did you mean mine?'),
        ("[5](calc:cache/x)", 'claim "5": nothing publishes x; did you mean lesson/x?'),
        ("[10](calc:cache/tem)", 'claim "10": nothing publishes tem; did you mean ten?'),
        ("[10](calc:zzzz)", 'claim "10": nothing publishes zzzz'),
    ],
)
def test_a_claim_names_a_value_of_its_page_or_another(text, message):
    expected = [f"docs/page.md:1: {message}"] if message else []
    assert site_of(text + BLOCK) == expected


def test_the_verdict_names_the_page_whose_value_is_stated():
    owner = page("# A" + BLOCK, value("ten", 10), path="docs/cache.md")
    user = page("[10](calc:cache/ten), [9](calc:gone/ten), [9](calc:cache/gone)")
    found = judge([user, owner], SETTINGS).claims
    assert found["docs/cache.md"] == {} and list(found["docs/page.md"]) == [0, 1, 2]
    assert [(v.owner, v.value and v.value.name) for v in found["docs/page.md"].values()] == [
        (owner, "ten"),
        (None, None),
        (owner, None),
    ]


FAILED = {"failed": True, "problems": [((0, 1), "the block raised ValueError")]}


@pytest.mark.parametrize(
    ("text", "left", "messages"),
    [
        ("[5](calc:y)" + BLOCK, FAILED, ["4: the block raised ValueError"]),
        ("[5](calc:y)" + BLOCK.replace("exec", "exce"), {}, None),
        (f"[5](calc:y)\n\n<!--{BLOCK}-->\n", {}, None),
    ],
)
def test_what_a_block_that_failed_may_have_published_is_not_worth_a_message(text, left, messages):
    made = page(text, record={"value y": "5"}, **left)
    found = told(made, unused=True)
    assert made.incomplete and len(found) == 1 and "y" not in found[0].split(": ")[1].split(), found
    assert messages is None or [f"docs/page.md:{message}" for message in messages] == [
        "docs/page.md:4: the block raised ValueError"
    ]
    (claim,) = judge([made], SETTINGS).claims["docs/page.md"].values()
    assert (claim.value, claim.message, claim.correction) == (None, None, None)


@pytest.mark.parametrize(
    ("record", "messages"),
    [
        ({"value x": "5", "value y": "6 B"}, []),
        ({"value x": "5"}, ["page.md:5: published y: 6 B is not in the record"]),
        ({"value x": "4", "value y": "6 B"}, ["page.md:4: published x: recorded 4, computed 5"]),
        (
            {"value x": "5", "value y": "6 B", "block 1 line 1": '"a"'},
            ["page.record:4: block 1 line 1 is recorded, but the page no longer has it"],
        ),
        ({}, ["page.md:4: published x: 5 is not in the record", "page.md:5: published y: 6 B is not in the record"]),
    ],
)
def test_what_is_computed_is_held_against_the_record(record, messages):
    made = page("[5](calc:x), [6 B](calc:y)" + BLOCK, value("x", 5, line=0), value("y", 6, "B"), record=record)
    found = judge([made], SETTINGS).problems
    assert [str(problem) for problem in found] == [f"docs/{message}" for message in messages]
    assert all(problem.drift for problem in found)


def test_a_page_without_its_record_is_told_once():
    made = page("[5](calc:x), [6 B](calc:y)" + BLOCK, value("x", 5, line=0), value("y", 6, "B"))
    assert told(replace(made, record=Record())) == ["docs/page.md:4: this page has no record yet: 2 entries to accept"]
    fault = Record({}, (7, "this record is odd"), True)
    assert told(replace(made, record=fault)) == ["docs/page.record:7: this record is odd"]
    assert told(replace(page("# Page"), record=Record())) == []


def test_what_a_failed_block_no_longer_has_is_not_told():
    made = page("# Page" + BLOCK, record={"value x": "5"}, **FAILED)
    assert told(made) == ["docs/page.md:5: the block raised ValueError"]


def test_what_a_block_left_behind_is_told_at_its_line():
    problems = (((0, 0), "a doubt"), ((0, 1), "another"))
    assert told(page("# Page" + BLOCK, problems=problems)) == ["docs/page.md:4: a doubt", "docs/page.md:5: another"]
    assert told(page("# Page" + BLOCK, printed="x" * LARGEST)) == []
    much = [Figure("x" * LARGEST, None)]
    assert told(page("# Page" + BLOCK, printed="x", shown=much)) == [
        f"docs/page.md:3: this block shows {LARGEST + 1:,} characters: show less than {LARGEST:,}"
    ]


def test_a_text_with_a_number_is_not_published():
    message = 'docs/page.md:5: published x: "9 MB" has a number: publish that, or the source= of what is quoted'
    assert told(page("# Page" + BLOCK, value("x", "9 MB"))) == [message]
    assert told(page("# Page" + BLOCK, value("x", "9 MB", source="a letter"))) == []
    assert told(page("# Page" + BLOCK, value("x", "float16"))) == []
    assert told(page("# Page" + BLOCK, value("x", "9 MB"), **FAILED)) == ["docs/page.md:5: the block raised ValueError"]


def test_what_was_not_read_is_told_at_its_line():
    assert told(page("# A\n\n# [5](calc:x)" + BLOCK, value("x", 5))) == [
        'docs/page.md:3: claim "5" is not on the built page: a heading cannot hold one'
    ]
    assert told(page("# A\n\n[`5`](calc:x)" + BLOCK, value("x", 5))) == [
        "docs/page.md:3: this is not a claim: write [37.7 MB](calc:name), on one line"
    ]
    assert told(page(f"# A\n\n<!--{BLOCK}-->\n")) == [
        "docs/page.md:5: this block is not on the built page: it did not run, or stands in a comment"
    ]
    assert told(page("# A\n\n![b](c.svg)\n\n```py\n```\n")) == [
        "docs/page.md:3: an image shows what nothing checks: draw it with figure(...)",
        'docs/page.md:5: only "python" blocks run; write ```python exec="on"',
    ]


@pytest.mark.parametrize(
    ("text", "others", "unused"),
    [
        ("# A" + BLOCK, "# Z", True),
        ("# A [5](calc:x)" + BLOCK, "# Z", False),  # what is odd may name it
        ("[5](calc:x)" + BLOCK, "# Z", False),
        ("# A" + BLOCK, "[5](calc:page/x)", False),
        ("# A" + BLOCK, "[5](calc:page/y)", False),  # what it names is not known
        ("# A" + BLOCK, f"<!--{BLOCK}-->", False),
    ],
)
def test_a_value_that_nobody_uses_is_told_when_all_uses_are_known(text, others, unused):
    found = told(page(text, value("x", 5)), page(others, path="docs/z.md"), unused=True)
    assert ("docs/page.md:5: published x: nothing claims it" in found) == unused
    assert sum("nothing claims it" in message for message in found) == unused


def test_the_same_name_on_two_pages_is_two_values():
    one, two = page("[5](calc:x)" + BLOCK, value("x", 5)), page("# Z" + BLOCK, value("x", 5), path="docs/z.md")
    assert told(one, two, unused=True) == ["docs/z.md:5: published x: nothing claims it"]


def numbers(found: list[str]) -> list[str]:
    return [message.replace(': naked number "', " ").split('"')[0] for message in found]


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("# A\n\nGPT-2 XL, GPT-2 and float16, GPT-23, float16x, xfloat16, GPT-2-3, 9", {}, None),
        ("---\nother: 8\ntitle: 9\n---\n# A", {}, ["3 9"]),
        ("---\ntitle: |\n  a\n  9\n---\n# A", {}, ["4 9"]),
        ("# A\n\n```text\na 9\nb 8\n```\n", {}, ["4 9", "5 8"]),
        ("# A\n\nSome 9\n", {"title": "Some 9"}, ["3 9"]),
        ("# A\n\nSome\n", {"title": "Part 9"}, ["1 9"]),
        ("# A\n\nSome\n", {"title": "Small"}, []),
        ("# A\n\nthe 9\n\nmore of 9\n", {}, ["3 9", "5 9"]),
        ("# A\n\n(a 9, b *8*, “7”!)\n", {}, ["3 7", "3 8", "3 9"]),
        ("# A\n\n`9`, $9$\n", {}, ["3 9"]),
        ("# A\n\n`9 MB` and\n`8`\n\n$$\nx\n= 9\n$$\n", {}, ["3 9 MB", "4 8", "6 9"]),
    ],
)
def test_a_naked_number_is_told_at_its_line(text, more, expected):
    wrong = ["3 9", "3 GPT-2-3", "3 GPT-23", "3 float16x", "3 xfloat16"]
    expected = wrong if expected is None else expected
    assert numbers(told(page(text, **more))) == [f"docs/page.md:{each}" for each in expected]


CODE = """

```python exec="on"
# 9 MB, 1,024 and 7
x = 5
text = "98 MB"
figure(x, title="Over 3", desc='''a
6''')
publish("", x=x)
```
"""


def test_what_code_says_in_words_is_told():
    found = told(page("[5](calc:x)" + CODE, value("x", 5, tolerance=0.1)))
    assert numbers(found) == [f"docs/page.md:{each}" for each in ("4 1,024", "4 9 MB", "6 98 MB", "7 3", "8 6")]
    ending = '" in code: put it in by an f-string, or leave it out'
    assert all(message.endswith(ending) for message in found)
    quoted = value("y", "98 MB", source="a letter")
    assert "docs/page.md:6 98 MB" not in numbers(told(page("[5](calc:x)" + CODE, value("x", 5), quoted)))
    reasons = replace(value("x", 5, tolerance=0.1), reason="99 on a GPU")
    assert numbers(told(page("[5](calc:x)" + BLOCK, reasons))) == ["docs/page.md:5 99"]
    assert numbers(told(page("[5](calc:x)" + CODE, value("x", 5), **FAILED))) == [
        "docs/page.md:5: the block raised ValueError"
    ]


def test_the_settings_are_prose():
    text = "site_name: Part 9\nsite_description: >\n  for\n  8\nnav:\n  - Seven 7: a.md\n"
    found = told(page("# A", title="Seven 7"), settings=Settings((), {}, "mkdocs.yml", text))
    assert numbers(found) == ["mkdocs.yml:1 9", "mkdocs.yml:4 8", "mkdocs.yml:6 7"]
    assert (
        numbers(told(page("# A", title="Six 6"), settings=Settings((), {}, "mkdocs.yml", text)))[0]
        == "docs/page.md:1 6"
    )


def test_each_line_of_a_setting_has_its_number():
    settings = Settings((), {}, "mkdocs.yml", "copyright: |\n  9\n  a\n  8\n")
    assert numbers(told(page("# A"), settings=settings)) == ["mkdocs.yml:2 9", "mkdocs.yml:4 8"]


def test_a_name_leaves_its_place_behind():
    assert list(SETTINGS.naked("GPT-2 and 9, float16")) == [(10, "9")]
    assert SETTINGS.without_names("a GPT-2.") == "a      ."


@pytest.mark.parametrize(
    ("text", "exempt", "messages"),
    [
        ("a 37 b x9", {37: "why", "x9": "why"}, []),
        ("a 37 b", {"37": "why", "x9": "why"}, ['mkdocs.yml:5: the exemption of "x9" matches nothing on docs/page.md']),
        ("a", {"absent": "why"}, ['mkdocs.yml:1: the exemption of "absent" matches nothing on docs/page.md']),
        ("a 38", {}, ['docs/page.md:1: naked number "38": publish it and claim it, [38](calc:name)']),
    ],
)
def test_an_exemption_is_used_or_told(text, exempt, messages):
    settings = replace(SETTINGS, exempt={"docs/page.md": {str(word): reason for word, reason in exempt.items()}})
    assert told(page(text), settings=settings) == messages


def test_an_exemption_belongs_to_its_page():
    text = "names: [docs/a.md 9]\nexempt:\n  docs/a.md: {9: so}\n  docs/b.md: {9: so}\n"
    settings = Settings((), {"docs/a.md": {"9": "so"}, "docs/b.md": {"9": "so"}}, "mkdocs.yml", text)
    pages = page("a 9", path="docs/a.md"), page("b", path="docs/b.md")
    assert told(*pages, settings=settings) == ['mkdocs.yml:4: the exemption of "9" matches nothing on docs/b.md']
    assert told(pages[0], settings=settings) == ['mkdocs.yml:4: the exemption of "9" matches nothing on docs/b.md']
    broken = page("b" + BLOCK, path="docs/b.md", **FAILED)
    assert told(pages[0], broken, settings=settings) == ["docs/b.md:5: the block raised ValueError"]
    unused = page("a", path="docs/a.md"), page("b 9", path="docs/b.md")
    assert told(*unused, settings=settings) == ['mkdocs.yml:3: the exemption of "9" matches nothing on docs/a.md']


def test_what_reading_found_is_told_with_the_rest_in_order():
    given = [Problem("docs/z.md", 1, "z"), Problem("docs/a.md", 10, "b"), Problem("docs/a.md", 9, "c", True)]
    found = judge([page("a\n\n37", path="docs/b.md")], SETTINGS, given).problems
    assert [str(problem).split(" naked")[0] for problem in found] == [
        "docs/a.md:9: c",
        "docs/a.md:10: b",
        "docs/b.md:3:",
        "docs/z.md:1: z",
    ]


def test_only_what_scripts_record_would_settle_is_drift():
    found = judge([page("[6](calc:x), [over 6](calc:x), 7" + BLOCK, value("x", 5), record={"value x": "6"})], SETTINGS)
    assert [(problem.line, problem.drift) for problem in found.problems] == [
        (1, True),
        (1, False),
        (1, False),
        (5, True),
    ]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ([], ""),
        ([("docs/a.md", True)], "1 number drifted on 1 page. To accept: scripts/record docs/a.md"),
        (
            [("docs/b.md", True), ("docs/a.record", True), ("docs/a.md", True)],
            "3 numbers drifted on 2 pages. To accept: scripts/record docs/a.md docs/b.md",
        ),
        ([("docs/a.md", False)], "1 problem to mend by hand."),
        ([("docs/a.md", False), ("docs/a.md", False)], "2 problems to mend by hand."),
        (
            [("docs/a.md", True), ("docs/b.md", False)],
            "1 number drifted on 1 page. 1 more problem to mend by hand. To accept: scripts/record docs/a.md",
        ),
        (
            [("docs/record.record.md", True), ("docs/b.md", False), ("docs/b.md", False)],
            "1 number drifted on 1 page. 2 more problems to mend by hand. To accept: scripts/record docs/record.record.md",
        ),
    ],
)
def test_a_report_ends_with_how_to_go_on(found, text):
    assert summary([Problem(path, 1, "x", drift) for path, drift in found]) == text


def test_pages_and_records_that_no_build_reached_are_told(tmp_path: Path):
    docs = tmp_path / "docs"
    (docs / "more").mkdir(parents=True)
    (docs / "page.md").write_text("[5](calc:x)\n")
    (docs / "more/claims.md").write_text("# A\n\n[5](calc:x) and\n[6](calc:x)\n")
    (docs / "more/block.md").write_bytes(b'\xff\n```python exec="on"\n```\n')
    (docs / "more/plain.md").write_text("# A\n\n5\n")
    (docs / "page.record").write_text("x")
    (docs / "more/gone.record").write_text("x")
    reached = page("[5](calc:x)" + BLOCK, value("x", 5))
    missing = [
        "docs/more/block.md:2: this page has numbers, but the build does not reach it",
        "docs/more/claims.md:3: this page has numbers, but the build does not reach it",
    ]
    gone = "docs/more/gone.record:1: this record's page is gone"
    assert [str(p) for p in unreached(docs, tmp_path, [reached])] == [*missing, gone]
    new = [
        replace(reached, record=Record()),
        replace(page("# Z" + BLOCK, value("x", 5), path="docs/z.md"), record=Record()),
    ]
    hint = f"{gone}: if it was renamed, to docs/page.md or docs/z.md, rename its record too"
    assert [str(p) for p in unreached(docs, tmp_path, new)] == [*missing, hint]
    assert [str(p) for p in unreached(docs, tmp_path, [replace(page("a"), record=Record())])] == [*missing, gone]


@pytest.mark.parametrize(
    "text",
    [
        r"drawn from $\mathcal{N}(0, 1)$, $x \in [0, 1)$, for $i = 1, 2, \ldots, n$ and $y = f(2, 3)$",
        "of GPT-2\nXL, and of **GPT-2 XL**",  # a name, however its lines are broken
        '# A\n\n```python exec="on"\nprint(f"{share:6.1%} {name:<12s}", "{:5.1%} %8.2f".format(share))\n```\n',
        "---\ntitle: [Draft]\n---\n\n# A",
    ],
)
def test_what_only_looks_like_a_number_is_none(text):
    assert [message for message in told(page(text)) if "naked" in message] == []


@pytest.mark.parametrize("formula", [r"\begin{aligned} C &= N D \end{aligned}", r"\text{x < y}", "a & b"])
def test_a_formula_that_would_be_no_markup_is_told_at_its_line(formula):
    (message,) = told(page(f"# A\n\n$${formula}$$\n"))
    assert message.startswith("docs/page.md:3: cannot read the formula")
