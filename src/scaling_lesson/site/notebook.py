"""The notebook page: run by mkdocs-jupyter when every other page is rendered, and shown as the lesson's own pages are.

The notebook reads the numbers of all pages, so it has to wait for them. What differs it raises as one AssertionError,
one line each, `page: recomputed name: 5, published 6 B`; here the lines become messages of the gate.
"""

import ast
import json
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from unittest.mock import patch

import jupytext
from bs4 import BeautifulSoup
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import TableOfContents
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from scaling_lesson.site.gate import Problem
from scaling_lesson.site.show.blocks import error_html

SETTINGS = {
    "KernelManager": {"transport_encryption": "auto"},  # else the kernel warns that others could listen
    "NotebookClient": {"timeout": 120},  # seconds a cell
}
_DIFFERENCE = re.compile(r"(?P<page>[\w-]+): (?P<message>recomputed (?P<name>\w+): .*)")
_UNRUN = (
    '<div class="admonition note"><p class="admonition-title">Not run</p><p>A kernel takes seconds to start, so '
    "<code>serve</code> shows the notebook without its outputs. <code>scripts/build</code> runs it.</p></div>"
)


def is_notebook(file: File) -> bool:
    """Whether mkdocs-jupyter makes this file's page."""
    return file.src_uri.endswith(".py")


@dataclass
class Shown:
    """A notebook's page, made from `source`."""

    source: str
    content: str
    toc: TableOfContents
    title: str
    ipynb: str


def postpone(page: Page, path: str) -> Callable[..., tuple[Shown, list[Problem]]]:
    """Leave the page empty for now. What is returned renders it, and tells what it found.

    It is called as finish(numbers, unknown, config, files, executed, kept): numbers are those of numbers.json, unknown the
    pages of which some are not known, kept the page as it was made last, which serves again while the script is the
    same, or None. path: how messages name the script.
    """
    render, script = page.render, Path(page.file.abs_src_path)
    page.render, page.content, page.toc = (lambda config, files: None), "", TableOfContents([])

    def finish(
        numbers: dict, unknown: set[str], config: MkDocsConfig, files: Files, executed: bool, kept: Shown | None
    ) -> tuple[Shown, list[Problem]]:
        def run() -> None:
            render(config, files)

        source = script.read_text(encoding="utf-8")
        found = []
        if kept and kept.source == source:
            shown = kept
        else:
            if executed:
                found = _run(run, source, path, numbers, unknown)
            else:
                run()
            content = "".join(error_html(str(problem)) for problem in found)
            if page.content:  # it ran to its end
                content += page_html(page.content, script.stem, executed)
            shown = Shown(source, content, page.toc, page.title, to_ipynb(source))
        page.content, page.toc, page.title = shown.content, shown.toc, shown.title
        target = Path(page.file.abs_dest_path).with_name(f"{script.stem}.ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(shown.ipynb, encoding="utf-8")
        return shown, found

    return finish


def _run(run: Callable[[], None], source: str, path: str, numbers: dict, unknown: set[str]) -> list[Problem]:
    """Run a notebook, in a kernel that inherits this process's environment, on what the pages publish."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "numbers.json")
        listed.write_text(json.dumps(numbers), encoding="utf-8")
        Path(folder, "jupyter_nbconvert_config.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
        # Nor do the author's own Jupyter settings and start-up files reach the kernel.
        ours = {"NUMBERS_JSON": str(listed), "JUPYTER_CONFIG_DIR": folder, "IPYTHONDIR": folder}
        try:
            with patch.dict(os.environ, ours):
                run()
        except CellExecutionError as error:
            return _problems(error, source, path, unknown)
        except CellTimeoutError:
            limit = SETTINGS["NotebookClient"]["timeout"]
            return [Problem(path, 1, f"a cell of the notebook ran longer than {limit} s")]
        except Exception as error:  # a kernel can fail to start in many ways
            return [Problem(path, 1, f"the notebook does not run: {error}")]
    return []


def _problems(error: CellExecutionError, source: str, path: str, unknown: set[str]) -> list[Problem]:
    matches = [_DIFFERENCE.fullmatch(line) for line in error.evalue.split("\n")]
    if error.ename != "AssertionError" or not all(matches):
        message = f"a cell raised {error.ename}: {error.evalue.splitlines()[0] if error.evalue else ''}"
        return [Problem(path, _failing_line(error.traceback, source), message)]
    lines = checked_names(source)
    return [
        Problem(path, lines.get((m["page"], m["name"]), 1), m["message"])
        for m in matches
        if not (m["message"].endswith("published nothing") and m["page"] in unknown)  # why, is told of the page
    ]


def _failing_line(traceback: str, source: str) -> int:
    """The script's line of a failing cell's line; both are told by the error's text."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", traceback)
    cell = re.search(r"-{18}\n(.*?)\n-{18}\n", plain, re.S)
    line = re.search(r"Cell In\[\d+\], line (\d+)", plain)
    at = source.find(cell[1]) if cell else -1
    return source.count("\n", 0, max(at, 0)) + (int(line[1]) if line else 1)


def checked_names(source: str) -> dict[tuple[str, str], int]:
    """What a notebook compares: (page, name) of every `check("page", name=...)` in it, with the line of the name."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {
        (call.args[0].value, keyword.arg): keyword.lineno
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "check" and call.args
        for keyword in call.keywords
    }


def page_html(html: str, stem: str, executed: bool) -> str:
    """The notebook in the lesson's own markup, with links to download it: mkdocs-jupyter's brings half a megabyte of
    style, and scripts from other hosts, none of which it then needs."""
    parts = []
    body = html[html.index('<div class="jupyter-wrapper">') :]
    for cell in BeautifulSoup(body, "html.parser").select(".jp-Notebook-cell:not(:has(.jp-Notebook-cell))"):
        if text := cell.select_one(".jp-RenderedMarkdown"):
            parts.append(text.decode_contents())
            continue
        code = cell.select_one(".highlight-ipynb pre").decode_contents()
        printed = "".join(output.get_text() for output in cell.select(".jp-OutputArea-output pre")).strip("\n")
        listing = _listing("python", code) + (_listing("text", f"{escape(printed)}\n") if printed else "")
        parts.append(f'<div class="block" data-search-exclude>{listing}</div>')
    downloads = (
        f'<p>Download it: <a href="{stem}.ipynb" download>notebook</a>, <a href="{stem}.py" download>script</a>, '
        '<a href="../../numbers.json" download>the published numbers</a>.</p>'
    )
    body = "\n".join(parts).replace('class="anchor-link"', 'class="headerlink" title="Permanent link"')
    return body.replace("</h1>", f"</h1>{downloads}{'' if executed else _UNRUN}", 1)


def _listing(language: str, code: str) -> str:
    return f'<div class="language-{language} highlight"><pre><code>{code}</code></pre></div>'


def to_ipynb(source: str) -> str:
    """The script as a notebook without outputs, the same text at every build."""
    notebook = jupytext.reads(source, fmt="py:percent")
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number}"
    return jupytext.writes(notebook, fmt="ipynb")
