"""The notebook's page in the lesson's own markup, and the notebook to download."""

from pathlib import Path
from typing import Any
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


def page_html(notebook: tuple, options: dict[str, Any], stem: str, numbers: str, executed: bool) -> str:
    """The notebook, run and made HTML by mkdocs-jupyter, in the lesson's own markup, with links to download it."""
    settings.templates_dir = str(Path(__file__).parent)
    # nbconvert would parse it all to mark boxes that scroll, which takes most of a second.
    with patch("nbconvert.exporters.html.BeautifulSoup", _Unparsed):
        body = convert.nb2html(*notebook, **options)
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
