"""Reading a page's Markdown as text: its fences, its claims, and the numbers in its prose that nothing computes.

Everything here keeps line numbers, which Python-Markdown does not, so that each problem can name its line.
"""

import bisect
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import yaml

from scaling_lesson.site import claims
from scaling_lesson.units import did_you_mean, nearest

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
        return f"this block would not run: cannot read {rest.strip()!r}; options are written key=\"value\""
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
    return None


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


def _blank_code(match: re.Match) -> str:
    # A number dressed as code is still a number.
    return match[0] if claims.is_number(match["code"].strip()) else _blank(match)


CODE_SPAN = re.compile(r"(?<![`\\])(?P<ticks>`+)(?!`)(?P<code>(?:(?!\n\s*\n).)+?)(?<!`)(?P=ticks)(?!`)", re.S)
MATH = re.compile(
    r"(?<![\\$])(?:\$\$(?P<block>(?:(?!\n\s*\n)[^$])+)\$\$|\$(?![\s$])(?P<inline>(?:(?!\n\s*\n)[^$])+?)(?<![\s\\])\$)(?!\$)"
)
COMMENT = re.compile(r"<!--.*?(?P<end>-->|\Z)", re.S)


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
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
SEEN_ATTRIBUTES = (
    "alt", "title", "placeholder", "value", "label", "summary", "aria-label", "aria-description", "aria-valuetext",
    "aria-roledescription", "aria-placeholder",
)  # fmt: skip
"""What is read out, or shown on hover or in a field."""
_SEEN_ATTRIBUTE = re.compile(rf"""\b(?:{"|".join(SEEN_ATTRIBUTES)})\s*=\s*(?P<value>"[^"]*"|'[^']*'|[^\s"'>]+)""")


def _blank_tag(match: re.Match) -> str:
    """A tag shows nothing but the attributes that are read out or shown on hover."""
    kept = {i for seen in _SEEN_ATTRIBUTE.finditer(match[0]) for i in range(*seen.span("value"))}
    return "".join(c if i in kept or c == "\n" else " " for i, c in enumerate(match[0]))


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
        numbers = [number for _, number in numbers_in(words, names)] + formula_numbers(bare, names)
        found += [(line(math.start()), number) for number in numbers]
    text = MATH.sub(_blank, text)
    for pattern in _INVISIBLE:
        text = pattern.sub(_blank, text)
    return found + numbers_in(_TAG.sub(_blank_tag, _ENTITY.sub(_shown_entity, text)), names)


_SHOWN_SETTINGS = ("site_name", "site_description", "site_author", "copyright")


def shown_settings(text: str) -> list[tuple[int, str]]:
    """What every page shows of mkdocs.yml, each with its line: the titles of the navigation, and the site's name and like."""
    settings = _settings(yaml.compose(text))
    shown = [node for above, node, is_key in settings if above and (above[0] == "nav" if is_key else above[0] in _SHOWN_SETTINGS)]
    return [(node.start_mark.line + 1 + (node.style in ("|", ">")), str(node.value)) for node in shown]


def exemption_lines(text: str) -> dict[tuple[str, str], int]:
    """The line of mkdocs.yml at which each (page, number) is exempt."""
    settings, exempt = _settings(yaml.compose(text)), ("plugins", "numbers", "exempt")
    return {(above[-1], node.value): node.start_mark.line + 1 for above, node, is_key in settings if is_key and above[:-1] == exempt}


def _settings(node: yaml.Node, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], yaml.Node, bool]]:
    """Each key and each value of mkdocs.yml: the keys above it, its node, and whether it is a key."""
    if isinstance(node, yaml.ScalarNode):
        yield above, node, False
        return
    for item in node.value:
        key, value = item if isinstance(node, yaml.MappingNode) else (None, item)
        if key:
            yield above, key, True
        yield from _settings(value, (*above, key.value) if key else above)


_GREEK = set(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega".split()
)


def _as_letter(command: re.Match) -> str:
    return " α " if command[1].lower().removeprefix("var") in _GREEK else " "


_FORMULA_TEXT = re.compile(r"\\(?:text|mathrm)\s*\{([^{}]*)\}")


def formula_numbers(formula: str, names: list[str]) -> list[str]:
    """The numbers of a formula, without its commands, that are results and not constants beside a variable."""
    formula = unicodedata.normalize("NFKC", _without_names(visible(formula), names))  # x²⁵ as x25
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


def _without_names(text: str, names: list[str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w]|[-.]\w)", _blank, text)
    return text


def numbers_in(text: str, names: list[str]) -> list[tuple[int, str]]:
    """Each word of plain text that holds a digit and is no name: its line and the word."""
    if not any(map(str.isnumeric, text)):  # most texts: spare them the names
        return []
    text = _without_names(text, names)
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
