"""What a build says while it goes on: a line a step, one live line in a terminal, nothing with -q."""

import os
import pty
import subprocess
import sys
from concurrent.futures import Future

import pytest

from conftest import ROOT
from scaling_lesson.site.progress import Progress

pytestmark = pytest.mark.slow  # builds of their own, one in a terminal

PAGE = '# Page\n\n[5](calc:five)\n\n```python exec="on"\nfive = 5\npublish("", five=five)\n```\n'


def test_each_step_has_a_line_where_nobody_watches_and_none_with_q(site, mkdocs):
    made = site(PAGE)
    made.write("# Nothing runs here\n", "other.md")
    _, output = mkdocs(made.root, "build", "--no-strict")
    steps = [line.split("-  ")[1] for line in output.splitlines() if "running" in line or "checking" in line]
    assert steps == ["running pages: 1 of 1 done", "checking the built site"]
    assert "running" not in mkdocs(made.root, "build", "-q")[1]


def test_a_terminal_has_one_line_that_is_gone_at_the_end(site):
    made = site(PAGE)
    ours, theirs = pty.openpty()
    settings = os.environ | {"PYTHONPATH": str(ROOT / "src"), "NO_MKDOCS_2_WARNING": "1", "TERM": "xterm"}
    command = [sys.executable, "-m", "mkdocs", "build"]
    with subprocess.Popen(command, cwd=made.root, env=settings, stdout=theirs, stderr=theirs, stdin=theirs) as build:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    assert build.returncode == 0
    assert b"checking the built site" in shown and b"-  checking" not in shown
    assert shown.rindex(b"\x1b[2K") > shown.rindex(b"checking the built site"), "the line is still there"


def test_pages_are_counted_as_they_end_and_those_kept_are_not(caplog):
    caplog.set_level("INFO", "mkdocs.plugins.numbers")
    kept, one, two = Future(), Future(), Future()
    kept.set_result(None)
    Progress().count([kept, one, two])
    two.set_result(None)
    one.set_exception(ValueError())
    assert caplog.messages == ["running pages: 1 of 2 done", "running pages: 2 of 2 done"]
