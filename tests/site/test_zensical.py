"""Zensical builds the pages that MkDocs builds, judged by the same gate, and the comparison would see a difference."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from try_zensical import LACKING, MARKUP, compare

from conftest import ROOT, copy_lesson
from scaling_lesson import audit

KV_CACHE = "scaling-and-efficiency/kv-cache"


@pytest.fixture
def zensical(tmp_path):
    """A copy of the real site, and what builds it there with Zensical: its exit status and what it printed."""
    copy_lesson(tmp_path)
    shutil.copy(ROOT / "zensical.yml", tmp_path)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--config-file", "zensical.yml"]
    environment = os.environ | {"PYTHONPATH": f"{tmp_path / 'src'}:{ROOT / 'tests/site'}"}

    def build() -> tuple[int, str]:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return tmp_path, build


def test_the_same_pages_come_out_and_a_number_that_does_not_hold_ends_the_build(zensical, built, capsys):
    root, build = zensical
    page = root / f"docs/{KV_CACHE}.md"
    text = page.read_text("utf-8")
    page.write_text(text.replace("[37.7 MB](calc:one_sequence)", "[37.8 MB](calc:one_sequence)", 1), "utf-8")
    line = text[: text.index("[37.7 MB](calc:one_sequence)")].count("\n") + 1
    settings = (root / "mkdocs.yml").read_text("utf-8")
    alone = re.sub(r"^nav:\n(?: .*\n)+", f"nav: [{KV_CACHE}.md]\n", settings, flags=re.M)
    (root / "mkdocs.yml").write_text(alone, "utf-8")  # in less time, and with what it claims of other pages
    status, output = build()
    assert status == 1
    assert f'docs/{KV_CACHE}.md:{line}: claim "37.8 MB": one_sequence is 37748736 B (37.7 MB)\n' in output
    assert "1 number drifted on 1 page." in output and f"To accept: scripts/record docs/{KV_CACHE}.md" in output
    assert not (root / f".zensical/{KV_CACHE}.html").exists()

    page.write_text(text, "utf-8")
    (root / "mkdocs.yml").write_text(settings, "utf-8")
    status, output = build()
    assert status == 0, output
    counts, found = compare(built, root / ".zensical")
    assert found == []
    assert counts["page"] > 25 and counts["claim"] > 500 and min(counts.values()) > 20, counts
    assert {name for name in LACKING if (root / ".zensical" / name).exists()} == {"404.html"}
    assert audit.main([str(root / ".zensical")]) == 0, capsys.readouterr().out  # numbers.json is there, and agrees


CHANGES = {
    "line": (" hardly ", " never "),
    "claim": ('class="claim-number" value="37748736"', 'class="claim-number" value="37748737"'),
    "cell": ('<data class="cell" value="', '<data class="cell" value="1'),
    "formula": ("<math", '<math class="x"'),
    "figure": ('<div class="figure"><svg', '<div class="figure"><svg class="x"'),
    "term": ("<abbr", '<abbr class="x"'),
    "id": (' id="recompute"', ' id="recomputed"'),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_difference_of_each_kind_is_seen(built, tmp_path, kind):
    assert set(CHANGES) == {"line", *MARKUP}
    page = (built / f"{KV_CACHE}.html").read_text("utf-8")
    for site, text in ("one", page), ("other", page.replace(*CHANGES[kind], 1)):
        (tmp_path / site).mkdir()
        (tmp_path / site / "page.html").write_text(text, "utf-8")
    (told,) = compare(tmp_path / "one", tmp_path / "other")[1]
    assert told.startswith(f"page.html: {kind}: ")


def test_a_page_that_is_missing_is_told(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one/page.html").touch()
    assert compare(tmp_path / "one", tmp_path / "other")[1] == [f"page.html: not in {Path(tmp_path / 'other')}"]
