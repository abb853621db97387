"""The real site as it is published: found, previewed, read without a server, and light."""

import functools
import gzip
import http.server
import json
import re
import threading
import tomllib
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, unquote, urldefrag, urljoin, urlsplit

import material
import pytest
import yaml
from playwright.sync_api import Browser, Page
from test_browser import ADDRESSES, browser  # noqa: F401 (fixture)

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SITE = "https://scaling-and-efficiency.example/"
ATTRIBUTE = re.compile(r'\s([a-z:-]+)="([^"]*)"')
QUESTIONS = tomllib.loads((HERE / "questions.toml").read_text("utf-8"))


class Zipped(http.server.SimpleHTTPRequestHandler):
    """A host as hosts are: compressed, and with a page for what is not there."""

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        file = file / "index.html" if file.is_dir() else file
        found = file.is_file()
        file = file if found else Path(self.directory) / "404.html"
        body = gzip.compress(file.read_bytes(), 6)
        self.send_response(200 if found else 404)
        for name, value in (("Content-Type", self.guess_type(file)), ("Content-Encoding", "gzip")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix("/under/a/path"))

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def host(built: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Zipped, directory=built)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def pages(built: Path) -> dict[str, str]:
    """The HTML of every page, by its address."""
    return {file.relative_to(built).as_posix(): file.read_text("utf-8") for file in sorted(built.rglob("*.html"))}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:  # noqa: F811
    context = browser.new_context()
    yield context.new_page()
    context.close()


def attributes(html: str, name: str) -> list[str]:
    """The values of an attribute, but not in code that is shown."""
    tags = re.findall(r"<[a-zA-Z][^<>]*>", html)
    return [unescape(value) for tag in tags for key, value in ATTRIBUTE.findall(tag) if key == name]


def meta(html: str, name: str) -> list[str]:
    return [unescape(said) for said in re.findall(rf'<meta (?:name|property)="{name}" content="([^"]*)">', html)]


# Weight.


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_first_view_is_light(page, host, address):
    sizes: dict[str, int] = {}
    page.on(
        "requestfinished",
        lambda r: sizes.update({r.url: sum(map(r.sizes().get, ("responseBodySize", "responseHeadersSize")))}),
    )
    page.goto(host + address, wait_until="networkidle")
    assert len(sizes) <= 8 and sum(sizes.values()) <= 120_000, sizes
    assert not [url for url in sizes if "search" in url], "before anyone searches"


def test_our_scripts_are_small(built):
    """What stands beside the theme's script, and what was put before it."""
    (bundle,) = built.glob("assets/javascripts/bundle.*.js")
    theirs = Path(material.__file__).parent / "templates/assets/javascripts" / bundle.name
    ours = sum(file.stat().st_size for file in (built / "assets").glob("*.js"))
    assert 0 < ours + bundle.stat().st_size - theirs.stat().st_size <= 5_000


# Search.


def ask(page: Page, question: str) -> list[str]:
    """The pages the search lists, first to last."""
    field = page.locator("input[name=query]")
    field.fill("")
    field.press("End")  # the search listens for keys
    page.wait_for_selector(".md-search-result__item", state="detached")
    field.fill(question)
    field.press("End")
    page.wait_for_selector(".md-search-result__item, .md-search-result__meta:has-text('No matching')", state="attached")
    found = page.locator(".md-search-result__item > a").evaluate_all("all => all.map(a => a.href)")
    return list(dict.fromkeys(urldefrag(address)[0] for address in found))


def test_a_search_brings_the_page_that_teaches_first(page, host):
    page.goto(host + "glossary.html")
    page.keyboard.press("/")
    asked = [(question, host + address) for address, questions in QUESTIONS.items() for question in questions]
    first = {question: (ask(page, question) or [""])[0] for question, _ in asked}
    missed = {question: first[question] for question, expected in asked if first[question] != expected}
    tags = page.locator(".md-search-result .md-tags")
    assert tags.count() and not tags.first.is_visible(), "the words people ask with are for finding, not for showing"
    assert len(asked) >= 60 and len(missed) <= 0.05 * len(asked), missed


def test_a_search_works_from_a_folder_and_leads_to_files(page, built):
    page.goto((built / "scaling-and-efficiency/index.html").as_uri())
    page.keyboard.press("/")
    (first, *_) = ask(page, "grouped query attention")
    assert first == (built / "scaling-and-efficiency/kv-cache.html").as_uri()
    page.keyboard.press("Enter")
    page.wait_for_url("**/kv-cache.html*")


