"""scripts/record: accepts what drifted, shows it, and touches nothing else."""

from pathlib import Path

import pytest

KV = "docs/scaling-and-efficiency/kv-cache.md"


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(f.relative_to(folder)): f.read_bytes()
        for f in folder.rglob("*")
        if f.is_file() and "__pycache__" not in f.parts and ".venv" not in f.parts
    }


def test_a_drifted_checkout_is_accepted_with_a_diff_and_nothing_else(checkout, mkdocs, script):
    page = checkout / KV
    good = page.read_text()
    page.write_text(good.replace("kv_cache_bytes(gpt2, full, batch_size=32)", "kv_cache_bytes(gpt2, full, batch_size=64)"))
    assert page.read_text() != good
    before = files(checkout)
    done = script(checkout, "scripts/record")
    assert done.returncode == 0, done.stderr
    assert "-value batch_of_32 = 1207959552 B\n+value batch_of_32 = 2415919104 B\n" in done.stdout
    assert "[2.4 GB](calc:batch_of_32)" in done.stdout and "[2.250 GiB](calc:batch_of_32)" in done.stdout
    after = files(checkout)
    assert {name for name in after if after[name] != before.get(name)} == {KV, KV.replace(".md", ".record")}
    assert set(after) == set(before)
    assert mkdocs(checkout, "build", "-q")[0] == 0


def test_a_clean_checkout_is_left_alone(checkout, script):
    before = files(checkout)
    done = script(checkout, "scripts/record")
    assert (done.returncode, done.stdout) == (0, "0 files rewritten\n")
    assert files(checkout) == before


def test_it_refuses_in_ci(checkout, script):
    record = checkout / KV.replace(".md", ".record")
    record.write_text(record.read_text().replace("37748736", "37748737"))
    before = files(checkout)
    done = script(checkout, "scripts/record", CI="true")
    assert done.returncode != 0 and "CI" in done.stderr
    assert files(checkout) == before


PAGE = '''
# Page

[5 B](calc:a) and [7 B](calc:b); `[5 B](calc:a)` is code; [5 B](calc:a) again, [over 4 B](calc:a).

```python exec="on"
a, b = 5, 7
publish("B", a=a, b=b)
```
'''


@pytest.fixture
def accept(site, monkeypatch):
    """accept(made, *arguments): run scripts/record's main in the small site's folder."""
    from scaling_lesson.site.record import main

    monkeypatch.delenv("CI", raising=False)

    def run(made, *arguments):
        monkeypatch.chdir(made.root)
        return main(list(arguments))

    return run


def test_only_the_claims_that_drifted_are_rewritten(site, accept, capsys):
    made = site(PAGE)
    file = made.write(PAGE.replace("a, b = 5", "a, b = 6"))
    assert accept(made) == 0
    assert file.read_text() == PAGE.lstrip("\n").replace("a, b = 5", "a, b = 6").replace("[5 B](calc:a) and", "[6 B](calc:a) and").replace(
        "code; [5 B]", "code; [6 B]"
    )
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
    assert accept(made, "docs/page.md") == 0
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
    record.write_text(good.replace("value a = 5 B\n", "<<<<<<< ours\nvalue a = 5 B\n=======\nvalue a = 4 B\n>>>>>>> theirs\n"))
    assert accept(made) == 0
    assert record.read_text() == good


def test_line_endings_and_a_recorded_value_within_tolerance_stay(site, accept):
    made = site(PAGE + '\n[under 0.01](calc:t)\n\n```python exec="on"\nt = 0.004\npublish("", t=t, tolerance=0.001, reason="sums")\n```\n')
    file = made.root / "docs/page.md"
    file.write_bytes(file.read_text().replace("t = 0.004", "t = 0.0045").replace("= 5, 7", "= 5, 8").replace("\n", "\r\n").encode())
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
