"""The notebook page: run by mkdocs-jupyter beside the other pages, and shown as the lesson's own pages are.

The notebook reads the numbers of all pages from a pipe, so it waits for them there. What differs it raises as one
AssertionError, one line each, `page: recomputed name: 5, published 6 B`; here the lines become messages of the gate.
"""

import ast
import contextlib
import json
import os
import re
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.toc import TableOfContents
from mkdocs.utils import get_relative_url

from scaling_lesson.site.gate import Problem
from scaling_lesson.site.run.results import Results
from scaling_lesson.site.run.worker import Runner
from scaling_lesson.site.show.blocks import error_html
from scaling_lesson.site.web.notebook_page import make
from scaling_lesson.site.web.numbers_json import recomputable

SETTINGS = {
    "KernelManager": {"transport_encryption": "auto"},  # else the kernel warns that others could listen
    "NotebookClient": {"timeout": 300},  # seconds a cell: the first may wait for the pages
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


Finish = Callable[[set[str]], tuple[Shown, list[Problem]]]


def begin(
    page: Any,
    path: str,
    config: MkDocsConfig,
    files: Files,
    runner: Runner,
    runs: Mapping[str, Future[Results]],
    executed: bool,
    kept: Shown | None,
) -> Finish:
    """Begin to run a notebook and to make its page, which stays empty until what is returned is called.

    That waits, and tells what it found; it is given the pages of which some numbers are not known. path: how messages
    name the script. runs: all other pages. kept: the page as it was made last, which serves again while the script is
    the same.
    """
    render, script = page.render, Path(page.file.abs_src_path)
    page.render, page.content, page.toc = (lambda config, files: None), "", TableOfContents([])
    source = script.read_text(encoding="utf-8")
    begun: list[Future[tuple[str, str]]] = []
    made: Future[tuple[str, str]] = Future()
    if kept is None or kept.source != source:
        kept, folder = None, tempfile.TemporaryDirectory()
        try:
            shown_as = script.stem, get_relative_url("numbers.json", page.url), executed
            beside = partial(runner.beside, make, _environment(folder.name, runs), source, shown_as)
            with patch("mkdocs_jupyter.convert.nb2html", lambda *args, **how: begun.append(beside(args, how)) or ""):
                render(config, files)  # all but the notebook's own HTML
            made = begun[0]
        except Exception as error:
            made.set_exception(error)

    def finish(unknown: set[str]) -> tuple[Shown, list[Problem]]:
        shown, found = kept, []
        if shown is None:
            try:
                content, ipynb = made.result()
            except Exception as error:
                found = [Problem(path, line, message) for line, message in _told(error, source, unknown)]
                content, ipynb = "".join(error_html(str(problem)) for problem in found), ""
            shown = Shown(source, content, page.toc, page.title, ipynb)
            folder.cleanup()
        page.content, page.toc, page.title = shown.content, shown.toc, shown.title
        target = Path(page.file.abs_dest_path).with_name(f"{script.stem}.ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(shown.ipynb, encoding="utf-8")
        return shown, found

    return finish


def _environment(folder: str, runs: Mapping[str, Future[Results]]) -> dict[str, str]:
    """What the kernel gets: the numbers, once they are there, and none of the author's own Jupyter settings."""
    Path(folder, "jupyter_nbconvert_config.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    pipe = Path(folder, "numbers.json")
    os.mkfifo(pipe)

    def fill() -> None:
        known = {path: run.result() for path, run in runs.items() if not run.exception()}
        with contextlib.suppress(OSError), pipe.open("w", encoding="utf-8") as file:  # if the notebook ends unread
            json.dump(recomputable(known), file)

    threading.Thread(target=fill, daemon=True).start()
    return {"NUMBERS_JSON": str(pipe), "JUPYTER_CONFIG_DIR": folder, "IPYTHONDIR": folder}


def _told(error: Any, source: str, unknown: set[str]) -> list[tuple[int, str]]:
    """The line and the message of each thing that ended a notebook's run."""
    kind = type(error).__name__  # to import nbclient's classes would take every build a tenth of a second
    if kind == "CellTimeoutError":
        return [(1, f"a cell of the notebook ran longer than {SETTINGS['NotebookClient']['timeout']} s")]
    if kind != "CellExecutionError":  # a kernel can fail to start in many ways
        return [(1, f"the notebook does not run: {str(error) or 'its process ended'}")]
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
    with contextlib.suppress(SyntaxError):
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Name(id="check"), args=[ast.Constant(value=page), *_], keywords=keywords):
                    names |= {(page, keyword.arg): keyword.lineno for keyword in keywords}
    return names
