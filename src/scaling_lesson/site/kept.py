"""What `mkdocs serve` keeps, in memory, from one rebuild to the next, so that an edit costs what it changed.

Whatever is kept has a key, all that it was made from, and serves again only while that is the same.
"""

import copy
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.theme import Theme
from mkdocs.utils.templates import TemplateContext
from watchdog.observers.polling import PollingObserver

from scaling_lesson.site.read.markup import BlockHTML
from scaling_lesson.site.read.source import Source
from scaling_lesson.site.run.results import Job, Results
from scaling_lesson.site.run.worker import Runner
from scaling_lesson.site.show.blocks import Highlight, block_html

_RENDERED = ("content", "toc", "_title_from_render", "present_anchor_ids", "links_to_anchors")
"""What rendering a page's Markdown leaves on it."""


def states(files: Iterable[str | Path]) -> dict[str, tuple | None]:
    """Changes when any of the files does."""
    stats = {file: os.stat(file) if os.path.exists(file) else None for file in sorted(map(str, files))}
    return {file: stat and (stat.st_mtime_ns, stat.st_size) for file, stat in stats.items()}


def around(config: MkDocsConfig, settings: str) -> dict[str, tuple | None]:
    """What every page may show, besides the text of mkdocs.yml: what it inherits, and the templates."""
    files = [Path(config.config_file_path).parent / base for base in re.findall(r"(?m)^INHERIT: *(\S+)", settings)]
    return states([*files, *(Path(config.theme.custom_dir).rglob("*") if config.theme.custom_dir else ())])


def loaded() -> dict[str, tuple | None]:
    """The lesson's modules in this process, which is the gate's own code, as they were read."""
    modules = [module for name, module in sys.modules.items() if name.startswith("scaling_lesson.")]
    return states(str(module.__file__) for module in modules)


def begin_anew(plugin: str) -> None:
    """Let a new process go on, which has the code as it now stands, where that runs; else raise PluginError."""
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # bytecode could not tell two saves of one second apart
    tried = subprocess.run([sys.executable, "-c", f"import {plugin}"], stderr=subprocess.PIPE, text=True)
    if tried.returncode:
        raise PluginError(f"the gate's own code does not run: {' '.join(tried.stderr.splitlines()[-4:])}")
    os.execv(sys.executable, sys.orig_argv)


class Kept:
    """One value by kind and name, with its key."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], tuple[object, Any]] = {}

    def get(self, kind: str, name: str, key: object) -> Any:
        """The value that was made from the same; None for none."""
        known, value = self._values.get((kind, name), (None, None))
        return value if known == key else None

    def once(self, kind: str, name: str, key: object, work: Callable[[], Any]) -> Any:
        """The value that was made from the same, or what the work gives now."""
        kept = self.get(kind, name, key)
        return self.put(kind, name, key, work()) if kept is None else kept

    def put(self, kind: str, name: str, key: object, value: Any) -> Any:
        """Keep the value in the place of the last one, and return it."""
        self._values[kind, name] = key, value
        return value

    def last_good(self, name: str, html: str, good: bool) -> str:
        """The page; where it is not good, as it was when it last was."""
        if good:
            return self.put("good", name, "", html)
        last = self.get("good", name, "")
        return (
            f'<p class="gate-notice">Below is the page as it was when all its blocks last ran.</p>{last}'
            if last
            else html
        )

    def blocks(self, source: Source, results: Results, frame: object) -> BlockHTML:
        """What makes the HTML of a page's blocks, of each as long as it and its results are the same."""

        def made(index: int, highlight: Highlight) -> tuple[str, str, str]:
            block = source.blocks[index]
            key = block.code, block.options, block.problem, results.blocks.get(index), frame
            work = partial(block_html, source, results, index, highlight)
            return self.once("block", f"{source.path} {index}", key, work)

        return made

    def run(self, runner: Runner, source: Source) -> Future[Results]:
        """The results of a page: those it had, while its blocks, what they imported and what they read are the same."""
        jobs = [Job(n, block.line, block.code, block.limit_s, block.runs) for n, block in enumerate(source.blocks)]
        blocks, started = [(job.code, job.limit_s, job.runs) for job in jobs], time.time_ns()
        results, read = self.get("results", source.path, blocks) or (Results(), None)
        if read == states(results.reads):
            future: Future[Results] = Future()
            future.set_result(results)
            return future

        def keep(future: Future[Results]) -> None:
            if not future.exception() and not future.result().failures:
                read = states(future.result().reads)
                if not any(state and state[0] >= started for state in read.values()):  # else it ran on either
                    self.put("results", source.path, blocks, (future.result(), read))

        future = runner.run(source.path, jobs)
        future.add_done_callback(keep)
        return future


