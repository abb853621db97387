"""scripts/record: accepts what drifted, shows it, and touches nothing else."""

import logging
import os
import pty
import re
import select
import sys
from pathlib import Path

import pytest
import warm

KV = "docs/scaling-and-efficiency/kv-cache.md"


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(f.relative_to(folder)): f.read_bytes()
        for f in folder.rglob("*")
        if f.is_file() and "__pycache__" not in f.parts and ".venv" not in f.parts
    }


@pytest.mark.slow
def test_a_drifted_checkout_is_accepted_with_a_diff_and_nothing_else(checkout, script):
    clean = files(checkout)
    for name, right, wrong in (
        (KV, "[1.2 GB](calc:batch_of_32)", "[1.3 GB](calc:batch_of_32)"),
        (KV.replace(".md", ".record"), "value batch_of_32 = 1207959552 B", "value batch_of_32 = 1 B"),
    ):
        text = (checkout / name).read_text()
        assert text.count(right) == 1
        (checkout / name).write_text(text.replace(right, wrong))
    done = script(checkout, "scripts/record", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "-value batch_of_32 = 1 B\n+value batch_of_32 = 1207959552 B\n" in done.stdout and "\x1b" not in done.stdout
    assert KV in done.stdout and "[1.3 GB](calc:batch_of_32)" in done.stdout
    assert done.stdout.endswith("\n2 files rewritten\n")
    assert files(checkout) == clean


@pytest.mark.parametrize("program", ["scripts/record", "the module"])
def test_it_refuses_in_ci(checkout, script, program):
    record = checkout / KV.replace(".md", ".record")
    record.write_text(record.read_text().replace("37748736", "37748737"))
    before = files(checkout)
    module = [sys.executable, "-m", "scaling_lesson.site.accept"]
    done = script(checkout, *([program] if "/" in program else module), "--yes", CI="true")
    assert done.returncode != 0 and "CI" in done.stderr
    assert files(checkout) == before


PAGE = """
# Page

[5 B](calc:a) and [7 B](calc:b); `[5 B](calc:a)` is code; [5 B](calc:a) again, [over 4 B](calc:a).

```python exec="on"
a, b = 5, 7
publish("B", a=a, b=b)
```
"""


@pytest.fixture
def accept(site, monkeypatch):
    """accept(made, *arguments): run scripts/record's main in the small site's folder, where it need not ask."""
    from scaling_lesson.site.accept import main

    monkeypatch.delenv("CI", raising=False)

    def run(made, *arguments):
        monkeypatch.chdir(made.root)
        return main(["--yes", *arguments])

    return run


def test_nothing_is_left_to_accept_of_a_site_that_holds(site, accept, capsys):
    made = site(PAGE)
    before = files(made.root)
    assert accept(made) == 0 and capsys.readouterr().out == "0 files rewritten\n"
    assert files(made.root) == before


def test_away_from_a_terminal_it_shows_and_writes_nothing_without_yes(drifted, monkeypatch, capfd):
    from scaling_lesson.site.accept import main

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.chdir(drifted.root)
    before = files(drifted.root)
    with pytest.raises(SystemExit, match="4 files not written: to accept, run it again with --yes"):
        main([])
    assert files(drifted.root) == before
    shown = capfd.readouterr()
    assert "-value a = 5 B\n-value b = 7 B\n" in shown.out


def test_only_the_claims_that_drifted_are_rewritten(site, accept, capsys):
    made = site(PAGE)
    file = made.write(PAGE.replace("a, b = 5", "a, b = 6"))
    assert accept(made) == 0
    assert file.read_text() == PAGE.lstrip("\n").replace("a, b = 5", "a, b = 6").replace(
        "[5 B](calc:a) and", "[6 B](calc:a) and"
    ).replace("code; [5 B]", "code; [6 B]")
    assert "2 files rewritten" in capsys.readouterr().out
    assert made.messages() == []


def test_what_a_person_must_choose_is_left_and_told(site, accept, capsys):
    made = site(PAGE)
    file = made.write(PAGE.replace("a, b = 5", "a, b = 3"))
    assert accept(made) == 1
    assert "[over 4 B](calc:a)" in file.read_text()
    assert 'docs/page.md:3: claim "over 4 B": a is 3 B' in capsys.readouterr().err
    assert made.messages() == ['docs/page.md:3: claim "over 4 B": a is 3 B']


def test_only_the_pages_named_are_touched(site, accept):
    made = site(PAGE)
    made.write(PAGE, "other.md")
    made.accept()
    made.write(PAGE.replace("a, b = 5", "a, b = 6"))
    made.write(PAGE.replace("a, b = 5", "a, b = 6"), "other.md")
    assert accept(made, "docs/page.md") == 1  # for what is left
    assert {m.split(":")[0] for m in made.messages()} == {"docs/other.md"}


def test_a_page_with_a_failing_block_is_not_recorded(site, accept):
    made = site(PAGE)
    made.write(PAGE.replace("a, b = 5", "a, b = 1/0"))
    before = files(made.root)
    assert accept(made) == 1
    assert files(made.root) == before


def test_a_merge_conflict_is_settled(site, accept):
    made = site(PAGE)
    record = made.root / "docs/page.record"
    good = record.read_text()
    record.write_text(
        good.replace("value a = 5 B\n", "<<<<<<< ours\nvalue a = 5 B\n=======\nvalue a = 4 B\n>>>>>>> theirs\n")
    )
    assert accept(made) == 0
    assert record.read_text() == good


def test_line_endings_and_a_recorded_value_within_tolerance_stay(site, accept):
    made = site(
        PAGE
        + '\n[under 0.01](calc:t)\n\n```python exec="on"\nt = 0.004\npublish("", t=t, tolerance=0.001, reason="sums")\n```\n'
    )
    file = made.root / "docs/page.md"
    file.write_bytes(
        file.read_text().replace("t = 0.004", "t = 0.0045").replace("= 5, 7", "= 5, 8").replace("\n", "\r\n").encode()
    )
    assert accept(made) == 0
    assert b"[8 B](calc:b)" in file.read_bytes()
    assert file.read_bytes().count(b"\r\n") == file.read_bytes().count(b"\n")
    assert "value t = 0.004\n" in (made.root / "docs/page.record").read_text()


def test_an_unknown_page_is_told(site, accept, capsys):
    made = site(PAGE)
    assert accept(made, "docs/pages.md") == 2
    assert "did you mean docs/page.md?" in capsys.readouterr().err


def test_a_byte_order_mark_stays_and_shifts_nothing(site, accept):
    made = site('[5 B](calc:a) **[5 B](calc:a)**\n\n```python exec="on"\na = 5\npublish("B", a=a)\n```\n')
    file = made.root / "docs/page.md"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"a = 5", b"a = 6"))
    assert accept(made) == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbf[6 B](calc:a) **[6 B](calc:a)**\n")


