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
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.toc import TableOfContents
from mkdocs.utils import get_relative_url
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from scaling_lesson.site.gate import Problem
from scaling_lesson.site.show.blocks import error_html
from scaling_lesson.site.web.notebook_page import page_html, to_ipynb

SETTINGS = {
    "KernelManager": {"transport_encryption": "auto"},  # else the kernel warns that others could listen
    "NotebookClient": {"timeout": 120},  # seconds a cell
}


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


def postpone(page: Any, path: str) -> Callable[..., tuple[Shown, list[Problem]]]:
    """Leave the page empty for now. What is returned renders it, and tells what it found.

    It is called as finish(numbers, unknown, config, files, executed, kept): numbers are those of numbers.json, unknown
    the pages of which some are not known, kept the page as it was made last, which serves again while the script is
    the same, or None. path: how messages name the script.
    """
    render, script = page.render, Path(page.file.abs_src_path)
    page.render, page.content, page.toc = (lambda config, files: None), "", TableOfContents([])

    def finish(
        numbers: dict, unknown: set[str], config: MkDocsConfig, files: Files, executed: bool, kept: Shown | None
    ) -> tuple[Shown, list[Problem]]:
        source, found = script.read_text(encoding="utf-8"), []
        if kept is None or kept.source != source:
            with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, _environment(folder, numbers)):
                try:
                    render(config, files)
                except Exception as error:
                    found = [Problem(path, line, message) for line, message in _told(error, source, unknown)]
            content = "".join(error_html(str(problem)) for problem in found)
            if page.content:  # it ran to its end
                content += page_html(page.content, script.stem, get_relative_url("numbers.json", page.url), executed)
            kept = Shown(source, content, page.toc, page.title, to_ipynb(source))
        page.content, page.toc, page.title = kept.content, kept.toc, kept.title
        target = Path(page.file.abs_dest_path).with_name(f"{script.stem}.ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(kept.ipynb, encoding="utf-8")
        return kept, found

    return finish


def _environment(folder: str, numbers: dict) -> dict[str, str]:
    """What the kernel gets: the numbers, and none of the author's own Jupyter settings and start-up files."""
    for name, content in (("numbers.json", numbers), ("jupyter_nbconvert_config.json", SETTINGS)):
        Path(folder, name).write_text(json.dumps(content), encoding="utf-8")
    return {"NUMBERS_JSON": f"{folder}/numbers.json", "JUPYTER_CONFIG_DIR": folder, "IPYTHONDIR": folder}


def _told(error: Exception, source: str, unknown: set[str]) -> list[tuple[int, str]]:
    """The line and the message of each thing that ended a notebook's run."""
    if isinstance(error, CellTimeoutError):
        return [(1, f"a cell of the notebook ran longer than {SETTINGS['NotebookClient']['timeout']} s")]
    if not isinstance(error, CellExecutionError):  # a kernel can fail to start in many ways
        return [(1, f"the notebook does not run: {error}")]
    first, *more = error.evalue.split("\n")
    differences = re.findall(r"^([\w-]+): (recomputed (\w+): .*)$", error.evalue, re.M)
    if error.ename != "AssertionError" or len(differences) != 1 + len(more):
        cell = error.traceback.split(f"\n{'-' * 18}\n")[1]  # the error's text has it between two rules
        line = re.search(r"In\[\d+\]\S*, line (\d+)", error.traceback)
        above = source.count("\n", 0, max(source.find(cell), 0))
        return [(above + int(line[1] if line else 1), f"a cell raised {error.ename}: {first}")]
    lines = checked_names(source)
    return [
        (lines.get((page, name), 1), message)
        for page, message, name in differences
        if not (message.endswith("published nothing") and page in unknown)  # why, is told of the page
    ]


def checked_names(source: str) -> dict[tuple[str, str], int]:
    """What a notebook compares: (page, name) of every `check("page", name=...)` in it, with the line of the name."""
    names = {}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="check"), args=[ast.Constant(value=page), *_], keywords=keywords):
                names |= {(page, keyword.arg): keyword.lineno for keyword in keywords}
    return names
