"""scripts/bench: its sites are the lesson's, and what it measures happens."""

import json
import subprocess
import sys

import pytest
from bench import ROOT, blocks, checkout, copies, edits, in_turn, pages_alone, settings
from peers import notebooks


def test_steps_take_turns():
    order = []
    steps = {name: lambda name=name: order.append(name) or len(order) for name in "ab"}
    assert in_turn(steps, 2) == {"a": [1, 3], "b": [2, 4]} and order == list("abab")


@pytest.mark.slow
def test_copies_claim_from_one_another_and_hold(tmp_path):
    site = copies(tmp_path / "site", 2)
    names = {page.name for page in (site / "docs/scaling-and-efficiency-1").glob("*.md")}
    assert {"index.md", "kv-cache-1.md", "what-the-plan-got-wrong-1.md"} <= names and len(names) == 8
    command = [sys.executable, str(ROOT / "tests/site/timed_build.py")]
    done = subprocess.run(command, cwd=site, env=settings(site), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["judge_s"] > 0 and told["claims"] > 1000
    assert "kv-cache-1.html#calc-" in (site / "site/scaling-and-efficiency-1/summary-1.html").read_text()


@pytest.mark.slow
def test_every_kind_of_edit_is_seen(tmp_path):
    found = dict(edits(pages_alone(tmp_path / "site"), 1))
    assert [len(times) for times in found.values()] == [1, 1, 1, 1] and min(min(t) for t in found.values()) > 0


@pytest.mark.slow
def test_the_plain_process_runs_every_block(tmp_path):
    site = checkout(tmp_path / "site")
    for page in [*(site / "docs").rglob("*.md")]:
        if page.name not in ("roofline.md", "summary.md"):
            page.unlink()
    assert set(blocks(site)) == {"roofline", "summary"}
    page = site / "docs/scaling-and-efficiency/roofline.md"
    page.write_text(f'{page.read_text()}\n```python exec="on"\nraise SystemError\n```\n')
    with pytest.raises(subprocess.CalledProcessError):
        blocks(site)


def test_a_page_is_a_notebook_for_other_programs(tmp_path):
    site = checkout(tmp_path / "site")
    made = notebooks(site, tmp_path / "book")
    names = {page.relative_to(tmp_path / "book").as_posix() for page in made}
    assert "scaling-and-efficiency/kv-cache.md" in names and not any("reference" in name for name in names)
    text = (tmp_path / "book/scaling-and-efficiency/kv-cache.md").read_text()
    assert text.count("```{code-cell}") > 5 and 'exec="on"' not in text and "](calc:" not in text
