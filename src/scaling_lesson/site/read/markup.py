"""The Python-Markdown extension: numbers claims and blocks, leaves a slot for each, makes formulas, and reads the tree.

Claims are filled in when every page is judged, since a claim may name another page's value.
"""

import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from markdown_exec import base_format
from pymdownx.superfences import SuperFencesCodeExtension, SuperFencesException

from scaling_lesson.site.read.formula import FormulaProcessor
from scaling_lesson.site.read.prose import NO_CLAIM, Reading
from scaling_lesson.site.read.source import MARK

BlockHTML = Callable[[int, Callable[[str, str, str], str]], tuple[str, str, str]]
"""What a page shows of a block, given its index and highlight(code, language, title): before its output, it, after."""


def slot(kind: str, number: int) -> str:
    """What stands for a page's claim or for the problems of a block until all pages are judged; nobody types it."""
    return f"{MARK}{kind}{number}{MARK}"


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
        blocks = _Blocks(reading, block_html)
        fences.extend_super_fences("python", blocks.format, blocks.validate, None)
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
        # After inline patterns (20) made the links, before MkDocs rewrites addresses (0).
        md.treeprocessors.register(_Slots(md, reading), "lesson_slots", 15)
        md.registerExtensions(also, {})
        md.treeprocessors.register(
            _processor(Treeprocessor, md, lambda root: reading.walk(root, md)), "lesson_read", -1
        )
        # Code spans and listings have kept the numbers of claims.
        unmark = _processor(Postprocessor, md, lambda text: re.sub(f"calc:{MARK}\\d+{MARK}", "calc:", text))
        md.postprocessors.register(unmark, "lesson_unmark", -1)


def _processor(kind: Callable, md: Markdown, run: Callable) -> Any:
    """One of Markdown's processors, which does what a function does."""
    processor = kind(md)
    processor.run = run
    return processor


class _Blocks:
    """The fences of a page, as superfences wants them; markdown-exec runs each by asking for its results."""

    def __init__(self, reading: Reading, block_html: BlockHTML) -> None:
        self._reading, self._html = reading, block_html

    def validate(self, language: str, inputs: dict, options: dict, attrs: dict, md: Markdown) -> bool:
        options["index"] = int(inputs.get("block", "-1"))
        inputs.clear()
        return True

    def format(self, src: str, language: str, md: Markdown, options: dict, **_: object) -> str:
        def highlight(code: str, language: str, title: str = "") -> str:
            settings = {"title": title} if title else {}
            fence: Any = md.preprocessors["fenced_code_block"]
            return fence.highlight(code, language, settings, md, classes=[], id_value="", attrs={})

        try:
            before, output, after = self._html(options["index"], highlight)
            shown = base_format(language="python", run=lambda *_, **__: output, code=src, md=md, html=True)
        except Exception as error:  # any other is swallowed, and the block shown as text
            raise SuperFencesException from error
        self._reading.blocks[md.htmlStash.html_counter] = options["index"]
        return f"{before}{shown}{after}"


class _Slots(Treeprocessor):
    """Turns the links that are claims into slots, and notes those that cannot be read as one."""

    def __init__(self, md: Markdown, reading: Reading) -> None:
        super().__init__(md)
        self._reading = reading

    def run(self, root: Element) -> None:
        for parent in root.iter():
            for link in parent:
                if link.tag == "a" and link.get("href", "").startswith("calc:"):
                    self._claim(link, heading=bool(re.fullmatch("h[1-6]", parent.tag)))

    def _claim(self, link: Element, heading: bool) -> None:
        mark = re.match(f"calc:{MARK}(\\d+){MARK}", link.get("href", ""))
        number, text = int(mark[1]) if mark else -1, "".join(link.itertext())
        claim = self._reading.source.claims[number] if mark else None
        good = claim and claim.name and text == claim.text and not len(link) and set(link.attrib) == {"href"}
        link.tag = "span"
        link.attrib.clear()
        if good and not heading:
            self._reading.claims[number] = text
            link.attrib.update({"class": "claim", "id": f"claim-{number}"})
            link.text = AtomicString(slot("claim", number))
        else:
            link.set("class", "claim-odd")
            why = "a heading cannot hold one" if heading else NO_CLAIM
            self._reading.odd[number] = why
