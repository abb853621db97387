"""The search: what it reads of a page, and that nothing of it is fetched before somebody searches."""

import re
from pathlib import Path

from mkdocs.exceptions import PluginError

UNREAD = re.compile(r'<(svg|span class="claim-card"|p class="reading-time"|details class="(?:block-code|figure-data)")')
"""What a search must not find: drawings, cards, times to read, folded code and data."""
_AT_ONCE = 'location.protocol!=="file:"'
"""Where the theme's script asks whether to fetch the index with the page: else it waits until somebody searches."""


def readable(html: str) -> str:
    """The page's HTML without what a search must not find."""
    parts, at = [], 0
    for begin in UNREAD.finditer(html):
        if begin.start() < at:
            continue
        parts.append(html[at : begin.start()])
        name, depth = begin[1].split()[0], 0
        for tag in re.compile(rf"<(/?){name}\b[^>]*>").finditer(html, begin.start()):
            depth += -1 if tag[1] else 1
            at = tag.end()
            if not depth:
                break
    return "".join(parts) + html[at:]


def wait(site: Path) -> None:
    """Have the theme's script wait for the reader, and the index found from a folder too."""
    (bundle,) = site.glob("assets/javascripts/bundle.*.min.js")
    script = bundle.read_text("utf-8")
    if script.count(_AT_ONCE) != 1:
        raise PluginError(f"{bundle.name}: the theme fetches its search index in another way: see {__name__}")
    lines = Path(__file__).with_suffix(".js").read_text("utf-8").split("\n")
    ours = "".join(line.strip() for line in lines if not line.startswith("//"))
    bundle.write_text(ours + script.replace(_AT_ONCE, "!1"), "utf-8")
    index = (site / "search/search_index.json").read_text("utf-8")
    (site / "search/search_index.js").write_text(f"var __index = {index}", "utf-8")
