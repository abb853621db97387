"""The second check: every number a reader sees on the built site, with nothing but the site's own files.

    python src/scaling_lesson/audit.py site

Written from the rules alone and standing alone: it uses only Python's standard library and shares no code with the gate
in site/, so a mistake there is not repeated here. The folder may be anywhere, for example a copy of the hosted site.
Prints one line a problem, then a count. Exit status: 0 all holds, 1 problems, 2 the folder is not a built site.
"""

import json
import math
import operator
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from difflib import SequenceMatcher
from fractions import Fraction
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin

# The rule: what a claim says, and whether it is so.

BOUNDS = {"exactly": operator.eq}
BOUNDS |= dict.fromkeys(("over", "more than", ">"), operator.gt) | dict.fromkeys(("at least", "≥"), operator.ge)
BOUNDS |= dict.fromkeys(("under", "less than", "<"), operator.lt) | dict.fromkeys(("at most", "≤"), operator.le)
WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
LARGE = {"": 1} | {prefix: 1000**n for n, prefix in enumerate("kMGTPEZ", 1)}
BINARY = {f"{prefix}i": 1024**n for n, prefix in enumerate("KMGT", 1)}
SMALL = {"": 1, "m": Fraction(1, 10**3), "µ": Fraction(1, 10**6), "n": Fraction(1, 10**9)}
TIMES = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "year": 31_557_600}  # the Julian year
UNITS = (
    dict.fromkeys(("", "×", "x", "times"), ("", 1))
    | dict.fromkeys(("%", "percent"), ("", Fraction(1, 100)))
    | dict.fromkeys(("byte", "bytes"), ("data", 1))
    | {f"{prefix}B": ("data", size) for prefix, size in (LARGE | BINARY).items()}
    | {f"{prefix}FLOP{plural}": ("work", size) for plural in ("", "s") for prefix, size in LARGE.items()}
    | {f"{prefix}s": ("time", size) for prefix, size in SMALL.items()}
    | {f"{name}{plural}": ("time", size) for plural in ("", "s") for name, size in TIMES.items()}
)

