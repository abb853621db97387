"""The notebook: the lesson's numbers by a second route, run at every build; a difference ends it, by its line."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import jupytext
import pytest
import yaml

from conftest import MKDOCS_YML, ROOT, still_alive
from scaling_lesson.site import notebook
from scaling_lesson.site.gate import Settings
from scaling_lesson.site.read.source import read
from scaling_lesson.site.web.notebook_page import make

pytestmark = pytest.mark.slow  # most start a kernel

SCRIPT = ROOT / "docs/notebook/recompute.py"
JUPYTER = """{mkdocs-jupyter: {include: ['notebook/*.py'], ignore: ['*.md'], allow_errors: false, cache: false,
  include_source: true}}"""

PAGE = """\
# Page

[37,748,736 B](calc:one_sequence), [5](calc:five)

```python exec="on"
one_sequence, five = 37748736, 5
publish("B", one_sequence=one_sequence)
publish("", five=five)
```
"""
SMALL = """\
# %% [markdown]
# # Again
#
# A second route.

# %%
import json, os
values = {v["name"]: v for p in json.load(open(os.environ["NUMBERS_JSON"]))["pages"].values() for v in p["values"]}
differences = []

def check(page, **recomputed):
    for name, mine in recomputed.items():
        theirs = f"{values[name]['value']} {values[name]['unit']}".strip() if name in values else "nothing"
        if theirs.split()[0] != str(mine):
            differences.append(f"{page}: recomputed {name}: {mine}, published {theirs}")

# %%
check("page", one_sequence=12 * 2 * 12 * 1024 * 64 * 2,
      five=2 + 3)
print("<two>", "compared")
if differences:
    raise AssertionError("\\n".join(differences))
"""


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.fixture
def small(site: Callable, mkdocs: Callable) -> Callable[..., tuple[int, list[str], str]]:
    """small(script, page=PAGE): build a site of one page and a notebook; its status, its messages, all it printed."""
    made = site(PAGE)
    (made.root / "mkdocs.yml").write_text(
        MKDOCS_YML.replace("EXEMPT", "{}").replace("{numbers:", f"{JUPYTER}, {{numbers:"), encoding="utf-8"
    )

    def build(script: str, page: str = PAGE) -> tuple[int, list[str], str]:
        made.write(page)
        made.write(script, "notebook/again.py")
        status, output = mkdocs(made.root, "build", "-q")
        assert "Traceback" not in output, output
        return status, re.findall(r"^docs/\S+:\d+: .*", output, re.M), output

    build.root = made.root
    return build


def test_a_notebook_that_agrees_is_shown_with_what_it_printed_and_can_be_downloaded(small):
    status, messages, output = small(SMALL)
    assert (status, messages) == (0, [])
    assert re.fullmatch(r"\d+ claims, \d+ cells on \d+ pages hold\n", output)  # the audit's word
    folder = small.root / "site/notebook/again"
    html = (folder / "index.html").read_text()
    assert ("&lt;two&gt; compared" in html and 'id="Again"' in html) or 'id="again"' in html
    assert (folder / "again.py").read_text() == SMALL
    first = (folder / "again.ipynb").read_bytes()
    cells = json.loads(first)["cells"]
    assert [c["cell_type"] for c in cells] == ["markdown", "code", "code"] and "outputs" in cells[1]
    assert small(SMALL)[0] == 0 and (folder / "again.ipynb").read_bytes() == first


def test_every_wrong_number_ends_the_build_by_its_line_beside_the_pages_problems(small):
    assert small(SMALL)[0] == 0
    before = sorted((f, f.stat().st_mtime_ns) for f in (small.root / "site").rglob("*"))
    wrong = SMALL.replace("64 * 2,", "64 * 2 + 1,").replace("2 + 3", "2 + 4")
    status, messages, output = small(wrong, PAGE.replace("[5](calc", "[6](calc"))
    at = line_of(wrong, "one_sequence=12")
    assert status == 1
    assert messages == [
        'docs/page.md:3: claim "6": five is 5',
        f"docs/notebook/again.py:{at}: recomputed one_sequence: 37748737, published 37748736 B",
        f"docs/notebook/again.py:{at + 1}: recomputed five: 6, published 5",
    ]
    assert "1 number drifted on 1 page. 2 more problems to mend by hand." in output
    assert sorted((f, f.stat().st_mtime_ns) for f in (small.root / "site").rglob("*")) == before


KINDS = """\
# %% [markdown]
# # Kinds

