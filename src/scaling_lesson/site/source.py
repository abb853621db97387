"""Reading a page's Markdown as text: its fences, its claims, and the numbers in its prose that nothing computes.

Everything here keeps line numbers, which Python-Markdown does not, so that each problem can name its line.
"""

import ast
import bisect
import html
import io
import re
import tokenize
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import yaml

from scaling_lesson.site import claims
from scaling_lesson.units import COUNTED, did_you_mean, nearest

FENCE = re.compile(r"(?P<prefix>[> \t]*)(?P<fence>`{3,}+|~{3,}+)(?P<header>[^`]*)$")
CLAIM_LINK = re.compile(r"\[(?P<text>[^\[\]\n]+)\]\(calc:(?:(?P<page>[a-z0-9-]+)/)?(?P<name>[a-z][a-z0-9_]*)\)")
OPTION = re.compile(r'\s*(?P<key>[A-Za-z_]+)="(?P<value>[^"]*)"')
DISPLAY_LANGUAGES = {"markdown", "bash", "yaml", "toml"}
"""Listings that show code and run nothing. Text listings are prose: their digits are checked."""


@dataclass
class Fence:
    """A fenced block: its 1-based first line, language, options, body lines and whether it is to be executed.

    torn: a line of it is indented less than its first, where Markdown gives it up. problem: why it would not run.
    """

    line: int
    prefix: str
    marker: str
    header: str
    language: str
    body: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    closed: bool = False
    torn: bool = False
    problem: str | None = None

    @property
    def executed(self) -> bool:
        return self.language == "python" and not self.problem


@dataclass(frozen=True)
class ClaimLink:
    """A `[text](calc:page/name)` link: where it stands, and what it says of which value (page "" is its own page)."""

    line: int
    text: str
    page: str
    name: str


def scan_fences(text: str) -> list[Fence]:
    """Every fence of the text, with what would keep it from running."""
    found: list[Fence] = []
    open_fence: Fence | None = None
    for number, line in enumerate(text.split("\n"), 1):
        match = FENCE.match(line.rstrip())
        if open_fence is None and match:
            language = re.match(r"\s*\.?([\w#.+-]*)", match["header"])[1]
            open_fence = Fence(number, match["prefix"], match["fence"], match["header"].strip(), language)
            found.append(open_fence)
        elif open_fence is not None:
            if line.strip(" \t>") == open_fence.marker and not line.replace(open_fence.prefix, "", 1)[:1].isspace():
                open_fence.closed, open_fence = True, None
            else:
                open_fence.torn |= bool(line.strip(" \t>")) and not line.startswith(open_fence.prefix)
                open_fence.body.append(line[len(open_fence.prefix) :])
    for fence in found:
        fence.problem = _header_problem(fence)
    return found


def _header_problem(fence: Fence) -> str | None:
    """Read the header's options; return what would keep the block from running, the first thing only."""
    known = ("exec", "source", "timeout", "title")
    rest = fence.header.removeprefix(fence.language)
    if fence.header.startswith(("{", ".")):
        return 'this block would not run: write the language and options as ```python exec="on"'
    while match := OPTION.match(rest):
        fence.options[match["key"]] = match["value"]
        rest = rest[match.end() :]
    if not fence.closed:
        return "this block is never closed, so nothing after it is read"
    if fence.language != "python":
        runs = "exec" in fence.header or fence.language.lower() in ("python", "py", "python3", "pycon")
        return 'only "python" blocks run; write ```python exec="on"' if runs else None
    if fence.torn:
        return "this block would not run: a line of it is indented less than its first"
    if rest.strip():
        return f'this block would not run: cannot read {rest.strip()!r}; options are written key="value"'
    for key in fence.options:
        if key not in known:
            hint = did_you_mean(nearest(repr(key), map(repr, known))) or f"; options are {', '.join(known)}"
            return f"this block would not run: there is no option {key!r}{hint}"
    if fence.options.get("exec") != "on":
        return 'this block would not run: python blocks are executed, write ```python exec="on"'
    if fence.options.get("source", "above") != "above":
        return f'this block would not run: source is "above" or left out, not {fence.options["source"]!r}'
    limit = fence.options.get("timeout", "20")
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", limit) or not float(limit):
        return f"this block would not run: timeout is a number of seconds, not {limit!r}"


