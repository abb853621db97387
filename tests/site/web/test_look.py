"""How the real site looks and is worked, for those who see it otherwise: in the dark, by keys, enlarged, on paper."""

import pytest
from playwright.sync_api import Locator
from test_browser import KV, LESSON, _contrast, base, browser, opened  # noqa: F401 (fixtures)

CARD = """claim => {
  const [number, card] = [claim.querySelector("a"), claim.querySelector(".claim-card")].map(e => e.getBoundingClientRect());
  const apart = card.top >= number.bottom - 1 || card.bottom <= number.top + 1;
  const inside = card.left >= 0 && card.right <= innerWidth && card.top >= -1 && card.bottom <= innerHeight + 1;
  const near = Math.min(Math.abs(card.top - number.bottom), Math.abs(card.bottom - number.top)) < 2;
  return apart && inside && near;
}"""


def _soon(claim: Locator) -> bool:
    """Whether the card stands at its number, within some frames of the scrolling that moved it."""
    return any(claim.evaluate(CARD) or claim.page.wait_for_timeout(20) for _ in range(50))


@pytest.mark.parametrize("javascript", [True, False])
def test_dark_and_light_are_there_with_and_without_javascript(opened, javascript):  # noqa: F811
    seen = {}
    for scheme in ("light", "dark"):
        page = opened(KV, color_scheme=scheme, java_script_enabled=javascript)
        seen[scheme] = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        link, paper = page.locator("article p > a").first, seen[scheme]
        colour = link.evaluate("link => getComputedStyle(link).color")
        assert _contrast(colour, paper) >= 4.5
        assert link.evaluate("link => getComputedStyle(link).textDecorationLine") == "underline"
    assert _contrast(seen["light"], "rgb(255, 255, 255)") < 1.1 < 10 < _contrast(seen["dark"], "rgb(255, 255, 255)")


def test_a_reader_may_choose_light_in_a_dark_system(opened):  # noqa: F811
    page = opened(KV, color_scheme="dark")
    page.locator("[data-md-component=palette] label:visible").click()
    assert page.locator("body").get_attribute("data-md-color-scheme") == "default"
    page.reload()
    assert page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(255, 255, 255)"


def test_tab_stops_once_a_section_and_arrows_reach_every_number(opened):  # noqa: F811
    page = opened(KV, viewport={"width": 1280, "height": 800})
    numbers = page.locator(".claim a")
    stops = numbers.evaluate_all("all => all.filter(a => a.tabIndex === 0).length")
    assert numbers.count() > 90 and stops <= 20
    seen = page.evaluate("[...document.querySelectorAll('.claim a')].filter(a => a.checkVisibility()).length")
    numbers.first.focus()
    reached = {0}
    for _ in range(seen + 30):  # terms are on the way too
        page.keyboard.press("ArrowRight")
        reached.add(page.evaluate("[...document.querySelectorAll('.claim a')].indexOf(document.activeElement)"))
    assert len(reached - {-1}) == seen
    page.keyboard.press("Escape")
    assert page.locator(".claim-card:visible").count() == 0
    page.keyboard.press("ArrowLeft")
    assert page.locator(".claim-card:visible").count() <= 1


@pytest.mark.parametrize("javascript", [True, False])
def test_a_card_stands_at_its_number_at_400_percent_and_at_every_edge(opened, javascript):  # noqa: F811
    page = opened(KV, viewport={"width": 320, "height": 256}, java_script_enabled=javascript)
    for claim in page.locator(".md-content .claim").all()[::12]:
        number = claim.locator("a")
        if not number.is_visible():
            continue  # in a folded answer
        for block in ("start", "center", "end"):
            number.evaluate("(a, block) => { a.scrollIntoView({ block }); a.focus({ preventScroll: true }); }", block)
            assert _soon(claim), (number.inner_text(), block)


def test_a_card_goes_where_its_number_goes(opened):  # noqa: F811
    page = opened(KV, viewport={"width": 1280, "height": 800})
    claim = page.locator(".md-content > article > p .claim").nth(8)
    claim.locator("a").focus()
    page.evaluate("scrollBy(0, 120)")
    assert _soon(claim)


@pytest.mark.parametrize("javascript", [True, False])
def test_the_drawer_opens_by_keys_and_takes_no_tab_stop_while_closed(opened, javascript):  # noqa: F811
    page = opened(KV, viewport={"width": 390, "height": 800}, java_script_enabled=javascript)
    links = page.locator(".md-sidebar--primary a")
    assert not any(link.is_visible() for link in links.all())
    page.locator("button[for=__drawer]" if javascript else "#__drawer").focus()
    page.keyboard.press("Space")
    links.get_by_text("Scaling laws").first.wait_for(state="visible")


def test_what_is_wider_than_its_column_scrolls_by_keys(opened):  # noqa: F811
    page = opened(KV, viewport={"width": 390, "height": 800})
    page.wait_for_function("document.querySelector('pre > code[tabindex=\"0\"]')")
    wide = "box => box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0"
    assert not any(box.evaluate(wide) for box in page.locator(".scroll, pre > code, .figure").all() if box.is_visible())


def test_nothing_moves_for_those_who_ask_for_that(opened):  # noqa: F811
    page = opened(KV, reduced_motion="reduce")
    moving = "all => all.filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
    assert page.locator("body *").evaluate_all(moving) == 0


def test_figures_keep_to_the_colours_a_system_forces(opened):  # noqa: F811
    page = opened(KV, forced_colors="active", color_scheme="dark")
    ink = page.locator("svg.lesson-figure text").evaluate_all("all => all.map(t => getComputedStyle(t).fill)")
    paper = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert min(_contrast(colour, paper) for colour in set(ink)) >= 4.5


@pytest.mark.parametrize("javascript", [True, False])
def test_on_paper_answers_are_open_and_links_say_where_they_lead(opened, javascript):  # noqa: F811
    page = opened(f"{LESSON}scaling-laws.html", java_script_enabled=javascript)
    page.emulate_media(media="print")
    answers = "all => all.map(box => getComputedStyle(box, '::details-content').contentVisibility)"
    assert set(page.locator("details.question").evaluate_all(answers)) == {"visible"}
    assert not page.locator(".copy:visible, .headerlink:visible").count()
    page = opened("sources.html", java_script_enabled=javascript)
    page.emulate_media(media="print")
    after = "link => getComputedStyle(link, '::after').content"
    assert "http" in page.locator("article a[href^=http]").first.evaluate(after)