# %%
print("a  <b>")
1 + 1

# %%
from IPython.display import HTML, display
display(HTML("<i>shown</i>"))

# %% tags=["raises-exception"]
[][5]
"""


def test_of_what_a_cell_puts_out_its_text_is_shown(tmp_path):
    """In one listing a cell; nothing of what is no text."""
    script = tmp_path / "kinds.py"
    script.write_text(KINDS)
    options = {"execute": True, "kernel_name": "", "theme": ""}
    html, _ = make({}, KINDS, ("kinds", "numbers.json", True), (str(script),), options)
    shown = re.findall('<div class="language-text highlight"><pre><code>(.*?)</code></pre></div>', html, re.S)
    assert shown[0] == "a  &lt;b&gt;\n2\n"
    assert "\nIndexError: list index out of range\n" in shown[1] and "\x1b" not in shown[1]
    assert len(shown) == 2 and "<i>shown</i>" not in html and html.count('<div class="block" data-search-exclude>') == 3


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("five=2 + 3", "five=two + 3", "a cell raised NameError: name 'two' is not defined"),
        ('print("<two>"', 'raise ValueError("no\\nmore")\nprint("<two>"', "a cell raised ValueError: no"),
        ('print("<two>"', 'assert 1 == 2\nprint("<two>"', "a cell raised AssertionError: "),
        ("five=2 + 3", "six=6", "recomputed six: 6, published nothing"),
    ],
)
def test_a_cell_that_fails_ends_the_build_by_its_line(small, old, new, message):
    status, messages, _ = small(script := SMALL.replace(old, new))
    assert (status, messages) == (1, [f"docs/notebook/again.py:{line_of(script, new)}: {message}"])


def test_a_kernel_that_dies_ends_the_build(small):
    status, messages, _ = small(SMALL.replace("import json, os", "import json, os; os._exit(3)"))
    assert status == 1
    (message,) = messages
    assert message.startswith("docs/notebook/again.py:1: the notebook does not run: Kernel died")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks the process up in /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_kernel_ends_with_its_build(small, mkdocs, sent):
    (small.root / "docs/notebook").mkdir()
    told = f'print(os.getpid(), file=open({str(small.root / "pid")!r}, "w"), flush=True)'
    (small.root / "docs/notebook/again.py").write_text(f"# %%\nimport os, time\n{told}\ntime.sleep(600)\n")
    status, output = mkdocs(small.root, "build", "-q", signal=sent, once="pid", after=0.1)
    assert status != 0 and "Traceback" not in output, output
    assert not still_alive([int((small.root / "pid").read_text())], 30)


def test_what_a_failing_block_did_not_publish_is_not_told_of_the_notebook_too(small):
    status, messages, _ = small(SMALL.replace("12 * 2", "13 * 2"), PAGE.replace("five = 37748736, 5", "five = 5"))
    assert status == 1
    (message,) = messages
    assert message.startswith("docs/page.md:6: the block raised TypeError")


def in_a_process(root: Path, code: str) -> subprocess.CompletedProcess:
    (root / "docs/notebook").mkdir()
    (root / "docs/notebook/again.py").write_text(SMALL.replace("2 + 3", "2 + 4"), encoding="utf-8")
    head = "from mkdocs.commands.build import build; from mkdocs.config import load_config\n"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", head + code]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def test_serve_shows_the_notebook_unrun_says_so_and_makes_it_once(small):
    done = in_a_process(
        small.root,
        """\
import nbconvert
for started in (True, False):
    config = load_config("mkdocs.yml", site_dir="served")
    if started:
        config.plugins.on_startup(command="serve", dirty=False)
    else:
        nbconvert.exporters.html.HTMLExporter = None
    build(config, serve_url="http://127.0.0.1/")
    print(config.plugins["numbers"].found)
""",
    )
    assert done.stdout == "[]\n[]\n", done.stderr
    html = (small.root / "served/notebook/again/index.html").read_text()
    assert "Not run" in html and "five" in html and "compared</code>" not in html
    assert (small.root / "served/notebook/again/again.ipynb").exists()


def test_a_notebook_that_hangs_ends_the_build(small):
    done = in_a_process(
        small.root,
        """\
