"""The site for programs that read text: its pages as plain Markdown, and llms.txt, which lists them (llmstxt.org)."""

import re
from collections.abc import Sequence
from html import unescape
from urllib.parse import urljoin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from scaling_lesson.site.numbers.value import Cell
from scaling_lesson.site.read.source import CLAIM, Source
from scaling_lesson.site.run.results import Figure, Results, Table
from scaling_lesson.site.show.blocks import shown_code
from scaling_lesson.site.web.about import title

_BOX = re.compile(r"^/{3,} +(?:caption|(?:misconception|takeaway|note|question) \| (?P<title>.*))$")
_ATTRIBUTES = re.compile(r" *\{ ?[#:.][^}\n]*\}|^<!--.*-->$")


def as_markdown(source: Source, results: Results) -> str:
    """A page as text: claims by their text, blocks by what they show, figures by what can be seen in them."""
    lines = source.text.split("\n")
    for index, block in reversed(list(enumerate(source.blocks))):
        shown = block.options.get("source") == "above"
        made = ["```python", *shown_code(block.code).split("\n"), "```"] if shown else []
        if result := results.blocks.get(index):
            if printed := result.printed.rstrip("\n"):
                made += ["", "```text", *printed.split("\n"), "```"]
            for part in result.shown:
                made += ["", *(_table(part) if isinstance(part, Table) else [_described(part)])]
        lines[block.line - 1 : block.end] = made
    text, code = [], False
    for line in lines[source.front :]:
        code ^= line.startswith("```")
        if not code:
            if re.match(r"/{3,}$| +attrs: |\[\^", line):
                continue
            box = _BOX.match(line)
            line = (f"**{box['title']}**" if box["title"] else "") if box else _ATTRIBUTES.sub("", line)
            line = CLAIM.sub(r"\g<text>", line)
        text.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(text)).strip() + "\n"


def _table(table: Table) -> list[str]:
    rows = [[title for title, *_ in table.columns], ["---"] * len(table.columns)]
    rows += [[cell.text if isinstance(cell, Cell) else cell for cell in row] for row in table.rows]
    return [f"| {' | '.join(row)} |" for row in rows]


def _described(figure: Figure) -> str:
    return f"*Figure: {unescape(re.search('<desc[^>]*>(.*?)</desc>', figure.svg, re.S)[1])}*"


def llms_txt(config: MkDocsConfig, lesson: Sequence[Page], others: Sequence[Page]) -> str:
    """What is here, with the address of each page's Markdown."""

    def listed(pages: Sequence[Page]) -> list[str]:
        at = [(page, urljoin(config.site_url or "", page.file.dest_uri.removesuffix("html") + "md")) for page in pages]
        return [f"- [{title(page)}]({address}): {page.meta.get('description', '')}" for page, address in at]

    about = f"# {config.site_name}\n\n> {config.site_description}\n"
    numbers = f"- [Every number]({urljoin(config.site_url or '', 'numbers.json')}): each with its unit, code and uses"
    return "\n".join([about, "## Lesson\n", *listed(lesson), "\n## Optional\n", *listed(others), numbers, ""])
