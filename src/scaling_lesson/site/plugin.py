"""The MkDocs plugin: opens each page for the gate, fills its claims in, and fails the build when the gate finds anything.

Thin on purpose: what it calls is Python-Markdown and plain functions, which outlive a site generator.
"""

import json
import logging
import re
import shutil
import sys
from html import escape
from pathlib import Path
from typing import Literal

from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as SitePage
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils import CountHandler, get_relative_url

from scaling_lesson.site import isolate, notebook, report
from scaling_lesson.site.claims import is_number
from scaling_lesson.site.formulas import FormulaExtension
from scaling_lesson.site.gate import Gate, Problem
from scaling_lesson.site.glossary import GlossaryExtension, read_terms
from scaling_lesson.site.listings import Listing
from scaling_lesson.site.markdown import NumbersExtension
from scaling_lesson.site.present import fill_slots, notice, summary


class NumbersConfig(Config):
    """`numbers:` in mkdocs.yml."""

    names = config_options.ListOfItems(config_options.Type(str), default=[])
    """Words that hold a digit and are names, such as GPT-2."""
    exempt = config_options.Type(dict, default={})
    """{page: {text: reason}}: numbers of the prose that need no code."""
    glossary = config_options.Optional(config_options.File(exists=True))
    """The page whose terms are explained on all others."""


