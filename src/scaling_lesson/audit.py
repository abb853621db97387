"""The second check: every number a reader sees on the built site, with nothing but the site's own files.

    python src/scaling_lesson/audit.py site

Written from the rules alone and standing alone: it uses only Python's standard library and shares no code with the gate
in site/, so a mistake there is not repeated here. The folder may be anywhere, for example a copy of the hosted site.
Prints one line a problem, then a count. Exit status: 0 all holds, 1 problems, 2 the folder is not a built site.
"""

import json
import math
import re
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

# The rule: what a claim says, and whether it is so.

BOUNDS = {"over": ">", "more than": ">", ">": ">", "at least": "≥", "≥": "≥",
          "under": "<", "less than": "<", "<": "<", "at most": "≤", "≤": "≤", "about": "≈", "": ""}  # fmt: skip
WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "": 1}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
PLAIN = {"B": "data", "byte": "data", "bytes": "data", "FLOP": "work", "FLOPs": "work", "s": "time"}
TIMES = {"second": 1, "hour": 3600, "day": 86400, "year": Fraction(36525, 100) * 86400}  # the Julian year
LARGE = {prefix: 1000**n for n, prefix in enumerate("kMGTPEZ", 1)} | {f"{p}i": 1024**n for n, p in enumerate("KMGT", 1)}
SMALL = {"m": Fraction(1, 10**3), "µ": Fraction(1, 10**6), "n": Fraction(1, 10**9)}

STATEMENT = re.compile(
    r"(?P<bound>(?:about|over|under|more than|less than|at least|at most)\s|[<>≤≥]\s?)?"
    r"(?P<minus>[-−])?(?:"
    r"(?P<above>[0-9]{1,9})/(?P<below>[0-9]{1,9})"
    r"|2(?P<two>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})"
    r"|10(?P<ten>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})"
    r"|(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<part>[0-9]+))?"
    r"(?:\s?[×x]\s?10(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})|[eE](?P<e>[-+]?[0-9]{1,4}))?"
    r")(?:\s(?P<word>thousand|million|billion|trillion))?(?:\s?(?P<sign>[%×x])|\s(?P<unit>[^\s0-9][^0-9]*))?"
)


def dimension(symbol: str) -> tuple[str, Fraction]:
    """What a unit measures, and how many base units it is. What is no unit of data, work or time is a counted noun."""
    if symbol in ("", "×", "x", "times", "%"):
        return "", Fraction(1, 100 if symbol == "%" else 1)
    above, slash, below = symbol.partition("/")
    if slash:
        (top, factor), (bottom, divisor) = dimension(above), dimension(below)
        return f"{top}/{bottom}", factor / divisor
    if symbol in PLAIN:
        return PLAIN[symbol], Fraction(1)
    if (time := symbol.removesuffix("s")) in TIMES:
        return "time", Fraction(TIMES[time])
    for base, prefixes in (("FLOPs", LARGE), ("FLOP", LARGE), ("B", LARGE), ("s", SMALL)):
        prefix = symbol.removesuffix(base)
        if prefix != symbol and prefix in prefixes and ("i" not in prefix or base == "B"):
            return PLAIN[base], Fraction(prefixes[prefix])
    noun = re.sub(r"(?<=[^aeiou])ies$", "y", symbol)
    noun = re.sub(r"(?<=ss|sh|ch|.x)es$", "", noun) if noun == symbol else noun
    return "noun " + (re.sub(r"(?<=[^s])s$", "", noun) if noun == symbol else noun), Fraction(1)


def same(stated: str, published: str) -> bool:
    """Whether two dimensions are one: a count may leave its noun, or all of it but the last word, to the sentence."""
    if not published.startswith("noun ") or "/" in published:
        return stated == published
    nouns = [re.split("[ -]", name.removeprefix("noun ")) for name in sorted((stated, published), key=len)]
    return stated == "" or stated.startswith("noun ") and nouns[0] == nouns[1][-len(nouns[0]) :]


def number(text: str) -> Fraction | None:
    """A published value as numbers.json writes it: a whole number, a ratio, or a float, whose binary value counts."""
    if re.fullmatch(r"-?[0-9]+(/[0-9]+)?", text):
        return Fraction(text)
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", text) and math.isfinite(float(text)):
        return Fraction(float(text))
    return None