def prose(text: str, fences: list[Fence]) -> str:
    """The text with all fenced blocks blanked out, except listings of plain text. Lines stay where they are."""
    lines = text.split("\n")
    for fence in fences:
        end = fence.line + len(fence.body) + (1 if fence.closed else 0)
        first = fence.line - 1
        if fence.executed or fence.problem or fence.language in DISPLAY_LANGUAGES:
            lines[first:end] = [""] * (end - first)
        else:
            lines[first] = lines[end - 1] = ""
    return "\n".join(lines)


def _blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match[0])


_MEASURE_AS_CODE = re.compile(
    r"[~≈$€(<>≤≥±+=\s]*(?:[A-Za-z_]\w*\s*=\s*[-\d.,_]+\s?[A-Za-zµ%×]{1,6}(?:/s)?|[-\d][\d.,_–-]*\s?[A-Za-zµ%×]{0,7}(?:/\w+)?)\W*"
)


def _blank_code(match: re.Match) -> str:
    # A number dressed as code is still a number.
    code = match["code"].strip()
    is_number = claims.is_number(code) or (any(map(str.isdigit, code)) and _MEASURE_AS_CODE.fullmatch(code))
    return match[0] if is_number else _blank(match)


CODE_SPAN = re.compile(r"(?<![`\\])(?P<ticks>`+)(?!`)(?P<code>(?:(?!\n\s*\n).)+?)(?<!`)(?P=ticks)(?!`)", re.S)
MATH = re.compile(
    r"(?<![\\$])(?:\$\$(?P<block>(?:(?!\n\s*\n)[^$])+)\$\$|\$(?![\s$])(?P<inline>(?:(?!\n\s*\n)[^$])+?)(?<![\s\\])\$)(?!\$)"
)
COMMENT = re.compile(r"<!--(?!-?>).*?(?P<end>-->|\Z)", re.S)


def _blank_comment(match: re.Match) -> str:
    # One that never ends is no comment; it is matched so that the text is not searched again from every later "<!--".
    return _blank(match) if match["end"] else match[0]


def _without_code(text: str) -> str:
    return COMMENT.sub(_blank_comment, CODE_SPAN.sub(_blank, text))


# No pattern may run over what begins another match of it: a page of openings would then be read once for each.
_INVISIBLE = (
    re.compile(r"\[[^\[\]]*\]\(calc:[^()]*\)"),  # told as no claim
    re.compile(r"(?<=\])\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)"),  # a link's address
    re.compile(r"(?<=\])\[[^\[\]\n]*\]"),  # a link's reference
    re.compile(r"^[^\S\n]*\[[^\]\n]+\]:\s+\S+", re.M),  # and that one's address
    re.compile(r"<https?://[^<>\s]+>"),
    re.compile(r"\{:?\s*[#.][^{}\n]*\}"),  # attribute lists
    re.compile(r"\[\^[^\[\]\n]+\]"),  # footnote marks
    re.compile(r"^[> \t]*\d{1,3}[.)](?=\s)", re.M),  # the markers of numbered lists
)
_ENTITY = re.compile(r"&#?\w+;")
_IN_TAG = r"[A-Za-z](?:(?!\n\s*\n)[^<>])*>"
_TAG = re.compile(rf"</?{_IN_TAG}")
_ODD_TAG = re.compile(rf"<(?!https?:|(?:b|br|em|i|kbd|strong|sub|sup)\s*/?>){_IN_TAG}")


def _shown_entity(match: re.Match) -> str:
    shown = html.unescape(match[0])
    return shown if any(character.isnumeric() for character in shown) else " "


