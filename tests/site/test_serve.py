"""`mkdocs serve` as an author uses it: drift shows on the page, and the server goes on."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from html import escape, unescape
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig

from scaling_lesson.site import gate, kept, plugin
from scaling_lesson.site.kept import Kept, _with_last_pages

ROOT = Path(__file__).resolve().parents[2]
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
    settings = os.environ | {"PYTHONPATH": str(checkout / "src"), "NO_MKDOCS_2_WARNING": "1", "REFERENCE": "false"}
    log = checkout.parent / "serve.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{port}"]
        server = subprocess.Popen(command, cwd=checkout, env=settings, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield f"http://127.0.0.1:{port}/scaling-and-efficiency/kv-cache.html", log
        finally:
            server.terminate()
            server.wait(timeout=20)


@pytest.mark.slow
def test_drift_shows_in_place_and_clears_without_a_restart(checkout, served):
    address, log = served
    page, module = checkout / KV, checkout / "src/scaling_lesson/kv_cache.py"
    good = page.read_text()
    html = wait_for(address, "KV caching")
    assert "gate-notice" not in html
    assert re.findall(r"^\S+:\d+: .*", log.read_text(), re.M) == []

    # An edit of prose runs no block again.
    page.write_text(good.replace("[37.7 MB](calc:one_sequence)", "[37.8 MB](calc:one_sequence)"))
    html = wait_for(address, "should read 37.7 MB")
    assert 'claim-number--wrong" value="37748736">37.8 MB</data>' in html
    assert re.search(r"<section class=\"gate-notice\"><p>\d+ numbers? drifted on 1 page\.", html)
    assert re.search(rf"{KV}:\d+: claim &quot;37.8 MB&quot;", html)
    page.write_text(good)
    wait_for(address, "gate-notice", gone=True)

    # What ends a build, and would hang MkDocs' server.
    (checkout / "docs/link.md").symlink_to(page)
    html = wait_for(address, "a symbolic link may lead anywhere")
    assert "37.7 MB</data>" in html
    (checkout / "docs/link.md").unlink()
    wait_for(address, "gate-notice", gone=True)

    # A block that raises is told on top of the page as it last was.
    page.write_text(good.replace("gpt2, half = GPT2_SMALL, torch", "gpt2, half = GPT2_SMALL.no_such_field, torch"))
    html = wait_for(address, "no_such_field")
    assert "the block raised AttributeError" in html and "Where the cache stops helping" in html
    page.write_text(good)
    wait_for(address, "gate-notice", gone=True)

    # An edited module is read again.
    source = module.read_text()
    module.write_text(source.replace("length * (length + 1) // 2", "length * (length + 1)"))
    assert module.read_text() != source
    html = wait_for(address, "should read 343,400")
    module.write_text(source)
    wait_for(address, "gate-notice", gone=True)
    assert "Traceback" not in log.read_text()


KEPT = '[7 B](calc:b)\n\n```python exec="on"\nb = 7\npublish("B", b=b)\n```\n\nThe end.\n'
PAGE = '# Page\n\n[5 B](calc:a)\n\n```python exec="on" timeout="1"\na = 5\n{}\npublish("B", a=a)\n```\n\n' + KEPT


@pytest.fixture
def rebuilt(site, monkeypatch):
    """(made, rebuild): a small site under serve; rebuild(text) edits its page and returns the HTML, by one plugin."""
    made = site(PAGE.format("print('a is', a)"))

    def config() -> MkDocsConfig:
        return load_config(str(made.root / "mkdocs.yml"), site_dir=str(made.root / "served"))

    numbers = config().plugins["numbers"]
    for name, value in (("serving", True), ("_kept", Kept())):  # as in a process that begins to serve
        monkeypatch.setattr(numbers, name, value)

    def rebuild(text: str) -> str:
        made.write(text)
        build(config(), serve_url="http://127.0.0.1/")
        made.built = numbers
        return (made.root / "served/page/index.html").read_text()

    return made, rebuild


def test_a_prose_edit_runs_no_block(rebuilt):
    """What keeps an edit quick: a page whose blocks and sources are unchanged keeps its run."""
    made, rebuild = rebuilt
    block = '```python exec="on"\na = 5\npublish("B", a=a)\n```\n'

    def built(text: str) -> tuple[object, list[str]]:
        rebuild(text)
        return made.page().results, [str(problem) for problem in made.built.found]

    made.write(f"# Page\n\n[5 B](calc:a)\n\n{block}")
    made.accept()
    first, told = built(f"# Page\n\n[5 B](calc:a)\n\n{block}")
    assert told == []
    second, told = built(f"# Page, edited\n\nMore.\n\n[6 B](calc:a)\n\n{block}")
    assert second is first and told == ['docs/page.md:5: claim "6 B": a is 5 B']
    third, told = built(f"# Page\n\n[6 B](calc:a)\n\n{block.replace('5', '6')}")
    assert third is not first and told == ["docs/page.md:7: published a: recorded 5 B, computed 6 B"]


def test_a_file_of_measurements_shows_when_it_comes_and_goes(rebuilt, monkeypatch):
    """The reader's own, which scripts/measure writes meanwhile, and one that is sent in."""
    made, rebuild = rebuilt
    monkeypatch.chdir(made.root)
    folder = made.root / "docs/measurements"
    folder.mkdir()
    shutil.copy(ROOT / "docs/measurements/cpu.json", folder)
    block = (
        "from scaling_lesson.measure.results import measured\n"
        'table("t", ["file"], [], [[f"`{name}`"] for name, *_ in measured("bandwidth")])'
    )
    page = f'# Page\n\n```python exec="on"\n{block}\n```\n'

    def shown() -> list[str]:
        time.sleep(0.02)  # the clock of files is coarse
        return re.findall("<td><code>(.*?)</code></td>", rebuild(page))

    assert shown() == ["cpu"]
    for name, expected in (("yours", ["cpu", "yours"]), ("gpu", ["cpu", "gpu", "yours"])):
        shutil.copy(folder / "cpu.json", folder / f"{name}.json")
        assert shown() == expected
    (folder / "cpu.json").unlink()
    assert shown() == ["gpu", "yours"]
    (folder / "yours.json").unlink()
    assert shown() == ["gpu"]


