"""`mkdocs serve` as an author uses it: drift shows on the page, and the server goes on."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

KV = "docs/scaling-and-efficiency/kv-cache.md"


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=5) as answer:
        return answer.read().decode()


def wait_for(address: str, pattern: str, gone: bool = False) -> str:
    """The page, once it shows the pattern (or no longer does). The wait is generous, and not what is measured."""
    html = ""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        try:
            html = get(address)
        except OSError:
            html = ""
        if html and bool(re.search(pattern, html)) is not gone:
            return html
        time.sleep(0.2)
    raise AssertionError(f"{pattern!r} {'still' if gone else 'not'} on the page:\n{html[-3000:]}")


@pytest.fixture
def served(checkout: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Written straight through, or a module edited twice within a second would be served from its first bytecode.
    settings = os.environ | {"PYTHONPATH": str(checkout / "src"), "NO_MKDOCS_2_WARNING": "1"}
    log = checkout.parent / "serve.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{port}"]
        server = subprocess.Popen(command, cwd=checkout, env=settings, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield f"http://127.0.0.1:{port}/scaling-and-efficiency/kv-cache/", log
        finally:
            server.terminate()
            server.wait(timeout=20)


def test_drift_shows_in_place_and_clears_without_a_restart(checkout, served):
    address, log = served
    page, module = checkout / KV, checkout / "src/scaling_lesson/kv_cache.py"
    good = page.read_text()
    html = wait_for(address, "KV caching")
    assert "gate-notice" not in html

    # An edit of prose runs no block again.
    page.write_text(good.replace("[37.7 MB](calc:one_sequence)", "[37.8 MB](calc:one_sequence)"))
    html = wait_for(address, "should read 37.7 MB")
    assert 'claim-number--wrong" value="37748736">37.8 MB</data>' in html
    assert re.search(r'<section class="gate-notice"><p>1 number drifted on 1 page\.', html)
    assert re.search(rf"{KV}:\d+: claim &quot;37.8 MB&quot;", html)
    page.write_text(good)
    wait_for(address, "gate-notice", gone=True)

    # A block that raises shows its error in its place, and the rest of the page is there.
    page.write_text(good.replace("full = GPT2_SMALL.max_seq_len", "full = GPT2_SMALL.no_such_field"))
    html = wait_for(address, "no_such_field")
    assert "the block raised AttributeError" in html and "Where the cache stops helping" in html
    page.write_text(good)
    wait_for(address, "gate-notice", gone=True)

    # An edited module is read again.
    source = module.read_text()
    module.write_text(source.replace("return 2 * config.n_layer", "return 3 * config.n_layer"))
    assert module.read_text() != source
    html = wait_for(address, "should read")
    module.write_text(source)
    wait_for(address, "gate-notice", gone=True)
    assert "Traceback" not in log.read_text()


def test_a_prose_edit_runs_no_block(site, monkeypatch):
    """What keeps an edit quick: a page whose blocks and sources are unchanged keeps its run."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    made = site('# Page\n\n[5 B](calc:a)\n\n```python exec="on"\na = 5\npublish("B", a=a)\n```\n')
    config = load_config(str(made.root / "mkdocs.yml"), site_dir=str(made.root / "served"))
    plugin = config.plugins["numbers"]
    monkeypatch.setattr(plugin, "serving", True)
    monkeypatch.setattr(plugin, "gate", None)

    def rebuild():
        build(load_config(str(made.root / "mkdocs.yml"), site_dir=str(made.root / "served")), serve_url="http://127.0.0.1/")
        return plugin.gate.pages["docs/page.md"]

    first = rebuild()
    made.write('# Page, edited\n\nMore.\n\n[6 B](calc:a)\n\n```python exec="on"\na = 5\npublish("B", a=a)\n```\n')
    second = rebuild()
    assert second.run is first.run
    assert [str(p) for p in plugin.found] == ['docs/page.md:5: claim "6 B": a is 5 B']
    made.write('# Page\n\n[6 B](calc:a)\n\n```python exec="on"\na = 6\npublish("B", a=a)\n```\n')
    assert rebuild().run is not first.run
    assert [str(p) for p in plugin.found] == ["docs/page.md:7: published a: recorded 5 B, computed 6 B"]


def test_a_page_that_did_not_run_all_its_blocks_runs_again(tmp_path):
    from scaling_lesson.site.gate import Gate

    text = '```python exec="on"\nprint(1)\n```\n'
    gate = Gate([], {})
    gate.open("page.md", tmp_path / "page.md", text, 0)
    gate.close("")  # Markdown did not reach the block
    page = gate.open("page.md", tmp_path / "page.md", text, 0)
    assert page.run.execute(0, page.fences[0], "print(1)") == ("1\n", "")
    page.ran.add(0)
    gate.close("")
    assert gate.open("page.md", tmp_path / "page.md", text, 0).run is page.run
