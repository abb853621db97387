"""The Python-Markdown extension: numbers claims and blocks, leaves a slot for each, makes formulas, and reads the tree.

Claims are filled in when every page is judged, since a claim may name another page's value.
"""

import re
from collections.abc import Callable
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
from scaling_lesson.site.read.prose import Reading
from scaling_lesson.site.read.source import MARK
from scaling_lesson.site.read.terms import TermsProcessor

BlockHTML = Callable[[int, Callable[[str, str, str], str]], tuple[str, str, str]]
"""What a page shows of a block, given its index and highlight(code, language, title): before its output, that, after it."""

def slot(kind: str, number: int) -> str:
    """What stands for a page's claim or for the problems of a block until all pages are judged; nobody types it."""
    return f"{MARK}{kind}{number}{MARK}"


class PageExtension(Extension):
    """Renders one page after another: begin(...) before Markdown does, end() after it."""

    def __init__(self, terms: dict[str, str]) -> None:
        super().__init__()
        self._terms = terms
        self._next: tuple[Reading, BlockHTML, bool] | None = None

    def begin(self, reading: Reading, block_html: BlockHTML, explain: bool) -> None:
        """The next Markdown made is the page's. explain: whether terms are marked on it."""
        self._next = reading, block_html, explain

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Markdown's name)
        if self._next is None:
            return  # others render what a block or a docstring shows: no claims in there
        (reading, block_html, explain), self._next = self._next, None
        fences = next(e for e in md.registeredExtensions if isinstance(e, SuperFencesCodeExtension))
        blocks = _Blocks(reading, block_html)
        fences.extend_super_fences("python", blocks.format, blocks.validate, None)
        # After whitespace is normalized (30), before fences are read (25).
        md.preprocessors.register(_Number(md, reading), "lesson_number", 28)
        md.preprocessors.register(_HtmlBlocks(md, reading, md.preprocessors["html_block"]), "html_block", 20)
        # After code spans (190), before escapes (180): a backslash inside a formula belongs to the formula.
        md.inlinePatterns.register(FormulaProcessor(md, reading.formulas.__setitem__), "lesson_formula", 185)
        # After inline patterns (20) made the links, before MkDocs rewrites addresses (0).
        md.treeprocessors.register(_Slots(md, reading), "lesson_slots", 15)
        if explain and self._terms:
            md.treeprocessors.register(TermsProcessor(md, self._terms), "lesson_terms", 7)
        md.treeprocessors.register(_Read(md, reading), "lesson_read", -1)
        md.postprocessors.register(_Unmark(md), "lesson_unmark", -1)


class _Blocks:
    """The fences of a page, as superfences wants them; markdown-exec runs each by asking for its results."""

    def __init__(self, reading: Reading, block_html: BlockHTML) -> None:
        self._reading, self._html = reading, block_html

    def validate(self, language: str, inputs: dict, options: dict, attrs: dict, md: Markdown) -> bool:
        options["index"] = int(inputs.get("block", "-1"))
        inputs.clear()
        return True

    def format(self, src: str, language: str, md: Markdown, options: dict, **_: object) -> str:
        try:
            return self._format(options["index"], src, md)
        except Exception as error:  # any other is swallowed, and the block shown as text
            raise SuperFencesException from error

    def _format(self, index: int, src: str, md: Markdown) -> str:

        def highlight(code: str, language: str, title: str = "") -> str:
            fence = md.preprocessors["fenced_code_block"]
            settings = {"title": title} if title else {}
            return fence.highlight(code, language, settings, md, classes=[], id_value="", attrs={})

        before, output, after = self._html(index, highlight)
        shown = base_format(language="python", run=lambda *_, **__: output, code=src, md=md, html=True)
        self._reading.blocks[md.htmlStash.html_counter] = index
        return f"{before}{shown}{after}"


class _Number(Preprocessor):
    def __init__(self, md: Markdown, reading: Reading) -> None:
        super().__init__(md)
        self._source = reading.source

    def run(self, lines: list[str]) -> list[str]:
        return self._source.marked(lines)


class _HtmlBlocks(Preprocessor):
    """Markdown's own reading of HTML blocks; notes which of what is stashed they are."""

    def __init__(self, md: Markdown, reading: Reading, html_block: Preprocessor) -> None:
        super().__init__(md)
        self._reading, self._html_block = reading, html_block

    def run(self, lines: list[str]) -> list[str]:
        first = self.md.htmlStash.html_counter
        lines = self._html_block.run(lines)
        self._reading.raw = range(first, self.md.htmlStash.html_counter)
        return lines


class _Slots(Treeprocessor):
    """Turns the links that are claims into slots, and notes those that cannot be read as one."""

    def __init__(self, md: Markdown, reading: Reading) -> None:
        super().__init__(md)
        self._reading = reading

    def run(self, root: Element) -> None:
        for parent in root.iter():
            heading = re.fullmatch("h[1-6]", parent.tag)
            for link in parent:
                address = link.get("href") or ""
                if link.tag == "a" and address.startswith("calc:"):
                    self._claim(link, address, "a heading cannot hold one" if heading else None)

    def _claim(self, link: Element, address: str, trouble: str | None) -> None:
        mark = re.match(f"calc:{MARK}(\\d+){MARK}", address)
        number = int(mark[1]) if mark else -1
        claim = self._reading.source.claims[number] if mark else None
        text = "".join(link.itertext())
        if claim is None or not claim.name or len(link) or set(link.attrib) != {"href"} or text != claim.text:
            trouble = trouble or "this is not a claim: write [37.7 MB](calc:name), on one line"
        link.tag = "span"
        link.attrib.clear()
        if trouble:
            self._reading.odd[number] = trouble
            link.set("class", "claim-odd")
            return
        self._reading.claims[number] = text
        link.attrib.update({"class": "claim", "id": f"claim-{number}"})
        link.text = AtomicString(slot("claim", number))


class _Read(Treeprocessor):
    def __init__(self, md: Markdown, reading: Reading) -> None:
        super().__init__(md)
        self._reading = reading

    def run(self, root: Element) -> None:
        self._reading.walk(root, self.md)


class _Unmark(Postprocessor):
    """Takes the numbers away that code spans and listings have kept."""

    def run(self, text: str) -> str:
        return re.sub(f"calc:{MARK}\\d+{MARK}", "calc:", text)