def test_the_index_is_small_and_holds_no_card_drawing_or_list(built):
    index = (built / "search/search_index.json").read_text("utf-8")
    docs = json.loads(index)["docs"]
    assert len(gzip.compress(index.encode())) <= 40_000
    assert {urldefrag(doc["location"])[0] for doc in docs} == set(QUESTIONS)
    assert not [doc for doc in docs if "claim-card" in doc["text"] or "matplotlib" in doc["text"]]
    text = " ".join(doc["text"] for doc in docs)
    assert "the problems apart" not in text, "the time a page takes"
    assert "processed[0]" not in text, "an expression that only a card has"
    assert "One query meets the cached keys" not in text, "the title of a drawing"


# Policy.


def test_no_page_breaks_its_own_policy(page, host, pages):
    told: list[str] = []
    page.on("console", lambda message: told.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: told.append(f"{page.url}: {error}"))
    for address in pages.keys() - {"404.html"}:
        page.goto(host + address, wait_until="load")
    page.keyboard.press("/")
    assert told == []


def test_a_policy_allows_no_script_but_its_own(page, host, pages):
    for address, html in pages.items():
        (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)
        rules = dict(rule.split(" ", 1) for rule in unescape(policy).split("; "))
        assert "unsafe" not in rules["script-src"] + rules["style-src"] and rules["default-src"] == "'none'", address
        assert not re.search(r"https?:|\*", policy), address
        assert not re.search(r"<[^>]*\son[a-z]+=", html), address
        assert html.index("Content-Security-Policy") < html.index("<title") < 4000, address
    page.goto(host)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for way in (
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))",
        "setTimeout('window.ran = 1')",
    ):
        page.evaluate(f"() => {{ {way} }}")
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None and len(said) == 2 and all("Content Security Policy" in s for s in said)


# Links.


def test_every_address_of_every_page_is_a_file_and_every_anchor_is_there(built, pages):
    ids = {address: set(attributes(html, "id")) for address, html in pages.items()}
    dead = []
    for address, html in pages.items():
        for target in (*attributes(html, "href"), *attributes(html, "src")):
            path, anchor = urldefrag(unquote(urljoin(address, target)))
            if urlsplit(target).scheme or (address == "404.html" and target == "/"):
                continue
            here = path or address
            if not (built / here).is_file() or (anchor and anchor not in ids.get(here, {anchor})):
                dead.append((address, target))
    assert dead == []


def test_every_link_to_elsewhere_says_so_and_is_a_source(pages):
    def elsewhere(html: str) -> list[tuple[str, str]]:
        return [(url, tag) for tag in re.findall(r"<a [^>]*>", html) for url in attributes(tag, "href") if "://" in url]

    sources = {url for url, _ in elsewhere(pages["sources.html"])}
    for address, html in pages.items():
        for url, tag in elsewhere(html):
            assert 'rel="external noopener"' in tag, (address, tag)
            assert url in sources or url.startswith("https://git.example/"), (address, url)


def test_no_section_has_lost_its_anchor(pages):
    """Others link to these: a section may move or go, and then its id stays where its matter is now."""
    kept = (HERE / "anchors.txt").read_text("utf-8").split()
    assert len(kept) > 60
    assert [
        anchor for anchor in kept if anchor.split("#")[1] not in attributes(pages[anchor.split("#")[0]], "id")
    ] == []


def test_ids_are_unique_and_headings_skip_no_level(pages):
    for address, html in pages.items():
        ids = attributes(html, "id")
        assert len(ids) == len(set(ids)), (address, {name for name in ids if ids.count(name) > 1})
        levels = [int(level) for level in re.findall(r"<h([1-6])[\s>]", html)]
        assert levels.count(1) == 1 and levels[0] == 1, address
        assert all(below <= above + 1 for above, below in pairwise(levels)), (address, levels)


# What a page says of itself.


def test_each_page_has_a_title_and_a_description_of_its_own(pages):
    titles = [unescape(re.search("<title>(.*?)</title>", html, re.S)[1]) for html in pages.values()]
    descriptions = [said for html in pages.values() for said in meta(html, "description")]
    assert len(set(titles)) == len(titles) and all(title.count("Scaling & Efficiency") == 1 for title in titles)
    assert len(set(descriptions)) == len(descriptions) == len(pages) and min(map(len, descriptions)) >= 25


