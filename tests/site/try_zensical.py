"""Whether each page of the site that Zensical built is the one that MkDocs built: `scripts/try-zensical` asks.

    python tests/site/try_zensical.py site .zensical

Compared is what a reader gets of a page: all text of its article, cards included, and the markup of its claims, computed
cells, formulas, figures and explained terms, and the ids that links go to. Prints a line for each difference; exit status 1, if there is one.
"""

import html
import re
import sys
from itertools import zip_longest
from pathlib import Path

LACKING = {"404.html", "print.html", "notebook/recompute.html"}
"""Pages that Zensical makes in its own way, or not at all; docs/authors/zensical.md tells of them, and of what OURS is."""

OURS = re.compile(r'<p class="reading-time">.*?</p>| ?<a [^>]*class="report".*?</a>', re.S)
"""The text that our plugins add to an article."""

MARKUP = {
    "claim": '<a href="[^"]*" aria-describedby="[^"]*"><data .*?</a>',
    "cell": '<data class="cell".*?</data>',
    "formula": "<math.*?</math>",
    "figure": '<div class="figure"><svg.*?</svg>',
    "term": "<abbr.*?</abbr>",
    "id": r'(?<=\sid=")(?!__)[^"]+',
}


def article(page: str) -> dict[str, list[str]]:
    """The lines of a page's article without their tags, and what of its markup is compared."""
    (text,) = re.findall("<article.*?</article>", OURS.sub("", page), re.S)
    lines = html.unescape(re.sub("<[^>]*>", "", text)).split("\n")
    found = {kind: re.findall(pattern, text, re.S) for kind, pattern in MARKUP.items()}
    return {"line": [" ".join(line.split()) for line in lines if line.strip()], **found}


def compare(one: Path, other: Path) -> tuple[dict[str, int], list[str]]:
    """How many of each kind the pages of two sites have, and the first difference of each kind on each page."""
    counts, found = dict.fromkeys(["page", "line", *MARKUP], 0), []
    names = {file.relative_to(site).as_posix() for site in (one, other) for file in site.rglob("*.html")}
    for name in sorted(names - LACKING):
        if missing := [site for site in (one, other) if not (site / name).exists()]:
            found.append(f"{name}: not in {missing[0]}")
            continue
        counts["page"] += 1
        ours, theirs = (article((site / name).read_text("utf-8")) for site in (one, other))
        for kind in ours:
            counts[kind] += len(ours[kind])
            pairs = zip_longest(ours[kind], theirs[kind], fillvalue="nothing")
            different = next((pair for pair in pairs if pair[0] != pair[1]), None)
            if different:
                found.append(f"{name}: {kind}: {' is '.join(text[:200] for text in different)}")
    return counts, found


def main(one: str, other: str) -> int:
    counts, found = compare(Path(one), Path(other))
    print(*found, sep="\n", end="\n" * bool(found))
    print(", ".join(f"{count:,} {kind}s" for kind, count in counts.items()), f"compared: {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
