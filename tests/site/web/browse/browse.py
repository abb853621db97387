"""Judges a built site in Chromium, page by page: axe-core finds nothing, Lighthouse gives full marks for accessibility,
best practices and search engines, and no page shifts or is larger than it must be. scripts/browse runs this.

axe looks at each page light, at 390 and 1280 pixels, folded and with everything open, and with the search open. In the
dark only colours differ, so there its rules on colours suffice.
"""

import argparse
import gzip
import http.server
import json
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-quic", "--no-first-run", "--headless=new"]
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
WIDTHS = (1280, 390)
NODES = 2000
LARGER = {
    "numbers": 8000,  # a list of every published number, a row each, with links to all its uses
    "sources": 3500,  # the same, of every outside fact
    "print": 12000,  # the whole lesson
    "scaling-and-efficiency/kv-cache": 2200,  # more than a hundred claims, of five nodes each, and a measured figure
    "scaling-and-efficiency/flash-attention": 2600,  # two figures of nothing but numbers, as text and again as tables
    "authors/what-the-plan-got-wrong": 3500,  # a list for authors
}
"""Pages that are longer than a page should be, and why."""
AXE = """async ([rules, only]) => {
  const { violations } = await axe.run(document, { runOnly: { type: rules, values: only }, resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => [id, nodes.length, nodes[0].target.join(" "), nodes[0].failureSummary]);
}"""
OPEN = """() => new Promise((opened) => {
  document.querySelectorAll("article details").forEach((box) => (box.open = true));
  requestAnimationFrame(() => requestAnimationFrame(opened)); // by then, what scrolls in them takes keys
})"""
SHIFT = """() => new Promise((told) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => told(sum), 300);
})"""


class Gzipped(http.server.SimpleHTTPRequestHandler):
    """Serves as a host does: compressed."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            return self.send_error(404)
        body = gzip.compress(path.read_bytes(), 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(site: Path) -> Iterator[str]:
    handler = partial(Gzipped, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def pages(site: Path) -> list[str]:
    """The address of every page, seen from the site's root."""
    files = sorted(file.relative_to(site).as_posix() for file in site.rglob("*.html"))
    return [file.removesuffix("index.html") for file in files if file != "404.html"]


def judged(page: Page, base: str, address: str) -> list[str]:
    """What is wrong with one page."""
    wrong = []

    def axe(setting: str, kind: str, only: list[str]) -> None:
        for rule, count, target, why in page.evaluate(AXE, [kind, only]):
            reason = " ".join(why.split("\n")[1].split())
            wrong.append(f"{address}: {setting}: {rule}, {count} times, first at {target}: {reason}")

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        for _ in range(2):  # a shift of the page's own comes again, and that of a machine which stalls does not
            page.goto(base + address)
            if (shift := page.evaluate(SHIFT)) <= 0.001:
                break
        else:
            wrong.append(f"{address}: {width} px: the page shifts by {shift:.3f}")
        nodes = page.evaluate("document.querySelectorAll('*').length")
        axe(f"{width} px, folded", "tag", STANDARD)
        page.evaluate(OPEN)
        axe(f"{width} px, open", "tag", STANDARD)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        axe(f"{width} px, open, dark", "rule", COLOURS)
        if address.endswith(("kv-cache/", "kv-cache.html")):
            page.evaluate("document.getElementById('__search').click()")
            page.locator(".md-search__input").press_sequentially("cache")  # the search listens for keys
            page.locator(".md-search-result__item").first.wait_for()
            axe(f"{width} px, search, dark", "tag", STANDARD)
            page.emulate_media(color_scheme="light", reduced_motion="reduce")
            axe(f"{width} px, search", "tag", STANDARD)
    most = LARGER.get(address.strip("/").removesuffix(".html"), NODES)
    return [*wrong, f"{address}: {nodes} nodes, more than {most}"] if nodes > most else wrong


def by_axe(base: str, script: str, addresses: list[str]) -> Iterator[str]:
    """What axe-core finds on these pages."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=FLAGS)
        context = browser.new_context()
        context.add_init_script(script)
        page = context.new_page()
        for address in addresses:
            yield from judged(page, base, address)


def by_lighthouse(base: str, addresses: list[str]) -> Iterator[str]:
    """Where Lighthouse does not give full marks."""
    for run in lighthouse(base, 1, "accessibility,best-practices,seo", addresses):
        lost = ", ".join(f"{name} {score}" for name, score in run["scores"].items() if score < 100)
        if lost or run.get("error"):
            yield f"{run['address'].removeprefix(base)}: {lost}: {run.get('error') or '; '.join(run['lost'])}"


def told(judge: Callable[[list[str]], Iterator[str]], addresses: list[str]) -> int:
    """How many problems the judge finds, each told as it is found. Two browsers have half of the pages each."""

    def tell(half: list[str]) -> int:
        found = 0
        for found, problem in enumerate(judge(half), 1):
            print(problem, flush=True)
        return found

    with ThreadPoolExecutor(2) as workers:
        return sum(workers.map(tell, (addresses[::2], addresses[1::2])))


def lighthouse(base: str, runs: int, categories: str, addresses: list[str]) -> Iterator[dict]:
    command = ["node", HERE / "lighthouse.js", str(runs), categories, *(base + address for address in addresses)]
    environment = os.environ | {"CHROMIUM_FLAGS": " ".join(FLAGS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise SystemExit(f"lighthouse.js ended with status {process.returncode}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/browse", description="Judge the built site in a browser.")
    parser.add_argument("site", type=Path, nargs="?", default=Path("site"))
    parser.add_argument("--only", default="", help="pages whose address holds this text")
    parser.add_argument("--performance", type=int, default=0, metavar="RUNS", help="print medians of so many runs too")
    options = parser.parse_args()
    script = (HERE / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    addresses = [address for address in pages(options.site) if options.only in address]
    with served(options.site.resolve()) as base:
        wrong = 0
        for name, judge in (("axe-core", partial(by_axe, base, script)), ("Lighthouse", partial(by_lighthouse, base))):
            found = told(judge, addresses)
            print(f"{name}: {len(addresses)} pages, {found} problems", flush=True)
            wrong += found
        if options.performance:
            lesson = [a for a in addresses if not a or a.startswith("scaling")]
            scores: dict[str, list[int]] = {}
            for run in lighthouse(base, options.performance, "performance", lesson):
                scores.setdefault(run["address"].removeprefix(base), []).append(run["scores"]["performance"])
            for address, found in scores.items():
                print(f"performance {statistics.median(found):.0f} of {sorted(found)}: {address or 'home'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