def test_what_no_page_holds_is_told_on_all(rebuilt):
    made, rebuild = rebuilt
    text = (made.root / "docs/page.md").read_text()
    assert "gate-notice" not in rebuild(text)
    (made.root / "docs/gone.record").write_text("")
    html = rebuild(text)
    assert "gate-notice" in html and "docs/gone.record:1: this record&#x27;s page is gone" in html
    (made.root / "docs/gone.record").unlink()
    assert "gate-notice" not in rebuild(text)


@pytest.fixture
def rendered(rebuilt, monkeypatch):
    """(made, rendered): rendered(**texts) edits files of a small site; which pages were rendered anew, and the HTML."""
    made, rebuild = rebuilt
    made.dress()
    made.write("# Other\n\nThere it takes [5 B](calc:page/a).\n", "other.md")
    made.write("# List\n\n<!-- listing: numbers -->\n", "list.md")
    read: list[str] = []
    reading = plugin.Reading
    monkeypatch.setattr(
        plugin, "Reading", lambda source, settings: read.append(source.slug) or reading(source, settings)
    )

    def rendered(**texts: str) -> tuple[set[str], dict[str, str]]:
        read.clear()
        for name, text in texts.items():
            made.write(text, f"{name}.md")
        rebuild((made.root / "docs/page.md").read_text())
        served = made.root / "served"
        names = ("page", "other", "list")
        return set(read), {name: (served / name / "index.html").read_text() for name in names}

    return made, rendered


def test_an_edit_renders_what_it_changed_and_shows_all_it_changed(rendered):
    made, rebuild = rendered
    good = PAGE.format("print('a is', a)")
    read, first = rebuild(page=good)
    assert read == {"index", "page", "other", "list"}
    read, html = rebuild()
    assert read == set() and html == first
    read, html = rebuild(other="# Other\n\nMore. There it takes [5 B](calc:page/a).\n")
    assert read == {"other"} and "More." in html["other"] and html["page"] == first["page"]
    read, html = rebuild(page=good.replace("a = 5", "a = 6"))  # a page that was not edited shows the new number
    assert read == {"page"} and "should read 6 B" in html["other"] and "6 B" in html["list"]
    (made.root / "docs/page.record").write_text("")
    read, html = rebuild(page=good)  # a record is no part of a page's text
    assert read == {"page"} and "gate-notice" in html["page"] and "should read" not in html["other"]
    made.accept()
    read, html = rebuild(page=good.replace("# Page", "# Another name"))  # all pages name it in their navigation
    assert read == {"page"} and all("Another name" in text for text in html.values())
    index = json.loads((made.root / "served/search/search_index.json").read_text())
    assert {entry["title"] for entry in index["docs"]} >= {"Another name", "Other", "List"}
    settings = made.root / "mkdocs.yml"
    settings.write_text(settings.read_text().replace("site_name: Small", "site_name: Large"))
    read, html = rebuild()
    assert read == {"index", "page", "other", "list"} and all("Large" in text for text in html.values())