def test_an_empty_page_is_left_alone(site, accept):
    made = site(PAGE)
    empty = made.root / "docs/empty.md"
    empty.write_text("")
    assert accept(made) == 0
    assert empty.exists()


def test_the_record_of_a_page_that_publishes_nothing_more_is_removed(site, accept):
    made = site(PAGE)
    made.write("# Page\n")
    assert any("no longer has it" in message for message in made.messages())
    assert accept(made) == 0
    assert not (made.root / "docs/page.record").exists()
    assert made.messages() == []


BOTH = """
# Page

[5 B](calc:a), [7 B](calc:b) and [9 B](calc:other/c).

```python exec="on"
a, b = 5, 7
publish("B", a=a, b=b)
print("a and b:", a, b)
```
"""
OTHER = """
# Other

[5 B](calc:page/a), [9 B](calc:c).

```python exec="on"
c = 9
publish("B", c=c)
```
"""


@pytest.fixture
def drifted(site):
    """Two pages that use each other's values; a, b, c and what is printed have drifted."""
    made = site(BOTH, accepted=False)
    made.write(OTHER, "other.md")
    made.accept()
    made.write(BOTH.replace("a, b = 5, 7", "a, b = 6, 8"))
    made.write(OTHER.replace("c = 9", "c = 10"), "other.md")
    return made


def texts(made) -> str:
    names = ("page.md", "page.record", "other.md", "other.record")
    return "\n".join((made.root / "docs" / name).read_text() for name in names)


@pytest.mark.parametrize("word", ["a", "page/a"])
def test_of_a_value_only_its_line_and_its_claims_change_on_every_page(drifted, accept, capsys, word):
    before = texts(drifted)
    assert accept(drifted, word) == 1
    expected = before.replace("[5 B](calc:a)", "[6 B](calc:a)").replace("[5 B](calc:page/a)", "[6 B](calc:page/a)")
    assert texts(drifted) == expected.replace("value a = 5 B", "value a = 6 B")
    assert "3 files rewritten. Left: 6 numbers drifted on 2 pages." in capsys.readouterr().out
    assert len(drifted.messages()) == 6


