"""The real site as built: its claims, its figures, and the numbers it must show."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scaling_lesson.site.numbers import record
from scaling_lesson.site.read.source import Source, read
from scaling_lesson.site.web.reading_time import minutes, visible

LESSON = "scaling-and-efficiency"
PAGES = ("roofline", "mixed-precision", "kv-cache", "flash-attention", "scaling-laws")  # one a concept
LESSON_PAGES = ("", *PAGES, "summary")
FIGURES = {"roofline": 4, "mixed-precision": 4, "kv-cache": 5, "flash-attention": 4, "scaling-laws": 3}
ROOT = Path(__file__).resolve().parents[2]
EXTERNAL = re.compile(r"""(?:src|href)=["']?(?:https?:)?//(?!creativecommons)""")


def html(built: Path, page: str) -> str:
    return (built / LESSON / f"{page or 'index'}.html").read_text(encoding="utf-8")


def source(page: str) -> str:
    return (ROOT / f"docs/{LESSON}/{page or 'index'}.md").read_text(encoding="utf-8")


def as_read(page: str) -> Source:
    return read(f"docs/{LESSON}/{page or 'index'}.md", source(page))


@pytest.mark.parametrize("page", LESSON_PAGES)
def test_the_built_page_has_every_claim_of_its_text(built, page):
    claims = as_read(page).claims
    assert all(claim.name for claim in claims) and len(claims) >= (25 if page in PAGES else 10)
    assert len(re.findall(r'<data class="claim-number" value="[^"]+">', html(built, page))) == len(claims)


# Reading time.


@pytest.mark.parametrize("page", PAGES)
def test_a_concept_reads_in_15_minutes(page):
    assert 8 <= minutes(as_read(page)) <= 15


def test_the_lesson_reads_in_85_minutes():
    taken = {page: round(minutes(as_read(page)), 1) for page in LESSON_PAGES}
    assert sum(minutes(as_read(page)) for page in LESSON_PAGES) <= 85, taken


@pytest.mark.parametrize("page", LESSON_PAGES)
def test_a_page_says_how_long_it_takes(built, page):
    said = re.search(r'</h1>\s*<p class="?reading-time"?>(.*?)</p>', html(built, page), re.S)
    assert said, "below the h1"
    assert re.search(rf"(?<![\w.]){round(minutes(as_read(page)))} minutes\b", re.sub("<.*?>", "", said[1])), said[1]


READ = """\
---
title: Forty words that nobody counts
---

# A page

{}
"""
BLOCK = '```python exec="on"{}\nx = 5\n\ny = 6\n{}publish(\n    "", x=x\n)\n```\n'
SHOWN = ' source="above"'


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("one two [37.7 MB](calc:page/one_sequence) [three](other.md#a-long-anchor)", 5 * 0.3),
        ("<!-- not one word -->", 0),
        ("## Heading { #an-id }", 0.3),
        (BLOCK.format(SHOWN, ""), 10),
        (BLOCK.format(SHOWN, "# why\n"), 15),
        (BLOCK.format("", "figure(fig)\n"), 20),
        (BLOCK.format(SHOWN, "figure(\n    fig)\n"), 40),
        ("```bash\nscripts/record page\n```\n", 5),
        ("/// question | Predict: why?\n    attrs: {id: predict-why}\n\nSo.\n///\n", 45 + 3 * 0.3),
        (
            "## Practice { #practice }\n\nTake two.\n\n/// question | Why?\n    attrs: {id: practice-why}\n\nSo.\n///\n",
            0,
        ),
        (f"## Practice {{ #practice }}\n\n{BLOCK.format(SHOWN, '')}\n/// takeaway | One\nSo.\n///\n", 2 * 0.3),
        ("## Practice { #practice }\n\nOne.\n\n## More { #more }\n\nSo.\n", 2 * 0.3),
        ("/// caption\nSo it is.\n///\n", 0.9),
    ],
)
def test_what_takes_a_reader_how_long(text, seconds):
    heading = 2 * 0.3
    assert minutes(read("page.md", READ.format(text))) * 60 == pytest.approx(heading + seconds)


# What a reader may paste into a prompt.

ALLOWED: set[str] = set()
"""What visible code may import of this package: ten names at most; today it needs none."""
ANYWHERE = [pytest.param(page, id=page or "hook") for page in LESSON_PAGES]


def imported(code: str) -> set[str]:
    """What a block imports of this package."""
    found = set()
    for line in re.findall(r"^\s*(?:from|import)\b.*(?:\([^)]*\))?", code, re.M):
        if "scaling_lesson" in line:
            found |= set(re.findall(r"\w+", line.partition("import ")[2])) or {line}
    return found