BLOCKS = """\
# Page

```python exec="on" source="above"
print("first")
```

```python exec="on" source="above"
print("second")
```
"""


def test_of_an_edited_page_only_the_blocks_that_changed_are_made_again(rebuilt, monkeypatch):
    _, rebuild = rebuilt
    made, block_html = [], kept.block_html
    monkeypatch.setattr(kept, "block_html", lambda *given: made.append(given[2]) or block_html(*given))

    def edited(old: str = "", new: str = "") -> tuple[list[int], str]:
        made.clear()
        html = rebuild(BLOCKS.replace(old, new, 1))
        return [*made], html

    assert edited()[0] == [0, 1]
    assert edited("# Page", "# Page\n\nMore.")[0] == []
    again, html = edited('"second"', '"2" + "nd"')
    assert again == [1] and "2nd" in html and "first" in html and "second" not in html
    again, html = edited('"first"', '"first" * (n := 2)')
    assert again == [0, 1] and "firstfirst" in html and "second" in html
    again, html = edited(' source="above"', "")
    assert again == [0] and "<details" in html


def test_a_link_to_a_page_that_comes_later_is_a_link_then(rendered):
    made, rebuild = rendered
    assert "new.md" in rebuild(page=PAGE.format("pass"), other="# Other\n\n[new](new.md)\n")[1]["other"]
    made.write("# New\n", "new.md")
    assert 'href="../new/"' in rebuild()[1]["other"]


def test_of_a_list_the_sections_stand_once_in_its_contents(rendered):
    made, rebuild = rendered
    rebuild(page=PAGE.format("pass"))
    pages = [rebuild(other=f"# Other\n\nIt takes [{n} B](calc:page/a).\n")[1]["list"] for n in range(3)]
    assert len({page.count('href="#of-page"') for page in pages}) == 1


def test_a_page_is_judged_again_when_what_it_claims_of_another_changes(rebuilt):
    made, rebuild = rebuilt
    made.write("# Other\n\n[5 B](calc:page/a)\n", "other.md")
    other = made.root / "served/other/index.html"
    for code, said in (("", None), ("a = 6", "should read 6 B"), ("", None), ("del a; b = a", "was not computed")):
        rebuild(PAGE.format(code))
        assert (said is None) == ("gate-notice" not in (html := other.read_text()) and "correction" not in html)
        assert said is None or said in html


def test_what_another_page_says_beside_its_numbers_judges_no_page_again(rebuilt, monkeypatch):
    made, rebuild = rebuilt
    made.write("# Other\n\n[5 B](calc:page/a)\n", "other.md")
    judged, of_page = [], gate._judged
    monkeypatch.setattr(gate, "_judged", lambda page, *given: judged.append(page.slug) or of_page(page, *given))

    def again(text: str) -> list[str]:
        judged.clear()
        rebuild(text)
        return sorted(judged)

    good = PAGE.format("")
    assert again(good) == ["index", "other", "page"]
    assert again(good.replace("# Page", "# Page\n\nMore.")) == ["page"]
    assert again(PAGE.format("a = 6")) == ["other", "page"]
    assert again(good) == ["other", "page"]
    (made.root / "docs/page.record").write_text("")
    assert again(good) == ["other", "page"]


def test_a_page_whose_block_failed_or_did_not_run_runs_again_at_the_next_edit(rebuilt):
    made, rebuild = rebuilt
    text = '# Page\n\n```python exec="on"\nimport pathlib\nprint(pathlib.Path("{}").read_text())\n```\n'
    text = text.format(made.root / "there.txt")
    assert "FileNotFoundError" in rebuild(text)
    (made.root / "there.txt").write_text("It is here.")
    html = rebuild(text)  # nothing of the page has changed
    assert "FileNotFoundError" not in html and "It is here." in html
    assert "stands in a comment" in rebuild(
        text.replace("```python", "<!--\n```python").replace("\n```\n", "\n```\n-->\n")
    )
    html = rebuild(text)
    assert "stands in a comment" not in html and "It is here." in html


def boxes(html: str) -> list[str]:
    """What stands in error boxes below blocks."""
    _, _, article = html.partition("</section>")
    return [unescape(text) for text in re.findall('<div class="gate-problem"><code>(.*?)</code>', article, re.S)]


FAILS = {
    "1 / 0": "docs/page.md:7: the block raised ZeroDivisionError: division by zero",
    "while True: pass": "docs/page.md:7: the block ran longer than 1 s",
    "import os; os.kill(os.getpid(), 9)": "docs/page.md:7: the block ended its process (SIGKILL)",
}


