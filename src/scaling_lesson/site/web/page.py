"""The last touch to a page's HTML: what Material, Pygments and Markdown's tables leave out for those who do not see the
page, and what they put in that nobody needs. A theme cannot be configured to do these, and overriding its templates
would copy them."""

import re

_PLAIN = re.compile(
    r'<span></span>|<span class="(?!(?:[ckg]\w?|s(?![ai])\w?|ow)")(?:[a-z][a-z0-9]?|normal)">([^<]*)</span>'
)
"""Coloured code: names, numbers and operators in the colour of the text, so elements for nothing; line numbers too."""

_NAMES = {
    'data-md-component="search" role="dialog"': 'data-md-component="search" role="dialog" aria-label="Search"',
    'id="__drawer"': 'id="__drawer" aria-label="Navigation"',
    'id="__search"': 'id="__search" aria-label="Search"',
    'id="__toc"': 'id="__toc" aria-label="Contents of this page"',
}
"""Parts of the theme that screen readers would call nothing."""


def polished(html: str) -> str:
    """The page, for every reader."""
    for part, named in _NAMES.items():
        html = html.replace(part, named, 1)
    html = _PLAIN.sub(lambda match: match[1] or "", html)
    return re.sub("<table>(.*?)</table>", _table, html, flags=re.S)


def _table(match: re.Match) -> str:
    """A table that scrolls when too wide. No title over the first column: its cells are titles of rows."""
    head, end, body = match[1].partition("</thead>")
    head, untitled = re.subn(r"^(\s*<thead>\s*<tr>\s*)<th\b[^>]*>\s*</th>", r"\1<td></td>", head)
    if untitled:
        body = re.sub(r"(<tr>\s*)<td\b([^>]*)>(.*?)</td>", r'\1<th scope="row"\2>\3</th>', body, flags=re.S)
    return f'<div class="scroll"><table class="data">{head}{end}{body}</table></div>'
