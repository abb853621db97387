"""Pictures of every page, to look at: 390 and 1280 pixels wide, light and dark, and as printed. scripts/screenshots runs
this."""

import argparse
import os
import shutil
from pathlib import Path

from browse import FLAGS, WIDTHS, pages, served
from playwright.sync_api import sync_playwright


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description="Take pictures of every page of site/.")
    parser.add_argument("site", type=Path, nargs="?", default=Path("site"))
    parser.add_argument("--only", default="", help="pages whose address holds this text")
    parser.add_argument("--to", type=Path, default=Path("screenshots"))
    options = parser.parse_args()
    shutil.rmtree(options.to, ignore_errors=True)
    options.to.mkdir(parents=True)
    addresses = [address for address in pages(options.site) if options.only in address]
    with served(options.site.resolve()) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=FLAGS)
        page = browser.new_page()
        for address in addresses:
            name = address.removesuffix(".html").strip("/").replace("/", "-") or "home"
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(base + address)
                for scheme in ("light", "dark"):
                    page.emulate_media(media="screen", color_scheme=scheme, reduced_motion="reduce")
                    page.screenshot(path=options.to / f"{name}-{width}-{scheme}.png", full_page=True)
            page.emulate_media(media="print", color_scheme="light")
            page.pdf(path=options.to / f"{name}-print.pdf", format="A4", print_background=True)
    print(f"{5 * len(addresses)} pictures of {len(addresses)} pages are in {options.to}/")


if __name__ == "__main__":
    main()