def nearest(value: Fraction, step: Fraction, digits: int) -> bool:
    """Whether `digits` steps are the correct rounding of the value, half to even."""
    off = abs(value / step - digits)
    return off < Fraction(1, 2) or off == Fraction(1, 2) and digits % 2 == 0


def wrong(text: str, value: Fraction, unit: str, tolerance: Fraction = Fraction(0)) -> str | None:
    """Why `text` does not state a value of this unit correctly, or None. It must hold all over value ± tolerance."""
    said = STATEMENT.fullmatch(text)
    if said is None or said["below"] and int(said["below"]) == 0:
        return "does not read as a number"
    stated, factor = dimension(said["sign"] or said["unit"] or "")
    published, base = dimension(unit)
    if not same(stated, published):
        return f"is of another dimension than {unit or 'a plain number'}"
    bound = BOUNDS[(said["bound"] or "").strip()]
    scale = factor * WORDS[said["word"] or ""] * (-1 if said["minus"] else 1)
    part = said["part"] or ""
    digits, exact = int((said["whole"] or "1").replace(",", "") + part), None
    exponent = int((said["raised"] or said["ten"] or said["e"] or "0").translate(RAISED))
    step = scale * Fraction(10) ** (exponent - len(part))
    if said["above"]:
        exact = Fraction(int(said["above"]), int(said["below"])) * scale
    elif said["two"]:
        exact = Fraction(2) ** int(said["two"].translate(RAISED)) * scale
    shown = digits * step if exact is None else exact
    if bound == "≈" and not part:  # "about 500,000" promises one digit
        zeros = len(str(digits)) - len(str(digits).rstrip("0")) if digits else 0
        digits, step = digits // 10**zeros, step * 10**zeros
    for end in (value, value - tolerance, value + tolerance):
        end *= base
        if bound in ("", "≈"):
            # A "0" that stands for something says nothing of it.
            holds = end == exact if exact is not None else nearest(end, step, digits) and (digits != 0 or end == 0)
        else:
            holds = (end > shown) if bound == ">" else (end < shown) if bound == "<" else end == shown or (
                (end > shown) == (bound == "≥"))  # fmt: skip
        if not holds:
            return "is not what that rounds to" if end == value * base else "does not hold all over its tolerance"
    return None


# The pages.

SKIPPED_TAGS = {"pre", "code", "svg", "math", "script", "style"}
SKIPPED = {
    "claim-card": "it tells a claim's exact value, which is compared on its own",
    "computed": "a generated listing: all its numbers are",
    "doc-contents": "a docstring of the reference code, rendered by mkdocstrings",
    "doc-object": "the same, with its heading",
    "jp-InputPrompt": "Jupyter counts the cells of the notebook",
    "jp-OutputPrompt": "the same",
}
"""Classes whose digits are no numbers of the prose, each with its reason."""
THEME_NAMES = ["CC BY 4.0"]
"""Names with a digit in what the theme writes on every page: the licence."""
READ_OUT = {"title", "alt", "aria-label", "aria-description", "aria-valuetext", "placeholder", "label", "alttext", "value"}
ROWS = {"math", "mrow", "mstyle", "mpadded"}
"""MathML elements whose parts stand side by side on one line."""
UNFINISHED = {"gate-problem", "gate-notice", "claim-number--wrong", "claim-correction"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Node:
    """An element, with the line of the file it begins on. Parts are elements, and (line, text)."""

    def __init__(self, tag: str, attributes: dict[str, str], line: int, parent: "Node | None") -> None:
        self.tag, self.attributes, self.line, self.parent = tag, attributes, line, parent
        self.classes = set(attributes.get("class", "").split())
        self.parts: list[Node | tuple[int, str]] = []

    def walk(self) -> Iterator["Node"]:
        to_do = [self]
        while to_do:
            node = to_do.pop()
            yield node
            to_do += reversed([part for part in node.parts if isinstance(part, Node)])

    def up(self) -> Iterator["Node"]:
        node = self
        while node := node.parent:
            yield node

    def text(self) -> str:
        return "".join(part.text() if isinstance(part, Node) else part[1] for part in self.parts)

    def skipped(self) -> bool:
        card_alone = "claim-card" in self.classes and "claim" not in self.parent.classes
        return self.tag in SKIPPED_TAGS or bool(self.classes & SKIPPED.keys()) and not card_alone or is_number(self)


def is_number(node: Node) -> bool:
    """Whether a node is one of those whose text is compared with its value."""
    return node.tag == "data" and bool(node.classes & {"claim-number", "cell"})


class Page(HTMLParser):
    """A built page as a tree, and its problems as (line, message). path: below the site's folder."""

    def __init__(self, path: str, html: str) -> None:
        super().__init__()
        self.path, self.problems, self.html = path, [], html
        self.url = path.removesuffix("index.html") if path.endswith("index.html") else path
        self.root = self.at = Node("", {}, 1, None)
        self.feed(html)
        self.close()
        self.nodes = list(self.root.walk())
        self.ids: dict[str, Node] = {}
        for node in self.nodes:
            name = node.attributes.get("id")
            if name is not None and name in self.ids:
                self.tell(node.line, f'the id "{name}" is already that of line {self.ids[name].line}')
            elif name is not None:
                self.ids[name] = node

    def tell(self, line: int, message: str) -> None:
        self.problems.append((line, message))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.getpos()[0], self.at)
        self.at.parts.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag: str) -> None:
        if any(node.tag == tag for node in (self.at, *self.at.up())):
            while self.at.tag != tag:
                self.at = self.at.parent
            self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.at.parts.append((self.getpos()[0], data))


