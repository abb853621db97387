"""The page for an address that is not there. A server sends it in any folder of any site, so it brings all it needs."""

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

FIND_ROOT = """
      // The site may lie in any folder: its root is the nearest one with a list of its numbers.
      (async () => {
        for (let at = new URL(".", location); at.protocol !== "file:"; at = new URL("..", at)) {
          const { ok } = await fetch(new URL("numbers.json", at), { method: "HEAD" });
          if (ok) document.querySelector("base").href = at;
          if (ok || at.pathname === "/") return;
        }
      })();
    """
STYLE = """
      :root { color-scheme: light dark; font: 1.1rem/1.6 system-ui, sans-serif; }
      main { max-width: 36rem; margin: 15vh auto; padding: 0 1rem; }
      a { color: light-dark(#2457b8, #8fb4ff); }
    """


def lost(config: MkDocsConfig, pages: Sequence[Page]) -> str:
    """The page, with links to the given ones."""
    links = "".join(f'<li><a href="{page.url}">{escape(str(page.title))}</a></li>' for page in pages)
    return f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width,initial-scale=1">
    <meta name="robots" content="noindex">
    <meta name="description" content="There is no page at this address.">
    <title>Not found - {escape(config.site_name)}</title>
    <base href="{urlsplit(config.site_url or "").path or "/"}">
    <script>{FIND_ROOT}</script>
    <style>{STYLE}</style>
  </head>
  <body>
    <main>
      <h1>There is no page here</h1>
      <p>The address may have changed. These have not:</p>
      <ul>{links}</ul>
    </main>
  </body>
</html>
"""