STATEMENT = re.compile(
    r"(?P<bound>(?i:about|exactly|over|under|more than|less than|at least|at most)\s|[<>≤≥≈~]\s?)?"
    r"(?P<minus>[-−])?(?:"
    r"(?P<above>[0-9]{1,9})/(?P<below>[1-9][0-9]{0,8})"
    r"|(?P<base>2|10)(?P<power>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})"
    r"|(?P<whole>[0-9]{1,3}(?:,[0-9]{3}){1,9}|[0-9]{1,30})(?:\.(?P<part>[0-9]{1,30}))?"
    r"(?:\s?[×x]\s?10(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})|[eE](?P<e>[-+]?[0-9]{1,4}))?"
    r")(?:\s(?P<word>thousand|million|billion|trillion)\b)?(?:\s?(?P<sign>[%×x])|\s(?P<unit>[^\s0-9][^0-9]*))?"
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
    if re.fullmatch(r"-?[0-9]+(/[1-9][0-9]*)?", text):
        return Fraction(text)
    real = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", text)
    return Fraction(float(text)) if real and math.isfinite(float(text)) else None


def in_full(text: str, exact: str, unit: str) -> bool:
    """Whether a card or list gives this value, with all its digits: `37,748,736 B`, `1.5 × 10⁻⁸ s`."""
    said = re.fullmatch(r"(\S+?)(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?: (\D.*))?", text)
    if said is None or (text, unit) == (exact, ""):
        return text == exact
    digits, power, shown = said.groups(default="")
    amount = number(digits.replace(",", "") + f"e{power.translate(RAISED)}" * bool(power))
    return amount is not None and amount == number(exact) and dimension(shown) == dimension(unit)


def wrong(text: str, value: Fraction, unit: str, tolerance=Fraction(0), middle=None, zero=False) -> str | None:
    """Why `text` does not state a value of this unit correctly, or None.

    It must hold all over middle ± tolerance too; middle is the recorded value, which is the same on each machine.
    zero: "0.00" may stand for something too small for its digits; else it says nothing of it.
    """
    said = STATEMENT.fullmatch(text)
    if said is None:
        return "does not read as a number"
    symbol = said["sign"] or said["unit"] or ""
    (stated, factor), (published, base) = dimension(symbol), dimension(unit)
    counted = published.startswith("noun ") and "/" not in published
    if not same(stated, published) and not (counted and symbol == ""):  # a count may leave its noun to the sentence
        return f"is of another dimension than {unit or 'a plain number'}"
    part, bound = said["part"] or "", (said["bound"] or "").strip().lower()
    digits = int((said["whole"] or said["above"] or "1").replace(",", "") + part)
    power = int((said["power"] or said["raised"] or said["e"] or "0").translate(RAISED)) - len(part)
    step = factor * WORDS.get(said["word"], 1) * Fraction(int(said["base"] or 10)) ** power / int(said["below"] or 1)
    step *= -1 if said["minus"] else 1
    exactly = said["below"] or said["base"] == "2"
    while bound in ("about", "≈", "~") and not part and not exactly and digits and digits % 10 == 0:
        digits, step = digits // 10, step * 10  # "about 500,000" promises one digit
    compare, limit = BOUNDS.get(bound, operator.eq), digits * step

    def holds(amount: Fraction) -> bool:
        if bound in BOUNDS:
            return compare(amount, limit)
        off = abs(amount / step - digits)
        if exactly or (digits == 0 and not zero):
            return off == 0
        return off < Fraction(1, 2) or (off == Fraction(1, 2) and digits % 2 == 0)  # half to even

    if not holds(value * base):
        return "is not what that rounds to"
    middle = value if middle is None else middle
    low, high = (middle - tolerance) * base, (middle + tolerance) * base
    if not (holds(low) and holds(high)):
        return "does not hold all over its tolerance"
    near = high if compare in (operator.lt, operator.le) else low
    if compare is not operator.eq and limit and not Fraction(1, 2) <= near / limit <= 2:
        return "is more than a factor of two from its bound"
    return None


# The pages.

CODE = {"pre", "code", "svg", "script", "style", "mi", "mn", "mo"}
DRESSED = re.compile(
    rf"{STATEMENT.pattern}|[~≈$€(<>≤≥±]*[-−]?[0-9][0-9.,–-]*\s?[A-Za-zµ%×]{{0,7}}(?:/[A-Za-z]+)?[).,]*"
)
"""What is no code: a number dressed as code is still a number."""
GENERATED = {"computed", "reading-time", "doc-contents", "doc-object", "jp-InputPrompt", "jp-OutputPrompt"}
"""Classes whose digits are no numbers of the prose: lists the build made, whose values are compared with numbers.json;
the time a page takes to read; docstrings of the reference code, as mkdocstrings shows them; Jupyter's cell counts."""
READ_OUT = {"title", "alt", "label", "placeholder", "aria-label", "aria-description", "aria-valuetext"}
SIDE_BY_SIDE = {"", "math", "mrow", "mstyle", "mpadded", "mi", "mn", "mo"}
"""What of MathML stands on one line with what is beside it: `25` may be two elements."""
GOES_ON = re.compile(r"[.,]?\w|[%×]|/\w|\s(?:%|×|thousand|million|billion|trillion|([kMGTPEZ]i?)?(B|FLOPs?)|[mµn]?s)\b")
"""What makes another number of one that stands before it."""
LEFT = re.compile(r"calc:|```|~~~|\$\$|publish\(|^\s*(?:///|!!!|\?\?\?)", re.M)
UNFINISHED = {"gate-problem", "gate-notice", "claim-number--wrong", "claim-correction"}
VOID = {"", "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Node:
    """An element, or a text, whose tag is "", with the line of the file it begins on. The root is its own parent."""

    def __init__(self, tag: str, attributes: dict[str, str], line: int, parent: "Node | None", data: str = "") -> None:
        self.tag, self.attributes, self.line, self.parent, self.data = tag, attributes, line, parent or self, data
        self.classes = frozenset(attributes["class"].split()) if "class" in attributes else frozenset()
        around: frozenset[str] = parent.inside if parent else frozenset()
        self.inside = around | self.classes if self.classes else around  # with those of all it is in
        self.parts: list[Node] = []

    def text(self) -> str:
        return self.data + "".join(part.text() for part in self.parts)


def folder(address: str) -> str:
    """The address of a folder, where it names the page that stands for one."""
    return re.sub(r"(?<=/)index\.html(?=#|$)", "", address)


class Page(HTMLParser):
    """A built page as a tree, its problems as (line, message), and the elements that are not read as prose."""

    def __init__(self, site: Path, file: Path) -> None:
        super().__init__()
        self.path = file.relative_to(site).as_posix()
        self.url = folder("/" + self.path)
        self.html = file.read_text("utf-8", "replace")
        self.problems: list[tuple[int, str]] = []
        self.not_prose: set[Node] = set()
        self.at = Node("", {}, 1, None)
        self.nodes = [self.at]
        self.feed(self.html)
        self.close()

    def tell(self, line: int, message: str) -> None:
        self.problems.append((line, " ".join(message.split())))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]], data: str = "") -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.getpos()[0], self.at, data)
        self.at.parts.append(node)
        self.nodes.append(node)
        self.at = self.at if tag in VOID else node

    def handle_data(self, data: str) -> None:
        self.handle_starttag("", [], data)

    def handle_endtag(self, tag: str) -> None:
        node = self.at
        while node.tag not in (tag, ""):
            node = node.parent
        self.at = node.parent if node.tag else self.at

    def shown(self, node: Node) -> list[tuple[int, str]]:
        """(line, text) of all that is visible or read out, but code and what is compared on its own."""
        found = [(node.line, node.data)] if node.data else []
        for name, text in node.attributes.items():
            described = name == "content" and re.search("title|description", str(node.attributes))
            if name in READ_OUT or described or (name == "value" and node.tag == "input"):
                found.append((node.line, text))
        dressed = node.tag == "code" and node.parent.tag != "pre" and DRESSED.fullmatch(node.text().strip())
        hidden = node.tag in CODE or node.classes & GENERATED or node in self.not_prose
        for part in node.parts if dressed or not hidden else ():
            found += self.shown(part)
        return found


