"""The MkDocs plugin: takes each page through read → run → judge → show, and fails the build if anything does not hold.

Thin on purpose: what it calls is Python-Markdown and plain functions, which outlive a site generator.
"""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from html import escape
from pathlib import Path
from typing import Literal

from markdown.extensions import Extension
from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as SitePage
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils import CountHandler, get_relative_url

from scaling_lesson.site import ci, notebook
from scaling_lesson.site.gate import Page, Problem, Settings, Verdicts, judge, summary, unreached
from scaling_lesson.site.kept import KeepPages, Kept, around, begin_anew, loaded, rendered, rendering, states
from scaling_lesson.site.numbers import record
from scaling_lesson.site.numbers.claim import find
from scaling_lesson.site.progress import Progress
from scaling_lesson.site.read.markup import PageExtension
from scaling_lesson.site.read.prose import Reading
from scaling_lesson.site.read.source import Source, read
from scaling_lesson.site.run.results import Results
from scaling_lesson.site.run.worker import Runner
from scaling_lesson.site.show.claims import fill, notice
from scaling_lesson.site.web.lists import Listing
from scaling_lesson.site.web.numbers_json import published
from scaling_lesson.site.web.reading_time import minutes
from scaling_lesson.site.web.stage import Stage, check
from scaling_lesson.site.web.terms import TermsExtension, read_terms

SOURCE = Path(__file__).parents[1]


class NumbersConfig(Config):
    """`numbers:` in mkdocs.yml."""

    names = config_options.ListOfItems(config_options.Type(str), default=[])
    """Words that hold a digit and are names, such as GPT-2."""
    exempt = config_options.Type(dict, default={})
    """{page: {text: reason}}: numbers of the prose that need no code."""
    glossary = config_options.Optional(config_options.File(exists=True))
    """The page whose terms are explained on all others."""
    lesson = config_options.Optional(config_options.Type(str))
    """The folder of the pages that say how long they take to read."""


