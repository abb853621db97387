"""A page as Markdown shows it: the numbers in it that nothing computes, what it cannot show, and where claims stand."""

import re

import pytest
from one_page import BLOCK, render, told


def naked(text: str) -> list[tuple[int, str]]:
    """Each naked number that is told of a page, in order of its line."""
    found = [(problem.line, re.match('naked number "(.*?)"', problem.message)) for problem in told(text)]
    return [(line, match[1]) for line, match in found if match]


@pytest.mark.parametrize(
    "text",
    [
        "GPT-2 in float16, a 16-bit format, on an A100, or an 80 GB A100.",
        "the `x[3]` and ``a 4 ` b`` of code",
        "[37.7 MB](calc:one)",
        "[37.7\nMB](calc:one)",
        '[37.7 MB](calc:one "title")',
        '```python exec="on"\nx = 5\n```',
        "```bash\nscripts/build 3\n```",
        "[the paper](https://arxiv.org/abs/1412)",
        "[the paper][1412]\n\n[1412]: https://arxiv.org/abs/1412",
        "1. first\n2. second",
        "> 1. quoted",
        "<!-- 37 -->",
        "<!-- [37 MB](calc:gone) -->",
        '<div class="c3" style="width: 5px">text</div>',
        "## Heading { #part-2 }",
        "&#215; and &eacute;",
        "`atol=1e-5`, `dim=-1`, `2**20`, `n=5`, `x[1, 2]`, `name='5 MB'`, `step 2`, `(x + 1) * 3`",
        "$y = 2x$, $n/3$ and $k = 2 \\times T$",
        "half of it, $\\frac{T(T-1)}{2}$, is kept",
        "$$\\sum_{t=1}^{T} (P + t - 1)$$",
        "five hundred",
    ],
)
def test_not_naked(text):
    assert naked(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("one\ntakes 37.7 MB, or so", [(2, "37.7")]),
        ("about 5,950 positions", [(1, "5,950")]),
        ("## Part 2", [(1, "2")]),
        ("a | b\n--|--\nx | 384 KiB", [(3, "384")]),
        ("`37.7 MB` in backticks", [(1, "37.7 MB")]),
        ("`1024`", [(1, "1024")]),
        ("GPT-20 and float161 and XA100", [(1, "GPT-20"), (1, "float161"), (1, "XA100")]),
        ("5× and 10² and ½", [(1, "5×"), (1, "10²"), (1, "½")]),
        ("$P = 5950$", [(1, "5950")]),
        ("$0.5 T$", [(1, "0.5")]),
        ("$5$ MB", [(1, "5")]),
        ("![37 boxes](a4.png)", [(1, "37")]),
        ("`37.7MB`, `~98 MB`, `(96)`, `cache = 93 MB`", [(1, n) for n in ("37.7MB", "~98 MB", "96", "93 MB")]),
        ("`94–95 MB`", [(1, "95 MB")]),
        ("`97k`", [(1, "97k")]),
        ("`x ≈ 7.5` and `y = -3 of`", [(1, "7.5"), (1, "-3")]),
        ("`loss -> 7.5`", [(1, "7.5")]),
        ("`name = '5 MB'`, `call(x)[9 MB](9 MB)`, `5 MB` and `a 5`", [(1, "5 MB")]),
        ("$n = 9\\,\\text{GB}$", [(1, "9")]),
        ("$t = 5\\ \\mathrm{ms}$", [(1, "5")]),
        ("about $x > 8$ GB", [(1, "8")]),
        ('!!! note "37 MB"', [(1, "37")]),
        ("```text\nit took 37 ms\n```", [(2, "37")]),
        ("```\nit took 37 ms\n```", [(2, "37")]),
        ("    indented 37", [(1, "37")]),
        ("٣٧ tokens", [(1, "٣٧")]),
        ("*[KV]: 2 tensors", [(1, "2")]),
        ("<https://arxiv.org/abs/1412>", [(1, "https://arxiv.org/abs/1412")]),
        ("a note[^1]", [(1, "^1")]),
        ("`n = 5`", [(1, "5")]),
        ("<!-- a -->37<!-- b -->", [(1, "37")]),
        ("[5950][ref]", [(1, "5950")]),
        ("x^2^ and H~2~O", [(1, "x^2^"), (1, "H~2~O")]),
        ("It is 37.", [(1, "37")]),
        ("<!-- 37", [(1, "37")]),
        ("&#57;&eacute; MB", [(1, "9é")]),
        ("<b>4</b> 5", [(1, "4"), (1, "5")]),
        ("$15$ and $16$", [(1, "15"), (1, "16")]),
        ("$2 \\times 3$", [(1, "2"), (1, "3")]),
        ("$x \\text{1} \\text{2}$", [(1, "12")]),
        ("$5 \\text{ or }$", [(1, "5")]),
        ("$x = 1\u200b2$", [(1, "12")]),
    ],
)
def test_naked(text, found):
    assert naked(text) == sorted(found, key=lambda told: (told[0], f'"{told[1]}"'))


