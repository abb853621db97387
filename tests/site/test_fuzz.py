"""The promises of tests/site/fuzz under Hypothesis, what fuzzing has found, and time that grows with length alone."""

import importlib
import time
from collections.abc import Callable
from fractions import Fraction
from xml.etree import ElementTree

import one_page
import pytest
from fuzz import TARGETS, page
from fuzz.records import File, write
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown import Markdown
from valued import correction, disagreement

from scaling_lesson import digits
from scaling_lesson.site.numbers import claim as claims
from scaling_lesson.site.numbers import record as records
from scaling_lesson.site.numbers.value import Entry, canonical
from scaling_lesson.site.read.prose import Prose, Reading
from scaling_lesson.site.read.source import read
from scaling_lesson.units import parse_unit

pytestmark = pytest.mark.slow  # much is tried at random

EXAMPLES = {"claims": 1500, "source": 1000, "records": 1000, "page": 300}


@pytest.mark.parametrize("target", TARGETS)
def test_every_promise_holds_for_random_input(target):
    module = importlib.import_module(f"fuzz.{target}")
    # Mostly bytes that stand for a piece; the few others for a character.
    byte = st.integers(0, len(module.PIECES) - 1) | st.integers(0, 255)

    @settings(max_examples=EXAMPLES[target])
    @given(st.lists(byte, max_size=24))
    def promise(data):
        module.one_input(bytes(data))

    promise()


def test_the_judge_of_pages_sees_what_a_browser_shows():
    """Else no page could fail."""
    html = "<p>one 37 <code>38</code> GPT-2 <b title='39'>3&#57;</b><math display=x><mn>41</mn><mn>2</mn></math></p>"
    assert page.visible(html) == ["37", "39", "39", "41"]


@pytest.mark.parametrize(
    "text",
    [
        '<span class="claim">&#51;&#55; MB</span>',
        "<data>&#51;&#55;</data>",
        "<svg><text>&#51;&#55;</text></svg>",
        "<div><svg><text>` 37 boxes `</text></svg></div>",
        "`x`{: .c title='37 MB'}",
        r"$x = \text{37 MB}$",
        "$x = ３７$",
        "$x²⁵$",
        "$x <!-- 37 --> y$",
    ],
)
def test_a_digit_that_once_slipped_through_is_told(text):
    html, problems = page.build(text + "\n")
    assert problems, html


def test_a_marked_section_is_no_crash():
    assert page.build("<![[ <p>37</p>")[1]


def test_an_address_of_many_digits_is_no_crash():
    assert page.build(f"[x](calc:{'9' * 5000})\n")[1]


@pytest.mark.parametrize(
    ("value", "symbol", "decimals", "expected"),
    [
        (1, "MB", 1, "1.000 × 10⁻⁶ MB"),  # not 0.0 MB, which is no claim of it
        (10**30, "", 0, "1.000 × 10³⁰"),  # not 31 digits, which are no claim
        (Fraction(99999, 10000), "", None, "10.00"),  # four digits, not five
    ],
)
def test_what_is_shown_is_a_claim_that_holds(value, symbol, decimals, expected):
    unit = parse_unit(symbol)
    assert digits.show(Fraction(value), unit, decimals) == expected
    assert disagreement(claims.parse(expected), Fraction(value), unit) is None


def test_a_number_too_long_for_its_shape_is_left_to_a_person():
    assert correction(claims.parse("37 MB"), Fraction(10**40)) is None


def test_an_exponent_of_many_digits_agrees_with_nothing():
    assert not records.agree("1e99999999999", Entry("1.0", (0, 0), 1.0))


def test_half_a_surrogate_pair_can_be_recorded():
    text = write({"value one": canonical("\ud800")})
    assert text.encode() and "\\ud800" in text


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_told(end, tmp_path):
    good = write({"value one": "1", "value two": "2"})
    file = tmp_path / "page.record"
    file.write_bytes(good.replace("\n", end).encode())
    assert records.read(file).fault
    file.write_bytes(good.replace("1\n", f"1{end}").encode())
    found = records.read(file)
    assert found.fault or found.entries["value one"][1] != "1"


