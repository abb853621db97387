"""The MkDocs plugin: takes each page through read → run → judge → show, and fails the build when anything does not hold.

Thin on purpose: what it calls is Python-Markdown and plain functions, which outlive a site generator.
"""

import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from html import escape
from pathlib import Path
from typing import Literal

from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as SitePage
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils import CountHandler, get_relative_url
from mkdocs.utils.meta import get_data

from scaling_lesson.site import ci, notebook
from scaling_lesson.site.gate import Page, Problem, Settings, Verdicts, judge, summary, unreached
from scaling_lesson.site.numbers import record
from scaling_lesson.site.numbers.claim import find
from scaling_lesson.site.read.markup import PageExtension
from scaling_lesson.site.read.prose import Reading
from scaling_lesson.site.read.source import Source, read
from scaling_lesson.site.read.terms import read_terms
from scaling_lesson.site.run.results import Results
from scaling_lesson.site.run.worker import Job, Runner
from scaling_lesson.site.show.blocks import block_html
from scaling_lesson.site.show.claims import fill, notice
from scaling_lesson.site.show.lists import Listing


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

    serving = False
    quiet = False
    """Set by scripts/record, which tells what it found in its own way."""
    pages: Sequence[Page] = ()
    verdicts = Verdicts({}, ())
    found: Sequence[Problem] = ()
    """What the build found: of all pages, of the notebook, and of the second check."""

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Having this event keeps the plugin, and so the runs of unchanged pages, from one rebuild to the next."""
        if dirty:
            raise PluginError("a dirty build skips pages, so their numbers would go unchecked: build without --dirty")
        self.serving = command == "serve"
        self._loaded = _loaded()

    @event_priority(100)  # before any plugin writes into the site's folder
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        if self.serving and any(_loaded().get(file) != state for file, state in self._loaded.items()):  # the gate's own code changed: only a new process has it
            os.execv(sys.executable, sys.orig_argv)
        if not hasattr(self, "_runner"):
            self._runner = Runner()  # it imports while MkDocs prepares
        if not self.serving or not hasattr(self, "_kept"):
            self._kept: dict[str, tuple[object, Results]] = {}
            self._notebooks_shown: dict[str, notebook.Shown] = {}
        self._audited = False
        self.found, self._problems = [], []
        self._sources: dict[str, Source] = {}
        self._runs: dict[str, Future[Results]] = {}
        self._read: dict[str, Page] = {}
        self._notebooks = {}
        settings = Path(config.config_file_path or "mkdocs.yml").resolve()  # no path when stdin is closed
        self.root, self._docs = settings.parent, Path(config.docs_dir).resolve()
        self.settings = Settings(tuple(self.config.names), self.config.exempt, settings.name, settings.read_text("utf-8"))
        for name in self.settings.names:
            if not re.search("[A-Za-z]", name) or any(number == name for number, _ in find(name)):
                raise PluginError(f"numbers: names: {name}: a name has a letter, and is no number")
        for page, exempt in self.config.exempt.items():
            if not isinstance(exempt, dict) or not all(isinstance(reason, str) and reason for reason in exempt.values()):
                raise PluginError(f"numbers: exempt: {page}: give {{text: reason}}, each with its reason")
        if "mkdocs-jupyter" in config.plugins:
            config.plugins["mkdocs-jupyter"].config["execute"] = not self.serving
        self._glossary = Path(self.config.glossary).resolve() if self.config.glossary else None
        terms = read_terms(self._glossary) if self._glossary else {}
        if self._glossary and not terms:
            path = self._glossary.relative_to(self.root).as_posix()
            self._problems.append(Problem(path, 1, "no term is defined here: write it, and on the next line : and its definition"))
        self._extension = PageExtension(terms)
        config.markdown_extensions.append(self._extension)
        if not self.serving:
            self._build_aside(config)
        return config

    def _build_aside(self, config: MkDocsConfig) -> None:
        """Build beside the site, to put it in place only when every number holds."""
        self._warnings = CountHandler()
        self._warnings.setLevel(logging.WARNING)
        log = logging.getLogger("mkdocs")
        log.addHandler(self._warnings)
        if config.strict and not self.quiet and log.level > logging.WARNING:
            log.setLevel(logging.WARNING)  # -q drops warnings before anyone counts them, so a strict build would pass
        self._site = Path(config.site_dir)
        self._stage = self._site.with_name(f".{self._site.name}-next")
        config.site_dir = str(self._stage)

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> None:
        """All files are known: read each page, and begin to run its blocks."""
        self._order = nav.pages
        places: dict[str, list[str]] = {}
        code = _fingerprint(Path(__file__).parents[1])
        for file in files:
            places.setdefault(file.dest_uri, []).append(file.src_uri)
        for file in files.documentation_pages():
            path = self._path(file)
            if len(places[file.dest_uri]) > 1:
                names = " and ".join(places[file.dest_uri])
                self._problems.append(Problem(path, 1, f"{names} are one page, {file.dest_uri}: rename all but one"))
            if notebook.is_notebook(file):
                continue
            data = (self.root / path).read_bytes()
            try:
                text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
            except UnicodeDecodeError as error:
                line = data.count(b"\n", 0, error.start) + 1
                self._problems.append(Problem(path, line, "this page is not UTF-8 text: save it in that encoding"))
                file.content_string = text = data.decode("utf-8", "replace")
            front = text.count("\n") - get_data(text)[0].count("\n")
            self._sources[path] = source = read(path, text, front)
            self._runs[path] = self._run(source, code)

    def _path(self, file: File) -> str:
        """How messages name a file."""
        return (self._docs / file.src_uri).relative_to(self.root).as_posix()

    def _run(self, source: Source, code: object) -> Future[Results]:
        """The results of a page: those it had, when neither its blocks, nor the lesson's code, nor what they read changed."""
        blocks = [(block.code, block.options, block.problem) for block in source.blocks]
        key, kept = self._kept.get(source.path, (None, None))
        if kept and key == (blocks, code, _states(self.root, kept.reads)):
            future: Future[Results] = Future()
            future.set_result(kept)
            return future
        jobs = [Job(n, b.line, None if b.problem else b.code, b.limit_s, b.code) for n, b in enumerate(source.blocks)]
        future = self._runner.run(source.path, jobs)
        self._kept[source.path] = ((blocks, code, None), Results())
        return future

    def _keep(self, path: str, results: Results) -> None:
        (blocks, code, states), _ = self._kept[path]
        if states is None and not results.failures:
            self._kept[path] = ((blocks, code, _states(self.root, results.reads)), results)

    def on_page_markdown(self, markdown: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        path = self._path(page.file)
        self._reading = None
        if notebook.is_notebook(page.file):
            self._notebooks[path] = notebook.postpone(page, path)
            return markdown
        source = self._sources[path]
        if not source.text.endswith(markdown):
            raise PluginError(f"{path}: another plugin changed this page's text, so its lines cannot be named")
        results = self._runs[path].result()
        self._keep(path, results)
        self._reading = Reading(source), results
        explain = self.root / path != self._glossary
        self._extension.begin(self._reading[0], partial(block_html, source, results), explain)
        return markdown

    def on_page_content(self, html: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        if self._reading:
            reading, results = self._reading
            page.meta["gate_path"] = path = reading.source.path
            file = self.root / path
            accepted = record.read(file.with_suffix(".record"))
            self._read[path] = Page(reading.source, results, reading.prose(), accepted, file, page.url, str(page.title or ""))
        return html

    def on_env(self, env: object, *, config: MkDocsConfig, files: Files) -> None:
        """Every page is rendered: judge, and fill in the claims and the lists of them."""
        unlisted = [file.page for file in files.documentation_pages() if file.page not in self._order]
        site_pages = [page for page in [*self._order, *unlisted] if page.meta.get("gate_path") in self._read]
        self.pages = [self._read[page.meta["gate_path"]] for page in site_pages]
        lost = unreached(self._docs, self.root, self._read.values())
        self.unjudged = [*self._problems, *lost]
        self.verdicts = judge(self.pages, self.settings, self.unjudged)
        self.found = list(self.verdicts.problems)
        for path, finish in self._notebooks.items():
            numbers = ci.numbers(self.pages, self.verdicts, self.settings)
            unknown = {page.slug for page in self.pages if page.incomplete}
            kept = self._notebooks_shown.get(path)
            self._notebooks_shown[path], found = finish(numbers, unknown, config, files, not self.serving, kept)
            self.found += found
        for site_page, page in zip(site_pages, self.pages, strict=True):
            mine = [problem for problem in self.found if problem.path in (page.path, page.record_path)]
            html = fill(site_page.content, page, self.verdicts.claims[page.path], get_relative_url, mine)
            html, sections = Listing(self.verdicts, self.pages, page, get_relative_url).fill(html)
            for title, anchor in sections:
                site_page.toc.items[0].children.append(AnchorLink(escape(title), anchor, 2))
            site_page.content = notice(mine) + html

    @event_priority(-100)  # after every plugin has written its files
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        if not self.serving:
            config.site_dir = str(self._site)
            logging.getLogger("mkdocs").removeHandler(self._warnings)
            numbers = json.dumps(ci.numbers(self.pages, self.verdicts, self.settings), ensure_ascii=False, indent=1)
            (self._stage / "numbers.json").write_text(numbers, encoding="utf-8")
        # MkDocs will stop for warnings, but only after this site is in place.
        warned = not self.serving and config.strict and self._warnings.get_counts()
        if not (self.found or self.serving or self.quiet or warned):
            self.found = ci.audited(self._stage)
            self._audited = bool(self.found)
        if not self.quiet:
            for problem in self.found:
                print(problem, file=sys.stderr)
            ci.tell(self.found)
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


def _states(root: Path, files: Iterable[str]) -> tuple:
    """Changes when any of the files does."""
    paths = [root / file for file in sorted(files)]
    return tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) if p.exists() else str(p) for p in paths)


def _fingerprint(folder: Path) -> tuple:
    """Changes when any Python file of the lesson does."""
    return _states(folder, map(str, folder.rglob("*.py")))


def _loaded() -> dict[str, tuple]:
    """The files of the lesson's modules that this process has loaded, with their state."""
    files = {module.__file__ for name, module in sys.modules.items() if name.startswith("scaling_lesson") and module.__file__}
    return {file: _states(Path(), [file]) for file in files}