def formula(node: Node) -> str:
    """A formula as text, with a space wherever its parts do not stand side by side on one line."""
    gap = "" if node.tag in SIDE_BY_SIDE else " "
    return gap if node.tag in ("mtext", "ms") else gap + node.data.strip() + gap.join(map(formula, node.parts)) + gap


def check_prose(page: Page, names: re.Pattern, exempt: dict[str, str]) -> None:
    """Naked numbers, in text and in formulas, and what the build should not have left."""
    generated = {f"#{node.attributes.get('id')}" for node in page.nodes if node.inside & GENERATED}
    # The contents list names what a generated heading does.
    page.not_prose |= {node for node in page.nodes if node.attributes.get("href") in generated}
    for line, text in page.shown(page.nodes[0]):
        for mark in LEFT.finditer(text):
            page.tell(line + text.count("\n", 0, mark.end()), f'"{mark[0].strip()}" is left in the text')
        bare = names.sub(lambda name: re.sub(r"\S", "·", name[0]), text)
        for word in re.finditer(r"[^\s()\[\]|]+", bare):
            naked = word[0].strip(".,;:!?'’\"“”")
            if any(map(str.isnumeric, naked)) and naked not in exempt:
                page.tell(line + text.count("\n", 0, word.start()), f'naked number "{naked}"')
    for node in page.nodes:
        said = formula(node) if node.tag == "math" and not node.inside & GENERATED else ""
        for digits in re.findall(r"[0-9]+(?:,[0-9]{3}(?![0-9]))*(?:\.[0-9]+)?", said):
            if len(digits) > 1 or not any(map(str.isalpha, said)):
                page.tell(node.line, f'naked number "{digits}" in a formula')
        others = (name for name in node.inside if re.fullmatch("language-(?!python$).*", name))
        if node.tag == "pre" and "publish(" in node.text() and not any(others) and not node.inside & GENERATED:
            page.tell(node.line, '"publish(" is left in a listing')
        if node.attributes.get("href", "").startswith("calc:"):
            page.tell(node.line, f'the link "{node.attributes["href"]}" was not read as a claim')
        for name in node.classes & UNFINISHED:
            page.tell(node.line, f'a "{name}" is on the page')
    for mark in re.finditer("Traceback \\(most recent call last\\)|[⟦⟧\x02\x03\ufffd]", page.html):
        page.tell(page.html.count("\n", 0, mark.start()) + 1, f"{mark[0]!r} is left on the page")


