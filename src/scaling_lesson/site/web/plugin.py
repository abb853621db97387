"""The MkDocs plugin that gives published pages what they need beyond their text. Under serve it does little."""

import re
from pathlib import Path
from typing import Any, Literal

from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

from scaling_lesson.site.gate import Page as Gated
from scaling_lesson.site.web import search
from scaling_lesson.site.web.about import about
from scaling_lesson.site.web.as_markdown import as_markdown, llms_txt
from scaling_lesson.site.web.lost import lost
from scaling_lesson.site.web.page import polished
from scaling_lesson.site.web.policy import guarded
from scaling_lesson.site.web.report import with_reports
from scaling_lesson.site.web.whole import NAME, whole


class WebConfig(Config):
    """`web:` in mkdocs.yml."""

    lesson = config_options.Type(str)
    """The folder of the lesson's pages."""
    numbers = config_options.Type(str)
    """The page that lists every number."""
    repository = config_options.URL()
    """Where a reader may report a number."""


class WebPlugin(BasePlugin[WebConfig]):
    """Policy, metadata, search, Markdown, and the lesson on one page."""

    serving = False

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        self.serving = command == "serve"

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """The whole lesson is a file that pages may link to, though it is written last."""
        said = "scripts/build makes this page."
        files.append(File.generated(config, NAME, content=said, inclusion=InclusionLevel.NOT_IN_NAV))
        return files

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> None:
        self._pages = nav.pages
        self._lesson = [page for page in nav.pages if page.file.src_uri.startswith(self.config.lesson)]
        self._contents: dict[str, str] = {}  # by address
        for page in nav.pages:  # a folder's page has the folder's address
            page.canonical_url = re.sub(r"/index\.html$", "/", page.canonical_url or "")

    def on_env(self, env: object, *, config: MkDocsConfig, files: Files) -> None:
        """The numbers are in: say which part of the lesson a page is, and how to report a number."""
        for part, page in enumerate(self._lesson, 1):
            said = f'<p class="reading-time">Part {part} of {len(self._lesson)}, '
            page.content = (page.content or "").replace('<p class="reading-time">', said, 1)
        for page in self._pages:
            if page.file.src_uri == self.config.numbers and not self.serving:
                page.content = with_reports(page.content or "", self.config.repository)

    @event_priority(50)
    def _before_search(self, context: dict, *, page: Page, config: MkDocsConfig, nav: Navigation) -> None:
        self._contents[page.url] = page.content or ""
        found = page.meta.get("search")
        if not (isinstance(found, dict) and found.get("exclude")):
            page.content = search.readable(page.content or "")

    @event_priority(-50)
    def _after_search(self, context: dict, *, page: Page, config: MkDocsConfig, nav: Navigation) -> None:
        page.content = self._contents[page.url]

    on_page_context = CombinedEvent(_before_search, _after_search)  # pyright: ignore (as MkDocs documents it)

    @event_priority(-100)
    def on_post_page(self, output: str, *, page: Page, config: MkDocsConfig) -> str:
        if self.serving:  # its server adds a script of its own to each page
            return polished(output)
        if "/reference/" not in f"/{page.url}":
            output = re.sub(r'<link rel="stylesheet" href="[^"]*_mkdocstrings\.css">\s*', "", output)
        source = self._gated(config).get(page.file.src_uri)
        head = about(page, config, self._lesson, source and source.source)
        return _finished(output.replace("</head>", f"{head}\n  </head>", 1))

    def on_post_template(self, output: str, *, template_name: str, config: MkDocsConfig) -> str:
        if template_name != "404.html":
            return output
        return _finished(lost(config, [page for page in self._pages if page.is_homepage] + self._lesson))

    @event_priority(-50)  # after the search has written its index, and before the numbers are checked
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        if self.serving or self._numbers(config).found:
            return
        site = Path(config.site_dir)
        search.wait(site)
        gated = self._gated(config)
        written = [page for page in self._pages if page.file.src_uri in gated]
        for page in written:
            read = gated[page.file.src_uri]
            target = Path(page.file.abs_dest_path).with_suffix(".md")
            target.write_text(as_markdown(read.source, read.results), "utf-8")
        others = [page for page in written if page not in self._lesson]
        (site / "llms.txt").write_text(llms_txt(config, self._lesson, others), "utf-8")
        (site / "robots.txt").write_text(f"User-agent: *\nAllow: /\n\nSitemap: {config.site_url}sitemap.xml\n", "utf-8")
        sheets = [*site.glob("assets/stylesheets/*.css"), *(site / sheet for sheet in config.extra_css)]
        contents = [self._contents[page.url] for page in self._lesson]
        page = whole(config, self._lesson, contents, [sheet.relative_to(site).as_posix() for sheet in sheets])
        (site / NAME).write_text(_finished(page), "utf-8")
        self._numbers(config).copies = {NAME: [gated[page.file.src_uri].path for page in self._lesson]}

    def _numbers(self, config: MkDocsConfig) -> Any:
        """The plugin that gates the numbers; web/ stands below it, and does not import it."""
        return config.plugins["numbers"]

    def _gated(self, config: MkDocsConfig) -> dict[str, Gated]:
        """The pages as the gate read and ran them, by path below the documents."""
        docs = Path(config.docs_dir).name
        return {page.path.removeprefix(f"{docs}/"): page for page in self._numbers(config).pages}


def _finished(html: str) -> str:
    """A page as it is published: links to elsewhere are marked, and its policy stands in it."""
    return guarded(re.sub(r'<a (?=[^>]*href="https?:)(?![^>]*\brel=)', '<a rel="external noopener" ', polished(html)))