def shown(page: Page) -> Iterator[tuple[int, str, Node]]:
    """(line, text, its element) of all that is visible or read out, but code and what is compared on its own."""
    to_do = [page.root]
    while to_do:
        node = to_do.pop()
        for name in READ_OUT & node.attributes.keys():
            if name != "value" or node.tag == "input":
                yield node.line, node.attributes[name], node
        if re.search("title|description", node.attributes.get("name", "") + node.attributes.get("property", "")):
            yield node.line, node.attributes.get("content", ""), node
        dressed = node.tag == "code" and not any(n.tag == "pre" for n in node.up())  # a number as code is a number
        if node.skipped() and not (dressed and STATEMENT.fullmatch(node.text().strip())):
            if node.tag == "math":
                to_do += [part for part in node.walk() if part.tag in ("mtext", "ms")]
            continue
        for part in node.parts:
            if isinstance(part, Node):
                to_do.append(part)
            else:
                yield *part, node


def check_prose(page: Page, names: re.Pattern, exempt: dict[str, str]) -> None:
    """Naked numbers, in text and in formulas, and what the build should not have left."""
    for line, text, node in shown(page):
        for mark in re.finditer(r"calc:|```|~~~|\$\$|publish\(|^\s*(?:///|!!!|\?\?\?)", text, re.M):
            page.tell(line + text.count("\n", 0, mark.end()), f'"{mark[0].strip()}" is left in the text')
        if any(n.tag == "a" and is_doc(page, n.attributes.get("href", "")) for n in (node, *node.up())):
            continue  # the contents list names what a docstring's heading does
        bare = names.sub(lambda name: re.sub(r"\S", "·", name[0]), text)
        for word in re.finditer(r"[^\s()\[\]|]+", bare):
            naked = word[0].strip(".,;:!?'’\"“”")
            if any(c.isnumeric() for c in naked) and naked not in exempt:
                page.tell(line + text.count("\n", 0, word.start()), f'naked number "{naked}"')
    for node in page.nodes:
        if node.tag == "math" and not any(n.skipped() for n in node.up()):
            formula = flat(node)
            for digits in re.findall(r"[0-9]+(?:[.,][0-9]+)*", formula):
                if len(digits) > 1 or not any(c.isalpha() for c in formula):
                    page.tell(node.line, f'naked number "{digits}" in a formula')
        if node.tag == "pre" and "publish(" in node.text():
            language = next((c for n in node.up() for c in n.classes if c.startswith("language-")), "")
            if language in ("", "language-python") and not any(n.classes & SKIPPED.keys() for n in node.up()):
                page.tell(node.line, '"publish(" is left in a listing')
        for name in node.classes & UNFINISHED:
            page.tell(node.line, f'a "{name}" is on the page')
    for mark in re.finditer("Traceback \\(most recent call last\\)|[⟦⟧\x02\x03\ufffd]", page.html):
        page.tell(page.html.count("\n", 0, mark.start()) + 1, f"{mark[0]!r} is left on the page")


