"""One page through reading, judging and showing, without MkDocs and without running its code: for tests of many texts.

Its blocks leave behind what BLOCK does; any other has failed.
"""

import logging
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from markdown import Markdown
from mkdocs.config import load_config

from scaling_lesson.site.gate import Page, Problem, Settings, Verdicts, judge
from scaling_lesson.site.numbers.record import Record
from scaling_lesson.site.numbers.value import Entry, Value
from scaling_lesson.site.read.markup import PageExtension
from scaling_lesson.site.read.prose import Reading
from scaling_lesson.site.read.source import read
from scaling_lesson.site.run.results import BlockResult, Results
from scaling_lesson.site.show.blocks import block_html
from scaling_lesson.site.show.claims import fill
from scaling_lesson.site.web.terms import TermsExtension
from scaling_lesson.units import parse_unit

# What the small sites of conftest.py and the real one have.
MKDOCS_YML = """\
site_name: Small
theme: {name: material, font: false}
plugins: [{markdown-exec: {languages: [python], ansi: "off"}}]
markdown_extensions: [admonition, attr_list, def_list, md_in_html, tables, {toc: {permalink: true}},
  pymdownx.details, pymdownx.blocks.caption, {pymdownx.blocks.admonition: {types: [note]}},
  {pymdownx.blocks.details: {types: [question]}},
  pymdownx.highlight, {pymdownx.superfences: {disable_indented_code_blocks: true}}]
"""
NAMES = ("GPT-2", "float16", "16-bit", "A100", "80 GB A100")
CODE = 'x = 2\npublish("", one=x)'
BLOCK = f'```python exec="on" source="above"\n{CODE}\n```\n'
SETTINGS = Settings(NAMES, {}, "mkdocs.yml", "site_name: Small\n")


@cache
def _markdown() -> tuple[list, dict]:
    """The Markdown extensions of the site, and their settings."""
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mkdocs.yml"
        file.write_text(MKDOCS_YML, encoding="utf-8")
        (Path(folder) / "docs").mkdir()
        config = load_config(str(file))
        config = config.plugins.on_config(config)
    return config.markdown_extensions, config.mdx_configs


def _left_behind(index: int, code: str, first: bool) -> BlockResult:
    if code != CODE or not first:
        return BlockResult(failed=True, problems=[((index, 0), "the block raised NameError")])
    value = Value("one", 2, parse_unit(""), 0.0, "", "", "2", (index, 1))
    return BlockResult(values={"one": value}, entries={"value one": Entry("2", (index, 1))})


def render(
    text: str,
    terms: dict[str, str] | None = None,
    path: str = "docs/page.md",
    leave: Callable[[int, str, bool], BlockResult] = _left_behind,
    settings: Settings = SETTINGS,
) -> tuple[str, Page]:
    """The page as Markdown renders it, with slots for what is judged, and all that was read of it.

    leave: what a block leaves behind, given its index, its code, and whether it is the first that runs.
    """
    source = read(path, text)
    runs = [index for index, block in enumerate(source.blocks) if block.runs]
    left = {index: leave(index, source.blocks[index].code, index == runs[0]) for index in runs}
    results = Results(left)
    record = Record({key: (2, entry.text) for key, entry in results.entries.items()}, None, True)
    reading, extension = Reading(source, settings), PageExtension()
    extension.begin(reading, partial(block_html, source, results), [TermsExtension(terms)] if terms else [])
    extensions, settings = _markdown()
    html = Markdown(extensions=[*extensions, extension], extension_configs=settings).convert(
        "\n".join(text.split("\n")[source.front :])
    )
    return html, Page(source, results, reading.prose(), record, Path("/nonexistent/page.md"))


def judged(page: Page) -> Verdicts:
    return judge([page], SETTINGS)


def told(text: str) -> list[Problem]:
    """What the gate tells of this page."""
    return list(judged(render(text)[1]).problems)


def build(text: str) -> tuple[str, list[str]]:
    """The page as the plugin would build it, and what the gate tells of it."""
    text = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")  # as a file is read
    html, page = render(text)
    verdicts = judged(page)
    filled = fill(html, page, verdicts.claims[page.path], lambda url, _: url, [])
    return filled, [str(problem) for problem in verdicts.problems]
