"""Reading a page as text: fences, claims and naked numbers, each on its line."""

import pytest

from scaling_lesson.site.source import (
    MEASURE,
    literals,
    naked_numbers,
    prose,
    replace_claims,
    scan_claims,
    scan_fences,
    unreadable,
)

NAMES = ["GPT-2", "float16", "16-bit", "A100", "80 GB A100"]


def naked(text: str) -> list[tuple[int, str]]:
    return naked_numbers(prose(text, scan_fences(text)), NAMES)


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
        "<https://arxiv.org/abs/1412>",
        "1. first\n2. second",
        "> 1. quoted",
        "<!-- 37 -->",
        "<!-- [37 MB](calc:gone) -->",
        "a note[^1]",
        '<div class="c3" style="width: 5px">text</div>',
        "## Heading { #part-2 }",
        "&#215; and &eacute;",
        "`atol=1e-5`, `dim=-1`, `n = 5`, `2**20`, `step 2`, `(x + 1) * 3`",
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
        ("`37.7 MB` in backticks", [(1, "37.7")]),
        ("`1024`", [(1, "1024")]),
        ("GPT-20 and float161 and XA100", [(1, "GPT-20"), (1, "float161"), (1, "XA100")]),
        ("5× and 10² and ½", [(1, "5×"), (1, "10²"), (1, "½")]),
        ("$P = 5950$", [(1, "5950")]),
        ("$0.5 T$", [(1, "0.5")]),
        ("$5$ MB", [(1, "5")]),
        ("![37 boxes](a4.png)", [(1, "37")]),
        (
            "`37.7MB`, `~98 MB`, `97k`, `(96)`, `94–95 MB`, `cache = 93 MB`",
            [(1, n) for n in ("37.7MB", "~98", "97k", "96", "94–95", "93")],
        ),
        ("$t = 5\\ \\mathrm{ms}$, $n = 9\\,\\text{GB}$", [(1, "5"), (1, "9")]),
        ("about $x > 8$ GB", [(1, "8")]),
        ("<!--> 99 -->", [(1, "99")]),
        ('!!! note "37 MB"', [(1, "37")]),
        ("```text\nit took 37 ms\n```", [(2, "37")]),
        ("```\nit took 37 ms\n```", [(2, "37")]),
        ("    indented 37", [(1, "37")]),
        ("٣٧ tokens", [(1, "٣٧")]),
        ("*[KV]: 2 tensors", [(1, "2")]),
        ("[5950][ref]", [(1, "5950")]),
        ("x^2^ and H~2~O", [(1, "x^2^"), (1, "H~2~O")]),
        ("It is 37.", [(1, "37")]),
        ("<!-- 37", [(1, "37")]),
        ("&#57;&eacute; MB", [(1, "9")]),
        ("<b>4</b> 5", [(1, "4"), (1, "5")]),
        ("$15$ and $16$", [(1, "15"), (1, "16")]),
        ("$2 \\times 3$", [(1, "2"), (1, "3")]),
        ("$x \\text{1} \\text{2}$", [(1, "1"), (1, "2")]),
        ("$5 \\text{ or }$", [(1, "5")]),
        ("$x = 1\u200b2$", [(1, "12")]),
    ],
)
def test_naked(text, found):
    assert naked(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\n\n<iframe srcdoc='x'>", [(3, "<iframe srcdoc='x'>")]),
        ("so <b class=x>it</b> is", [(1, "<b class=x>")]),
        ("<svg\nclass='lesson-figure'>", [(1, "<svg class='lesson-figure'>")]),
        ("a <B>", [(1, "<B>")]),
        ("It is \u202e7.73\u202c MB.", [(1, "a mark"), (1, "a mark")]),
        ("So:\n\n![The cache](cache.svg) or ![it\nis][cache] `![it](x)`", [(3, "an image"), (3, "an image")]),
        ("<b>a</b><br>, `<p>`, $a <b$ and $c> d$, <https://arxiv.org/abs/1>, <!-- <p> --> a <b and\n\nc> d", []),
    ],
)
def test_what_may_show_something_else_is_told(text, found):
    told = unreadable(prose(text, scan_fences(text)))
    assert [line for line, _ in told] == [line for line, _ in found]
    assert all(what.startswith(start) for (_, what), (_, start) in zip(told, found, strict=True)), told


CODE = """\
# It takes 99 MB.
figure(plot, name="fig2", title="Over 5", desc=f"{x:.3f} and {'6'}")
text = "step 2: 98.5 %"
ax.set_title("97B") or print(f"{x} in 96 s", "a[3] x2")
def f():
    'Returns 95 GB/s, or 3x, 4 million.'
table("t", ["step 7"], [])
"""


def test_the_texts_of_a_block_are_found_with_their_lines():
    (fence,) = scan_fences(f"```python\n{CODE}```")
    shown, said = literals(fence)
    assert shown == [(1, "Over 5"), (1, " and "), (1, "6"), (6, "t"), (6, "step 7")]
    measures = [(line, MEASURE.findall(text)) for line, text in sorted(said) if MEASURE.search(text)]
    assert measures == [
        (0, ["99 MB"]),
        (2, ["98.5 %"]),
        (3, ["96 s"]),
        (3, ["97B"]),
        (5, ["95 GB/s", "3x", "4 million"]),
    ]