@pytest.mark.parametrize("line, problem", FAILS.items())
def test_a_page_that_fails_shows_what_it_last_was_below_the_problem(rebuilt, line, problem):
    good = PAGE.format("print('a is', a)")
    made, rebuild = rebuilt
    before = rebuild(good)
    html = rebuild(PAGE.format(line).replace("The end.", "The new end."))
    top, _, article = html.partition("</section>")
    assert problem in unescape(top) and "Below is the page as it was" in article
    assert "a is 5" in article and "<p>The end.</p>" in article and "gate-problem" not in article
    assert rebuild(good) == before


@pytest.mark.parametrize("line, problem", FAILS.items())
def test_a_page_that_never_was_whole_shows_the_problem_in_its_place(rebuilt, line, problem):
    html = rebuilt[1](PAGE.format(line))
    assert boxes(html)[0] == problem
    if "raised" in problem:  # the other block runs on; what the first would have published is not called wrong
        assert '>5 B</data> <strong class="claim-correction">was not computed</strong>' in html
        assert "claim-number--wrong" not in html and ">7 B</data></a>" in html


def test_a_build_that_ends_early_leaves_the_last_pages_with_the_problem_on_top(tmp_path):
    site = tmp_path / "site"
    made = []

    def builder() -> None:
        shutil.rmtree(site, ignore_errors=True)
        site.mkdir()
        if made and made[-1]:
            raise SystemExit(made[-1])
        (site / "style.css").write_text("p {}")
        (site / "page.html").write_text("<article class=x>\n<p>whole</p></article>")

    build = _with_last_pages(builder, site)
    builder()
    for fault in ("mkdocs.yml: <no> such page", "another", ""):
        made.append(fault)
        build()
        html = (site / "page.html").read_text()
        assert "<p>whole</p>" in html and html.count("gate-notice") == bool(fault) and escape(fault) in html
        assert (site / "style.css").exists()


@pytest.mark.parametrize(
    "line, box",
    [
        ("print('a is', a + 1)", 'docs/page.md:6: block 1 line 1: recorded "a is 5", computed "a is 6"'),
        ("print('a is', a); a = 6", "docs/page.md:8: published a: recorded 5 B, computed 6 B"),
        (
            "print('a is', a); spare = 1; publish('B', spare=spare)",
            "docs/page.md:7: published spare: 1 B is not in the record",
        ),
    ],
)
def test_what_is_wrong_in_a_block_stands_below_it_and_goes_when_mended(rebuilt, line, box):
    good = PAGE.format("print('a is', a)")
    made, rebuild = rebuilt
    assert "gate-" not in rebuild(good)
    html = rebuild(PAGE.format(line))
    assert boxes(html)[0] == box
    assert (
        html.index("gate-notice") < html.index("</section>") and escape(box, quote=True).replace("&#x27;", "'") in html
    )
    assert "<p>The end.</p>" in html
    assert "gate-" not in rebuild(good)
    moved = rebuild("\n\n" + good.replace("# Page", "# Page\n\nMore.").lstrip("\n"))
    assert "gate-" not in moved


def test_a_drifted_cell_and_figure_are_told_at_their_block_with_the_line_it_now_has(rebuilt):
    made, rebuild = rebuilt
    block = """
```python exec="on"
table("t", ["x", ("n", "B")], [["one", 1]])
import matplotlib.pyplot as plt
from scaling_lesson.figures import BLUE; fig, ax = plt.subplots()
ax.plot([1, 2], color=BLUE)
figure(fig, name="f", title="A figure", desc="A line.")
```
"""
    text = "# Page\n" + block
    made.write(text)
    made.accept()
    assert "gate-" not in rebuild(text)
    record = made.root / "docs/page.record"
    good = record.read_text()
    record.write_text(good.replace("row 1 n = 1", "row 1 n = 2").replace('"A line."', '"A curve."'))
    told = [
        "docs/page.md:{}: table t row 1 n: recorded 2, computed 1",
        'docs/page.md:{}: figure f desc: recorded "A curve.", computed "A line."',
    ]
    for above in (0, 2):  # the block is not run again, but its lines move
        assert boxes(rebuild(text.replace("# Page\n", "# Page\n" + "\n" * above))) == [
            told[0].format(4 + above),
            told[1].format(8 + above),
        ]
    record.write_text(good + "value gone = 1\n")
    html = rebuild(text)
    assert boxes(html) == [] and "docs/page.record" in html[: html.index("</section>")]  # no block has it
    record.write_text(good)
    assert "gate-" not in rebuild(text)
