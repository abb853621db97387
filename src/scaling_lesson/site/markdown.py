"""The Python-Markdown extension: runs a page's blocks through markdown-exec, and leaves a slot for each claim.

Claims are filled in when every page is rendered, since a claim may name another page's value.
"""

import re
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from markdown_exec import MarkdownConverter, base_format, code_block, validator
from pymdownx.superfences import SuperFencesCodeExtension

from scaling_lesson.site.gate import Gate, Page, slot
from scaling_lesson.site.present import block_slot, error_box, shown_code


class NumbersExtension(Extension):
    """Adds executed blocks and claims. Must stand after pymdownx.superfences, whose fences it extends."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate

    def extendMarkdown(self, md: Markdown) -> None:
        page = self.gate.current
        if page is None or page.converter:  # a second one renders what a block or a docstring shows: no claims in there
            return
        page.converter = md
        fences = next(e for e in md.registeredExtensions if isinstance(e, SuperFencesCodeExtension))
        fences.extend_super_fences("python", self._format, self._validate, None)
        # After whitespace is normalized (30), before fences are read (25).
        md.preprocessors.register(_Mark(md, self.gate), "number_marks", 28)
        # After inline patterns (20) made the links, before MkDocs rewrites addresses (0).
        md.treeprocessors.register(_Slots(md, self.gate), "claim_slots", 15)

    def _validate(self, language: str, inputs: dict, options: dict, attrs: dict, md: Markdown) -> bool:
        if "block" not in inputs:  # its header is wrong, which the gate tells; it must not run some other way
            inputs.clear()
            options["block"] = None
            return True
        options["block"] = int(inputs.pop("block"))
        options["shown"] = inputs.pop("source", "") == "above"
        options["title"] = inputs.pop("title", "")
        return validator(language, inputs, {}, attrs, md)

    def _format(self, src: str, language: str, md: Markdown, options: dict, **_: object) -> str:
        page, index = self.gate.current, options["block"]
        if index is None:
            return error_box("this block does not run")
        if index not in page.run.html:
            page.run.html[index] = self._block(page, index, src, md, options)
        return page.run.html[index]

    def _block(self, page: Page, index: int, code: str, md: Markdown, options: dict) -> str:
        extra = []

        def run(code: str, **_: object) -> str:
            printed, html = page.run.execute(index, page.fences[index], code)
            extra.append(html)
            return printed.rstrip("\n")

        printed = base_format(language="python", run=run, code=code, md=md, result="text")
        title = {"title": options["title"]} if options["title"] else {}
        listing = MarkdownConverter(md).convert(code_block("python", shown_code(code), **title))
        anchors = "".join(f'<span id="calc-{v.name}"></span>' for v in page.run.values.values() if v.place[0] == index)
        wrong = block_slot(index)
        if options["shown"]:
            return f'<div class="block">{anchors}{listing}{printed}{extra[0]}{wrong}</div>'
        folded = f'<details class="block-code"><summary>The code</summary>{anchors}{listing}</details>'
        return f'<div class="block">{extra[0]}{printed}{wrong}{folded}</div>'


class _Mark(Preprocessor):
    def __init__(self, md: Markdown, gate: Gate) -> None:
        super().__init__(md)
        self.gate = gate

    def run(self, lines: list[str]) -> list[str]:
        # Markdown adds two empty lines at the end, which the page's text does not have.
        text = "\n".join(lines)
        return self.gate.mark(text.removesuffix("\n\n")) + ["", ""]


class _Slots(Treeprocessor):
    def __init__(self, md: Markdown, gate: Gate) -> None:
        super().__init__(md)
        self.gate = gate

    def run(self, root: Element) -> None:
        page = self.gate.current
        for parent in root.iter():
            heading = re.fullmatch("h[1-6]", parent.tag)
            for link in parent:
                number = (link.get("href") or "").removeprefix("calc:")
                if link.tag != "a" or not (link.get("href") or "").startswith("calc:"):
                    continue
                index = int(number) if re.fullmatch("[0-9]{1,6}", number) else -1
                if not 0 <= index < len(page.links) or heading:
                    continue  # not reached, and reported as such
                page.reached.add(index)
                link.tag = "span"
                for name in list(link.attrib):
                    del link.attrib[name]
                link.set("class", "claim")
                link.set("id", f"claim-{index}")
                for child in list(link):
                    link.remove(child)
                link.text = AtomicString(slot(index))
