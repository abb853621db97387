"""What CI is told, and that a site which only the second check refuses does not replace the one before."""

import json
import re
from dataclasses import replace

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from conftest import ROOT
from scaling_lesson.site import ci
from scaling_lesson.site.gate import Problem, Verdicts, judge

PAGE = '# Page\n\n[5 B](calc:a) and [over 4 B](calc:a).\n\n```python exec="on"\na = 5\npublish("B", a=a)\n```\n'
MATCHERS = json.loads((ROOT / ".github/gate-matcher.json").read_text(encoding="utf-8"))["problemMatcher"]
(GATE,) = next(matcher["pattern"] for matcher in MATCHERS if matcher["owner"] == "gate")


@pytest.mark.parametrize(
    "path", ["docs/page.md", "docs/a/kv-cache.record", ".site-next/page/index.html", "mkdocs.yml", "docs/a b/größe.md"]
)
def test_github_finds_file_line_and_message_in_what_the_build_prints(path):
    problem = Problem(path, 12, 'x is "5": recorded 7:8: no, computed 6')
    match = re.fullmatch(GATE["regexp"], str(problem), re.ASCII)  # its runner's \w is ASCII
    assert match and match["column" in GATE and GATE["column"]] is None
    assert [match[GATE[part]] for part in ("file", "line", "message")] == [path, "12", problem.message]


@pytest.mark.parametrize(
    "line", ["INFO    -  Building", "2 numbers drifted on 1 page.", "WARNING -  Doc file 'a.md': no"]
)
def test_github_finds_nothing_in_what_else_is_printed(line):
    assert not re.search(GATE["regexp"], line)


@pytest.fixture
def building(site, monkeypatch, tmp_path, capsys):
    """(made, run): run() builds as scripts/build does, and returns whether it held, and what it printed."""
    made = site(PAGE)

    def run():
        try:
            build(load_config(str(made.root / "mkdocs.yml")))
        except Abort:
            held = False
        else:
            held = True
        shown = capsys.readouterr()
        return held, shown.out, shown.err

    return made, run


def test_github_is_told_only_where_it_runs_the_build(building, monkeypatch, tmp_path):
    made, run = building
    made.write(PAGE.replace("a = 5", "a = 3"))
    summary = tmp_path / "summary.md"
    held, _, err = run()
    assert not held and "::error" not in err and not summary.exists()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    summary.write_text("before\n")
    held, _, err = run()
    assert not held and len(re.findall(r"^docs/page\.md:\d+: .*$", err, re.M)) == 3 and "::error" not in err
    assert summary.read_text().startswith("before\n") and summary.read_text().count("\ndocs/page.md:") == 3


def test_the_report_is_written_where_asked_for_when_all_holds_too(building, monkeypatch, tmp_path):
    made, run = building
    path = tmp_path / "report.json"
    run()
    assert not path.exists()
    monkeypatch.setenv("NUMBERS_REPORT", str(path))
    assert run()[0]
    assert json.loads(path.read_text()) == {"problems": [], "drifted": 0, "other": 0}
    made.write(PAGE.replace("a = 5", "a = 3"))
    assert not run()[0]
    content = json.loads(path.read_text())
    assert (content["drifted"], content["other"]) == (2, 1)
    assert content["problems"][0] == {
        "path": "docs/page.md",
        "line": 3,
        "message": 'claim "5 B": a is 3 B',
        "drift": True,
    }


def blind(*arguments: object) -> Verdicts:
    """A gate that finds nothing wrong with anything."""
    claims = judge(*arguments).claims
    held = {path: {n: replace(v, message=None) for n, v in of_page.items()} for path, of_page in claims.items()}
    return Verdicts(held, ())


def test_what_only_the_second_check_sees_leaves_the_site_as_it_was(building, monkeypatch, tmp_path):
    made, run = building
    held, out, _ = run()
    assert held and re.fullmatch(r"2 claims, 0 cells on \d pages hold\n", out)
    before = {f: f.read_bytes() for f in (made.root / "site").rglob("*") if f.is_file()}
    report_path = tmp_path / "report.json"
    monkeypatch.setenv("NUMBERS_REPORT", str(report_path))
    # A fault of the gate: it says that every claim holds, and fills in a wrong number.
    made.write(PAGE.replace("[5 B]", "[6 B]"))
    with monkeypatch.context() as patch:
        patch.setattr("scaling_lesson.site.plugin.judge", blind)
        held, out, err = run()
    assert not held and "hold" not in out
    message = re.search(r'^\.site-next/page/index\.html:(\d+): claim "6 B": a is 5 B, and the text (.*)$', err, re.M)
    assert message, err
    line = (made.root / ".site-next/page/index.html").read_text().split("\n")[int(message[1]) - 1]
    assert ">6 B</data>" in line  # the line named can be looked at
    assert json.loads(report_path.read_text())["problems"][0]["path"] == ".site-next/page/index.html"
    assert {f: f.read_bytes() for f in (made.root / "site").rglob("*") if f.is_file()} == before
    held, _, _ = run()  # what the gate itself sees leaves nothing to look at
    assert not held and not (made.root / ".site-next").exists()
    made.write(PAGE)
    assert run()[0] and not (made.root / ".site-next").exists()


def test_a_second_check_that_does_not_run_stops_the_build(building, monkeypatch, tmp_path):
    _, run = building
    broken = tmp_path / "audit.py"
    broken.write_text("import sys\nsys.exit('no such thing')")
    monkeypatch.setattr(ci, "_AUDIT", broken)
    held, _, err = run()
    assert not held and "the second check did not run: no such thing" in err


def test_neither_serve_nor_record_waits_for_the_second_check(site, monkeypatch):
    made = site(PAGE)
    monkeypatch.setattr(ci, "audited", lambda _: pytest.fail("audited"))
    monkeypatch.setattr(ci, "tell", lambda _: pytest.fail("told"))
    assert made.messages() == []