@pytest.mark.parametrize("word", ["page", "docs/page.md", "docs/page.record", "./docs/page.md"])
def test_a_page_is_named_in_any_way(drifted, accept, word):
    before = texts(drifted)
    assert accept(drifted, word) == 1
    after = texts(drifted)
    for line in (
        "value a = 6 B",
        "value b = 8 B",
        'block 1 line 1 = "a and b: 6 8"',
        "value c = 9 B",
        "[5 B](calc:page/a)",
    ):
        assert line in after, line
    assert "[6 B](calc:a), [8 B](calc:b) and [10 B](calc:other/c)" in after and before != after


def test_lines_of_a_record_that_did_not_drift_keep_their_order_and_a_new_one_finds_its_place(site, accept):
    made = site(PAGE)
    record = made.root / "docs/page.record"
    head, a, b, _ = record.read_text().split("\n")
    record.write_text("\n".join([head, b, a, ""]))
    assert made.messages() == []
    before = files(made.root)
    assert accept(made) == 0 and files(made.root) == before
    made.write(
        PAGE.replace("a, b = 5, 7", "a, b, n = 5, 7, 1").replace("a=a, b=b", "a=a, n=n, b=b") + "\n[1 B](calc:n)\n"
    )
    assert accept(made) == 0
    assert record.read_text().split("\n") == [head, b, a, "value n = 1 B", ""]


def test_an_empty_record_of_a_page_without_numbers_is_removed(site, accept):
    made = site("# Page\n")
    (made.root / "docs/page.record").touch()
    assert made.messages() != []
    assert accept(made) == 0 and made.messages() == []


def test_of_a_broken_record_no_single_line_is_accepted(drifted, accept):
    record = drifted.root / "docs/page.record"
    record.write_text(record.read_text().replace("value a", "<<<<<<< ours\nvalue a"))
    before = record.read_bytes()
    assert accept(drifted, "a") == 1
    assert record.read_bytes() == before


@pytest.mark.parametrize(
    "word, near", [("pag", "page"), ("page/A", "page/a"), ("docs/other.recrod", "docs/other.record"), ("qqq", None)]
)
def test_an_unknown_word_is_told_with_the_nearest(drifted, accept, capsys, word, near):
    before = texts(drifted)
    assert accept(drifted, word) == 2
    assert capsys.readouterr().err == f"there is no page or value {word}{f'; did you mean {near}?' if near else ''}\n"
    assert texts(drifted) == before


def test_an_empty_word_names_nothing(drifted, accept, capsys):
    assert accept(drifted, "") == 2
    assert capsys.readouterr().err.startswith("there is no page or value .")


def test_a_page_that_is_edited_while_it_computes_is_left_alone(drifted, accept, monkeypatch):
    """It knows where the claims stood, and not where they stand."""
    from scaling_lesson.site import accept as module

    compute = module.compute
    for file, more in ("other.md", "\n\nMore.\n"), ("page.record", "\nvalue z = 5\n"):
        edited = drifted.root / "docs" / file

        def meanwhile(settings, edited=edited, more=more):
            site = compute(settings)
            edited.write_text(more + edited.read_text())
            return site

        monkeypatch.setattr(module, "compute", meanwhile)
        before = {name: data for name, data in files(drifted.root).items() if not name.endswith(file)}
        with pytest.raises(SystemExit, match=rf"docs/{edited.stem}\.md was edited meanwhile: nothing written"):
            accept(drifted)
        assert {name: data for name, data in files(drifted.root).items() if not name.endswith(file)} == before
        edited.write_text(edited.read_text().removeprefix(more))


def test_a_rewritten_file_keeps_its_mode(drifted, accept):
    page, record = (drifted.root / f"docs/page.{kind}" for kind in ("md", "record"))
    page.chmod(0o664)
    record.chmod(0o600)
    assert accept(drifted) in (0, 1) and "[6 B](calc:a)" in page.read_text() and "value a = 6 B" in record.read_text()
    assert (page.stat().st_mode & 0o777, record.stat().st_mode & 0o777) == (0o664, 0o600)


@pytest.mark.parametrize("text", ["a*b*c", "`b`", "<pad>", "x &amp; y", "left|right", "$x$", "a\\\\_b"])
def test_a_text_that_markdown_would_change_is_left_to_a_person(site, accept, capsys, text):
    page = '# Page\n\n[a](calc:a)\n\n```python exec="on"\na = "{}"\npublish("", a=a)\n```\n'
    made = site(page.format("a"))
    file = made.write(page.format(text))
    assert accept(made) == 1
    assert "[a](calc:a)" in file.read_text() and 'claim "a": a is' in capsys.readouterr().err


