"""What public reports of this kind of work found, as tests: what passed and should be told, what stopped a build
wrongly, what a server showed stale, and what was told so that nobody could mend it. cases.toml holds those that are one
change.
"""

import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from drift import ROOT, SMALL, Defect, plant_small
from told import messages

pytestmark = pytest.mark.slow  # many start a server or a build of their own

CASES = [
    Defect(**case) for case in tomllib.loads(Path(__file__).with_name("cases.toml").read_text(encoding="utf-8"))["case"]
]
HEADER = "# What this page computed when its numbers were last accepted. Written by scripts/record; do not edit.\n"


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of the small site, to change."""
    return Path(shutil.copytree(SMALL, tmp_path / "site", ignore=shutil.ignore_patterns("figure.*")))


def pattern(expected: str) -> str:
    return ".*".join(map(re.escape, expected.split("{any}")))


def amiss(found: list[str], expected: list[str]) -> list[str]:
    """What is expected and not told, and what is told where nothing is expected."""
    places = [pattern(one.split(": ")[0]) + ": .*" for one in expected]
    return [
        *(f"not told: {one}" for one in expected if not any(re.fullmatch(pattern(one), other) for other in found)),
        *(f"told: {one}" for one in found if not any(re.fullmatch(place, one) for place in places)),
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_case_is_told_as_it_should_be(tmp_path, case):
    expected = plant_small(case, tmp_path / "site")
    wrong = amiss(messages(tmp_path / "site"), expected)
    assert not wrong, "\n".join(wrong)


def test_the_cases_differ_in_name():
    titles = [case.title for case in CASES]
    assert len(titles) == len(set(titles))


def page_of(site: Path, text: str, record: str) -> None:
    (site / "docs/extra.md").write_text(text, encoding="utf-8")
    (site / "docs/extra.record").write_text(HEADER + record, encoding="utf-8")


def test_a_page_of_very_many_lines_is_told(small):
    """Nobody reads them, and a browser chokes on them; each is in the record, so nothing else is wrong."""
    printed = "".join(f'block 1 line {n} = "step {n}: done"\n' for n in range(1, 20_001))
    block = 'for n in range(1, 20_001):\n    print(f"step {n}: done")\n'
    page_of(small, f'# Extra\n\n```python exec="on"\n{block}```\n', printed)
    assert any(re.match(r"docs/extra\.md:\d+: ", message) for message in messages(small))


def test_a_figure_of_very_many_points_is_told(small):
    block = (
        "import matplotlib.pyplot as plt\nfrom scaling_lesson.figures import BLUE\n\nfig, ax = plt.subplots()\n"
        'ax.scatter(range(10_000), range(10_000), color=BLUE)\nfigure(fig, name="many", title="t", desc="d")\n'
    )
    page_of(small, f'# Extra\n\n```python exec="on"\n{block}```\n', "")
    told = [message for message in messages(small) if "is not in the record" not in message]
    assert any(re.match(r"docs/extra\.md:\d+: ", message) for message in told), told


def test_of_a_renamed_page_the_record_is_to_be_renamed_too(small):
    (small / "docs/page.md").rename(small / "docs/cache.md")
    told = messages(small)
    (record,) = [message for message in told if message.startswith("docs/page.record:")]
    assert "rename" in record and "cache" in record


@pytest.mark.parametrize("name", ["KV_cache", "kv.cache", "größe"])
def test_a_claim_to_a_page_whose_name_is_unusual_holds_or_says_why(small, name):
    block = '```python exec="on"\nextra = 5\npublish("B", extra=extra)\n```\n'
    page_of(small, f"# Extra\n\nIt takes [5 B](calc:extra).\n\n{block}", "value extra = 5 B\n")
    for kind in ("md", "record"):
        (small / f"docs/extra.{kind}").rename(small / f"docs/{name}.{kind}")
    other = small / "docs/other.md"
    other.write_text(other.read_text(encoding="utf-8") + f"\nThere it takes [5 B](calc:{name}/extra).\n", "utf-8")
    assert not [message for message in messages(small) if name not in message or "on one line" in message]


def test_a_page_beside_a_notebook_of_its_name_is_told(small):
    settings = small / "mkdocs.yml"
    text = settings.read_text(encoding="utf-8")
    notebook = '  - mkdocs-jupyter: {include: ["twin.py"], ignore: ["*.md"], execute: false}\n'
    text = text.replace("  - numbers:\n", notebook + "  - numbers:\n")
    settings.write_text(text.replace("  - Home: index.md\n", "  - Home: index.md\n  - A: twin.md\n  - B: twin.py\n"))
    (small / "docs/twin.py").write_text("# %% [markdown]\n# # Twin\n", encoding="utf-8")
    (small / "docs/twin.md").write_text("# Twin\n", encoding="utf-8")
    assert any("twin.md" in message for message in messages(small))


@pytest.mark.parametrize("name", ["größe", "what it takes", "c++ & co"])
def test_a_page_whose_address_needs_encoding_is_built(small, mkdocs, name):
    (small / f"docs/{name}.md").write_text("# Sizes\n\nIt takes [37.7 MB](calc:page/one_sequence).\n", "utf-8")
    status, output = mkdocs(small, "build", "-q")
    assert status == 0, output
    assert "37.7 MB" in (small / f"site/{name}/index.html").read_text("utf-8")


def test_a_definition_below_a_blank_line_is_explained_or_told(small, mkdocs):
    glossary = small / "docs/glossary.md"
    text = glossary.read_text(encoding="utf-8")
    glossary.write_text(text.replace("cache\n:   ", "cache\n\n:   "), encoding="utf-8")
    status, output = mkdocs(small, "build", "-q")
    told = re.search(r"docs/glossary\.md:\d+: ", output)
    html = (small / "site/page/index.html").read_text("utf-8") if status == 0 else ""
    assert told or "A place that keeps what is needed again." in html, output


@pytest.mark.parametrize("text", ["# Glossary\n", "# Glossary\n\ncache: what keeps\n", ""])
def test_a_glossary_without_an_entry_is_no_crash(small, text):
    (small / "docs/glossary.md").write_text(text, encoding="utf-8")
    assert all(message.startswith("docs/glossary.md:") for message in messages(small))


# What a server shows after an edit. It needs the command `mkdocs serve`, and of the page that it holds the value, and
# the class `gate-notice` where something does not hold.


@contextmanager
def serving(site: Path, source: Path) -> Iterator[Callable[[str], str]]:
    """Serves the site with the lesson's code from `source`; call it with a pattern to wait for the page with it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = os.environ | {"PYTHONPATH": str(source), "NO_MKDOCS_2_WARNING": "1"}
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "mkdocs", "serve", "-q", "-a", f"127.0.0.1:{port}"]

    def page(shows: str) -> str:
        html, end = "", time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/extra/", timeout=5) as answer:
                    html = answer.read().decode()
            except OSError:
                html = ""
            if re.search(shows, html):
                return html
            time.sleep(0.2)
        raise AssertionError(f"{shows!r} is not on the page:\n{html[-3000:]}")

    with (site / "serve.log").open("w") as log:
        server = subprocess.Popen(command, cwd=site, env=settings, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield page
        finally:
            server.terminate()
            server.wait(timeout=20)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the lesson's code, to change."""
    copy = tmp_path / "src"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    return Path(shutil.copytree(ROOT / "src", copy, ignore=ignored))


def test_a_noun_added_to_the_units_is_known_to_the_server_at_once(small, source):
    page_of(small, "# Extra\n\nNothing yet.\n", "")
    with serving(small, source) as page:
        page("Nothing yet")
        units = source / "scaling_lesson/units.py"
        units.write_text(
            units.read_text(encoding="utf-8").replace('    "bit",\n', '    "bit",\n    "expert",\n', 1), "utf-8"
        )
        block = '```python exec="on"\nexperts = 8\npublish("expert", experts=experts)\n```\n'
        page_of(small, f"# Extra\n\nIt has [8 experts](calc:experts).\n\n{block}", "value experts = 8 expert\n")
        page("8 experts</data>")
        time.sleep(1)  # a second rebuild may be on its way
        assert "gate-notice" not in page("8 experts</data>")


@pytest.mark.parametrize("where", ["docs/losses.txt", "losses.txt", "data/losses.txt"])
def test_a_data_file_that_a_block_reads_is_read_again_when_it_changes(small, source, where):
    file = small / where
    file.parent.mkdir(exist_ok=True)
    file.write_text("1\n2\n", encoding="utf-8")
    block = (
        f'from pathlib import Path\n\ntotal = sum(map(int, Path("{where}").read_text().split()))\nprint("sum", total)\n'
    )
    page_of(small, f'# Extra\n\n```python exec="on"\n{block}```\n', 'block 1 line 1 = "sum 3"\n')
    with serving(small, source) as page:
        page("sum 3")
        file.write_text("1\n2\n4\n", encoding="utf-8")
        other = small / "docs/other.md"  # outside docs, nothing may start a build but an edit
        other.write_text(other.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
        page("sum 7")


MODULES = '```python exec="on"\nfrom scaling_lesson.one import ONE\n\nprint("one is", ONE)\n```\n'


def test_code_is_read_again_however_quickly_it_is_saved(small, source):
    """Of two saves of one second, as long as each other, bytecode cannot tell which it was made from."""
    module, second = source / "scaling_lesson/one.py", 10**9
    saved = (time.time_ns() // second + 1000) * second

    def save(n: int) -> None:
        module.write_text(f"ONE = {n}\n")
        os.utime(module, ns=(saved + n * second // 4,) * 2)

    save(1)
    page_of(small, f"# Extra\n\n{MODULES}", 'block 1 line 1 = "one is 1"\n')
    with serving(small, source) as page:
        page("one is 1")
        for n in (2, 3):
            save(n)
            page(f"one is {n}")


def test_a_mistake_in_the_gates_own_code_is_told_and_mended(small, source):
    page_of(small, "# Extra\n\nNothing yet.\n", "")
    units, theme = source / "scaling_lesson/units.py", small / "theme/main.html"
    good = units.read_text("utf-8")
    theme.write_text(f"<article>{theme.read_text()}</article>")
    with serving(small, source) as page:
        page("Nothing yet")
        units.write_text(good + "\nx = (\n", "utf-8")
        assert "units.py" in page("own code does not run")
        units.write_text(good, "utf-8")
        page("<article><h1")


def test_a_page_shows_again_what_its_theme_and_others_say(small, source):
    """Neither its text nor its title changes: a template does, the navigation's icon of another page, a label."""
    theme, page_md = small / "theme/main.html", small / "docs/page.md"
    other = small / "docs/other.md"
    shows = "{% for one in nav.pages %}({{ one.meta.icon }}){% endfor %}{% for part in page.toc %}[{{ part.title }}]"
    page_of(small, "# Extra { #extra }\n\nNothing yet.\n", "")
    with serving(small, source) as page:
        page("Nothing yet")
        theme.write_text(f"the new theme {shows}{{% endfor %}}{theme.read_text()}")
        other.write_text(f"{other.read_text('utf-8')}\nMore.\n", "utf-8")  # themes are watched if asked for only
        page("the new theme.*Extra")
        page_md.write_text(f"---\nicon: here\n---\n\n{page_md.read_text('utf-8')}", "utf-8")
        page(r"the new theme.*\(here\)")
        page_of(small, "# Extra { #extra data-toc-label='Short' }\n\nNothing yet.\n", "")
        page(r"the new theme.*\[Short\]")
