"""The built site in a real browser, as a reader meets it."""

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
]
LESSON = "scaling-and-efficiency/"
MIXED, KV = f"{LESSON}mixed-precision.html", f"{LESSON}kv-cache.html"
FIGURED = [
    f"{LESSON}{page}.html" for page in ("roofline", "mixed-precision", "kv-cache", "flash-attention", "scaling-laws")
]
ADDRESSES = ["", LESSON, *FIGURED, f"{LESSON}summary.html"]
MADE = [
    "numbers.html",
    "sources.html",
    "glossary.html",
    "reference/",
    "reference/flash_attention.html",
    "reference/hardware.html",
]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def base(built: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=built)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, base: str):
    """opened(address, **context): a page, which fails the test on console errors and requests to other hosts."""
    wrong: list[str] = []
    contexts = []

    def open_page(address: str = "", **settings: object) -> Page:
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((base, "data:", "blob:")) else wrong.append(r.url))
        page.goto(base + address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.mark.parametrize("address", [*ADDRESSES, *MADE, "notebook/recompute.html"])
def test_no_page_scrolls_sideways_even_with_everything_open(opened, address):
    page = opened(address)
    page.evaluate("document.querySelectorAll('details').forEach(box => box.open = true)")
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("document.getAnimations().forEach(step => step.finish())")  # the theme's search box still slides
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("javascript", [True, False])
def test_a_number_says_where_it_comes_from_on_hover_and_on_focus(opened, javascript):
    page = opened(KV, viewport={"width": 1280, "height": 900}, java_script_enabled=javascript)
    claim = page.locator(".claim", has_text="5,950").first
    card = claim.locator(".claim-card")
    assert not card.is_visible()
    claim.locator("a").hover()
    assert card.is_visible()
    assert "5,950 token position" in card.inner_text() or "5,950 position" in card.inner_text()
    page.mouse.move(0, 0)
    assert not card.is_visible()
    claim.locator("a").focus()
    assert card.is_visible()
    assert card.get_attribute("id") == claim.locator("a").get_attribute("aria-describedby")


def test_the_card_stays_inside_the_window_and_closes_on_escape(opened):
    page = opened(MIXED, viewport={"width": 1280, "height": 700})
    for claim in page.locator(".md-content .claim").all()[::9]:
        claim.locator("a").focus()
        if not claim.locator("a").is_visible():
            continue  # in a folded answer
        box = claim.locator(".claim-card").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] >= 0 and box["y"] + box["height"] <= 700
    page.keyboard.press("Escape")
    assert page.locator(".claim-card:visible").count() == 0


def test_a_first_tap_opens_the_card_and_a_second_follows_it(opened):
    page = opened(KV, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    claim = page.locator(".claim", has_text="5,950").first
    claim.locator("a").tap()
    card = claim.locator(".claim-card")
    assert card.is_visible() and "#" not in page.url
    box = card.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    claim.locator("a").tap()
    page.wait_for_url("**#calc-*")


def test_following_a_number_opens_the_code_that_computed_it(opened):
    page = opened(MIXED + "#calc-fp16_gap", viewport={"width": 1280, "height": 800})
    folded = page.locator("details.block-code:has(#calc-fp16_gap)")
    assert folded.evaluate("box => box.open")
    assert "fp16_gap = (spacing(1.0, f.dtype)" in folded.locator("code").inner_text()
    assert page.locator(".highlight", has_text="publish(").count() == 0
    page = opened("", viewport={"width": 1280, "height": 800})
    page.locator(".claim a", has_text="1,000 updates").click()
    page.wait_for_url("**/mixed-precision.html#calc-many")
    assert page.locator("#calc-many").count() == 1


PAINTED = """[...document.querySelectorAll('figure svg *, .admonition, details, .admonition-title, summary')]
    .map(part => getComputedStyle(part)).map(style => [style.fill, style.stroke, style.color, style.backgroundColor])"""


@pytest.mark.parametrize("address", FIGURED)
def test_a_page_is_printed_alike_from_light_and_from_dark(opened, address):
    painted = {}
    for scheme in ("light", "dark"):
        page = opened(address, color_scheme=scheme)
        page.emulate_media(media="print", color_scheme=scheme)
        painted[scheme] = page.evaluate(PAINTED)
    assert len(painted["light"]) > 100
    differing = [(a, b) for a, b in zip(painted["light"], painted["dark"], strict=True) if a != b]
    assert differing == []


def test_answers_open_without_javascript(opened):
    page = opened(KV, java_script_enabled=False)
    answer = page.locator("details.question").first
    assert not answer.get_by_text("37,748,736 bytes").is_visible()
    answer.locator("summary").first.click()
    assert answer.get_by_text("37,748,736 bytes").first.is_visible()


@pytest.mark.parametrize("address", FIGURED)
def test_figures_follow_light_and_dark(opened, address):
    colours = {}
    for scheme in ("light", "dark"):
        page = opened(address, color_scheme=scheme)
        assert page.locator("svg.lesson-figure text").count() > 4
        for figure in page.locator("svg.lesson-figure").all():
            ink = figure.locator("text").evaluate_all("all => all.map(t => getComputedStyle(t).fill)")
            blue, paper = (figure.evaluate(_COLOUR, name) for name in ("--figure-blue", "--figure-paper"))
            colours.setdefault(scheme, []).append(ink)
            for colour in set(ink):
                behind = blue if colour == paper else paper  # words in the page's colour stand on a blue shape
                assert _contrast(colour, behind) >= 4.5, (scheme, colour, behind)
    assert all(light != dark for light, dark in zip(colours["light"], colours["dark"], strict=True))


@pytest.mark.parametrize("address", FIGURED)
@pytest.mark.parametrize("width", [390, 1280])
def test_no_words_of_a_figure_overlap_or_leave_it(opened, address, width):
    page = opened(address, viewport={"width": width, "height": 900})
    for figure in page.locator("svg.lesson-figure").all():
        size = "s => getComputedStyle(s).fontSize.slice(0, -2) * s.ownerSVGElement.getScreenCTM().a"
        assert min(figure.locator("text").evaluate_all(f"all => all.map({size})")) >= 11
        # A slanted word's box is larger than the word.
        boxes = figure.locator(
            'text:not([transform*="rotate(-"]:not([transform*="rotate(-90"]):not([transform*="rotate(-0 "]))'
        )
        boxes = boxes.evaluate_all(
            "all => all.map(t => [t.textContent, ...['left', 'top', 'right', 'bottom'].map(k => t.getBoundingClientRect()[k])])"
        )
        frame = figure.evaluate("drawn => drawn.getBoundingClientRect().toJSON()")
        for word, left, _, right, _ in boxes:
            assert left >= frame["left"] - 1 and right <= frame["right"] + 1, word
        for i, (a, *one) in enumerate(boxes):
            for b, *two in boxes[i + 1 :]:
                apart = one[2] <= two[0] + 1 or two[2] <= one[0] + 1 or one[3] <= two[1] + 4 or two[3] <= one[1] + 4
                assert apart, (a, b)


_COLOUR = """(figure, name) => {
  const probe = figure.parentNode.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  return [getComputedStyle(probe).color, probe.remove()][0];
}"""


def _contrast(one: str, two: str) -> float:
    """WCAG contrast ratio of two computed colours."""

    def luminance(colour: str) -> float:
        channels = [float(c) / 255 for c in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