def test_the_sitemap_lists_each_page_by_its_canonical_address(built, pages):
    canonical = {address: re.findall(r'<link rel="canonical" href="([^"]+)">', html) for address, html in pages.items()}
    listed = re.findall("<loc>(.*?)</loc>", (built / "sitemap.xml").read_text("utf-8"))
    for address in pages.keys() - {"404.html"}:
        assert canonical[address] == [SITE + re.sub(r"(^|/)index\.html$", r"\1", address)]
        assert (canonical[address][0] in listed) == (address != "print.html")
    assert f"Sitemap: {SITE}sitemap.xml" in (built / "robots.txt").read_text("utf-8")


def test_a_shared_page_has_a_preview_and_a_lesson_page_says_what_it_teaches(built, pages):
    for address in pages.keys() - {"404.html", "print.html"}:
        (title,), (url,), (image,) = (meta(pages[address], f"og:{name}") for name in ("title", "url", "image"))
        assert title in unescape(pages[address]) and url.startswith(SITE) and image == f"{SITE}assets/preview.png"
    picture = (built / "assets/preview.png").read_bytes()
    assert [int.from_bytes(picture[at : at + 4]) for at in (16, 20)] == [1200, 630]
    for address in ADDRESSES:
        html = pages[address + "index.html" if address.endswith("/") or not address else address]
        (told,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
        told = json.loads(told)
        assert told["@type"] == "LearningResource" and told["url"] and (told.get("teaches") or told.get("hasPart"))


def test_llms_txt_leads_to_each_page_as_markdown(built):
    listed = re.findall(r"^- \[.*?\]\(([^)]*)\): ", (built / "llms.txt").read_text("utf-8"), re.M)
    assert len(listed) > 25
    for url in listed:
        assert (built / url.removeprefix(SITE)).is_file(), url
    text = (built / "scaling-and-efficiency/kv-cache.md").read_text("utf-8")
    for there in (
        "# KV caching",
        "which is 37.7 MB or 36 MiB.",
        "$P + t - 2$",
        "```python\nimport torch\n",
        "[10, 11, 12] ...",
        "*Figure: ",
    ):
        assert there in text, there
    for gone in ("calc:", "publish(", "attrs:", "///", "{ #", "tags:"):
        assert gone not in text, gone


# A number that is wrong.


def test_a_number_can_be_reported_with_all_that_is_known_of_it(pages):
    links = [unescape(url) for url in re.findall(r'<a [^>]*class="report" href="([^"]*)">', pages["numbers.html"])]
    assert len(links) == len(re.findall(r"<code>= ", pages["numbers.html"])) > 500
    (url,) = [url for url in links if "title=one_sequence+" in url]
    asked = parse_qs(urlsplit(url).query)
    assert url.startswith("https://git.example/scaling-and-efficiency/issues/new?")
    for said in ("scaling-and-efficiency/kv-cache.html#calc-one_sequence", "37.7 MB, ", "37748736", "37,748,736 B"):
        assert said in asked["body"][0], said


# Pages beside the lesson's.


@pytest.mark.parametrize(
    "path", ["nothing.html", "deep/er/nothing.html", "under/a/path/nothing", "under/a/path/de/ep/"]
)
def test_who_gets_lost_finds_back_under_any_path(page, host, path):
    assert page.goto(host + path).status == 404
    page.wait_for_function(
        "path => new URL(document.baseURI).pathname === path", arg="/under/a/path/" if "under" in path else "/"
    )
    page.get_by_role("link", name="KV caching").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("KV caching")


def test_the_whole_lesson_stands_on_one_page(pages):
    whole, parts = pages["print.html"], [pages[a if a.endswith(".html") else f"{a}index.html"] for a in ADDRESSES[1:]]
    assert whole.count('class="claim-number"') == sum(html.count('class="claim-number"') for html in parts)
    assert whole.count('class="lesson-figure"') == sum(html.count('class="lesson-figure"') for html in parts)
    assert 'href="#scaling-and-efficiency-kv-cache-memory"' in whole and "<script" not in whole


def test_the_page_says_how_to_cite_as_the_citation_file_does(pages):
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    box = unescape(
        re.sub("<[^>]+>", "", re.search(r'id="cite".*?<code[^>]*>(.*?)</code>', pages["index.html"], re.S)[1])
    )
    for said in (cited["title"], cited["authors"][0]["name"], f"Version {cited['version']}"):
        assert said in box.replace("\\&", "&")