def rendered(page: Page) -> dict[str, Any]:
    """What a page's Markdown was rendered to."""
    return {name: getattr(page, name) for name in _RENDERED} | {"toc": copy.deepcopy(page.toc)}  # lists add to it


def rendering(page: Page, made: dict[str, Any]) -> Any:
    """What renders a page as it was rendered last."""

    def render(config: MkDocsConfig, files: Files) -> None:
        vars(page).update(made | {"toc": copy.deepcopy(made["toc"])})
        links = made["links_to_anchors"] or {}
        page.links_to_anchors = {
            here: links[file] for file in links if (here := files.get_file_from_path(file.src_uri))
        }

    return render


def _listed_once(env: Environment) -> Environment:
    """The theme's templates, whose files are listed once, without 14,000 icons; one that is edited is read again."""
    names, loader = env.list_templates(filter_func=lambda name: not name.startswith(".")), env.loader
    loader.list_templates = lambda: names
    env.auto_reload = True
    return env


def _with_last_pages(builder: Callable[[], None], site: Path) -> Callable[[], None]:
    """A builder that leaves the last pages, with the problem on top, where a build ends early; MkDocs would hang."""
    last = site.with_name(f"{site.name}-last")

    def build() -> None:
        if not last.exists():  # else the last build ended early
            site.rename(last)
        try:
            builder()
            shutil.rmtree(last)
        except (Exception, SystemExit) as error:
            said = str(error.__context__ or error)
            logging.getLogger("mkdocs").error(said)
            shutil.rmtree(site, ignore_errors=True)
            shutil.copytree(last, site)
            top = f'<section class="gate-notice"><p>{escape(said)}</p></section>'
            for page in site.rglob("*.html"):
                html = page.read_text("utf-8")
                page.write_text(re.sub("(<article[^>]*>)", lambda tag: tag[1] + top, html, count=1), "utf-8")

    return build


class KeepPages(BasePlugin):
    """Under serve: takes a page's HTML and search entries from the last build, where all that they show is the same."""

    def __init__(self, kept: Kept, frame: object, theme: Theme) -> None:
        """frame: what every page shows alike."""
        super().__init__()
        self._kept, self._frame = kept, frame
        self._keys: dict[str, object] = {}
        self._again: dict[str, tuple[str, list[dict]]] = {}
        env = kept.get("templates", "", frame) or kept.put("templates", "", frame, _listed_once(theme.get_env()))
        theme.get_env = lambda: env

    @event_priority(-100)  # when every plugin has done with the pages' content
    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> None:
        nothing, pages = env.from_string(""), [file.page for file in files.documentation_pages() if file.page]
        others = [(page.title, page.url, repr(page.meta)) for page in pages]  # a theme may show all of it
        for page in pages:
            self._keys[page.url] = key = page.content, str(page.toc), page.title, repr(page.meta), others, self._frame
            if built := self._kept.get("built", page.url, key):
                self._again[page.url], page.meta["template"] = built, nothing

    entries: list[dict] = []
    """Those of a site without search."""

    @event_priority(100)  # before the search reads the page
    def on_page_context(self, context: TemplateContext, *, page: Page, config: MkDocsConfig, nav: Navigation) -> None:
        self._entries = getattr(config.plugins.get("material/search"), "search_index", self).entries
        self._first = len(self._entries)
        if page.url in self._again:
            page.meta["search"], page.content = {"exclude": True}, ""
            self._entries += self._again[page.url][1]

    @event_priority(-200)  # when every plugin has done with the page, or with nothing
    def on_post_page(self, output: str, *, page: Page, config: MkDocsConfig) -> str:
        made = self._kept.once("built", page.url, self._keys[page.url], lambda: (output, self._entries[self._first :]))
        return made[0]

    def on_serve(self, server: LiveReloadServer, *, config: MkDocsConfig, builder: object) -> LiveReloadServer:
        """Look for edits twenty times a second, instead of twice, and wait for no more of them than a file needs."""
        server.build_delay = 0.02
        server.builder = _with_last_pages(server.builder, Path(config.site_dir))
        server.observer = PollingObserver(timeout=0.05)
        paths, server._watched_paths = [*server._watched_paths], {}
        for path in [*paths, str(Path(__file__).parents[1])]:
            server.watch(path)
        return server
