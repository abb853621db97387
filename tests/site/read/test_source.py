"""Reading a page as text: blocks and claims, each on its line, and what is put in their place."""

import pytest

from scaling_lesson.site.read import source
from scaling_lesson.site.read.source import MARK, Block, Source


def read(text: str) -> Source:
    return source.read("docs/page.md", text)


OLD_KIND = "this reads as front matter, and is not shown: put --- around it, or a heading above it"


def fences(text: str) -> tuple[Block, ...]:
    """The fences of a page; it tells what is wrong with each, at its line."""
    page = read(text)
    assert page.problems == tuple((fence.line, fence.problem) for fence in page.fences if fence.problem)
    return page.fences


def test_fences_keep_lines_bodies_and_indent():
    text = 'a\n\n!!! note\n    ```python exec="on" source="above"\n    x = 1\n      y\n    ```\n\n~~~bash\nz\n~~~\n'
    first, second = read(text).fences
    assert (first.line, first.end, first.marks, first.code) == (4, 7, "    ```", "x = 1\n  y")
    assert (first.options, first.runs, first.limit_s) == ({"exec": "on", "source": "above"}, True, 20)
    assert (second.line, second.end, second.language, second.code, second.runs) == (9, 11, "bash", "z", False)
    assert read(text).blocks == (first,)


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ('> ```python exec="on"\n> x = 1\n> ```\n', ["x = 1"]),
        ('    ```python exec="on" title="a" timeout="1.5"\n     ```\n        ```\n    ```\n', [" ```", "    ```"]),
    ],
)
def test_a_fence_ends_at_its_own_indent(text, body):
    (fence,) = read(text).fences
    assert (fence.problem, fence.code, fence.runs) == (None, "\n".join(body), True)


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
    (fence,) = fences(f"```{header}\nx = 1\n```")
    assert fence.problem == f"this block would not run: {message}"
    assert not fence.runs


@pytest.mark.parametrize("header", ['py exec="on"', "py", "python3", "pycon", 'bash exec="on"', 'Python exec="on"'])
def test_only_python_runs(header):
    (fence,) = fences(f"```{header}\nx = 1\n```")
    assert fence.problem == 'only "python" blocks run; write ```python exec="on"' and not fence.runs


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
    (fence,) = fences(f'  ```python exec="on"\n{body}\n  ```')
    assert fence.problem == ("this block would not run: a line of it is indented less than its first" if torn else None)


def test_an_open_fence_is_reported():
    (fence,) = fences('```python exec="on"\nx = 1\n')
    assert fence.problem == "this block is never closed, so nothing after it is read"
    assert (fence.line, fence.end) == (1, 3) and not fence.runs


def links(text: str) -> list[tuple]:
    return [(link.line, link.start, link.text, link.page, link.name) for link in read(text).claims]


def test_claims_are_found_with_their_lines_places_and_pages():
    text = "a [1 s](calc:one) `[2 s](calc:two)`\n\n[3 s](calc:other-page/three) [4](calc:four)"
    assert links(text) == [
        (1, 3, "1 s", "", "one"),
        (1, 20, "2 s", "", "two"),  # in a code span: Markdown tells
        (3, 1, "3 s", "other-page", "three"),
        (3, 30, "4", "", "four"),
    ]
    assert links("```bash\n[1](calc:a)\n```\n[2](calc:b)") == [(4, 1, "2", "", "b")]


@pytest.mark.parametrize(
    "text",
    [
        "[37](calc:X-y)",
        '[37](calc:x "title")',
        "[37](calc:)",
        "[37](calc:x-y)",
        "[37](calc:a/b/c)",
        "[37](calc:5x)",
        "MB](calc:x)",
        "[a [37](b) c](calc:x",
    ],
)
def test_what_only_has_the_look_of_a_claim_has_no_name(text):
    assert links(text) == [(1, text.index("](calc:"), "", "", "")]


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("docs/kv-cache.md", "kv-cache"),
        ("docs/lesson/kv-cache.md", "kv-cache"),
        ("docs/lesson/index.md", "lesson"),
        ("docs/index.md", "index"),
        ("index.md", "index"),
    ],
)
def test_pages_are_called_by_their_file_or_folder(path, slug):
    assert source.read(path, "").slug == slug


def test_a_place_in_a_block_is_a_line_of_the_page():
    page = read('a\n\n```bash\nx\n```\n\n```python exec="on"\nx = 1\ny = 2\n```\n```py\n```')
    assert [page.line(place) for place in ((0, 0), (0, 1), (1, 0))] == [8, 9, 12]


CONFLICTS = ("<<<<<<< ours\na", "a\n>>>>>>> theirs", "||||||| base", "<<<<<<<", "=======", "<<<<<<<<")


@pytest.mark.parametrize(("text", "line"), [*zip(CONFLICTS, (1, 2, 1, 1, None, None), strict=True)])
def test_a_merge_conflict_is_told(text, line):
    told = (line, "a merge conflict is left in this page")
    assert read(text).problems == ((told,) if line else ())


