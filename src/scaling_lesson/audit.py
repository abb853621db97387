"""The second check: every number a reader sees on the built site, with nothing but the site's own files.

    python src/scaling_lesson/audit.py site

Written from the rules alone and standing alone: it uses only Python's standard library and shares no code with the gate
in site/, so a mistake there is not repeated here. The folder may be anywhere, for example a copy of the hosted site.
Prints one line a problem, then a count. Exit status: 0 all holds, 1 problems, 2 the folder is not a built site.
"""

import json
import math
import operator
import re
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

# The rule: what a claim says, and whether it is so.

BOUNDS = {
    "exactly": operator.eq,
    "over": operator.gt,
    "more than": operator.gt,
    ">": operator.gt,
    "at least": operator.ge,
    "≥": operator.ge,
    "under": operator.lt,
    "less than": operator.lt,
    "<": operator.lt,
    "at most": operator.le,
    "≤": operator.le,
}
WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "": 1}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
LARGE = {prefix: 1000**n for n, prefix in enumerate("kMGTPEZ", 1)}
BINARY = {f"{prefix}i": 1024**n for n, prefix in enumerate("KMGT", 1)}
SMALL = {"m": Fraction(1, 10**3), "µ": Fraction(1, 10**6), "n": Fraction(1, 10**9)}
TIMES = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "year": 31_557_600}  # the Julian year
UNITS = (
    {
        "": ("", 1),
        "×": ("", 1),
        "x": ("", 1),
        "times": ("", 1),
        "%": ("", Fraction(1, 100)),
        "percent": ("", Fraction(1, 100)),
    }
    | {f"{prefix}B": ("data", size) for prefix, size in ({"": 1} | LARGE | BINARY).items()}
    | dict.fromkeys(("byte", "bytes"), ("data", 1))
    | {f"{prefix}{name}": ("work", size) for name in ("FLOP", "FLOPs") for prefix, size in ({"": 1} | LARGE).items()}
    | {f"{prefix}s": ("time", size) for prefix, size in ({"": 1} | SMALL).items()}
    | {f"{name}{plural}": ("time", size) for plural in ("", "s") for name, size in TIMES.items()}
)

STATEMENT = re.compile(
    r"(?P<bound>(?i:about|exactly|over|under|more than|less than|at least|at most)\s|[<>≤≥≈~]\s?)?"
    r"(?P<minus>[-−])?(?:"
    r"(?P<above>[0-9]{1,9})/(?P<below>[0-9]{1,9})"
    r"|2(?P<two>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})"
    r"|10(?P<ten>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})"
    r"|(?P<whole>[0-9]{1,3}(?:,[0-9]{3}){1,9}|[0-9]{1,30})(?:\.(?P<part>[0-9]{1,30}))?"
    r"(?:\s?[×x]\s?10(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})|[eE](?P<e>[-+]?[0-9]{1,4}))?"
    r")(?:\s(?P<word>thousand|million|billion|trillion))?(?:\s?(?P<sign>[%×x])|\s(?P<unit>[^\s0-9][^0-9]*))?"
)


def dimension(symbol: str) -> tuple[str, Fraction]:
    """What a unit measures, and how many base units it is. What is no unit of data, work or time is a counted noun."""
    if symbol in UNITS:
        return UNITS[symbol][0], Fraction(UNITS[symbol][1])
    above, slash, below = symbol.partition("/")
    if slash:
        (top, factor), (bottom, divisor) = dimension(above), dimension(below)
        return f"{top}/{bottom}", factor / divisor
    return "noun " + re.sub(r"(?:(?<=ss|ch|sh)es|(?<=x)es|(?<=[^s])s)$", "", re.sub("ies$", "y", symbol)), Fraction(1)


def same(one: str, other: str) -> bool:
    """Whether two dimensions are one. A noun may lack its first words: positions are token positions."""
    if "/" in one + other:
        return one.count("/") == other.count("/") and all(map(same, one.split("/"), other.split("/")))
    short, long = sorted((one, other), key=len)
    noun = short.removeprefix("noun ")
    return one == other or (noun != short and long.startswith("noun ") and long.endswith((f" {noun}", f"-{noun}")))


def number(text: str) -> Fraction | None:
    """A published value as numbers.json writes it: a whole number, a ratio, or a float, whose binary value counts."""
    if re.fullmatch(r"-?[0-9]+(/[0-9]+)?", text):
        return Fraction(text)
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", text) and math.isfinite(float(text)):
        return Fraction(float(text))
    return None