def problems(text: str) -> list[tuple[int, str]]:
    """What is told of a page but for its naked numbers and its claims."""
    found = [(problem.line, problem.message) for problem in told(text)]
    return [(line, message) for line, message in found if not message.startswith(("naked number", 'claim "'))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\n\n<iframe srcdoc='x'></iframe>", [(3, "<iframe srcdoc='x'> may show")]),
        ("so <b class=x>it</b> is", [(1, "<b class=x> may show")]),
        ("a\n\n<svg\nclass='lesson-figure'></svg>", [(3, "<svg\nclass='lesson-figure'> may show")]),
        ("a <script>b</script>", [(1, "<script> may show")]),
        ("It is \u202e7.73\u202c MB.", [(1, "a mark here turns the order")]),
        (
            "So\n\n![The cache](cache.svg) or\n`![it](x)`",
            [(3, "an image shows what nothing checks: draw it with figure(...)")],
        ),
        ("a\n\n== b", []),
        ("a ==b== c", [(1, "Markdown did not read this, and shows it as it stands: ==b== c")]),
        ("- a\n- a note[^1]", [(2, "Markdown did not read this footnote, and shows it as it stands: [^1]")]),
        ("a\n\n| x | y |\n| z | w |", [(3, "Markdown did not read this")]),
        ("[text][gone]", [(1, "Markdown did not read this")]),
        ("a\n\n::: some note", [(3, "Markdown did not read this")]),
        ("a\n\n::: scaling_lesson.units", []),
        ("it {#here} is", [(1, "Markdown did not read this")]),
        ("a {2} and a: b, c = d, e~f, x*y", []),
        ("<b>a</b><br>, `<p>`, $a <b$ and $c> d$, <https://arxiv.org/abs/x>, <!-- <p> --> a <b and\n\nc> d", []),
        ("`==a==` and ``$$``", []),
        ("$\\fraq{a}$", [(1, "cannot read the formula '\\\\fraq{a}': unknown command \\fraq")]),
        ("a\n\n$$\n\\left( x\n$$", [(3, "cannot read the formula")]),
    ],
)
def test_what_shows_what_nothing_checks_is_told(text, found):
    met = problems(text)
    assert [line for line, _ in met] == [line for line, _ in found], met
    assert all(what.startswith(start) for (_, what), (_, start) in zip(met, found, strict=True)), met


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("![a](b.svg)\n![c](d.svg)", [1, 2]),
        ("a <i x=y>\n\n<i x=z>", [1, 3]),
        ("\u202ea\n\n\u202eb", [1, 3]),
    ],
)
def test_each_of_two_is_told_at_its_line(text, lines):
    assert [line for line, _ in problems(text)] == lines


@pytest.mark.parametrize("text", ["", "\n", "<!-- nothing -->\n"])
def test_a_page_may_be_empty(text):
    assert told(text) == []


