"""Other programs on the same pages, for `scripts/bench --peers`: each page a notebook, run and shown, nothing checked.

They are installed into a folder of their own beside this project's packages, which their notebooks use.
"""

import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
import venv
from pathlib import Path

import jupytext
import yaml
from bench import ASIDE, MKDOCS, checkout, configure, in_turn, pages_alone, seconds, show

PINS = ["sphinx==9.0.4", "myst-nb==1.4.0", "jupyter-book==2.1.7"]
BLOCK = re.compile(r'^```python exec="on"[^\n]*\n(.*?)^```$', re.M | re.S)
BOOK = "jupyter-book build --execute; test $(ls _build/execute | wc -l) -ge $(find . -path ./_build -prune -o -name '*.md' -print | wc -l)"
"""It fetches its theme at last, which fails offline: what counts is that it ran every notebook."""
FIRST = """
import os
from IPython.display import display as _display

os.chdir(os.environ["BENCH_SITE"])

def _nothing(*_, **__):
    pass

def figure(drawn, **_):
    _display(drawn)

publish = table = cite = _nothing
"""
KERNEL = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n  display_name: Python\n---\n"


def notebooks(site: Path, folder: Path) -> list[Path]:
    """The pages that run code, as MyST notebooks under the folder."""
    made = []
    for page in sorted((site / "docs").rglob("*.md")):
        text = re.sub(r"\A---\n.*?\n---\n", "", page.read_text("utf-8"), flags=re.S)
        if not BLOCK.search(text) or set(ASIDE) & set(page.parts):
            continue
        text = re.sub(r"\[([^\[\]\n]+)\]\(calc:[^)]*\)", r"\1", text)
        text = BLOCK.sub(lambda block: f"```{{code-cell}} ipython3\n{block[1]}```", text)
        title, rest = text.strip().split("\n", 1)
        file = folder / page.relative_to(site / "docs")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{KERNEL}\n{title}\n\n```{{code-cell}} ipython3{FIRST}```\n{rest}\n", "utf-8")
        made.append(file)
    return made


def sphinx(site: Path, folder: Path) -> None:
    """myst-nb's project."""
    names = [page.relative_to(folder).with_suffix("").as_posix() for page in notebooks(site, folder)]
    toc = "\n".join(["Pages", "=====", "", ".. toctree::", "", *(f"   {name}" for name in names)])
    (folder / "contents.rst").write_text(toc, "utf-8")
    (folder / "conf.py").write_text(
        'extensions = ["myst_nb"]\nroot_doc = "contents"\nnb_execution_mode = "force"\nnb_execution_raise_on_error = True\n'
        'nb_execution_timeout = 300\nmyst_enable_extensions = ["attrs_inline", "attrs_block", "deflist"]\n'
    )


def mkdocs_jupyter(site: Path, folder: Path) -> None:
    """A site of mkdocs-jupyter with a notebook a page."""
    checkout(folder)
    configure(folder, ("search", "mkdocs-jupyter"), ASIDE)
    for page in notebooks(site, folder / "docs"):
        jupytext.write(jupytext.read(page, fmt="md:myst"), page.with_suffix(".ipynb"))
        page.unlink()
        page.with_suffix(".record").unlink(missing_ok=True)
    with (folder / "mkdocs.yml").open() as file:
        config = yaml.safe_load(file)
    (jupyter,) = [plugin for plugin in config["plugins"] if "mkdocs-jupyter" in plugin]
    jupyter["mkdocs-jupyter"] = {"execute": True, "allow_errors": False}
    del config["nav"]
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")


def jupyter_book(site: Path, folder: Path) -> None:
    """The project of jupyter-book."""
    pages = [{"file": page.relative_to(folder).as_posix()} for page in notebooks(site, folder)]
    config = {"version": 1, "project": {"toc": pages}, "site": {}}
    (folder / "myst.yml").write_text(yaml.safe_dump(config), "utf-8")


def install(folder: Path) -> Path:
    """The programs of an environment in which notebooks find this project's packages too."""
    venv.create(folder, with_pip=True)
    here = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    (Path(here) / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *PINS], check=True)
    return folder / "bin"


def compare(rounds: int = 1) -> None:
    """Print each program's time, and how many times ours it is."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root, programs = Path(folder), install(Path(folder, "venv"))
        ours = pages_alone(root / "ours")
        for name, make in {"sphinx": sphinx, "mkdocs": mkdocs_jupyter, "book": jupyter_book}.items():
            (root / name).mkdir()
            make(ours, root / name)
        pythons = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ours / "src")}
        pythons |= {"BENCH_SITE": str(ours), "JUPYTER_CONFIG_DIR": str(root)}
        (root / "jupyter_server_config.json").write_text('{"ServerApp": {"allow_root": true}}')

        def fresh(name: str, command: list) -> float:
            for left in ("_build", "site"):
                shutil.rmtree(root / name / left, ignore_errors=True)
            return seconds(command, root / name, **pythons)

        taken = in_turn(
            {
                "this project, every number checked": lambda: seconds([*MKDOCS, "build", "-q"], ours),
                "sphinx with myst-nb": lambda: fresh("sphinx", ["sphinx-build", "-q", ".", "_build"]),
                "a notebook a page by mkdocs-jupyter": lambda: fresh("mkdocs", ["mkdocs", "build", "-q"]),
                "jupyter-book, all run and no HTML": lambda: fresh("book", ["sh", "-c", BOOK]),
            },
            rounds,
        )
        first = taken["this project, every number checked"]
        for name, times in taken.items():
            show(f"{name}: {sum(times) / sum(first):.1f} times ours", times)