def in_full(text: str, unit: str) -> Fraction | None:
    """A value as cards and lists give it, with all its digits: `37,748,736 B`, `1.5 × 10⁻⁸ s`."""
    digits, power, exponent = text.removesuffix(unit).strip().replace(",", "").partition(" × 10")
    return number(f"{digits}e{exponent.translate(RAISED)}" if power else digits)


def wrong(
    text: str,
    value: Fraction,
    unit: str,
    tolerance: Fraction = Fraction(0),
    zero: bool = False,
    around: Fraction | None = None,
) -> str | None:
    """Why `text` does not state a value of this unit correctly, or None. It must hold all over value ± tolerance.

    around: all over this ± tolerance instead: the recorded value, which is the same on each machine.
    zero: "0.00" may stand for something too small for its digits; else it says nothing of it.
    """
    said = STATEMENT.fullmatch(text)
    if said is None or (said["below"] and int(said["below"]) == 0):
        return "does not read as a number"
    symbol = said["sign"] or said["unit"] or ""
    stated, factor = dimension(symbol)
    published, base = dimension(unit)
    counted = published.startswith("noun ") and "/" not in published
    if not same(stated, published) and not (counted and symbol == ""):  # a count may leave its noun to the sentence
        return f"is of another dimension than {unit or 'a plain number'}"
    scale = factor * WORDS[said["word"] or ""] * (-1 if said["minus"] else 1)
    part, bound = said["part"] or "", (said["bound"] or "").strip().lower()
    digits = int((said["whole"] or "1").replace(",", "") + part)
    power = int((said["two"] or said["ten"] or said["raised"] or said["e"] or "0").translate(RAISED))
    if exactly := said["above"] or said["two"]:
        step = scale * (Fraction(int(said["above"]), int(said["below"])) if said["above"] else Fraction(2) ** power)
    else:
        step = scale * Fraction(10) ** (power - len(part))
    while bound in ("about", "≈", "~") and not part and not exactly and digits and digits % 10 == 0:
        digits, step = digits // 10, step * 10  # "about 500,000" promises one digit

    def holds(amount: Fraction) -> bool:
        if bound in BOUNDS:
            return BOUNDS[bound](amount, digits * step)
        off = abs(amount / step - digits) if step else abs(amount)
        if exactly or (digits == 0 and not zero):
            return off == 0
        return off < Fraction(1, 2) or (off == Fraction(1, 2) and digits % 2 == 0)  # half to even

    if not holds(value * base):
        return "is not what that rounds to"
    middle = value if around is None else around
    low, high = (middle - tolerance) * base, (middle + tolerance) * base
    if not (holds(low) and holds(high)):
        return "does not hold all over its tolerance"
    compare, limit = BOUNDS.get(bound, operator.eq), digits * step
    near = high if compare in (operator.lt, operator.le) else low
    if compare is not operator.eq and limit and not Fraction(1, 2) <= near / limit <= 2:
        return "is more than a factor of two from its bound"
    return None


# The pages.

DRESSED = re.compile(
    rf"{STATEMENT.pattern}|[~≈$€(<>≤≥±]*[-−]?[0-9][0-9.,–-]*\s?[A-Za-zµ%×]{{0,7}}(?:/[A-Za-z]+)?[).,]*"
)
CODE = {"pre", "code", "svg", "math", "script", "style"}
GENERATED = {
    "computed": "a list the build made; its values are compared with numbers.json",
    "doc-contents": "a docstring of the reference code, rendered by mkdocstrings",
    "doc-object": "the same, with its heading",
    "jp-InputPrompt": "Jupyter counts the cells of the notebook",
    "jp-OutputPrompt": "the same",
}
"""Classes whose digits are no numbers of the prose, each with its reason."""
THEME_NAMES = ["CC BY 4.0", "404 - Not found"]
"""What the theme writes with a digit: the licence, and the title of the page for lost readers."""
READ_OUT = {"title", "alt", "label", "placeholder", "value", "aria-label", "aria-description", "aria-valuetext"}
ROWS = {"math", "mrow", "mstyle", "mpadded"}
"""MathML elements whose parts stand side by side on one line."""
GOES_ON = re.compile(r"[.,]?\w|[%×]|/\w|\s(?:%|×|thousand|million|billion|trillion|([kMGTPEZ]i?)?(B|FLOPs?)|[mµn]?s)\b")
"""What makes another number of one that stands before it."""
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

    def around(self) -> Iterator["Node"]:
        """The element itself, and all that it is in."""
        node = self
        while node is not None:
            yield node
            node = node.parent

    def inside(self, classes: set[str]) -> bool:
        return any(node.classes & classes for node in self.around())

    def text(self) -> str:
        return "".join(map(as_text, self.parts))

    def compared(self) -> bool:
        """Whether its text is not read as prose, but compared with a value: a claim, its card, or a cell."""
        card = "claim-card" in self.classes and any("claim-number" in node.classes for node in self.parent.walk())
        return card or (self.tag == "data" and bool(self.classes & {"claim-number", "cell"}))


