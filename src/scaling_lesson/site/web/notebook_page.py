"""The notebook's page in the lesson's own markup, and the notebook to download."""

from html import escape
from typing import Any
from unittest.mock import patch

import jupytext
from bs4 import BeautifulSoup
from mkdocs_jupyter import convert

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


def nb2html(*args: Any, **options: Any) -> str:
    """The notebook, run and made HTML by mkdocs-jupyter. nbconvert would parse it all to mark boxes that scroll, which
    takes most of a second, and none of them is left on the page."""
    with patch("nbconvert.exporters.html.BeautifulSoup", _Unparsed):
        return convert.nb2html(*args, **options)


def page_html(html: str, stem: str, numbers: str, executed: bool) -> str:
    """The notebook in the lesson's own markup, with links to download it: mkdocs-jupyter's brings half a megabyte of
    style, and scripts from other hosts, none of which it then needs."""
    parts = []
    body = html[html.index('<div class="jupyter-wrapper">') :]
    for cell in BeautifulSoup(body, "html.parser").select(".jp-Notebook-cell:not(:has(.jp-Notebook-cell))"):
        parts += [text.decode_contents() for text in cell.select(".jp-RenderedMarkdown")]
        listings = [("python", code.decode_contents()) for code in cell.select(".highlight-ipynb pre")]
        if printed := "".join(output.get_text() for output in cell.select(".jp-OutputArea-output pre")).strip("\n"):
            listings.append(("text", f"{escape(printed)}\n"))
        shown = [
            f'<div class="language-{name} highlight"><pre><code>{text}</code></pre></div>' for name, text in listings
        ]
        if shown:
            parts.append(f'<div class="block" data-search-exclude>{"".join(shown)}</div>')
    downloads = (
        f'<p>Download it: <a href="{stem}.ipynb" download>notebook</a>, <a href="{stem}.py" download>script</a>, '
        f'<a href="{numbers}" download>the published numbers</a>.</p>'
    )
    body = "\n".join(parts).replace('class="anchor-link"', 'class="headerlink" title="Permanent link"')
    return body.replace("</h1>", f"</h1>{downloads}{'' if executed else _UNRUN}", 1)


def to_ipynb(source: str) -> str:
    """The script as a notebook without outputs, the same text at every build."""
    notebook = jupytext.reads(source, fmt="py:percent")
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number}"
    return jupytext.writes(notebook, fmt="ipynb")