def test_fences_keep_lines_bodies_and_indent():
    text = 'a\n\n!!! note\n    ```python exec="on" source="above"\n    x = 1\n      y\n    ```\n\n~~~bash\nz\n~~~\n'
    first, second = scan_fences(text)
    assert (first.line, first.body, first.options, first.executed) == (
        4,
        ["x = 1", "  y"],
        {"exec": "on", "source": "above"},
        True,
    )
    assert (second.line, second.language, second.body, second.executed) == (9, "bash", ["z"], False)
    assert prose(text, [first, second]) == "a\n\n!!! note" + 9 * "\n"
    assert prose("```text\na\n```", scan_fences("```text\na\n```")) == "\na\n"


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ('> ```python exec="on"\n> x = 1\n> ```\n', ["x = 1"]),
        ('    ```python exec="on" title="a" timeout="1.5"\n     ```\n        ```\n    ```\n', [" ```", "    ```"]),
    ],
)
def test_a_fence_ends_at_its_own_indent(text, body):
    (fence,) = scan_fences(text)
    assert (fence.problem, fence.body, fence.executed) == (None, body, True)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("python", 'python blocks are executed, write ```python exec="on"'),
        ('python exec="off"', 'python blocks are executed, write ```python exec="on"'),
        ('python exce="on"', "there is no option 'exce'; did you mean 'exec'?"),
        ('python exec="on" soure="above"', "there is no option 'soure'; did you mean 'source'?"),
        ('python exec="on" source="bogus"', """source is "above" or left out, not 'bogus'"""),
        ('python exec="on" width="abc"', "there is no option 'width'; options are exec, source, timeout, title"),
        ('python exec="on" session="other"', "there is no option 'session'; options are exec, source, timeout, title"),
        ("python exec=on", """cannot read 'exec=on'; options are written key="value\""""),
        ('python exec="on', """cannot read 'exec="on'; options are written key="value\""""),
        ('python {exec="on"}', """cannot read '{exec="on"}'; options are written key="value\""""),
        ("{ .python }", 'write the language and options as ```python exec="on"'),
        (".python", 'write the language and options as ```python exec="on"'),
        ('python exec="on" timeout="soon"', "timeout is a number of seconds, not 'soon'"),
        ('python exec="on" timeout="0"', "timeout is a number of seconds, not '0'"),
    ],
)
def test_a_block_that_would_not_run_says_why(header, message):
    (fence,) = scan_fences(f"```{header}\nx = 1\n```")
    assert fence.problem == f"this block would not run: {message}"
    assert not fence.executed


@pytest.mark.parametrize("header", ['py exec="on"', "py", "python3", "pycon", 'bash exec="on"', 'Python exec="on"'])
def test_only_python_runs(header):
    (fence,) = scan_fences(f"```{header}\nx = 1\n```")
    assert fence.problem == 'only "python" blocks run; write ```python exec="on"' and not fence.executed


@pytest.mark.parametrize(
    ("body", "torn"),
    [
        ("  x = 1\n y = 2\n  z = 3", True),
        ("  x = 1\n\n  y = 2", False),
        ("  x = 1\n \t\n    y = 2", False),
        ("x = 1", True),
    ],
)
def test_a_block_indented_less_than_its_first_line_does_not_run(body, torn):
    (fence,) = scan_fences(f'  ```python exec="on"\n{body}\n  ```')
    assert fence.problem == ("this block would not run: a line of it is indented less than its first" if torn else None)


def test_an_open_fence_is_reported():
    (fence,) = scan_fences('```python exec="on"\nx = 1\n')
    assert fence.problem == "this block is never closed, so nothing after it is read"
    assert prose('```python exec="on"\nx = 1\n', [fence]) == "\n\n"


def test_claims_are_found_with_their_lines_and_pages():
    links, odd = scan_claims("a [1 s](calc:one) `[2 s](calc:two)`\n\n[3 s](calc:other-page/three) [4](calc:four)")
    assert [(link.line, link.text, link.page, link.name) for link in links] == [
        (1, "1 s", "", "one"),
        (3, "3 s", "other-page", "three"),
        (3, "4", "", "four"),
    ]
    assert odd == []


def test_a_claim_in_a_comment_is_no_claim():
    assert scan_claims("<!-- [37 MB](calc:gone) --> [5](calc:x) `<!--`")[0][0].name == "x"


@pytest.mark.parametrize(
    "text",
    [
        "[37\nMB](calc:x)",
        "[37](calc:X)",
        '[37](calc:x "title")',
        "[37][ref]\n\n[ref]: calc:x",
        "<calc:x>",
        "[37](calc:)",
        "[`37`](calc:x-y)",
    ],
)
def test_what_looks_like_a_claim_but_is_not_is_told(text):
    links, odd = scan_claims(text)
    assert links == [] and [what for _, what in odd] == ["this is not a claim: write [37.7 MB](calc:name), on one line"]


def test_replacing_claims_counts_them_and_leaves_code_alone():
    text = "[1](calc:a) `[2](calc:b)` [3](calc:p/c)\n| [4](calc:d) |"
    replaced = replace_claims(text.split("\n"), text, lambda n, match: f"<{n} {match['text']} {match['name']}>")
    assert replaced == ["<0 1 a> `[2](calc:b)` <1 3 c>", "| <2 4 d> |"]