def is_doc(page: Page, href: str) -> bool:
    target = page.ids.get(href[1:]) if href.startswith("#") else None
    return target is not None and any(n.classes & {"doc-contents", "doc-object"} for n in (target, *target.up()))


def flat(node: Node) -> str:
    """A formula as text, with a space wherever its parts do not stand side by side on one line."""
    if node.tag in ("mtext", "ms", "mspace"):
        return " "
    inner = ("" if node.tag in ROWS else " ").join(flat(p) if isinstance(p, Node) else p[1].strip() for p in node.parts)
    return inner if node.tag in ROWS | {"mi", "mn", "mo"} else f" {inner} "


def check_links(page: Page, pages: dict[str, Page], site: Path) -> None:
    """Every address inside the site leads to a file, every fragment to an element."""
    for node in page.nodes:
        for name in {"aria-describedby", "aria-labelledby"} & node.attributes.keys():
            for target in node.attributes[name].split():
                if target not in page.ids:
                    page.tell(node.line, f'{name} names "{target}", which is not on the page')
        for name in {"href", "src", "xlink:href"} & node.attributes.keys():
            address = node.attributes[name]
            target = resolve(page, address, site)
            if address.startswith("calc:"):
                page.tell(node.line, f'the link "{address}" was not read as a claim')
            elif target is not None and target not in pages and not (site / target).is_file():
                page.tell(node.line, f'the link "{address}" leads nowhere')
            elif target in pages and (at := unquote(urlsplit(address).fragment)) and at not in pages[target].ids:
                page.tell(node.line, f'the link "{address}" leads to no place on its page')