class NumbersPlugin(BasePlugin[NumbersConfig]):
    """Gate every number of the site."""

    gate: Gate | None = None
    serving = False
    quiet = False
    """Set by scripts/record, which tells what it found in its own way."""
    found: list[Problem] = []
    _audited: list[Problem] = []

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Having this event keeps the plugin, and so the runs of unchanged pages, from one rebuild to the next."""
        if dirty:
            raise PluginError("a dirty build skips pages, so their numbers would go unchecked: build without --dirty")
        self.serving = command == "serve"

    @event_priority(100)  # before any plugin writes into the site's folder
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        isolate.start_server()  # it imports while MkDocs prepares
        self.found = self._audited = []  # MkDocs may keep this plugin from one build to the next
        if numbers := [name for name in self.config.names if is_number(name) or not re.search("[A-Za-z]", name)]:
            raise PluginError(f"numbers: names: {', '.join(numbers)}: a name has a letter, and is no number")
        for page, exempt in self.config.exempt.items():
            if not isinstance(exempt, dict) or not all(
                isinstance(reason, str) and reason for reason in exempt.values()
            ):
                raise PluginError(f"numbers: exempt: {page}: give {{text: reason}}, each with its reason")
        if self.gate is None or not self.serving:
            self.gate = Gate(self.config.names, self.config.exempt)
            self._shown = {}
        self.gate.names, self.gate.exempt, self.gate.pages = self.config.names, self.config.exempt, {}
        settings = Path(config.config_file_path or "mkdocs.yml").resolve()  # no path when stdin is closed
        self.root = settings.parent
        self.gate.read_settings(settings.read_text(encoding="utf-8"), settings.name)
        self._notebooks = {}
        if "mkdocs-jupyter" in config.plugins:
            config.plugins["mkdocs-jupyter"].config["execute"] = not self.serving
        config.markdown_extensions += [NumbersExtension(self.gate), FormulaExtension(self.gate.formula_problem)]
        if self.config.glossary:
            page = Path(self.config.glossary).resolve()
            extension = GlossaryExtension(read_terms(page), page.relative_to(self.root).as_posix(), self.gate)
            config.markdown_extensions.append(extension)
        self._sources = _fingerprint(Path(__file__).parents[1])
        if not self.serving:
            self._warnings = CountHandler()
            self._warnings.setLevel(logging.WARNING)
            log = logging.getLogger("mkdocs")
            log.addHandler(self._warnings)
            if config.strict and not self.quiet and log.level > logging.WARNING:
                log.setLevel(
                    logging.WARNING
                )  # -q drops warnings before anyone counts them, so a strict build would pass
            # Build beside the site, and put it in place only when every number holds.
            self._site = Path(config.site_dir)
            self._stage = self._site.with_name(f".{self._site.name}-next")
            config.site_dir = str(self._stage)
        return config

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> None:
        self.order = nav.pages

    def on_page_markdown(self, markdown: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        file = Path(page.file.abs_src_path)
        path = file.resolve().relative_to(self.root).as_posix()
        if notebook.is_notebook(page.file):
            self._notebooks[path] = notebook.postpone(page, path)
            return markdown
        text = page.file.content_string
        if not text.endswith(markdown):
            raise PluginError(f"{path}: another plugin changed this page's text, so its lines cannot be named")
        self.gate.open(path, file, text, text.count("\n") - markdown.count("\n"), page.url, self._sources)
        return markdown

    def on_page_content(self, html: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        if self.gate.current is None:  # a notebook
            return html
        page.meta["gate_path"] = self.gate.current.path
        self.gate.close(html, page.title or "")
        return html

    def on_env(self, env: object, *, config: MkDocsConfig, files: Files) -> None:
        """Every page is rendered: judge, and fill in the claims and the lists of them."""
        self.found = self.gate.problems() + self.gate.orphans(Path(config.docs_dir).resolve(), self.root)
        for path, finish in self._notebooks.items():
            self._shown[path], found = finish(self.gate, config, files, not self.serving, self._shown.get(path))
            self.found += found
        unlisted = [file.page for file in files.documentation_pages() if file.page not in self.order]
        shown = [
            (site_page, self.gate.pages.get(site_page.meta.get("gate_path"))) for site_page in self.order + unlisted
        ]
        shown = [(site_page, page) for site_page, page in shown if page is not None]
        titled = [(site_page.title, page) for site_page, page in shown]
        for site_page, page in shown:
            mine = [p for p in self.found if p.path in (page.path, page.record_path)]
            html = fill_slots(self.gate, page, site_page.content, get_relative_url, mine)
            html, sections = Listing(self.gate, titled, page, get_relative_url).fill(html)
            for title, anchor in sections:
                site_page.toc.items[0].children.append(AnchorLink(escape(title), anchor, 2))
            site_page.content = notice(mine) + html

    @event_priority(-100)  # after every plugin has written its files
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        if not self.serving:
            config.site_dir = str(self._site)
            logging.getLogger("mkdocs").removeHandler(self._warnings)
            numbers = json.dumps(report.numbers(self.gate), ensure_ascii=False, indent=1)
            (self._stage / "numbers.json").write_text(numbers, encoding="utf-8")
        # MkDocs will stop for warnings, but only after this site is in place.
        warned = not self.serving and config.strict and self._warnings.get_counts()
        if not (self.found or self.serving or self.quiet or warned):
            self.found = self._audited = report.audited(self._stage)
        if not self.quiet:
            for problem in self.found:
                print(problem, file=sys.stderr)
            report.tell(self.found)
        if self.serving:
            if self.found:
                print(summary(self.found), file=sys.stderr)
            return
        if self.found:
            raise PluginError(summary(self.found))
        if warned:
            raise PluginError("the warnings above are errors in strict mode")
        old = self._site.with_name(f".{self._site.name}-old")
        shutil.rmtree(old, ignore_errors=True)
        if self._site.exists():
            self._site.rename(old)
        self._stage.rename(self._site)
        shutil.rmtree(old, ignore_errors=True)

    def on_build_error(self, *, error: Exception) -> None:
        if not self.serving and hasattr(self, "_stage"):
            logging.getLogger("mkdocs").removeHandler(self._warnings)
            if not self._audited:  # its messages name lines of these files
                shutil.rmtree(self._stage, ignore_errors=True)

    def on_serve(self, server: LiveReloadServer, *, config: MkDocsConfig, builder: object) -> LiveReloadServer:
        server.watch(str(Path(__file__).parents[1]))
        return server


def _fingerprint(folder: Path) -> tuple:
    """Changes when any Python file of the lesson does."""
    return tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(folder.rglob("*.py")))