@pytest.mark.parametrize("page", ANYWHERE)
def test_visible_code_is_short_narrow_and_stands_alone(page):
    blocks = visible(as_read(page))
    lines = [[line for line in code.split("\n") if line.strip()] for code in blocks]
    assert [len(of_block) for of_block in lines if len(of_block) > 15] == []
    assert sum(map(len, lines)) <= 60
    assert [line for of_block in lines for line in of_block if len(line) > 64] == []
    assert len(ALLOWED) <= 10 and set().union(*map(imported, blocks)) <= ALLOWED


def test_an_import_of_the_package_is_seen_however_it_is_written():
    for code in (
        "from scaling_lesson.gpt import GPT",
        "x = 1\nfrom scaling_lesson.gpt import (\n    GPT,\n)",
        "import scaling_lesson.gpt as GPT",
        "if x:\n    from scaling_lesson import gpt",
    ):
        assert imported(code), code
    assert imported("import torch\nfrom math import ceil") == set()


ALONE = """\
import contextlib, io, json, sys
names = {"__name__": "__main__"}
for code in json.load(sys.stdin):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "pasted", "exec"), names)
    print(json.dumps(printed.getvalue().splitlines()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("page", ANYWHERE)
def test_what_a_reader_pastes_works_and_prints_what_the_page_shows(page, tmp_path):
    read = as_read(page)
    path = ROOT / read.path
    shown = [n for n, block in enumerate(read.blocks, 1) if block.options.get("source") == "above"]
    entries = record.read(path.with_suffix(".record")).entries
    expected = [
        [json.loads(text) for key, (_, text) in entries.items() if key.startswith(f"block {n} line ")] for n in shown
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if ALLOWED:
        environment["PYTHONPATH"] = str(ROOT / "src")
    given, command = json.dumps(visible(read)), [sys.executable, "-c", ALONE]
    done = subprocess.run(command, cwd=tmp_path, env=environment, input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected


# What is built.


@pytest.mark.parametrize("page", LESSON_PAGES)
def test_nothing_unfinished_is_on_a_page(built, page):
    article = html(built, page).split("<article", 1)[1].split("</article>", 1)[0]
    for sign in (
        "calc:",
        "⟦",
        "⟧",
        "Traceback",
        "```",
        "publish(",
        "gate-problem",
        "claim-number--wrong",
        "\u0002",
        "$$",
    ):
        assert sign not in article, sign


@pytest.mark.parametrize("page", (None, *LESSON_PAGES))
def test_no_page_asks_another_host_for_anything(built, page):
    text = (built / "index.html").read_text() if page is None else html(built, page)
    head = re.sub(r"<a [^>]*>", "", text)  # links a reader may follow are no requests
    assert not EXTERNAL.findall(re.sub(r'<link rel="?canonical"?[^>]*>', "", head))
    assert "fonts.g" not in text


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_can_be_read_without_seeing_it(built, page):
    figures = re.findall(r"<figure\b.*?</figure>", html(built, page), re.S)
    drawn = [figure for figure in figures if "<svg" in figure]
    assert len(drawn) == FIGURES[page] == html(built, page).count("lesson-figure")
    for figure in drawn:
        name = re.search(r'aria-labelledby="(\S+)-title', figure)[1]
        assert re.search(rf'<title id="{name}-title">[^<]+</title><desc id="{name}-desc">[^<]{{40,}}</desc>', figure)
        assert re.search(
            r"<details class=\"figure-data\"><summary>The data of this figure</summary>.*?<table\b", figure, re.S
        )
        assert re.search(r"<figcaption>.*claim-number.*</figcaption>", figure, re.S)
        assert "<text" in figure and not re.search(r"(?:fill|stroke): ?#", figure)


@pytest.mark.parametrize("page", LESSON_PAGES)
def test_ids_are_unique_and_links_within_the_page_lead_somewhere(built, page):
    text = html(built, page)
    ids = re.findall(r'\sid="?([^\s">]+)', text)
    assert sorted(ids) == sorted(set(ids))
    for target in re.findall(r'href="#([^"]+)"', text):
        assert target in ids, target


@pytest.mark.parametrize("page", PAGES)
def test_misconception_checks_and_takeaway_are_there(built, page):
    text = html(built, page)
    assert len(re.findall(r'class="admonition misconception" id="misconception-', text)) == 1
    assert len(re.findall(r'<details class="question" id="(?:predict|check)-', text)) >= 2
    assert len(re.findall(r'class="admonition takeaway" id="takeaway"', text)) == 1
    for part in ("You may think", "Think instead:"):
        assert part in text


def test_numbers_json_lists_every_claim_with_its_value(built):
    pages = json.loads((built / "numbers.json").read_text())["pages"]
    values = {(path, v["name"]): v["value"] for path, entry in pages.items() for v in entry["values"]}
    for page in LESSON_PAGES:
        entry = pages[f"docs/{LESSON}/{page or 'index'}.md"]
        shown = re.findall(r'<data class="claim-number" value="([^"]+)">([^<]+)</data>', html(built, page))
        assert [(values[c["page"], c["name"]], c["text"]) for c in entry["claims"]] == [
            (value, text.replace("&lt;", "<").replace("&gt;", ">")) for value, text in shown
        ]


# The numbers each page is about, as the reader sees them.
CORRECTED = {
    "": [
        "80 years",
        "355 years",
        "510 years",
        "3.14 × 10²³ FLOPs",
        "2,048",
        "about 21 days",
        "2.8 TB",
        "971",
        "1,180×",
    ],
    "roofline": [
        "1/12 FLOP/B",
        "1/6 FLOP/B",
        "460",
        "153 FLOP/B",
        "295 FLOP/B",
        "279 FLOP/B",
        "1.75 FLOP/B",
        "1.25 FLOP/B",
        "2.25 FLOP/B",
        "15.5 FLOP/B",
        "30 FLOP/B",
        "2.20 ms",
        "63%",
        "1.61 ms",
        "50%",
        "15%",
        "40 MiB",
        "5.2×",
        "19.5 TFLOP/s",
        "156 TFLOP/s",
        "312 TFLOP/s",
        "2.039 TB/s",
        "7.67 TB/s",
    ],
    "flash-attention": [
        "16.8 million entries",
        "exactly 16,777,216",
        "402.7 MB",
        "384 MiB",
        "384 KiB",
        "exactly 1,024×",
        "32 KiB",
        "192 KiB",
        "270.5 MB",
        "136.3 MB",
        "34.6 MB",
        "3.9×",
        "2.1 MB",
        "31.5 FLOP/B",
        "124 FLOP/B",
        "2,048 FLOP/B",
        "416 TFLOP/s",
        "1.135",
        "1.271",
        "False",
        "528",
        "496",
        "48.4%",
        "2",
        "4",
    ],
    "scaling-laws": [
        "5.76 × 10²³ FLOPs",
        "5.88 × 10²³ FLOPs",
        "5.04 × 10²³ FLOPs",
        "17%",
        "50%",
        "1.7",
        "3.4×",
        "13.5×",
        "77",
        "21.5",
        "about 1,870",
        "1,048,576×",
        "3.4%",
        "10.9%",
        "0.9%",
        "1.3%",
        "32 billion",
        "2.98 trillion",
        "40 billion",
        "2.38 trillion",
        "72 billion",
        "1.33 trillion",
        "2.49 billion tokens",
        "301,966",
        "4.5 × 10²⁰ FLOPs",
        "1.8 billion",
        "41 billion",
        "3.2×",
        "700 billion parameters",
        "14 trillion tokens",
        "63 days",
        "71 days",
        "11 years",
    ],
    "kv-cache": [
        "5,950",
        "109",
        "54.6×",
        "54.7×",
        "5,050",
        "100",
        "50.5×",
        "171,700",
        "34×",
        "500,500",
        "500.5×",
        "108 positions",
        "under 0.00001",
        "exactly 1,024×",
        "524.6×",
        "6.7×",
        "0.935 ms",
        "0.140 ms",
        "37.7 MB",
        "36 MiB",
        "1.2 GB",
        "1.125 GiB",
        "36 KiB",
        "320 KiB",
        "2,560 KiB",
        "249 MB",
        "285 MB",
        "10.0 FLOP/B",
        "about 150 positions",
        "147,456 bytes",
        "92,160 bytes",
        "42 pairs",
        "312 TFLOP/s",
        "2.039 TB/s",
    ],
    "mixed-precision": [
        "2⁻¹¹",
        "0.00049",
        "2⁻⁸",
        "0.0039",
        "1.0001000166",
        "5",
        "40",
        "1.0078125",
        "16 bytes",
        "383 additions",
        "0.5",
        "3,070 additions",
        "4.0",
        "2⁻⁹",
        "256",
        "2,048",
        "1,000 updates",
        "258",
        "8 bits",
        "65 TFLOP/s",
        "5.0 billion parameters",
        "32,512",
    ],
}


@pytest.mark.parametrize("page", LESSON_PAGES[:-1])
def test_the_corrected_numbers_are_on_their_page(built, page):
    shown = set(re.findall(r'<data class="claim-number" value="[^"]+">([^<]+)</data>', html(built, page)))
    assert [number for number in CORRECTED[page] if number not in shown] == []