def test_front_matter_holds_no_claim_and_no_block():
    text = '---\ntitle: "[5](calc:x)"\n---\n[6](calc:y)\n'
    assert read(text).problems == ((2, "front matter cannot hold a claim"),)
    assert [link.line for link in read(text).claims] == [4]
    assert read("---\na: |\n  ```python\n---\nb\n").fences == ()


@pytest.mark.parametrize(
    ("text", "line"), [("---\na: [\n---\nb", 3), ("---\na\n---\nb", 1), ("---\na: 1\nb: 'c\n---\n", 4)]
)
def test_front_matter_that_is_not_read_is_told(text, line):
    assert read(text).problems == ((line, "this front matter is not read: it is no YAML of the form key: value"),)


def test_what_reads_as_front_matter_and_is_not_shown_is_told():
    """Python-Markdown's old kind of it, without rules around it: a page may begin so by mistake."""
    page = read("Note: it takes\n    37 MB\n\n[6](calc:y)\n")
    assert page.problems == ((1, OLD_KIND),) and [link.line for link in page.claims] == [4]
    assert read("Note: all of it").problems == ((1, OLD_KIND),)


def test_empty_lines_may_stand_first():
    page = read("\n\n[6](calc:y)")
    assert (page.front, page.problems, list(page.listed())) == (2, (), [])
    assert [link.line for link in page.claims] == [3]


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("```text\na\nb\n```\nc", [(2, "a\nb")]),
        ("a\n\n```\nb\n```", [(4, "b")]),
        ("```json\na\n```", [(2, "a")]),
        *((f"```{language}\na\n```", []) for language in ("bash", "yaml", "toml", "markdown", "py", "python")),
        ('```python exec="on"\na\n```', []),
        ("---\ntitle: A\nother: B\ndescription: C\n---\nD", [(2, "A"), (4, "C")]),
        ("---\ndescription: >\n  A\n  B\ntitle: |\n  C\n---\n", [(3, "  A\n  B"), (6, "  C")]),
        ('---\ntitle: "\\x41"\n---\n', [(2, "A")]),
    ],
)
def test_listings_and_titles_are_prose(text, listed):
    assert list(read(text).listed()) == listed


@pytest.mark.parametrize(
    ("before", "word", "after", "line"),
    [
        ("", "37", 0, 3),
        ("", "37", 4, 5),
        ("", "37", 6, 7),
        ("some of the", "37", 0, 7),
        ("the", "37", 0, 7),
        ("and", "9&b", 0, 9),
        ("", "fence", 0, 0),
        ("", "[1]", 0, 11),
        ("", "claimed", 5, 5),
    ],
)
def test_a_word_of_the_shown_page_is_sought_near_what_stands_before_it(before, word, after, line):
    text = (
        "# 1370\n\na 37 b\n\nmore 37\n\nof the  **37**, of&nbsp;the 37\n\nand 9&amp;b\n\n[1] [claimed](calc:x)\n"
        "\n```text\nfence\n```\n"
    )
    assert read(text).seek(before, word, after) == max(line, 1)


def test_claims_and_blocks_are_numbered_for_rendering():
    text = '---\na: b\n---\n[1](calc:a) `[2](calc:b)` [3](calc:p/c)\n\n> ```python exec="on"\n> x\n> ```\n\n[4](calc:d)'
    assert read(text).marked(text.split("\n")[3:]) == [
        f"[1](calc:{MARK}0{MARK}a) `[2](calc:{MARK}1{MARK}b)` [3](calc:{MARK}2{MARK}p/c)",
        "",
        '> ```python exec="on" block="0"',
        "> x",
        "> ```",
        "",
        f"[4](calc:{MARK}3{MARK}d)",
    ]


def test_a_block_that_would_not_run_shows_nothing_of_its_code():
    text = "a\n  ~~~py\n  x = 37\n  y\n  ~~~\nb"
    assert read(text).marked(text.split("\n")) == ["a", '  ~~~python exec="on" block="0"', "", "", "  ~~~", "b"]


@pytest.mark.parametrize("end", ["\r", "\r\n", "\r\r\n"])
def test_a_claim_is_corrected_on_its_line_whatever_ends_the_lines(end):
    text = f"a{end}b{end}{end}c [5 B](calc:x) d\ne"
    page = read(text.replace("\r\n", "\n").replace("\r", "\n"))
    assert page.corrected(text, {0: "6 B"}) == text.replace("5 B", "6 B")


def test_correcting_claims_changes_their_texts_and_no_other_byte():
    text = "\ufeff[1](calc:a) `[2](calc:b)` [3](calc:p/c)\r\n| [4](calc:d) |\t\r\n[<!-- -->`5`](calc:e)"
    page = read(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    assert page.corrected(text, {}) == text
    assert page.corrected(text, {0: "11 MB", 2: "33", 3: ""}) == text.replace("[1]", "[11 MB]").replace(
        "[3]", "[33]"
    ).replace("[4]", "[]")