def around(text: str) -> list[tuple[str, str]]:
    """What is shown before and after each claim of a page, with one mark where any number of lines end."""
    claims = render(text)[1].prose.claims.values()
    return [tuple(re.sub("\n?\0[\n\0]*", "\0", part) for part in claim) for claim in claims]


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("a [2](calc:one) b", "\0a ", " b\0"),
        ("a\n[2](calc:one)\nb", "\0a\n", "\nb\0"),
        ("over **[2](calc:one)** *b*`c`", "\0over ", " bc\0"),
        ("a <b>[2](calc:one)</b>&nbsp;b&#8203;c", "\0a ", "\xa0bc\0"),
        ("a $x$[2](calc:one)$y^z$ b", "\0a x", "yz b\0"),
        ("| a | [2](calc:one) |\n|---|---|", "\0a\0", "\0"),
        ("- a\n- [2](calc:one)\n- b", "\0a\0", "\0b\0"),
        ("a<br>[2](calc:one)", "\0a\0", "\0"),
        ("a<!-- b -->[2](calc:one)", "\0a", "\0"),
        ("`a` [2](calc:one) \\* &lt;", "\0a ", " * <\0"),
        ("> a [2](calc:one)", "\0a ", "\0"),
    ],
)
def test_what_stands_beside_a_claim_is_read_as_it_is_shown(text, before, after):
    assert around(text) == [(before, after)]


def test_claims_beside_a_claim_stand_in_brackets():
    assert around("a [37](calc:one) [748](calc:two) b") == [("\0a ", " ⟦748⟧"), ("⟦37⟧ ", " b\0")]


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("a [1 s](calc:one) `[2 s](calc:two)`\n\n[3 s](calc:page/three) [4](calc:four)", [0, 2, 3]),
        ("<!-- [37 MB](calc:gone) --> [5](calc:x) `<!--`", [1]),
        ("```bash\n[1](calc:a)\n```\n\n[2](calc:b)", [0]),
        ("\\[1](calc:a) [2](calc:b)", [1]),
        ("# [1](calc:a)\n\n[2](calc:b)", [1]),
    ],
)
def test_only_the_claims_that_are_shown_as_such_are_judged(text, claims):
    assert list(render(text)[1].prose.claims) == claims


@pytest.mark.parametrize(
    "text",
    [
        "a\n\n[37\nMB](calc:x)",
        "a\n\n[37](calc:X-y)",
        'a\n\n[37](calc:x "title")',
        "a\n\n[37][ref]\n\n[ref]: calc:x",
        "a\n\n<calc:x>",
        "a\n\n[37](calc:)",
        "a\n\n[`37`](calc:x-y)",
        "a\n\n[`37`](calc:one)",
        "a\n\n[**37**](calc:one)",
        "a\n\n\\[37](calc:one)",
        "a\n\n[37](calc:one){ .x }",
        "a\n\n[37](calc:one){ #x }",
        "a\n\n# [37](calc:one)",
    ],
)
def test_what_looks_like_a_claim_but_is_not_is_told(text):
    assert render(text)[1].prose.claims == {}
    met = told(text)
    assert any(
        problem.line in (3, 4, 5) and re.search("is not a claim|may show|is not on", problem.message) for problem in met
    ), met


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        (BLOCK, {0}),
        (f"a\n\n{BLOCK}\nb", {0}),
        (f"> {BLOCK}".replace("\n", "\n> "), {0}),
        (f"<!--\n{BLOCK}-->", set()),
        ("```python\nx\n```", {0}),
    ],
)
def test_the_blocks_that_are_shown(text, blocks):
    assert render(text)[1].prose.blocks == blocks


@pytest.mark.parametrize("attribute", ["title", "alt", "aria-label", "placeholder", "label", "value"])
def test_what_is_read_out_is_read(attribute):
    assert naked(f'a\n\n*x*{{: {attribute}="{37}" }}') == [(3, "37")]
    assert naked('a\n\n*x*{: class="c37" data-x="37" }') == []


@pytest.mark.parametrize(
    ("latex", "found"),
    [
        ("12=x", ["12"]),
        ("x^2 5 y", []),
        ("x = 1\\,024", ["1024"]),
        ("x = 1\\quad 024", ["024"]),
        ("x = 1 \\text{ and } 23", ["23"]),
        ("\\frac{12}{34} x", ["12", "34"]),
        ("x_{12}^{34}", ["12", "34"]),
        ("x = 7", ["7"]),
        ("x = 7 y", []),
        ("x \\approx 7", ["7"]),
        ("7", ["7"]),
        ("7 + 8", ["7", "8"]),
        ("x \\text{ is 37 }", ["37"]),
        ("x = 1.5e", ["1.5"]),
        ("x = ２５", ["25"]),
    ],
)
def test_numbers_of_a_formula(latex, found):
    assert [number for _, number in naked(f"${latex}$")] == found
    assert [number for _, number in naked(f"a\n\n$$\n{latex}\n$$")] == found