def as_text(part: Node | tuple[int, str]) -> str:
    return part.text() if isinstance(part, Node) else part[1]


class Page(HTMLParser):
    """A built page as a tree, and its problems as (line, message)."""

    def __init__(self, site: Path, file: Path) -> None:
        super().__init__()
        self.site, self.path = site, file.relative_to(site).as_posix()
        self.html = file.read_text("utf-8", "replace")
        self.problems: list[tuple[int, str]] = []
        self.root = self.at = Node("", {}, 1, None)
        self.feed(self.html)
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
        self.problems.append((line, " ".join(message.split())))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.getpos()[0], self.at)
        self.at.parts.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag: str) -> None:
        if any(node.tag == tag for node in self.at.around()):
            while self.at.tag != tag:
                self.at = self.at.parent
            self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.at.parts.append((self.getpos()[0], data))

    def target(self, address: str) -> str | None:
        """The file an address means, below the site's folder; None when it is of another host."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return None
        path = unquote(parts.path)
        if path.startswith("/") and self.path == "404.html":  # served for any address, so its own begin at the host
            ends = [path.split("/", n)[-1] for n in range(1, path.count("/") + 1)]
            path = next((end for end in ends if (self.site / end).exists()), ends[0]) or "."
        target = normpath(join(dirname(self.path), path)) if path else self.path
        return normpath(join(target, "index.html")) if (self.site / target).is_dir() else target


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
        if node.tag in CODE or node.classes & GENERATED.keys() or node.compared():
            if node.tag == "math":
                to_do += [part for part in node.walk() if part.tag in ("mtext", "ms")]
            # A number dressed as code is still a number.
            if node.tag != "code" or node.parent.tag == "pre" or not DRESSED.fullmatch(node.text().strip()):
                continue
        for part in node.parts:
            if isinstance(part, Node):
                to_do.append(part)
            else:
                yield *part, node


def check_prose(page: Page, names: re.Pattern, exempt: dict[str, str]) -> None:
    """Naked numbers, in text and in formulas, and what the build should not have left."""
    docs = {f"#{name}" for name, node in page.ids.items() if node.inside(GENERATED.keys())}
    for line, text, node in shown(page):
        for mark in re.finditer(r"calc:|```|~~~|\$\$|publish\(|^\s*(?:///|!!!|\?\?\?)", text, re.M):
            page.tell(line + text.count("\n", 0, mark.end()), f'"{mark[0].strip()}" is left in the text')
        if any(n.attributes.get("href") in docs for n in node.around()):
            continue  # the contents list names what a generated heading does
        bare = names.sub(lambda name: re.sub(r"\S", "·", name[0]), text)
        for word in re.finditer(r"[^\s()\[\]|]+", bare):
            naked = word[0].strip(".,;:!?'’\"“”")
            if any(c.isnumeric() for c in naked) and naked not in exempt:
                page.tell(line + text.count("\n", 0, word.start()), f'naked number "{naked}"')
    for node in page.nodes:
        if node.tag == "math" and not node.inside(GENERATED.keys()):
            formula = flat(node)
            for digits in re.findall(r"[0-9]+(?:[.,][0-9]+)*", formula):
                if len(digits) > 1 or not any(c.isalpha() for c in formula):
                    page.tell(node.line, f'naked number "{digits}" in a formula')
        if node.tag == "pre" and "publish(" in node.text() and not node.inside(GENERATED.keys()):
            language = next((c for n in node.around() for c in n.classes if c.startswith("language-")), "")
            if language in ("", "language-python"):
                page.tell(node.line, '"publish(" is left in a listing')
        for name in node.classes & UNFINISHED:
            page.tell(node.line, f'a "{name}" is on the page')
    for mark in re.finditer("Traceback \\(most recent call last\\)|[⟦⟧\x02\x03\ufffd]", page.html):
        page.tell(page.html.count("\n", 0, mark.start()) + 1, f"{mark[0]!r} is left on the page")


def flat(node: Node) -> str:
    """A formula as text, with a space wherever its parts do not stand side by side on one line."""
    if node.tag in ("mtext", "ms", "mspace"):
        return " "
    inner = ("" if node.tag in ROWS else " ").join(flat(p) if isinstance(p, Node) else p[1].strip() for p in node.parts)
    return inner if node.tag in ROWS | {"mi", "mn", "mo"} else f" {inner} "


def check_links(page: Page, pages: dict[str, Page]) -> None:
    """Every address inside the site leads to a file, every fragment to an element."""
    for node in page.nodes:
        for name in {"aria-describedby", "aria-labelledby"} & node.attributes.keys():
            for target in set(node.attributes[name].split()) - page.ids.keys():
                page.tell(node.line, f'{name} names "{target}", which is not on the page')
        for name in {"href", "src", "xlink:href"} & node.attributes.keys():
            address = node.attributes[name]
            target = page.target(address)
            if address.startswith("calc:"):
                page.tell(node.line, f'the link "{address}" was not read as a claim')
            elif target is not None and not (page.site / target).is_file():
                page.tell(node.line, f'the link "{address}" leads nowhere')
            elif target in pages and (at := unquote(urlsplit(address).fragment)) and at not in pages[target].ids:
                page.tell(node.line, f'the link "{address}" leads to no place on its page')


# Pages against numbers.json.


def check_claims(page: Page, by_url: dict[str, str], listed: dict) -> list[tuple]:
    """Each claim against the value it names. Returns (line, text, page and name of the value) of each."""
    found = []
    for node in (n for n in page.nodes if n.tag == "data" and "claim-number" in n.classes):
        text, link, span = node.text(), node.parent, node.parent.parent
        if link.tag != "a" or span is None or "claim" not in span.classes:
            page.tell(node.line, f'claim "{text}" has no link to its value')
            continue
        address = link.attributes.get("href", "")
        owner = by_url.get((page.target(address) or "").removesuffix("index.html"), "")
        name = urlsplit(address).fragment.removeprefix("calc-")
        found.append((node.line, text, owner, name))
        values = [v for v in listed.get(owner, {}).get("values", ()) if v["name"] == name]
        cards = [n for n in span.parts if isinstance(n, Node) and "claim-card" in n.classes]
        if len(values) != 1:
            problems = [f'numbers.json has {len(values)} values for "{address}"']
        elif len(cards) != 1 or cards[0].attributes.get("id") != link.attributes.get("aria-describedby"):
            problems = ["it has no card of its own"]
        else:
            problems = [*value_problems(text, values[0], node.attributes.get("value"))]
            problems += card_problems(cards[0], values[0])
        at = span.parent.parts.index(span)
        before = "".join(map(as_text, span.parent.parts[:at]))
        after = "".join(map(as_text, span.parent.parts[at + 1 :]))
        for beside in (re.search(r"[\w−±×]\Z", before), GOES_ON.match(after)):
            problems += [f'"{beside[0]}" beside it makes it another number'] if beside else []
        for problem in problems:
            page.tell(node.line, f'claim "{text}": {problem}')
    return found


def value_problems(text: str, value: dict, attribute: str | None) -> Iterator[str]:
    exact = str(value["value"])
    if attribute != exact:
        yield f'its value attribute is "{attribute}", numbers.json has "{exact}"'
    amount = None if value["type"] in ("str", "bool") else number(exact)
    if amount is not None:
        if problem := wrong(
            text, amount, value["unit"], Fraction(value["tolerance"]), around=number(value["recorded"])
        ):
            yield f"{value['name']} is {exact} {value['unit']}".rstrip() + f", and the text {problem}"
    elif value["type"] not in ("str", "bool") or value["unit"]:
        yield f"{value['name']} is {exact} {value['unit']}".rstrip() + ", which is not a number"
    elif text != exact:
        yield f'{value["name"]} is "{exact}"'


def card_problems(card: Node, value: dict) -> Iterator[str]:
    shown = next((n.text() for n in card.walk() if "claim-exact" in n.classes), "")
    amount = in_full(shown, value["unit"])
    if shown != value["value"] and (amount is None or amount != number(str(value["value"]))):
        yield f'its card says "{shown}", numbers.json {value["value"]} {value["unit"]}'.rstrip()
    if value["expression"] not in [n.text() for n in card.walk() if n.tag == "code"]:
        yield "its card does not give the expression of numbers.json"
    for part in ("reason", "source"):
        if value[part] not in card.text():
            yield f"its card does not give the {part} of numbers.json"


def check_cells(page: Page) -> list[tuple]:
    """Each cell against its own value, which is in base units. Returns (line, text, value, unit) of each."""
    found = []
    for node in (n for n in page.nodes if n.tag == "data" and "cell" in n.classes):
        text, exact, unit = node.text(), node.attributes.get("value", ""), node.attributes.get("data-unit", "")
        found.append((node.line, text, exact, unit))
        value = number(exact)
        if value is None or (problem := wrong(text, value / dimension(unit)[1], "", zero=True)):
            problem = "is not a number" if value is None else f"and the text {problem}"
            page.tell(node.line, f'cell "{text}": its value is {exact}, in "{unit}", {problem}')
    return found


def check_lists(page: Page, listed: dict) -> None:
    """Each value in a list the build made: its text must state the value that numbers.json has, in full."""
    units: dict[str, list[str]] = {}
    for value in (value for entry in listed.values() for value in entry["values"]):
        units.setdefault(str(value["value"]), []).append(value["unit"])
    for node in (n for n in page.nodes if n.tag == "data" and not n.classes and n.inside({"computed"})):
        text, exact = node.text(), node.attributes.get("value", "")
        stated = [in_full(text, unit) for unit in units.get(exact, ()) if text.endswith(unit)]
        if text != exact and (number(exact) is None or number(exact) not in stated):
            page.tell(node.line, f'the list says "{text}" of a value that is {exact} in numbers.json')


def compare(page: Page, what: str, found: list[tuple], listed: list[tuple]) -> None:
    """Tell where the page and the list of numbers.json differ, in what they hold or in its order."""
    lines, items = [line for line, *_ in found], [tuple(item) for _, *item in found]
    for kind, start, end, first, last in SequenceMatcher(None, items, listed, autojunk=False).get_opcodes():
        if kind != "equal":
            for line, item in zip(lines[start:end], items[start:end], strict=True):
                page.tell(line, f'{what} "{item[0]}" ({item[1]} {item[2]}) is not in numbers.json at this place')
            for item in listed[first:last]:
                line = lines[start - 1] if start else 1
                page.tell(line, f'{what} "{item[0]}" ({item[1]} {item[2]}) of numbers.json is missing after this line')


def audit(site: Path) -> tuple[list[str], str]:
    """All problems of a site, as lines, and what was verified. Raises ValueError when it is not a built site."""
    try:
        numbers = json.loads((site / "numbers.json").read_text(encoding="utf-8"))
        listed, by_url = numbers["pages"], {unquote(page["url"]): path for path, page in numbers["pages"].items()}
        words = sorted([*THEME_NAMES, *numbers["names"]], key=len, reverse=True)
        names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)")
        pages = {page.path: page for page in (Page(site, file) for file in sorted(site.rglob("*.html")))}
        gone = by_url.keys() - {path.removesuffix("index.html") for path in pages}
        problems = [("numbers.json", 1, f'its page "{url}" is not on the site') for url in gone]
        claims = cells = 0
        for page in pages.values():
            path = by_url.get(page.path.removesuffix("index.html"), "")
            mine = listed.get(path, {"claims": [], "cells": []})
            check_prose(page, names, numbers["exempt"].get(path, {}))
            check_links(page, pages)
            found = check_claims(page, by_url, listed)
            compare(page, "claim", found, [(c["text"], c["page"], c["name"]) for c in mine["claims"]])
            claims += len(found)
            check_lists(page, listed)
            found, cells_listed = check_cells(page), [(c["text"], c["value"], c["unit"]) for c in mine["cells"]]
            if any("computed" in node.classes for node in page.nodes):  # sorted by source, not as computed
                found.sort(key=lambda cell: cell[1:])
                cells_listed.sort()
            compare(page, "cell", found, cells_listed)
            cells += len(found)
            problems += [(page.path, *problem) for problem in page.problems]
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{site} is not a built site: {type(error).__name__}: {error}") from error
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