# Pages against numbers.json.


def check_values(page: Page, values: dict[str, list[dict]], units: dict[str, set[str]]) -> tuple[list, list]:
    """Judge claims, cells, and lists the build made. Returns (line, item) of each claim and of each cell."""
    claims, cells = [], []
    for node in (node for node in page.nodes if node.tag == "data"):
        text, exact, unit = node.text(), node.attributes.get("value", ""), node.attributes.get("data-unit", "")
        if "claim-number" in node.classes and "claim" not in node.parent.parent.classes:
            page.tell(node.line, f'claim "{text}" has no link to its value')
        elif "claim-number" in node.classes:
            address = folder(unquote(urljoin(page.url, node.parent.attributes.get("href", ""))))
            claims.append((node.line, f'claim "{text}" ({address})'))
            for problem in claim_problems(page, node, values.get(address, [])):
                page.tell(node.line, f'claim "{text}": {problem}')
        elif "cell" in node.classes:
            cells.append((node.line, f'cell "{text}" ({exact} {unit})'))
            page.not_prose.add(node)
            value = number(exact)
            problem = "is not a number" if value is None else wrong(text, value / dimension(unit)[1], "", zero=True)
            if problem:
                page.tell(node.line, f'cell "{text}": its value is {exact}, in "{unit}", and the text {problem}')
        elif "computed" in node.inside and not any(in_full(text, exact, unit) for unit in units.get(exact, ())):
            page.tell(node.line, f'the list says "{text}" of a value that is {exact} in numbers.json')
    return claims, cells


def claim_problems(page: Page, node: Node, values: list[dict]) -> Iterator[str]:
    """What is wrong with a claim: beside it, in its text, on its card. values: those it names, which must be one."""
    link, span, beside = node.parent, node.parent.parent, node.parent.parent.parent.parts
    cards = [part for part in span.parts if "claim-card" in part.classes]
    page.not_prose |= {node, *cards}
    before = "".join(part.text() for part in beside[: beside.index(span)])
    after = "".join(part.text() for part in beside[beside.index(span) + 1 :])
    for mark in filter(None, (re.search(r"[\w−±×]\Z", before), GOES_ON.match(after))):
        yield f'"{mark[0]}" beside it makes it another number'
    if len(values) != 1:
        yield f'numbers.json has {len(values)} values for "{link.attributes.get("href")}"'
    elif len(cards) != 1:
        yield "it has no card of its own"
    else:
        yield from value_problems(node, cards[0], values[0])


def value_problems(node: Node, card: Node, value: dict) -> Iterator[str]:
    exact, unit, attribute = str(value["value"]), value["unit"], node.attributes.get("value")
    published = f"{exact} {unit}".rstrip()
    if attribute != exact:
        yield f'its value attribute is "{attribute}", numbers.json has "{exact}"'
    if value["type"] in ("str", "bool"):
        if node.text() != published:
            yield f'{value["name"]} is "{published}"'
    elif (amount := number(exact)) is None:
        yield f"{value['name']} is {published}, which is not a number"
    elif problem := wrong(node.text(), amount, unit, Fraction(value["tolerance"]), number(value["recorded"])):
        yield f"{value['name']} is {published}, and the text {problem}"
    stated = "".join(part.text() for part in card.parts if not part.tag).strip()
    if not in_full(stated, exact, unit):
        yield f'its card says "{stated}", numbers.json {published}'
    expressions = [part.text() for part in card.parts if part.tag == "code"]
    for part, given in (("expression", expressions), ("reason", card.text()), ("source", card.text())):
        if value[part] not in given:
            yield f"its card does not give the {part} of numbers.json"