@pytest.mark.parametrize("settings", ["site_name: [\n", "site_name: A\nplugins: [nothing-of-this-name]\n"])
def test_settings_that_cannot_be_read_are_told(site, accept, caplog, settings):
    made = site(PAGE)
    (made.root / "mkdocs.yml").write_text(settings)
    logging.getLogger("mkdocs").setLevel(logging.NOTSET)
    with pytest.raises(SystemExit) as ended:
        accept(made)
    said = f"{ended.value.code} {caplog.text}"
    assert "nothing-of-this-name" in said or "mkdocs.yml" in said, said


def test_an_unknown_option_is_told_with_the_nearest(accept, site, capsys):
    with pytest.raises(SystemExit):
        accept(site(PAGE), "--explian")
    assert "there is no option --explian; did you mean --explain?" in capsys.readouterr().err


def test_explain_tells_where_a_value_comes_from_and_goes(drifted, accept, capsys):
    traced = '```python exec="on"\nt = 0.5\npublish("", t=t, tolerance=0.1, reason="sums", source="a book")\n```\n'
    drifted.write(BOTH.replace("= 5, 7", "= 6, 8") + "\n[under 1](calc:t)\n\n" + traced)
    notebook = drifted.root / "docs/again.py"
    notebook.write_text("check(\n    'page',\n    a=5,\n)\n")
    (drifted.root / "docs/old.py").write_bytes(b"print 'a', '\xe9'\n")  # not Python's own any more
    before = files(drifted.root)
    assert accept(drifted, "--explain", "a", "page/t") == 0
    shown = capsys.readouterr().out
    assert (
        shown
        == """\
docs/page.md:7: a
  value       6 B
  expression  6
  tolerance   none
  source      none: it is computed here
  record      docs/page.record:2: 5 B
  claim       docs/other.md:3: 5 B
  claim       docs/page.md:3: 5 B
  recomputed  docs/again.py:3
docs/page.md:15: t
  value       0.5
  expression  0.5
  tolerance   ± 0.1: sums
  source      a book
  record      none
  claim       docs/page.md:11: under 1
"""
    )
    assert files(drifted.root) == before


def terminal(made, answer: bytes, **settings: str) -> tuple[int, str]:
    """Run it in a terminal, give the answer when asked, and return its status and what it showed."""
    process, ours = pty.fork()
    if not process:
        warm.end_as(lambda: in_a_terminal(made.root, {"TERM": "xterm"} | settings))
    shown = b""
    try:
        while True:
            if select.select([ours], [], [], 0.2)[0]:
                shown += os.read(ours, 65536)
            elif shown.endswith(b"[y/N] "):  # again if need be: an interrupt that comes just before it reads is lost
                os.write(ours, answer)
    except OSError:  # Linux's way to say that nobody has the other end open any more
        pass
    os.close(ours)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode().replace("\r\n", "\n")


def in_a_terminal(root: Path, settings: dict[str, str]) -> None:
    """What `python -m scaling_lesson.site.accept a` does, in a process that has imported it."""
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
    for name in ("CI", "NO_COLOR"):
        os.environ.pop(name, None)
    os.environ.update(settings)
    os.chdir(root)
    warm.use_server()
    from scaling_lesson.site.accept import main

    sys.exit(main(["a"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer, written", [(b"y\n", True), (b"n\n", False), (b"\n", False), (b"\x04", False), (b"\x03", False)]
)
def test_in_a_terminal_it_asks_before_it_writes(drifted, answer, written):
    before = files(drifted.root)
    status, shown = terminal(drifted, answer)
    assert "Accept these changes in 3 files? [y/N]" in shown and status == 1
    assert ("3 files rewritten" in shown) == written == ("nothing written" not in shown)
    assert (files(drifted.root) != before) == written
    assert "[\x1b[31m5\x1b[m\x1b[32m6\x1b[m B](calc:a), [7 B](calc:b)" in shown
    assert "value a = \x1b[31m5\x1b[m\x1b[32m6\x1b[m B\n" in shown
    assert "Traceback" not in shown


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_turned_off(drifted, settings):
    _, shown = terminal(drifted, b"n\n", **settings)
    assert not re.search(r"\x1b\[[\d;]*m", shown) and "-value a = 5 B\n+value a = 6 B\n" in shown