def scan_claims(text: str) -> tuple[list[ClaimLink], list[tuple[int, str]]]:
    """The claims of a page's prose (fences already blanked), and what looks like a claim but is not one."""
    readable = _without_code(text)
    line = _liner(readable)
    found = [ClaimLink(line(m.start()), m["text"], m["page"] or "", m["name"]) for m in CLAIM_LINK.finditer(readable)]
    odd = [
        (line(m.start()), "this is not a claim: write [37.7 MB](calc:name), on one line")
        for m in re.finditer(r"calc:", CLAIM_LINK.sub(_blank, readable))
    ]
    return found, odd


_UNREADABLE = (
    (_ODD_TAG, "{} may show what nothing checks: write Markdown"),
    (re.compile(r"!\["), "an image shows what nothing checks: draw it with figure(...)"),
    (re.compile("[\u202a-\u202e\u2066-\u2069]"), "a mark here turns the order of what follows"),
)


def unreadable(text: str) -> list[tuple[int, str]]:
    """What in a page's prose may show a reader something else than it says here: its line, and what is wrong with it."""
    text = MATH.sub(_blank, CLAIM_LINK.sub(_blank, _without_code(text)))
    line = _liner(text)
    return [
        (line(m.start()), what.format(" ".join(m[0].split())))
        for pattern, what in _UNREADABLE
        for m in pattern.finditer(text)
    ]


def replace_claims(lines: list[str], text: str, new: Callable[[int, re.Match], str]) -> list[str]:
    """`lines` with the n-th claim's link replaced by new(n, match); `text` is their prose, as `prose` gives it."""
    count = 0
    for at, line in enumerate(_without_code(text).split("\n")):
        parts, end = [], 0
        for match in CLAIM_LINK.finditer(line):
            put, link = new(count, match), lines[at][match.start() : match.end()]
            # What `text` has blank, code and comments, stays in a claim that stays.
            parts += [lines[at][end : match.start()], link if put == match[0] else put]
            end = match.end()
            count += 1
        lines[at] = "".join(parts) + lines[at][end:]
    return lines


def naked_numbers(text: str, names: list[str]) -> list[tuple[int, str]]:
    """Each number of the prose (fences blanked) that is neither a claim, nor code, nor in a name: its line and text.

    `names` are literal words that hold a digit, such as `GPT-2`. In a formula, one-digit constants beside a variable
    belong to the formula; longer numbers are results and must be claims.
    """
    text = CLAIM_LINK.sub(_blank, COMMENT.sub(_blank_comment, CODE_SPAN.sub(_blank_code, text)))
    found, line = [], _liner(text)
    for math in MATH.finditer(text):
        formula = math["block"] or math["inline"]
        words = " ".join(_FORMULA_TEXT.findall(formula))
        bare = re.sub(r"\\([A-Za-z]+)", _as_letter, _FORMULA_TEXT.sub(" ", formula))
        numbers = (
            [number for _, number in numbers_in(words, names)] + formula_numbers(bare, names) + _RESULT.findall(formula)
        )
        found += [(line(math.start()), number) for number in numbers]
    text = MATH.sub(_blank, text)
    for pattern in _INVISIBLE:
        text = pattern.sub(_blank, text)
    return found + numbers_in(_TAG.sub(_blank, _ENTITY.sub(_shown_entity, text)), names)


MEASURE = re.compile(
    r"(?<![\w.^])(?:\d{1,3}(?:,\d{3})+\b|\d[\d,.]*\s?(?:[%×]|x\b|[kKMGTPE]?i?B(?:/s)?\b|[kMGTPE]?FLOPs?(?:/[sB])?\b|[mµn]?s\b"
    rf"|(?:byte|second|minute|hour|day|year|thousand|million|billion|trillion|{'|'.join(COUNTED)})s?\b))"
)
"""A number with what it measures or counts, as it is told apart from the counters and indices of code."""


