"""The gate as Zensical can have it: a Markdown extension, since it runs no plugins but its own. Tried, not the default.

Zensical renders page by page, and has no step of ours after the last. So when it begins the first, all pages are read,
run, rendered for what they say, and judged. `docs/authors/zensical.md` tells what is missing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from mkdocs.utils import get_relative_url
from mkdocs.utils.meta import get_data
from mkdocs.utils.yaml import yaml_load

from scaling_lesson.site import ci
from scaling_lesson.site.gate import Page, Settings, Verdicts, judge, summary, unreached
from scaling_lesson.site.numbers import record
from scaling_lesson.site.read.markup import PageExtension
from scaling_lesson.site.read.prose import Reading
from scaling_lesson.site.read.source import read
from scaling_lesson.site.run.results import Job, Results
from scaling_lesson.site.run.worker import Runner
from scaling_lesson.site.show.blocks import block_html
from scaling_lesson.site.show.claims import fill
from scaling_lesson.site.web.lists import Listing
from scaling_lesson.site.web.numbers_json import published
from scaling_lesson.site.web.terms import TermsExtension, read_terms


class GateExtension(Extension):
    """Makes of each page's Markdown what the MkDocs plugin makes of it."""

    _begun: object = None

    def extendMarkdown(self, md: Markdown) -> None:
        if "rendering_context" not in md.preprocessors:
            return  # no page of Zensical's
        context: Any = md.preprocessors["rendering_context"]
        if context.page is GateExtension._begun:
            return  # a block or a docstring of the page
        GateExtension._begun = context.page
        context.page.meta.pop("tags", None)  # words to search with, which Zensical would show
        site = _site(Path(context.config["root_dir"]), context.config["site_dir"])
        if site.verdicts.problems:
            raise ValueError(summary(site.verdicts.problems))  # ends the build
        if page := site.pages.get(context.page.path):
            if page.file.read_text("utf-8") != page.source.text:
                raise ValueError(f"{page.path} changed since it was judged: start again")  # under `zensical serve`
            site.extension(Reading(page.source, site.settings), page.results).extendMarkdown(md)
            filling: Any = Postprocessor(md)
            filling.run = partial(site.filled, page)
            md.postprocessors.register(filling, "lesson_fill", -2)  # when blocks are back from the stash


makeExtension = GateExtension


@dataclass
class _Site:
    """Every page by its path below the documents, and what was found. glossary: the page that needs no terms."""

    settings: Settings
    glossary: str
    terms: Extension
    pages: dict[str, Page] = field(default_factory=dict)
    verdicts: Verdicts = field(default_factory=lambda: Verdicts({}, ()))

    def extension(self, reading: Reading, results: Results) -> PageExtension:
        """What makes the next Markdown the page's."""
        extension, terms = PageExtension(), [self.terms] if reading.source.path != self.glossary else []
        extension.begin(reading, partial(block_html, reading.source, results), terms)
        return extension

    def filled(self, page: Page, html: str) -> str:
        """The page's HTML with its claims, or with the list that it is for."""
        html = fill(html, page, self.verdicts.claims[page.path], get_relative_url, ())
        return Listing(self.verdicts, list(self.pages.values()), page, get_relative_url).fill(html)[0]


@cache
def _site(root: Path, target: str) -> _Site:
    """The site that mkdocs.yml describes, judged; what does not hold is told. target: the folder for numbers.json."""
    text = (root / "mkdocs.yml").read_text("utf-8")
    config, runner = yaml_load(text), Runner()
    (ours,) = (plugin["numbers"] for plugin in config["plugins"] if "numbers" in plugin)
    listed = [entry if isinstance(entry, dict) else {entry: {}} for entry in config["markdown_extensions"]]
    options = {name: given for entry in listed for name, given in entry.items()}
    docs, settings = root / config["docs_dir"], Settings(tuple(ours["names"]), ours["exempt"], "mkdocs.yml", text)
    site = _Site(settings, ours["glossary"], TermsExtension(read_terms(root / ours["glossary"])))
    begun = []
    for title, name in _pages(config["nav"]):
        written = (docs / name).read_text("utf-8")
        body, meta = get_data(written)
        source = read(f"{docs.name}/{name}", written)
        jobs = [Job(n, block.line, block.code, block.limit_s, block.runs) for n, block in enumerate(source.blocks)]
        begun.append((name, title or meta.get("title", ""), body, source, runner.run(source.path, jobs)))
    for name, title, body, source, run in begun:
        reading, results, file = Reading(source, settings), run.result(), docs / name
        extensions = ["toc", "tables", *options, site.extension(reading, results)]
        Markdown(extensions=extensions, extension_configs=options).convert(body)
        accepted = record.read(file.with_suffix(".record"))
        url = name.removesuffix("md") + "html"
        site.pages[name] = Page(source, results, reading.prose(), accepted, file, url, title)
    pages = list(site.pages.values())
    site.verdicts = judge(pages, settings, unreached(docs, root, pages))
    ci.tell(site.verdicts.problems)
    numbers = published(pages, site.verdicts, settings) | {"copies": {}}
    (root / target / "numbers.json").write_text(json.dumps(numbers, ensure_ascii=False, indent=1), "utf-8")
    return site


def _pages(nav: list | str, title: str = "") -> Iterator[tuple[str, str]]:
    """Title and file of each page of the navigation that is written in Markdown."""
    if isinstance(nav, str):
        if nav.endswith(".md"):
            yield title, nav
        return
    for entry in nav:
        for name, inner in (entry if isinstance(entry, dict) else {"": entry}).items():
            yield from _pages(inner, name)
