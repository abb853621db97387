"""The whole lesson on one page, to print, to keep, or to search with the browser."""

import posixpath
import re
from collections.abc import Sequence
from html import escape
from urllib.parse import urldefrag, urljoin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

NAME = "print.html"
_POINTS = re.compile(
    r'(?<=[\s"(])(?:(?P<what>id|for|aria-\w+|href|xlink:href)="(?P<to>[^"]*)"|url\(#(?P<drawn>[^)]*)\))'
)


def whole(config: MkDocsConfig, lesson: Sequence[Page], contents: Sequence[str], styles: Sequence[str]) -> str:
    """The page, of the contents of the lesson's pages. styles: the addresses of its style sheets.

    Ids get their page's name in front. Links between the pages stay on this one; a claim's leads to its own page.
    """
    names = {page.url: posixpath.splitext(page.file.src_uri)[0].replace("/", "-") for page in lesson}
    parts = [_part(page.url, names, content) for page, content in zip(lesson, contents, strict=True)]
    sheets = "".join(f'<link rel="stylesheet" href="{style}">' for style in styles)
    canonical = f'<link rel="canonical" href="{config.site_url}{NAME}">' if config.site_url else ""
    head, name = f"{canonical}{sheets}", escape(config.site_name)
    return f"""<!doctype html>
<html lang="en" class="js">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width,initial-scale=1">
    <meta name="description" content="The whole lesson on one page, to print, to keep, or to search in.">
    <title>The whole lesson - {name}</title>
    <link rel="icon" href="{config.theme["favicon"]}">
    {head}
  </head>
  <body data-md-color-scheme="auto" data-md-color-primary="custom" data-md-color-accent="custom">
    <main class="md-main__inner md-grid md-content">
      <article class="md-content__inner md-typeset whole">
        <p><a href="index.html">{name}</a>, the whole lesson on one page.</p>
        <h1>{name}</h1>
        {"".join(parts)}
      </article>
    </main>
  </body>
</html>
"""


def _part(url: str, names: dict[str, str], content: str) -> str:
    def pointed(match: re.Match) -> str:
        if match["drawn"]:
            return f"url(#{names[url]}-{match['drawn']})"
        if "href" not in match["what"]:
            return f'{match["what"]}="{" ".join(f"{names[url]}-{to}" for to in match["to"].split())}"'
        page, anchor = urldefrag(urljoin(url, match["to"]))
        if page in names and not anchor.startswith("calc-"):
            return f'{match["what"]}="#{names[page]}-{anchor}"' if anchor else f'{match["what"]}="#{names[page]}"'
        return f'{match["what"]}="{urljoin(url, match["to"])}"'

    content = re.sub(r"<(/?)h([1-5])\b", lambda tag: f"<{tag[1]}h{int(tag[2]) + 1}", content)
    return f'<section id="{names[url]}">{_POINTS.sub(pointed, content)}</section>'
