"""The second check: it passes the real site, catches each thing broken in it, and is as strict as the gate."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from drift import SMALL
from hypothesis import example, given, settings
from hypothesis import strategies as st
from valued import disagreement

from scaling_lesson import audit
from scaling_lesson.digits import fixed
from scaling_lesson.site.numbers import claim as claims
from scaling_lesson.units import COUNTED, UNITS, parse_unit

PROGRAM = Path(audit.__file__)
PAGE, FIGURE, OTHER, LIST = (f"{name}/index.html" for name in ("page", "figure", "other", "list"))
CLAIM = r'<span class="claim" id="claim-\d+"><a [^>]*><data [^>]*>{}</data></a><span class="claim-card".*?</span></span>(?!</span>)'


def run(site: Path, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, *(options or ("-I",)), str(PROGRAM), str(site)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def small(tmp_path_factory, mkdocs) -> Path:
    """The corpus's small site as the real one looks, with a list of its numbers, built."""
    root = shutil.copytree(SMALL, tmp_path_factory.mktemp("audit") / "small")
    text = (root / "mkdocs.yml").read_text(encoding="utf-8")
    text = re.sub(
        r"theme:.*?\n(?=\w)", "theme: {name: material, font: false}\ncopyright: CC BY 4.0\n", text, flags=re.S
    )
    text = text.replace("  - Glossary:", "  - Every number: list.md\n  - Glossary:").replace(
        "A100]", "A100, GPT-3, CC BY 4.0]"
    )
    (root / "mkdocs.yml").write_text(text, encoding="utf-8")
    (root / "docs/list.md").write_text("# Every number\n\n<!-- listing: numbers -->\n", encoding="utf-8")
    (root / "docs/other.md").write_text(
        (SMALL / "docs/other.md").read_text("utf-8") + "\nLike GPT-2.\n", encoding="utf-8"
    )
    status, output = mkdocs(root, "build", "-q")
    assert status == 0, output
    return root / "site"


@pytest.fixture
def copy(small, tmp_path) -> Path:
    """A copy of the small site, to break. Its files are links: write a new file, never into one."""
    return Path(shutil.copytree(small, tmp_path / "copy", copy_function=os.link))


def edit(site: Path, file: str, pattern: str, new: str | Callable) -> int:
    """Replace the first match in a file. Returns the line of the first change."""
    old = (site / file).read_text(encoding="utf-8")
    text, count = re.subn(pattern, new, old, count=1, flags=re.S)
    assert count and text != old, pattern
    (site / file).unlink()
    (site / file).write_text(text, encoding="utf-8")
    return old.count("\n", 0, len(os.path.commonprefix([old, text]))) + 1  # noqa: RUF071 (texts, not paths)


# The program.


def test_the_real_site_passes_wherever_it_lies(built, tmp_path):
    pages = json.loads((built / "numbers.json").read_text(encoding="utf-8"))["pages"].values()
    n_claims, n_cells = (sum(len(page[what]) for page in pages) for what in ("claims", "cells"))
    expected = f"{n_claims:,} claims, {n_cells:,} cells on {len(list(built.rglob('*.html')))} pages hold\n"
    elsewhere = Path(shutil.copytree(built, tmp_path / "Kopie mit Leerzeichen", copy_function=os.link))
    for site in (built, elsewhere):
        result = run(site, "-I", "-S")
        assert (result.returncode, result.stdout, result.stderr) == (0, expected, "")