@pytest.mark.parametrize("line", ["[`37.7 MB`](calc:one)", "[37.7<!-- so far --> MB](calc:one)"])
def test_a_claim_left_as_it_is_keeps_its_code_and_comments(line):
    """scripts/record would blank them in the page."""
    page = read("docs/page.md", line)
    assert page.corrected(line, {number: link.text for number, link in enumerate(page.claims)}) == line


def read_source(text: str) -> None:
    text = text.replace("\r", "\n")  # as a file is read
    source = read("docs/page.md", text)
    source.marked(text.split("\n")[source.front :])
    source.corrected(text, dict.fromkeys(range(len(source.claims)), "5"))
    source.seek("so much", "37", 1)
    list(source.listed())


def read_prose(text: str) -> Prose:
    """As it stands in a paragraph, once Markdown has read everything else."""
    root = ElementTree.Element("div")
    ElementTree.SubElement(root, "p").text = text
    reading = Reading(read("docs/page.md", ""), one_page.SETTINGS)
    reading.walk(root, Markdown())
    return reading.prose()


CLAIM = claims.parse("10")
READERS: dict[str, Callable[[str], object]] = {
    "source": read_source,
    "prose": read_prose,
    "find": lambda text: list(claims.find(text)),
    "beside": lambda text: claims.beside(text, CLAIM, CLAIM.unit, text),
    "records": lambda text: (records.read(File(text.encode())), records.agree(text, Entry(f"{text}1", (0, 0), 0.5))),
    "code": one_page.SETTINGS.in_code,
    "formula": one_page.SETTINGS.in_formula,
}
FAMILIES = [
    "9",
    "9,999",
    "1 ",
    "[",
    "`",
    "` ",
    "``a`",
    "$",
    "$1 ",
    "$$a",
    "<!--",
    "<!-- 1",
    "(calc:",
    "](calc:",
    "[1](calc:a)",
    "[1](calc:a)\n",
    "> ",
    "> ```\n",
    "```\n",
    "```` ",
    "~~~",
    "~",
    "{#",
    "{: .",
    "[^",
    "](",
    "](()",
    "][",
    "&#1",
    "&a",
    "<http://",
    "<a ",
    "<a>",
    "<b><i>",
    "</b>",
    '<a title="',
    "alt='",
    "\n",
    " \n",
    "\n\n1",
    "[a]: ",
    "[a]:\n",
    "\\text{",
    "\\",
    "²",
    "٣",
    "\0",
    "\r",
    "1e",
    "= ",
    "value a = 1\n",
    '"',
    "about ",
    "- ",
    "1. ",
    "GPT-",
    "GPT-2 ",
]


def least(call: Callable[[str], object], text: str) -> float:
    times = []
    for _ in range(3):
        begin = time.process_time()
        call(text)
        times.append(time.process_time() - begin)
        if times[-1] > 0.5:  # no pause of the machine is as long
            break
    return min(times)


@pytest.mark.parametrize("reader", READERS)
def test_time_grows_with_length_and_no_faster(reader):
    """Four times the length takes four times the time; where each opening is searched to the end, sixteen times."""
    slow = {}
    for text in FAMILIES:
        for end in ("", "`"):
            # A pause of the machine is no reason: it must be slow at every size.
            for n in (60, 120, 240) if reader in ("text", "code", "formula") else (1000, 2000, 4000):
                short, long = (least(READERS[reader], text * size + end) for size in (n, 4 * n))
                if long < max(9 * short, 0.001):  # and less than that cannot be timed
                    break
            else:
                slow[f"{text}…{end}"] = f"{short:.4f} s, then {long:.4f} s"
    assert not slow
