"""The notebook's page in the lesson's own markup, and the notebook to download."""

import os
from pathlib import Path
from unittest.mock import patch

import jupytext
from mkdocs_jupyter import convert
from mkdocs_jupyter.config import settings

_UNRUN = (
    '<div class="admonition note"><p class="admonition-title">Not run</p><p>A kernel takes seconds to start, so '
    "<code>serve</code> shows the notebook without its outputs. <code>scripts/build</code> runs it.</p></div>"
)


class _Unparsed(str):
    """A text in the place of a parsed one."""

    def __new__(cls, html: str, features: str) -> "_Unparsed":
        return super().__new__(cls, html)

    def select(self, selector: str) -> tuple:
        return ()


def make(environment: dict[str, str], source: str, shown_as: tuple, args: tuple, options: dict) -> tuple[str, str]:
    """Run the notebook; its page, and the script as a notebook without outputs.

    args, options: of mkdocs-jupyter's nb2html. shown_as: its name, the address of the numbers, and whether it runs.
    """
    os.environ.update(environment)
    settings.templates_dir = str(Path(__file__).parent)
    # nbconvert would parse it all to mark boxes that scroll, which takes most of a second.
    with patch("nbconvert.exporters.html.BeautifulSoup", _Unparsed):
        body = convert.nb2html(*args, **options)
    return _with_downloads(body, *shown_as), to_ipynb(source)


def _with_downloads(body: str, stem: str, numbers: str, executed: bool) -> str:
    downloads = (
        f'<p>Download it: <a href="{stem}.ipynb" download>notebook</a>, <a href="{stem}.py" download>script</a>, '
        f'<a href="{numbers}" download>the published numbers</a>.</p>'
    )
    return body.replace("</h1>", f"</h1>{downloads}{'' if executed else _UNRUN}", 1)


def to_ipynb(source: str) -> str:
    """The script as a notebook without outputs, the same text at every build."""
    notebook = jupytext.reads(source, fmt="py:percent")
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number}"
    return jupytext.writes(notebook, fmt="ipynb")