def resolve(page: Page, address: str, site: Path) -> str | None:
    """The file an address means, below the site's folder; None when it is of another host."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    path = unquote(parts.path)
    if not path:
        return page.path
    if path.startswith("/") and page.path == "404.html":  # served for any address, so its own begin at the host's root
        path = path.lstrip("/")
        while "/" in path and not (site / path).exists():
            path = path.split("/", 1)[1]
    target = normpath(join(dirname(page.path), path))
    return target if not (site / target).is_dir() else normpath(join(target, "index.html"))


# Pages against numbers.json.


class Claim(NamedTuple):
    text: str
    page: str
    name: str


def check_claims(page: Page, listed: dict, by_url: dict[str, str], numbers: dict, site: Path) -> int:
    """Each claim against the value it names, and all of them against the list."""
    found, lines = [], []
    for node in (n for n in page.nodes if is_number(n) and "claim-number" in n.classes):
        text, link, span = node.text(), node.parent, node.parent.parent
        if link.tag != "a" or span is None or "claim" not in span.classes:
            page.tell(node.line, f'claim "{text}" has no link to its value')
            continue
        address = link.attributes.get("href", "")
        target = (resolve(page, address, site) or "").removesuffix("index.html")
        claim = Claim(text, by_url.get(target, target), urlsplit(address).fragment.removeprefix("calc-"))
        found.append(claim)
        lines.append(node.line)
        values = [v for v in numbers.get(claim.page, {}).get("values", ()) if v["name"] == claim.name]
        if len(values) != 1:
            page.tell(node.line, f'claim "{text}": numbers.json has {len(values)} values for "{address}"')
            continue
        value = values[0]
        for problem in value_problems(text, value, node.attributes.get("value")):
            page.tell(node.line, f'claim "{text}": {problem}')
        cards = [n for n in span.parts if isinstance(n, Node) and "claim-card" in n.classes]
        if len(cards) != 1 or cards[0].attributes.get("id") != link.attributes.get("aria-describedby"):
            page.tell(node.line, f'claim "{text}" has no card of its own')
        else:
            for problem in card_problems(cards[0], value):
                page.tell(node.line, f'claim "{text}": {problem}')
    compare(page, "claim", found, lines, [Claim(c["text"], c["page"], c["name"]) for c in listed["claims"]])
    return len(found)


def value_problems(text: str, value: dict, attribute: str | None) -> Iterator[str]:
    exact = value["value"]
    if attribute != exact:
        yield f'its value attribute is "{attribute}", numbers.json has "{exact}"'
    if (amount := number(exact)) is not None:
        if problem := wrong(text, amount, value["unit"], Fraction(value["tolerance"])):
            yield f"{value['name']} is {exact} {value['unit']}".rstrip() + f", and the text {problem}"
    elif "nan" in exact.lower() or value["unit"]:
        yield f"{value['name']} is {exact} {value['unit']}".rstrip() + ", which is not a number"
    elif text != exact:
        yield f'{value["name"]} is "{exact}"'


def card_problems(card: Node, value: dict) -> Iterator[str]:
    shown = next((n.text() for n in card.walk() if "claim-exact" in n.classes), "")
    amount = shown.removesuffix(value["unit"]).strip().replace(",", "")
    if shown != value["value"] and (number(amount) is None or number(amount) != number(value["value"])):
        yield f'its card says "{shown}", numbers.json {value["value"]} {value["unit"]}'.rstrip()
    for part in ("expression", "reason", "source"):
        if " ".join(value[part].split()) not in " ".join(card.text().split()):
            yield f"its card does not give the {part} that numbers.json has"


def check_cells(page: Page, listed: dict) -> int:
    """Each cell against its own value, and all of them against the list. Values of cells are in base units."""
    found, lines = [], []
    for node in (n for n in page.nodes if is_number(n) and "cell" in n.classes):
        text, exact, unit = node.text(), node.attributes.get("value", ""), node.attributes.get("data-unit", "")
        found.append((text, exact, unit))
        lines.append(node.line)
        value, factor = number(exact), dimension(unit)[1]
        # A column may give its cells fewer digits than one of them needs: there "0.00" is right.
        zero = value is not None and text.strip("0.") == "" and abs(value) <= factor * Fraction(5, 10 ** len(text[1:]) or 1)
        if value is None or not zero and wrong(text, value / factor, ""):
            page.tell(node.line, f'cell "{text}": its value is {exact}, shown in "{unit}"')
    compare(page, "cell", found, lines, [(c["text"], c["value"], c["unit"]) for c in listed["cells"]])
    return len(found)


def compare(page: Page, what: str, found: list[tuple], lines: list[int], listed: list[tuple]) -> None:
    for _, start, end, first, last in SequenceMatcher(None, found, listed, autojunk=False).get_opcodes():
        if found[start:end] != listed[first:last]:
            for item, line in zip(found[start:end], lines[start:end], strict=True):
                page.tell(line, f'{what} "{item[0]}" ({", ".join(item[1:])}) is not in numbers.json, or not at this place')
            for item in listed[first:last]:
                line = lines[start - 1] if start else 1
                page.tell(line, f'{what} "{item[0]}" ({", ".join(item[1:])}) of numbers.json is not here, after this line')


def audit(site: Path) -> tuple[list[str], str]:
    """All problems of a site, as lines, and what was verified. Raises ValueError when it is not a built site."""
    try:
        numbers = json.loads((site / "numbers.json").read_text(encoding="utf-8"))
        listed, by_url = numbers["pages"], {page["url"]: path for path, page in numbers["pages"].items()}
        words = [*THEME_NAMES, *numbers["names"]]
        names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})(?!\w)")
        files = sorted(site.rglob("*.html"))
        pages = {p.path: p for p in (Page(f.relative_to(site).as_posix(), f.read_text("utf-8", "replace")) for f in files)}
        problems = [
            ("numbers.json", 1, f'the page "{url}" is not there') for url in by_url if not any(p.url == url for p in pages.values())
        ]
        claims = cells = 0
        for page in pages.values():
            path = by_url.get(page.url, "")
            mine = listed.get(path, {"claims": [], "cells": []})
            check_prose(page, names, numbers["exempt"].get(path, {}))
            check_links(page, pages, site)
            claims += check_claims(page, mine, by_url, listed, site)
            cells += check_cells(page, mine)
            problems += [(page.path, *problem) for problem in page.problems]
    except (OSError, KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{site} is not a built site: {type(error).__name__} {error}") from error
    told = [f"{path}:{line}: {message}" for path, line, message in sorted(set(problems))]
    return told, f"{claims:,} claims, {cells:,} cells on {len(pages):,} pages hold"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: audit.py SITE", file=sys.stderr)
        return 2
    try:
        problems, verified = audit(Path(arguments[0]))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for problem in problems:
        print(problem)
    print(f"{len(problems):,} problem{'s' * (len(problems) != 1)} on the built site" if problems else verified)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