def compare(page: Page, found: list[tuple[int, str]], listed: list[str]) -> None:
    """Tell where the page and the list of numbers.json differ, in what they hold or in its order."""
    matcher = SequenceMatcher(None, [item for _, item in found], listed, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind != "equal":
            for line, item in found[start:end]:
                page.tell(line, f"{item} is not in numbers.json at this place")
            for item in listed[first:last]:
                page.tell(found[start - 1][0] if start else 1, f"{item} of numbers.json is missing after this line")


def check_pages(site: Path, pages: list[Path]) -> list[tuple[str, int, str]]:
    """The problems of some pages: path, line, message."""
    numbers = json.loads((site / "numbers.json").read_text(encoding="utf-8"))
    entries, values, units = numbers["pages"], {}, {}
    urls = {path: folder("/" + unquote(entry["url"])) for path, entry in entries.items()}
    for path, entry in entries.items():
        for value in entry["values"]:
            values.setdefault(f"{urls[path]}#calc-{value['name']}", []).append(value)
            units.setdefault(str(value["value"]), set()).add(value["unit"])  # to look through all would take n² steps
    words = sorted(["404 - Not found", *numbers["names"]], key=len, reverse=True)  # the theme's title for lost readers
    either = "|".join(r"\s+".join(map(re.escape, word.split())) for word in words)
    names = re.compile(rf"(?<!\w)(?:{either})(?!\w)")
    told = []
    for page in (Page(site, file) for file in pages):
        path = next((path for path in urls if urls[path] == page.url), "")
        parts = [entries[part] for part in numbers["copies"].get(page.path, [path]) if part in entries]
        listed = {kind: [item for part in parts for item in part[kind]] for kind in ("claims", "cells")}
        claims, cells = check_values(page, values, units)
        check_prose(page, names, numbers["exempt"].get(path, {}))
        compare(page, claims, [f'claim "{c["text"]}" ({urls[c["page"]]}#calc-{c["name"]})' for c in listed["claims"]])
        cells_listed = [f'cell "{c["text"]}" ({c["value"]} {c["unit"]})' for c in listed["cells"]]
        if "computed" in set().union(*(node.classes for node in page.nodes)):  # sorted by source, not as computed
            cells, cells_listed = sorted(cells, key=lambda cell: cell[1]), sorted(cells_listed)
        compare(page, cells, cells_listed)
        told += [(page.path, line, message) for line, message in set(page.problems)]
    return told


def audit(site: Path) -> tuple[list[str], str]:
    """All problems of a site, as lines, and what was verified. Each core checks some of the pages."""
    listed = json.loads((site / "numbers.json").read_text(encoding="utf-8"))["pages"].values()
    pages = sorted(site.rglob("*.html"), key=lambda file: file.stat().st_size)
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        run = pool.map if len(pages) > 9 else map  # a few take less time than to start processes
        batches = run(partial(check_pages, site), [pages[n::cores] for n in range(cores)])
        told = [problem for batch in batches for problem in batch]
    there = {folder(f"/{page.relative_to(site).as_posix()}") for page in pages}
    missing = {folder("/" + unquote(entry["url"])) for entry in listed} - there
    told += [("numbers.json", 1, f'its page "{url[1:]}" is not on the site') for url in missing]
    claims, cells = (sum(len(entry[what]) for entry in listed) for what in ("claims", "cells"))
    verdict = f"{claims:,} claims, {cells:,} cells on {len(pages):,} pages hold"
    return [f"{path}:{line}: {message}" for path, line, message in sorted(told)], verdict


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: audit.py SITE", file=sys.stderr)
        return 2
    try:
        problems, verdict = audit(Path(arguments[0]))
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        print(f"{arguments[0]} is not a built site: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    if problems:
        verdict = f"{len(problems):,} problem{'s' * (len(problems) != 1)} on the built site"
    print(*problems, verdict, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
