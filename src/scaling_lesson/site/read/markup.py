"""The Python-Markdown extension: numbers claims and blocks, leaves a slot for each, makes formulas, and reads the tree.

Slots are filled when every page is judged, since a claim may name another page's value.
"""

import re
from collections.abc import Callable
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown_exec import base_format
from pymdownx.superfences import SuperFencesCodeExtension, SuperFencesException

from scaling_lesson.site.read.formula import FormulaProcessor
from scaling_lesson.site.read.prose import Reading
from scaling_lesson.site.read.source import MARK

BlockHTML = Callable[[int, Callable[[str, str, str], str]], tuple[str, str, str]]
"""What a page shows of a block, given its index and highlight(code, language, title): before its output, it, after."""


class PageExtension(Extension):
    """Renders one page after another; begin(...) comes before each."""

    _next: tuple[Reading, BlockHTML, list[Extension]] | None = None

    def begin(self, reading: Reading, block_html: BlockHTML, also: list[Extension]) -> None:
        """The next Markdown made is the page's. also: extensions for pages alone, not for what a docstring shows."""
        self._next = reading, block_html, also

    def extendMarkdown(self, md: Markdown) -> None:
        if self._next is None:
            return  # others render what a block or a docstring shows: no claims in there
        (reading, block_html, also), self._next = self._next, None
        fences = next(e for e in md.registeredExtensions if isinstance(e, SuperFencesCodeExtension))
        fences.extend_super_fences("python", _block_format(reading, block_html), _block_options, None)
        html_blocks = md.preprocessors["html_block"]

        def read_html(lines: list[str]) -> list[str]:
            first = md.htmlStash.html_counter
            lines = html_blocks.run(lines)
            reading.raw = range(first, md.htmlStash.html_counter)
            return lines

        # After whitespace is normalized (30), before fences are read (25).
        md.preprocessors.register(_processor(Preprocessor, md, reading.source.marked), "lesson_marks", 28)
        md.preprocessors.register(_processor(Preprocessor, md, read_html), "html_block", 20)
        # After code spans (190), before escapes (180): a backslash inside a formula belongs to the formula.
        md.inlinePatterns.register(FormulaProcessor(md, reading.formulas.__setitem__), "lesson_formula", 185)
        md.registerExtensions(also, {})
        # When all is done: MkDocs, who comes last (0), leaves addresses with a scheme alone, and so claims.
        read_tree = _processor(Treeprocessor, md, lambda root: reading.walk(root, md))
        md.treeprocessors.register(read_tree, "lesson_read", -1)
        # Code spans and listings have kept the numbers of claims.
        unmark = _processor(Postprocessor, md, lambda text: re.sub(f"calc:{MARK}\\d+{MARK}", "calc:", text))
        md.postprocessors.register(unmark, "lesson_unmark", -1)


def _processor(kind: Callable, md: Markdown, run: Callable) -> Any:
    """One of Markdown's processors, which does what a function does."""
    processor = kind(md)
    processor.run = run
    return processor


def _block_options(language: str, inputs: dict, options: dict, attrs: dict, md: Markdown) -> bool:
    options["index"] = int(inputs.get("block", "-1"))
    inputs.clear()
    return True


def _block_format(reading: Reading, block_html: BlockHTML) -> Callable[..., str]:
    """What makes HTML of a fence for superfences; markdown-exec runs a block by asking for its results."""

    def formatted(src: str, language: str, md: Markdown, options: dict, **_: object) -> str:
        def highlight(code: str, language: str, title: str = "") -> str:
            settings = {"title": title} if title else {}
            fence: Any = md.preprocessors["fenced_code_block"]
            return fence.highlight(code, language, settings, md, classes=[], id_value="", attrs={})

        try:
            before, output, after = block_html(options["index"], highlight)
            shown = base_format(language="python", run=lambda *_, **__: output, code=src, md=md, html=True)
        except Exception as error:  # any other is swallowed, and the block shown as text
            raise SuperFencesException from error
        reading.blocks[md.htmlStash.html_counter] = options["index"]
        return f"{before}{shown}{after}"

    return formatted
