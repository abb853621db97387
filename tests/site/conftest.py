"""Small sites to gate, and a copy of the real one to break."""

import fcntl
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from scaling_lesson.site.accept import compute
from scaling_lesson.site.gate import Page, summary
from scaling_lesson.site.numbers.record import accepted
from scaling_lesson.site.plugin import NumbersPlugin

ROOT = Path(__file__).resolve().parents[2]

DATED = {"SOURCE_DATE_EPOCH": "1795922361"}
"""When the real site is built, so that two of it can be compared."""

THEME = Path(__file__).parent / "drift/small/site/theme"
"""None: what stands around a page takes longer than the page."""

MKDOCS_YML = f"""\
site_name: Small
theme: {{name: null, custom_dir: {THEME}}}
exclude_docs: "*.record"
plugins: [search, {{markdown-exec: {{languages: [python], ansi: "off"}}}}, {{numbers: {{names: [GPT-2, float16], exempt: EXEMPT}}}}]
markdown_extensions: [admonition, attr_list, def_list, md_in_html, tables, pymdownx.details, pymdownx.blocks.caption,
  pymdownx.highlight, {{pymdownx.superfences: {{disable_indented_code_blocks: true}}}}]
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at the whole real site, or opens it in a browser, is slow. Each of the two workers, who begin with half
    of the tests each, begins with a part of the longest one: else one would be left with it at the end."""
    for item in items:
        if {"built", "browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    longest = [item for item in items if "test_every_defect_of_the_lesson" in item.name]
    items[:] = [item for item in items if item not in longest]
    for part, item in reversed([*enumerate(longest)]):
        items.insert(part * len(items) // len(longest), item)


@dataclass
class SmallSite:
    """A site in a folder of its own, gated in this process."""

    root: Path
    built: NumbersPlugin | None = None

    def page(self, path: str = "docs/page.md") -> Page:
        """A page as it was built last."""
        return next(page for page in self.built.pages if page.path == path)

    def write(self, text: str, name: str = "page.md") -> Path:
        file = self.root / "docs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return file

    def dress(self) -> None:
        """Give it the real site's theme, with navigation and scripts."""
        settings = self.root / "mkdocs.yml"
        text = re.sub(
            "^theme:.*", "theme: {name: material, font: false}", settings.read_text(encoding="utf-8"), flags=re.M
        )
        settings.write_text(text, encoding="utf-8")

    def accept(self) -> None:
        """Record what every page computes now, whatever it is."""
        for page in compute(self.root / "mkdocs.yml").pages:
            if page.results.entries:
                file = page.file.with_suffix(".record")
                file.write_text(accepted(page.record, page.results.entries), encoding="utf-8")

    def messages(self) -> list[str]:
        """Every problem, as the build prints it."""
        self.built = compute(self.root / "mkdocs.yml")
        self.summary = summary(self.built.found)
        return [str(problem) for problem in self.built.found]

    def html(self, name: str = "page/index.html") -> str:
        """The built page; the site must pass the gate."""
        config = load_config(str(self.root / "mkdocs.yml"))
        config.plugins["numbers"].quiet = True
        build(config)
        return (self.root / "site" / name).read_text(encoding="utf-8")

    def fails(self) -> bool:
        try:
            self.html()
        except Abort:
            return True
        return False


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def still_alive(pids: Iterable[int], seconds: float) -> list[int]:
    """Those that have not ended after so many seconds."""
    end = time.monotonic() + seconds
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., SmallSite]:
    """site(text, accepted=True, exempt="{}"): a site of one page, whose numbers are recorded unless accepted=False."""
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)

    def make(text: str, accepted: bool = True, exempt: str = "{}") -> SmallSite:
        made = SmallSite(tmp_path)
        (tmp_path / "mkdocs.yml").write_text(MKDOCS_YML.replace("EXEMPT", exempt), encoding="utf-8")
        made.write("# Home\n", "index.md")
        made.write(text)
        if accepted:
            made.accept()
        return made

    return make


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallSite:
    """A site of no page yet, with the real site's settings; but without its look, which takes longer than a page."""
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    monkeypatch.setenv("REFERENCE", "false")  # the pages of the reference code are not here
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    settings = re.sub(r"^nav:\n(?: .*\n)+", "", settings, flags=re.M)
    settings = re.sub(r"^theme:\n(?: .*\n)+", "theme: {name: null, custom_dir: theme}\n", settings, flags=re.M)
    settings = re.sub(
        r"^(?:  - search\n|  - (?:mkdocs-jupyter|web):.*\n(?:      .*\n)+|extra_css: .*\n|extra_javascript: .*\n)",
        "",
        settings,
        flags=re.M,
    )
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    shutil.copytree(Path(__file__).parent / "drift/small/site/theme", tmp_path / "theme")
    made = SmallSite(tmp_path)
    made.write("# Home\n", "index.md")
    made.write("# Glossary\n\nToken table\n:   A vector for each token.\n", "glossary.md")
    return made


def copy_lesson(to: Path) -> None:
    """All that a build reads."""
    for name in ("docs", "src"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "mkdocs.yml", to)


@pytest.fixture
def script() -> Callable[..., subprocess.CompletedProcess]:
    """script(folder, "scripts/build", ..., CI="true"): run it there, without CI unless given."""

    def run(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess:
        outside = {key: value for key, value in os.environ.items() if key != "CI"}
        # Should the shared .venv not fit the checkout, fail at once rather than set one up.
        environment = outside | {"PYTHON": "/nonexistent"} | settings
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    return run


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clean copy of this checkout that shares its virtual environment."""
    copy = tmp_path / "checkout"
    copy_lesson(copy)
    shutil.copytree(ROOT / "scripts", copy / "scripts")
    for name in ("pyproject.toml", "constraints.txt", "README.md"):
        shutil.copy(ROOT / name, copy)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


@pytest.fixture(scope="session")
def mkdocs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., tuple[int, str]]]:
    """mkdocs(folder, "build", "-q", ...): the command as a process of its own; its exit status and what it printed.

    What warm.py can do more is named, such as signal=2.
    """
    out = tmp_path_factory.mktemp("mkdocs") / "out.txt"
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, str(Path(__file__).with_name("warm.py"))]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=environment) as warm:
        assert warm.stdout.readline() == "ready\n"

        def run(folder: Path, *argv: str, **more: object) -> tuple[int, str]:
            warm.stdin.write(json.dumps({"cwd": str(folder), "argv": argv, "out": str(out), **more}) + "\n")
            warm.stdin.flush()
            return int(warm.stdout.readline()), out.read_text(encoding="utf-8")

        yield run
        warm.stdin.close()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The real site, built once, for whoever runs tests beside us too: look, and change nothing."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    told = folder / "built.json"
    with (folder / "built.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            copy_lesson(folder / "built")
            told.write_text(
                json.dumps(request.getfixturevalue("mkdocs")(folder / "built", "build", "-q", environment=DATED)),
                "utf-8",
            )
    status, output = json.loads(told.read_text("utf-8"))
    assert status == 0, output
    return folder / "built/site"
