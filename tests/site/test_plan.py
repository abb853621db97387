"""The plan's pages: all that the plan asked for is listed and leads somewhere, and its wrong figures stay on one page."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "docs/scaling-and-efficiency"
PLAN = ROOT / "docs/authors/plan.md"

COUNTS = {
    "sections": 13,
    "misconceptions": 5,
    "examples": 6,
    "checks": 3,
    "modalities": 5,
    "analogies": 4,
    "misleading": 2,
    "connections": 5,
    "gap": 1,
    "scope-in": 6,
    "scope-out": 8,
    "depths": 5,
    "review-first": 7,
    "review-second": 3,
    "review-third": 1,
    "beyond": 5,
}
"""How many elements of each kind the plan has, its reviews' findings and what goes beyond it among them."""

LINK = re.compile(r"\]\((?P<page>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")


def listed() -> dict[str, list[str]]:
    """The items of the plan's page, by the id of their section."""
    found = {}
    for section in PLAN.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        items = re.split(r"^(?:- |[0-9]+\. )", body, flags=re.M)[1:]
        found[re.search(r"\{ #([a-z-]+) \}$", heading)[1]] = items
    return found


def test_every_element_of_the_plan_is_listed():
    counts = {section: len(items) for section, items in listed().items()}
    counts.pop("predictions")  # those are ours, and may grow
    assert counts == COUNTS


def test_every_element_is_linked_to_an_anchor():
    unlinked = [item for items in listed().values() for item in items if not LINK.search(item)]
    assert unlinked == []
    assert [link[0] for link in LINK.finditer(PLAN.read_text(encoding="utf-8")) if not link["anchor"]] == []


def test_a_problem_asks_for_every_target_depth():
    for item in listed()["depths"]:
        anchors = [link["anchor"] for link in LINK.finditer(item)]
        assert len(anchors) >= 4 and all(re.match("predict-|check-|practice-", anchor) for anchor in anchors), item
        assert any(anchor.startswith("practice-") for anchor in anchors), item


def test_every_anchor_is_on_the_built_page(built):
    missing = []
    for link in LINK.finditer(PLAN.read_text(encoding="utf-8")):
        page = (PLAN.parent / link["page"]).resolve() if link["page"] else PLAN
        html = (built / page.relative_to(ROOT / "docs").with_suffix(".html")).read_text(encoding="utf-8")
        if not re.search(rf'\sid="?{re.escape(link["anchor"] or "")}["\s>]', html):
            missing.append(link[0])
    assert missing == []


@pytest.mark.parametrize(
    "kind, sections", [("misconception", ["misconceptions"]), ("check|predict|practice", ["checks", "predictions"])]
)
def test_every_box_of_the_lesson_is_listed(kind, sections):
    pages = sorted(LESSON.glob("*.md"))
    boxes = {
        f"{page.name}#{anchor}"
        for page in pages
        for anchor in re.findall(rf"^ +attrs: \{{id: ((?:{kind})-[a-z-]+)\}}$", page.read_text(encoding="utf-8"), re.M)
    }
    items = [item for section in sections for item in listed()[section]]
    links = {f"{Path(link['page']).name}#{link['anchor']}" for item in items for link in LINK.finditer(item)}
    assert boxes == links, "list each box of the lesson in docs/authors/plan.md"


def test_a_quiet_build_stops_when_an_anchor_is_gone(configured, mkdocs):
    """By the real site's settings, on two pages."""
    box = "/// misconception | “It”\n    attrs: {{id: {}}}\n\nIt is.\n///\n"
    configured.write("# Page\n\n" + box.format("misconception-it"), "page.md")
    configured.write("# Plan\n\n- [It](../page.md#misconception-it)\n", "authors/plan.md")
    status, output = mkdocs(configured.root, "build", "-q")
    assert status == 0, output
    shutil.rmtree(configured.root / "site")
    configured.write("# Page\n\n" + box.format("elsewhere"), "page.md")
    status, output = mkdocs(configured.root, "build", "-q")
    assert status == 1
    assert "'authors/plan.md' contains a link" in output
    assert "does not contain an anchor '#misconception-it'" in output
    assert not (configured.root / "site").exists()


WRONG = {
    r"(?<![\d.,])5,?550\b": [],
    r"(?<![\d.,])55 ?[x×]": [],
    r"(?<![\d.,])1000[x×]": [],
    r"(?<![\d.,])1024x": [],
    r"16\.7 million": [],
    r"384 MB": [],
    r"384 KB": [],
    r"5[x×] undertrained": [],
    r"1/3 the size": [],
    r"1 million times": [],
    r"bit-identical": ["plan"],  # where the review that found it is told
    r"numerically identical": [],
    r"centuries": [],
    r"hundreds of millions of dollars": [],
    r"(?<![\d.,])5,?050 position pairs": [],
    r"t-1 positions": [],
    r"preserves it too": [],
    r"explicitly followed": [],
    r"\b[TGP]?FLOPS\b": [],
    r"\b1000 GPU-hours": [],
}
"""What the plan got wrong, as a pattern, and the pages that may say it too because they refute it."""


class _Text(HTMLParser):
    """What a reader sees or is read of a page's article."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag == "article"
        if self.depth:
            self.parts += [f" {value} " for name, value in attrs if name in ("title", "alt", "aria-label")]

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "article"

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.parts.append(data)


def seen(file: Path) -> str:
    text = _Text()
    text.feed(file.read_text(encoding="utf-8"))
    return " ".join("".join(text.parts).split())


@pytest.fixture(scope="module")
def pages(built) -> dict[str, str]:
    """The text of every built page, by its name; but not of the list of all that pages publish."""
    files = [file for file in sorted(built.rglob("*.html")) if file.name != "numbers.html"]
    return {file.stem if file.stem != "index" else file.parent.name: seen(file) for file in files}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_figure_stands_on_its_own_page_only(pages, wrong):
    case = re.I if wrong.islower() else 0
    told = [name for name, text in pages.items() if re.search(wrong, text, case)]
    assert "what-the-plan-got-wrong" in told, "the page no longer quotes this: is the pattern right?"
    assert set(told) == {"what-the-plan-got-wrong", *WRONG[wrong]}