def test_it_uses_the_standard_library_alone():
    names = set()
    for node in ast.walk(ast.parse(PROGRAM.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module.split(".")[0])
    assert names and names <= set(sys.stdlib_module_names) - {"importlib", "runpy"}


@pytest.mark.parametrize("broken", ["", "{", "[]", "{}", '{"pages": 1, "names": [], "exempt": {}}', "\udcff"])
def test_a_folder_that_is_no_site_is_told_from_a_site_that_is_wrong(tmp_path, broken):
    if broken:
        (tmp_path / "numbers.json").write_text(broken, encoding="utf-8", errors="surrogateescape")
        (tmp_path / "index.html").touch()
    result = run(tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "is not a built site" in result.stderr and result.stderr.count("\n") == 1


def test_it_takes_one_folder():
    assert audit.main([]) == audit.main(["a", "b"]) == 2


# What it catches: each planted in a small site.

TEXT = "(<article.*?<p>)"
IN_TEXT = [
    ("You have 42 layers.", 'naked number "42"'),
    ("\n\nhalf of it: ½", 'naked number "½"'),
    ("10²³ of them", 'naked number "10²³"'),
    ("<code>42 MB</code>", 'naked number "42"'),
    ("<code>42MB</code>", 'naked number "42MB"'),
    ("<code>~42k.</code>", 'naked number "~42k"'),
    ("GPT-25", 'naked number "GPT-25"'),
    ('<a title="7 heads" href="#">x</a>', 'naked number "7"'),
    ('<img alt="7 heads" src="../../assets/favicon.svg">', 'naked number "7"'),
    ('<button aria-label="in 5 steps">x</button>', 'naked number "5"'),
    ('<input placeholder="up to 9">', 'naked number "9"'),
    ('<span class="claim-card">a card of no claim: 12</span>', 'naked number "12"'),
    ('<data value="3">3</data>', 'naked number "3"'),
    ("<math><mi>x</mi><mo>=</mo><mn>25</mn></math>", 'naked number "25" in a formula'),
    ("<math><mrow><mi>x</mi><mo>=</mo><mn>2</mn><mrow><mo>.</mo></mrow><mn>5</mn></mrow></math>", '"2.5" in a formula'),
    ("<math><mn>2</mn><mo>+</mo><mn>2</mn></math>", 'naked number "2" in a formula'),
    ("<math><mi>x</mi><mtext>is 37.7 MB</mtext></math>", 'naked number "37.7"'),
    ("Traceback (most recent call last):", "is left on the page"),
    ("<pre>Traceback (most recent call last):</pre>", "is left on the page"),
    ("⟦0123 4⟧", "'⟦' is left on the page"),
    ("[many](calc:name)", '"calc:" is left in the text'),
    ('<a href="calc:name">many</a>', 'the link "calc:name" was not read as a claim'),
    ("```python", '"```" is left in the text'),
    ("$$x$$", '"$$" is left in the text'),
    ("\n/// caption", '"///" is left in the text'),
    ("\n!!! note", '"!!!" is left in the text'),
    ("publish('B', x=y)", '"publish(" is left in the text'),
    ('<div class="language-python"><pre><span>publish</span><span>(x)</span></pre></div>', "left in a listing"),
    ('<div class="gate-problem">x</div>', 'a "gate-problem" is on the page'),
    ('<section class="gate-notice">x</section>', 'a "gate-notice" is on the page'),
    ('<data class="claim-number claim-number--wrong">x</data>', 'a "claim-number--wrong" is on the page'),
    ('<data class="claim-number" value="1">1</data>', 'claim "1" has no link to its value'),
]


@pytest.mark.parametrize("planted, message", IN_TEXT, ids=[planted[:30] for planted, _ in IN_TEXT])
def test_what_is_planted_in_the_text_is_told_with_its_line(copy, planted, message):
    line = edit(copy, PAGE, TEXT, lambda match: f"{match[1]} {planted} ") + planted.count("\n")
    told, _ = audit.audit(copy)
    assert any(t.startswith(f"{PAGE}:{line}: ") and message in t for t in told), told


@pytest.mark.parametrize(
    "harmless",
    [
        "<code>x = 42</code>",
        "<pre>42</pre>",
        "<pre><code>42</code></pre>",
        "<svg><text>42</text></svg>",
        "<script>42</script>",
        '<p class="computed">42</p>',
        '<div class="doc doc-contents">42</div>',
        '<div class="jp-InputPrompt">[4]</div>',
        "GPT-2, (float16), GPT-3.",
        "<math><mi>x</mi><mo>=</mo><mn>2</mn></math>",
        "<math><mi>α</mi><mn>2</mn></math>",
        "<math><msup><mi>x</mi><mn>2</mn></msup><mn>3</mn></math>",
        "<code>calc:name</code>",
        "<!-- 42 -->",
        '<div class="language-markdown"><pre>publish(x)</pre></div>',
        '<a href="https://example.org/42">x</a>',
        '<a href="#">x</a>',
        '<a href="../../">x</a>',
        '<a href="../../index.html?q=1">x</a>',
        '<div class="doc doc-object"><h2 id="f16">f16</h2></div><nav><a href="#f16"><b>f16</b></a></nav>',
    ],
)
def test_what_is_no_number_of_the_prose_is_not_told(copy, harmless):
    edit(copy, PAGE, TEXT, lambda match: f"{match[1]} {harmless} ")
    assert audit.audit(copy)[0] == []


def told_line(pattern: str, new: str, message: str, file: str = PAGE):
    return pytest.param(file, pattern, new, message, id=f"{pattern[:25]}->{new[:25]}")


@pytest.mark.parametrize(
    "file, pattern, new, message",
    [
        told_line(">37.7 MB</data>", ">37.8 MB</data>", 'claim "37.8 MB": one_sequence is 37748736 B, and the'),
        told_line(">37.7 MB</data>", ">37.7 MiB</data>", "is not what that rounds to"),
        told_line(">37.7 MB</data>", ">37.7 MFLOP</data>", "is of another dimension than B"),
        told_line(">37.7 MB</data>", ">37.7</data>", "is of another dimension than B"),
        told_line(">37.7 MB</data>", ">big</data>", "does not read as a number"),
        told_line(">36 MiB</data>", ">36 MB</data>", "is not what that rounds to"),
        told_line(">5,950<", ">5,951<", 'claim "5,951"'),
        told_line(">5,950 positions<", ">5,950 tokens<", "is of another dimension than position"),
        told_line(">54.6×<", ">54.5×<", 'claim "54.5×"'),
        told_line("under 0.000002<", "over 0.000002<", 'claim "over 0.000002"'),
        told_line("under 0.000002<", "under 0.0000015<", "does not hold all over its tolerance"),
        told_line(">312 TFLOP/s<", ">312 GFLOP/s<", 'claim "312 GFLOP/s"'),
        told_line("(<data [^>]*>)True<", r"\1False<", 'same is "True"'),
        told_line('value="37748736">37.7 MB', 'value="37748737">37.7 MB', 'its value attribute is "37748737"'),
        told_line(' value="37748736">37.7 MB', ">37.7 MB", 'its value attribute is "None"'),
        told_line('"#calc-one_sequence"', '"#calc-no_sequence"', 'numbers.json has 0 values for "#calc-no_sequence"'),
        told_line('"#calc-one_sequence"', '"../#calc-one_sequence"', "numbers.json has 0 values"),
        told_line("(37,748,736) B <code>", r"37,748,737 B <code>", 'its card says "37,748,737 B"'),
        told_line("37,748,736 B (<code>)", r"\1", 'its card says ""'),
        told_line("(37,748,736 B <code>)", r"\1not_", "its card does not give the expression of"),
        told_line('class="claim-card"', 'class="card"', "it has no card of its own"),
        told_line(f"({CLAIM.format('37.7 MB')})", r"\1iB", 'claim "37.7 MB": "i" beside it makes it another number'),
        told_line(f"({CLAIM.format('5,950')})", r"\1 million", '" million" beside it makes'),
        told_line(f"({CLAIM.format('5,950')})", r"\1%", '"%" beside it makes'),
        told_line(f"({CLAIM.format('5,950')})", r"−\1", '"−" beside it makes'),
        told_line(f"({CLAIM.format('37.7 MB')})", r"\1 \1", "is not in numbers.json at this place"),
        told_line('(class="cell" value="1600"[^>]*>)1,600<', r"\g<1>1,601<", 'cell "1,601": its value is 1600', FIGURE),
        told_line('class="cell" value="1600"', 'class="cell" value="1601"', 'cell "1,600": its value is 1601', FIGURE),
        told_line('class="cell" value="1600"', 'class="cell" value="nan"', "is not a number", FIGURE),
        told_line('value="1600" data-unit="[a-z]*"', 'value="1600" data-unit="%"', "not what that", FIGURE),
        told_line(">37,748,736 B</data>", ">37,748,737 B</data>", 'the list says "37,748,737 B"', LIST),
        told_line('value="37748736">37,748,736 B<', 'value="37748737">37,748,736 B<', "the list says", LIST),
        told_line("<figcaption>", "<figcaption>7 ", 'naked number "7"'),
        told_line('<td>(<data class="cell")', r"<td>7 \1", 'naked number "7"', FIGURE),
        told_line("(<th scope=col[^>]*>)", r"\g<1>7 ", 'naked number "7"', FIGURE),
        told_line(r"(<details class=.question. [^>]*>\s*<summary>)", r"\1 9 ", 'naked number "9"'),
        told_line("(<details class=.question. [^>]*>.*?</summary>)", r"\1 9 ", 'naked number "9"'),
        told_line("(<h2[^>]*>)", r"\1 3 ", 'naked number "3"'),
        told_line("<title>", "<title>8 ", 'naked number "8"'),
        told_line('(<meta name="description" content=")', r"\1 8 ", 'naked number "8"'),
        told_line('<span class="md-ellipsis">', '<span class="md-ellipsis">2. ', 'naked number "2"'),
        told_line("CC BY 4.0", "CC BY 4.1", 'naked number "4.1"'),
        told_line("404 - Not found", "405 - Not found", 'naked number "405"', "404.html"),
        told_line(">54.6×<", ">54.7×<", 'claim "54.7×"', OTHER),
        told_line('href="../page/#calc', 'href="../figure/#calc', "numbers.json has 0", OTHER),
    ],
)
def test_what_is_changed_on_a_page_is_told_with_its_line(copy, file, pattern, new, message):
    line = edit(copy, file, pattern, new)
    told, _ = audit.audit(copy)
    assert any(t.startswith(f"{file}:{line}: ") and message in t for t in told), told


@pytest.mark.parametrize(
    "file, pattern, what", [(PAGE, CLAIM.format("37.7 MB"), "claim"), (FIGURE, "<data class=.cell.*?</data>", "cell")]
)
def test_what_is_taken_from_a_page_is_told(copy, file, pattern, what):
    edit(copy, file, pattern, "")
    (told,) = audit.audit(copy)[0]
    assert re.match(rf'{file}:\d+: {what} ".*" \(.*\) of numbers.json is missing after this line', told)


def value(numbers: dict, name: str) -> dict:
    return next(v for page in numbers["pages"].values() for v in page["values"] if v["name"] == name)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda n: value(n, "one_sequence").update(value="37748737"), 'numbers.json has "37748737"'),
        (lambda n: value(n, "one_sequence").update(value="nan"), "one_sequence is nan B, which is not a number"),
        (lambda n: value(n, "one_sequence").update(value=float("nan")), "one_sequence is nan B, which is not a number"),
        (lambda n: value(n, "one_sequence").update(unit="FLOP"), "is of another dimension than FLOP"),
        (lambda n: value(n, "one_sequence").update(unit="%"), 'its card says "37,748,736 B"'),
        (lambda n: value(n, "one_sequence").update(tolerance=1e6), "does not hold all over its tolerance"),
        (lambda n: value(n, "apart").update(tolerance=1e-6), "does not hold all over its tolerance"),
        (lambda n: value(n, "apart").update(reason="none"), "its card does not give the reason"),
        (lambda n: value(n, "one_sequence").update(source="a book"), "its card does not give the source"),
        (lambda n: value(n, "one_sequence").update(name="other"), "numbers.json has 0 values"),
        (lambda n: n["pages"]["docs/page.md"]["claims"][3].update(text="38 MB"), 'claim "37.7 MB" ('),
        (lambda n: n["pages"]["docs/page.md"]["claims"].pop(3), "is not in numbers.json"),
        (lambda n: n["pages"]["docs/page.md"]["claims"].reverse(), "at this place"),
        (
            lambda n: n["pages"]["docs/page.md"]["claims"].append(n["pages"]["docs/page.md"]["claims"][0]),
            "of numbers.json is missing",
        ),
        (lambda n: n["pages"]["docs/page.md"]["values"].append(value(n, "one_sequence")), "numbers.json has 2 values"),
        (lambda n: n["pages"]["docs/figure.md"]["cells"].pop(), 'cell "'),
        (lambda n: n["names"].remove("GPT-2"), 'naked number "GPT-2"'),
    ],
)
def test_what_is_changed_in_the_list_is_told(copy, change, message):
    numbers = json.loads((copy / "numbers.json").read_text(encoding="utf-8"))
    change(numbers)
    (copy / "numbers.json").unlink()
    (copy / "numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
    told, _ = audit.audit(copy)
    assert any(message in t for t in told), told


def test_a_page_that_is_gone_is_told(copy):
    (copy / PAGE).unlink()
    told, _ = audit.audit(copy)
    assert 'numbers.json:1: its page "page/" is not on the site' in told


def test_all_problems_are_told_in_one_run_and_counted(copy):
    edit(copy, PAGE, TEXT, r"\1 42 ")
    edit(copy, "index.html", TEXT, r"\1 43 ")
    result = run(copy)
    lines = result.stdout.splitlines()
    assert result.returncode == 1 and [line.split(":")[0] for line in lines] == [
        "index.html",
        PAGE,
        "2 problems on the built site",
    ]


def test_an_exempt_number_passes_on_its_own_page_alone(copy):
    numbers = json.loads((copy / "numbers.json").read_text(encoding="utf-8"))
    numbers["exempt"] = {"docs/page.md": {"42": "an answer"}}
    (copy / "numbers.json").unlink()
    (copy / "numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
    edit(copy, PAGE, TEXT, r"\1 Is it 42? ")
    assert audit.audit(copy)[0] == []
    edit(copy, "index.html", TEXT, r"\1 Is it 42? ")
    assert len(audit.audit(copy)[0]) == 1


def test_an_exemption_reaches_the_list_for_a_page_without_claims_too(site):
    made = site("# Page\n\nIt was 2026.\n", exempt="{docs/page.md: {'2026': a year}}")
    made.html()
    assert audit.audit(made.root / "site")[0] == []


# The rule, as DESIGN.md and the README tell it.

SEQUENCE = (37_748_736, "B")


@pytest.mark.parametrize(
    "text, value, unit",
    [
        ("37.7 MB", *SEQUENCE),
        ("36.0 MiB", *SEQUENCE),
        ("about 38 MB", *SEQUENCE),
        ("36 MiB", *SEQUENCE),
        ("37,748,736 bytes", *SEQUENCE),
        ("37748736 B", *SEQUENCE),
        ("0.0377 GB", *SEQUENCE),
        ("37.7 million bytes", *SEQUENCE),
        ("3.77 × 10⁷ B", *SEQUENCE),
        ("3.77e7 B", *SEQUENCE),
        ("at least 36 MiB", *SEQUENCE),
        ("at most 36 MiB", *SEQUENCE),
        ("under 37.8 MB", *SEQUENCE),
        ("over 37.7 MB", *SEQUENCE),
        ("≥ 36 MiB", *SEQUENCE),
        ("<38 MB", *SEQUENCE),
        ("5.9 × 10²³", "5.94e+23", ""),
        ("5.9e23", "5.86e+23", ""),
        ("10²³", "1.4e+23", ""),
        ("1e-8", "1e-08", ""),
        ("about 500,000", 500_500, ""),
        ("about 500,000", 451_000, ""),
        ("500,000", 500_000, ""),
        ("about 0", 0, ""),
        ("1/12 FLOP/B", "1/12", "FLOP/B"),
        ("2⁻¹¹", "0.00048828125", ""),
        ("45.5%", "0.4551", ""),
        ("45.5 %", "45.51", "%"),
        ("54.6×", "54.587", ""),
        ("54.6x", "54.587", "×"),
        ("−0.5", "-0.5", ""),
        ("0.12", "1/8", ""),
        ("0.38", "3/8", ""),
        ("2", "5/2", ""),
        ("4", "7/2", ""),
        ("0.1", "0.15", ""),
        ("0.2", "0.25", ""),
        ("12", 12, "layer"),
        ("12 layers", 12, "layer"),
        ("1 entry", 1, "entry"),
        ("2 entries", 2, "entry"),
        ("2 forward passes", 2, "forward pass"),
        ("5,950 positions", 5950, "token position"),
        ("5,950 token positions", 5950, "position"),
        ("34 pairs", 34, "query-key pair"),
        ("0.935 ms", "0.0009347702153846153", "s"),
        ("140 µs", "0.00014", "s"),
        ("80 years", 80 * 31_557_600, "s"),
        ("21 days", 21 * 86400, "s"),
        ("36 KiB/token", 36_864, "B/token"),
        ("312 TFLOP/s", "312000000000000.0", "FLOP/s"),
        ("more than 2 trillion tokens", "2.1e+12", "token"),
        ("0", "0.0", ""),
    ],
)
def test_a_correct_statement_holds(text, value, unit):
    assert audit.wrong(text, audit.number(str(value)), unit) is None


@pytest.mark.parametrize(
    "text, value, unit, problem",
    [
        ("37.8 MB", *SEQUENCE, "rounds"),
        ("37.7 MiB", *SEQUENCE, "rounds"),
        ("37.7 MFLOP", *SEQUENCE, "dimension"),
        ("37.70 MB", *SEQUENCE, "rounds"),
        ("37 MB", *SEQUENCE, "rounds"),
        ("38.0 MB", *SEQUENCE, "rounds"),
        ("over 36 MiB", *SEQUENCE, "rounds"),
        ("under 36 MiB", *SEQUENCE, "rounds"),
        ("at least 37.8 MB", *SEQUENCE, "rounds"),
        ("at most 35 MiB", *SEQUENCE, "rounds"),
        ("37.7 MB/s", *SEQUENCE, "dimension"),
        ("37748736", *SEQUENCE, "dimension"),
        ("37.7MB", *SEQUENCE, "read"),
        ("about", *SEQUENCE, "read"),
        ("", *SEQUENCE, "read"),
        ("37.7 mB", *SEQUENCE, "dimension"),
        ("500,000", 500_500, "", "rounds"),
        ("about 500,000", 551_000, "", "rounds"),
        ("about 500,000.0", 500_500, "", "rounds"),
        ("5,00", 500, "", "read"),
        ("1/0", 1, "", "read"),
        ("0.083", "1/12", "FLOP/B", "dimension"),
        ("1/12", "0.0833", "", "rounds"),
        ("2⁻¹¹", "0.000488", "", "rounds"),
        ("0.13", "1/8", "", "rounds"),
        ("0.2", "0.15", "", "rounds"),
        ("3", "5/2", "", "rounds"),
        ("0.0 MB", 1, "B", "rounds"),
        ("12 heads", 12, "layer", "dimension"),
        ("12 tokens", 12, "token position", "dimension"),
        ("5%", "5", "", "rounds"),
        ("0.5", "-0.5", "", "rounds"),
        ("5.9 × 10²³", "5.9e+22", "", "rounds"),
        ("8 GB", 8, "GiB/s", "dimension"),
        ("5 layers", 5, "", "dimension"),
        ("10 million", 10, "", "rounds"),
        ("5 tokens/s", 5, "layer/s", "dimension"),
        ("5/s", 5, "layer/s", "read"),
        ("a 5", 5, "", "read"),
        ("٥", 5, "", "read"),
    ],
)
def test_a_wrong_statement_does_not(text, value, unit, problem):
    assert problem in audit.wrong(text, audit.number(str(value)), unit)


@pytest.mark.parametrize(
    "text, tolerance, holds",
    [
        ("5.0", "0.04", True),
        ("5.0", "0.06", False),
        ("about 5", "0.4", True),
        ("5.0", "0.05", True),
        ("5/1", "0.001", False),
        ("under 6", "0.9", True),
        ("under 6", "1.0", False),
        ("at most 6", "1.0", True),
        ("over 4", "1.0", False),
        ("at least 4", "1.0", True),
    ],
)
def test_a_statement_holds_all_over_the_tolerance(text, tolerance, holds):
    problem = audit.wrong(text, Fraction(5), "", Fraction(tolerance))
    assert problem is None if holds else "all over its tolerance" in problem


def test_a_cell_may_have_fewer_digits_than_its_value_needs():
    assert audit.wrong("0.00", Fraction(1, 1000), "", zero=True) is None
    assert audit.wrong("0.00", Fraction(1, 100), "", zero=True) and audit.wrong("0.00", Fraction(1, 1000), "")


# The gate and this check, made apart, must agree.

SYMBOLS = [
    "",
    "%",
    "×",
    "x",
    "times",
    "B",
    "MB",
    "MiB",
    "GB",
    "kB",
    "FLOP",
    "TFLOPs",
    "TFLOP/s",
    "FLOP/B",
    "GB/s",
    "s",
    "ms",
    "days",
    "tokens",
    "token positions",
    "positions",
    "query-key pairs",
    "pairs",
    "layer",
    "entries",
    "forward passes",
    "KiB/token",
]
LIFT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@st.composite
def statements(draw) -> tuple[str, str, str, float]:
    """(text, value, unit, tolerance): a claim in any shape the grammar has, and a value at, near or at the edge."""
    whole, decimals = draw(st.integers(0, 10 ** draw(st.integers(1, 7)))), draw(st.integers(0, 3))
    zeros = draw(st.sampled_from([1, 1, 10, 1000]))
    shown = Fraction(whole * zeros, 10**decimals)
    digits = fixed(shown, decimals, draw(st.booleans()))
    step = Fraction(1, 10**decimals)
    shape = draw(st.sampled_from(["plain"] * 4 + ["times", "e", "power", "ratio"]))
    exponent = draw(st.integers(-12, 24))
    if shape == "times":
        digits, scale = f"{digits} × 10{str(exponent).translate(LIFT)}", Fraction(10) ** exponent
    elif shape == "e":
        digits, scale = f"{digits}e{exponent}", Fraction(10) ** exponent
    elif shape == "power":
        base = draw(st.sampled_from([2, 10]))
        digits, scale = f"{base}{str(exponent).translate(LIFT)}", Fraction(base) ** exponent
        shown = step = Fraction(1)
    elif shape == "ratio":
        below = draw(st.integers(0, 50))
        digits, shown, scale = f"{whole}/{below}", Fraction(whole, below or 1), Fraction(1)
    else:
        scale = Fraction(1)
    word, sign = draw(st.sampled_from(["", "", "", *claims.WORDS])), draw(st.sampled_from(["", "", "", "-", "−"]))
    bound = draw(st.sampled_from(["", "", "about", "about", *claims.BOUNDS]))
    symbol, other = draw(st.sampled_from(SYMBOLS)), draw(st.sampled_from(SYMBOLS))
    alike = audit.same(audit.dimension(symbol)[0], audit.dimension(other)[0])
    unit = other if alike or draw(st.integers(0, 19)) == 19 else symbol
    gap = "" if symbol in ("%", "×", "x") and draw(st.booleans()) else " "
    text = f"{bound}{' ' if bound else ''}{sign}{digits}{' ' if word else ''}{word}{gap if symbol else ''}{symbol}"
    off = draw(st.sampled_from(["0", "0", "1/2", "-1/2", "49/100", "51/100", "1", "-1", "3", "-7"]))
    near = (shown + Fraction(off) * step * draw(st.sampled_from([1, zeros]))) * (-1 if sign else 1)
    near *= scale * claims.WORDS.get(word, 1)
    near *= parse_unit(symbol).factor / parse_unit(unit).factor
    value = draw(st.sampled_from([near, float(near), round(near)]))
    return text, str(value), unit, draw(st.sampled_from([0.0, 0.0, 0.0, 0.01, 5.0])) * float(abs(step * scale))


@settings(max_examples=2000, deadline=None, derandomize=True)
@given(statements())
@example(("37.7 MB", "37748736", "B", 0.0))
def test_the_gate_and_the_audit_agree(statement):
    text, value, symbol, tolerance = statement
    exact, unit = audit.number(value), parse_unit(symbol)
    try:
        reason = disagreement(claims.parse(text), exact * unit.factor, unit, Fraction(tolerance) * unit.factor)
    except ValueError as error:
        reason = str(error)
    problem = audit.wrong(text, exact, symbol, Fraction(tolerance))
    assert (reason is None) == (problem is None), f"gate: {reason}; audit: {problem}"


def test_both_know_the_same_units():
    for symbol, unit in UNITS.items():
        measures, factor = audit.dimension(symbol)
        assert factor == unit.factor
        noun = f"noun {unit.dimension}"
        assert audit.same(measures, noun if unit.dimension in COUNTED else unit.dimension.replace("number", "")), symbol