from scaling_lesson.site import notebook
notebook.SETTINGS["NotebookClient"]["timeout"] = 4
from pathlib import Path
Path("docs/notebook/again.py").write_text("# %%\\nwhile True: pass\\n")
build(load_config("mkdocs.yml"))
""",
    )
    assert done.returncode == 1
    assert "docs/notebook/again.py:1: a cell of the notebook ran longer than 4 s" in done.stderr.splitlines(), (
        done.stderr
    )


def names_in_use() -> list[str]:
    text = re.sub(r"!\S+", "", (ROOT / "mkdocs.yml").read_text())
    return next(p["numbers"]["names"] for p in yaml.safe_load(text)["plugins"] if "numbers" in p)


def test_the_notebook_uses_nothing_of_the_lesson():
    tree = ast.parse(SCRIPT.read_text())
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.split(".")[0] for name in imported}
    assert roots - {"torch"} <= set(sys.stdlib_module_names) - {"importlib", "runpy", "subprocess"}
    assert not re.search(r"scaling_lesson|exec\(|eval\(|__import__", SCRIPT.read_text())


def test_its_text_holds_no_typed_results():
    cells = [cell for cell in jupytext.read(SCRIPT).cells if cell.cell_type == "markdown"]
    assert len(cells) > 5
    settings = Settings(tuple(names_in_use()), {}, "mkdocs.yml", "")
    assert [list(settings.naked(cell.source)) for cell in cells] == [[] for _ in cells]


def test_each_number_is_compared_once_and_by_a_literal_name():
    calls = [n for n in ast.walk(ast.parse(SCRIPT.read_text())) if isinstance(n, ast.Call)]
    calls = [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "check"]
    names = [(n.args[0].value, k.arg) for n in calls for k in n.keywords if k.arg != "within"]
    assert len(names) == len(set(names)) and all(name for _, name in names)


def test_the_built_page_compared_most_numbers_of_every_lesson_page(built):
    html = (built / "notebook/recompute.html").read_text()
    assert int(re.search(r"(\d+) numbers compared, 0 differ", html)[1]) >= 200
    compared = set(notebook.checked_names(SCRIPT.read_text()))
    for path, page in json.loads((built / "numbers.json").read_text())["pages"].items():
        if not path.startswith("docs/scaling-and-efficiency/"):
            continue
        slug = read(path, "").slug
        published = {(slug, value["name"]) for value in page["values"]}
        assert len(published & compared) >= 0.8 * len(published), sorted(published - compared)


def test_the_built_page_is_the_lessons_own_and_has_downloads(built):
    html = (built / "notebook/recompute.html").read_text()
    for sign in ("Traceback", "jp-Cell", "clipboard-copy", "mathjax", "mermaid", '<script src="http', "Not run"):
        assert sign not in html, sign
    for name in ("recompute.py", "recompute.ipynb"):
        assert re.search(rf'href="?{name}', html) and (built / "notebook" / name).exists()
    assert re.search(r'href="?../numbers.json"? download', html)
    assert (built / "notebook/recompute.py").read_text() == SCRIPT.read_text()


def as_script(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    (folder / "recompute.py").write_text(SCRIPT.read_text())
    return subprocess.run([sys.executable, "recompute.py", *arguments], cwd=folder, capture_output=True, text=True)


def test_it_runs_as_a_script_and_says_what_it_needs(built, tmp_path):
    assert "put the site's numbers.json beside this file" in as_script(tmp_path).stderr
    done = as_script(tmp_path, str(built / "numbers.json"))
    assert done.returncode == 0 and " 0 differ" in done.stdout, done.stderr


def test_no_number_it_compares_can_be_off_without_a_word(built, tmp_path):
    changed = json.loads((built / "numbers.json").read_text())
    published = set()
    for path, page in changed["pages"].items():
        for value in page["values"]:
            published.add((read(path, "").slug, value["name"]))
            value["value"] = slightly_off(value["value"], value["tolerance"])
    (tmp_path / "numbers.json").write_text(json.dumps(changed))
    done = as_script(tmp_path)
    told = re.findall(r"^(?:AssertionError: )?([\w-]+): recomputed (\w+): ", done.stderr, re.M)
    assert done.returncode == 1
    assert set(told) == published & set(notebook.checked_names(SCRIPT.read_text()))


def slightly_off(text: str, tolerance: float) -> str:
    """A published value that is no longer right: a number by a hundred-thousandth, and more than its tolerance."""
    try:
        value = Fraction(text)
    except ValueError:
        return {"True": "False", "False": "True"}.get(text, "another")
    if value.denominator == 1 and "." not in text and "e" not in text:
        return str(value + 1)
    return str(float(value + (abs(value) or 1) / 100_000 + 3 * Fraction(tolerance)))