class NumbersPlugin(BasePlugin[NumbersConfig]):
    """Gate every number of the site."""

    serving = False
    quiet = False
    """Set by scripts/record, which tells what it found in its own way."""
    pages: Sequence[Page] = ()
    verdicts = Verdicts({}, ())
    found: Sequence[Problem] = ()
    """What the build found: of all pages, of the notebook, and of the second check."""
    copies: Mapping[str, Sequence[str]] = {}
    """Files of the site that other plugins made of whole pages, and the paths of these, in order."""

    def __init__(self) -> None:
        self._runner = Runner()  # it imports while MkDocs prepares
        self._loaded = loaded()
        self._kept = Kept()

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Having this event keeps the plugin, and so the runs of unchanged pages, from one rebuild to the next."""
        if dirty:
            raise PluginError("a dirty build skips pages, so their numbers would go unchecked: build without --dirty")
        self.serving = command == "serve"

    @event_priority(100)  # before any plugin writes into the site's folder
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        if self.serving and self._loaded != states(self._loaded):
            begin_anew(__name__)
        if not self.serving:  # MkDocs may keep this plugin from one build to the next
            self._kept = Kept()
        self.found, self.unjudged, self._to_finish, self._stage, self._progress = [], [], {}, None, Progress()
        self._sources: dict[str, Source] = {}
        self._runs: dict[str, Future[Results]] = {}
        self._read: dict[str, Page] = {}
        file = Path(config.config_file_path or "mkdocs.yml").resolve()  # no path when stdin is closed
        self.root, self._docs = file.parent, Path(config.docs_dir).resolve()
        check(self._docs)
        for page, words in self.config.exempt.items():
            if not isinstance(words, dict) or not all(why and isinstance(why, str) for why in words.values()):
                raise PluginError(f"numbers: exempt: {page}: give {{text: reason}}, each with its reason")
        exempt = {page: {str(word): why for word, why in words.items()} for page, words in self.config.exempt.items()}
        self.settings = Settings(tuple(self.config.names), exempt, file.name, file.read_text("utf-8"))
        for name in self.settings.names:
            if not re.search("[A-Za-z]", name) or any(text == name for text, _ in find(name)):
                raise PluginError(f"numbers: names: {name}: a name has a letter, and is no number")
        if "mkdocs-jupyter" in config.plugins:
            config.plugins["mkdocs-jupyter"].config["execute"] = not self.serving
        self._glossary = Path(self.config.glossary).resolve() if self.config.glossary else None
        terms = read_terms(self._glossary) if self._glossary else {}
        if self._glossary and not terms:
            how = "write it, and on the next line : and its definition"
            path = self._glossary.relative_to(self.root).as_posix()
            self.unjudged.append(Problem(path, 1, f"no term is defined here: {how}"))
        self._terms: list[Extension] = [TermsExtension(terms)] if terms else []
        self._frame = self.settings, terms, around(config, self.settings.text)
        self._extension = PageExtension()
        config.markdown_extensions.append(self._extension)  # pyright: ignore (MkDocs takes them as objects too)
        if self.serving:
            config.plugins["kept"] = KeepPages(self._kept, self._frame, config.theme)
        else:  # build beside the site, and put it in place only when every number holds
            self._site = config.site_dir
            self._stage = Stage(Path(self._site))
            self._warnings = CountHandler(level=logging.WARNING)
            log = logging.getLogger("mkdocs")
            log.addHandler(self._warnings)
            if config.strict and not self.quiet:  # -q drops warnings before anyone counts them: a build would pass
                log.setLevel(min(log.level, logging.WARNING))
            config.site_dir = str(self._stage.folder)
        return config

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> None:
        """All files are known: read each page, and begin to run its blocks."""
        self._order, self._code = nav.pages, states(SOURCE.rglob("*.py"))
        places: dict[str, list[str]] = {}
        for file in files:
            places.setdefault(file.dest_uri, []).append(file.src_uri)
        self._places = list(places)
        for file in files.documentation_pages():
            path, same = self._path(file), places[file.dest_uri]
            if len(same) > 1:
                message = f"{' and '.join(same)} are one page, {file.dest_uri}: rename all but one"
                self.unjudged.append(Problem(path, 1, message))
            if not notebook.is_notebook(file):
                text = self._text(file, path)
                source = self._kept.once("source", path, text, partial(read, path, text))
                self._sources[path], self._runs[path] = source, self._kept.run(self._runner, source)
        running = [path for path, source in self._sources.items() if any(block.runs for block in source.blocks)]
        self._progress.count([self._runs[path] for path in running])
        # A notebook begins to run first; pages whose blocks run meanwhile are rendered last.
        for file in sorted(files.documentation_pages(), key=lambda file: self._path(file) in running):
            if not notebook.is_notebook(file):
                files.remove(file)
                files.append(file)

    def _path(self, file: File) -> str:
        """How messages name a file."""
        return (self._docs / file.src_uri).relative_to(self.root).as_posix()

    def _text(self, file: File, path: str) -> str:
        data = (self.root / path).read_bytes()
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.unjudged.append(Problem(path, line, "this page is not UTF-8 text: save it in that encoding"))
            file.content_string = data.decode("utf-8", "replace")
            return file.content_string

    def on_page_markdown(self, markdown: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        path = self._path(page.file)
        if notebook.is_notebook(page.file):
            kept = self._kept.get("notebook", path, "")
            to_run = page, path, config, files, self._runner, self._runs
            self._to_finish[path] = notebook.begin(*to_run, not self.serving, kept)
            return markdown
        source, results = self._sources[path], self._runs[path].result()
        if not source.text.endswith(markdown):
            raise PluginError(f"{path}: another plugin changed this page's text, so its lines cannot be named")
        self._key = source, results, self._frame, self._places, self._code if "\n::: " in source.text else None
        self._prose, made = self._kept.get("rendered", path, self._key) or (None, None)
        if made:
            page.render = rendering(page, made)
        else:
            self._reading = Reading(source, self.settings)
            terms = [] if self.root / path == self._glossary else self._terms
            self._extension.begin(self._reading, self._kept.blocks(source, results, self._frame), terms)
        return markdown

    def on_page_content(self, html: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        path = self._path(page.file)
        if source := self._sources.get(path):
            if not self._prose:
                self._prose = self._reading.prose()
                self._kept.put("rendered", path, self._key, (self._prose, rendered(page)))
            page.meta["gate_path"], file = path, self.root / path
            beside = file.with_suffix(".record")
            accepted = self._kept.once("record", path, states([beside]), partial(record.read, beside))
            made = Page(source, self._runs[path].result(), self._prose, accepted, file, page.url, str(page.title or ""))
            self._read[path] = self._kept.once("page", path, made, lambda: made)
        return html

    def on_env(self, env: object, *, config: MkDocsConfig, files: Files) -> None:
        """Every page is rendered: judge, and fill in the claims and the lists of them."""
        unlisted = [file.page for file in files.documentation_pages() if file.page not in self._order]
        shown = [page for page in [*self._order, *unlisted] if page.meta.get("gate_path") in self._read]
        self.pages = [self._read[page.meta["gate_path"]] for page in shown]
        self.unjudged += unreached(self._docs, self.root, self.pages)
        self.verdicts = judge(self.pages, self.settings, self.unjudged, self._kept.once)
        self.found = list(self.verdicts.problems)
        theirs = {path for page in self.pages for path in (page.path, page.record_path)}
        strays = [problem for problem in self.found if problem.path not in theirs]  # told on every page
        for site_page, page in zip(shown, self.pages, strict=True):
            mine = strays + [problem for problem in self.found if problem.path in (page.path, page.record_path)]
            given = site_page.content, page, self.verdicts.claims[page.path], get_relative_url, mine
            html, sections = self._kept.once("filled", page.path, given, partial(fill, *given)), []
            if "<!-- listing: " in html:
                listing = Listing(self.verdicts, self.pages, page, get_relative_url)
                given = html, listing.told()
                html, sections = self._kept.once("listing", page.path, given, partial(listing.fill, html))
            for title, anchor in sections:
                site_page.toc.items[0].children.append(AnchorLink(escape(title), anchor, 2))
            if self.config.lesson and page.path.startswith(self.config.lesson):
                time = f'<p class="reading-time">{max(1, round(minutes(page.source)))} minutes, the problems apart</p>'
                html = html.replace("</h1>", f"</h1>{time}", 1)
            site_page.content = notice(mine) + self._kept.last_good(page.path, html, not page.results.failures)
        unknown = {page.slug for page in self.pages if page.incomplete}
        for path, finish in self._to_finish.items():
            self._progress.tell(f"running {path}")
            made, found = finish(unknown)
            self._kept.put("notebook", path, "", made)
            self.found += found
        self._progress.end()

    @event_priority(-100)  # after every plugin has written its files
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        warned = False
        if not self.serving:
            config.site_dir = self._site
            logging.getLogger("mkdocs").removeHandler(self._warnings)
            numbers = published(self.pages, self.verdicts, self.settings) | {"copies": self.copies}
            (self._stage.folder / "numbers.json").write_text(json.dumps(numbers, ensure_ascii=False, indent=1), "utf-8")
            # MkDocs will stop for warnings, but only after this site is in place.
            warned = config.strict and self._warnings.get_counts()
            if not (self.found or self.quiet or warned):
                self._progress.tell("checking the built site")
                self.found = ci.audited(self._stage.folder)
        self._progress.end()
        if not self.quiet:
            ci.tell(self.found)
        if self.serving:
            return
        if self.found:
            raise PluginError(summary(self.found))
        if warned:
            raise PluginError("the warnings above are errors in strict mode")
        self._stage.publish()

    def on_build_error(self, *, error: Exception) -> None:
        self._progress.end()
        if self._stage:
            logging.getLogger("mkdocs").removeHandler(self._warnings)
            audited = any(problem.path.startswith(self._stage.folder.name) for problem in self.found)
            self._stage.release() if audited else self._stage.discard()  # messages name lines of these files
            if isinstance(error, OSError | RecursionError):
                raise self._stage.failure(error) from None