def literals(fence: Fence) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The texts of a block that ran, with their lines in it: those that figure(...) and table(...) show; all others, and comments."""
    code = "\n".join(fence.body)
    tree = ast.parse(code)
    shown: dict[ast.AST, tuple[int, str]] = {}

    def collect(node: ast.AST) -> None:
        match node:
            case ast.Constant(value=str(text)):
                shown[node] = (node.lineno - 1, text)
            case ast.FormattedValue():  # its format, ".1f", is not shown
                collect(node.value)
            case ast.keyword(arg="name"):
                pass
            case _:
                for child in ast.iter_child_nodes(node):
                    collect(child)

    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("figure", "table"):
            for argument in (*node.args, *node.keywords):
                collect(argument)
    texts = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str) and n not in shown]
    comments = [
        token for token in tokenize.generate_tokens(io.StringIO(code).readline) if token.type == tokenize.COMMENT
    ]
    return list(shown.values()), [(n.lineno - 1, n.value) for n in texts] + [
        (t.start[0] - 1, t.string) for t in comments
    ]


def shown_settings(text: str) -> list[tuple[int, str]]:
    """What every page shows of mkdocs.yml, each with its line: the titles of the navigation, and the site's name and like."""
    shown: list[yaml.Node] = []
    for key, value in yaml.compose(text).value:
        if key.value in ("site_name", "site_description", "site_author", "copyright"):
            shown.append(value)
        elif key.value == "nav":
            shown += _titles(value)
    return [(node.start_mark.line + 1 + (node.style in ("|", ">")), str(node.value)) for node in shown]


def _titles(node: yaml.Node) -> Iterator[yaml.Node]:
    for item in () if isinstance(node, yaml.ScalarNode) else node.value:
        if isinstance(node, yaml.MappingNode):
            yield item[0]
        yield from _titles(item[1] if isinstance(node, yaml.MappingNode) else item)


_GREEK = set(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
    ]
)


def _as_letter(command: re.Match) -> str:
    return " α " if command[1].lower().removeprefix("var") in _GREEK else " "


_RESULT = re.compile(r"(?:=|\\(?:approx|sim|leq?|geq?)\b|[<>])\s*(\d)(?:\\[,;: ]|~|\s)*(?:\\(?:text|mathrm)\b|\Z)")
"""One digit alone behind a relation, with a unit or at the end."""
_FORMULA_TEXT = re.compile(r"\\(?:text|mathrm)\s*\{([^{}]*)\}")


def formula_numbers(formula: str, names: list[str]) -> list[str]:
    """The numbers of a formula, without its commands, that are results and not constants beside a variable."""
    formula = unicodedata.normalize("NFKC", without_names(visible(formula), names))  # x²⁵ as x25
    numbers = re.findall(r"\d+(?:[.,]\d+)*", formula)
    return [number for number in numbers if len(number) > 1] if re.search(r"[^\W\d_]", formula) else numbers


def formula_lines(text: str) -> list[int]:
    """The line of each formula of the prose, in order."""
    text = CLAIM_LINK.sub(_blank, _without_code(text))
    line = _liner(text)
    return [line(math.start()) for math in MATH.finditer(text)]


def visible(text: str) -> str:
    """The text without characters that take no room, such as a zero-width space or a soft hyphen."""
    return re.sub(r"[^\x00-\x7f]", lambda match: "" if unicodedata.category(match[0]) == "Cf" else match[0], text)


def without_names(text: str, names: list[str]) -> str:
    """The text with every name blanked."""
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w]|[-.]\w)", _blank, text)
    return text


def numbers_in(text: str, names: list[str]) -> list[tuple[int, str]]:
    """Each word of plain text that holds a digit and is no name: its line and the word."""
    if not any(map(str.isnumeric, text)):  # most texts: spare them the names
        return []
    text = without_names(text, names)
    line = _liner(text)
    return [
        (line(word.start()), word[0].strip(".,;:!?'’"))
        for word in re.finditer(r"[^\s|()\[\]*_`\"“”]+", text)
        if any(character.isnumeric() for character in word[0])
    ]


def _liner(text: str) -> Callable[[int], int]:
    """What gives the line of an offset in the text, without counting line ends anew for each."""
    ends = [match.start() for match in re.finditer("\n", text)]
    return lambda offset: bisect.bisect_left(ends, offset) + 1
