"""What a page says of itself to those who list, preview or quote it."""

import json
from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import urljoin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from scaling_lesson.site.read.source import Source
from scaling_lesson.site.web.reading_time import minutes

LICENSE = "https://creativecommons.org/licenses/by/4.0/"
PREVIEW = "assets/preview.png"


def about(page: Page, config: MkDocsConfig, lesson: Sequence[Page], source: Source | None) -> str:
    """Elements for the page's head: Open Graph, and schema.org's LearningResource.

    lesson: the pages of the lesson, in order. source: the page as written, if that is Markdown.
    """
    shown = {
        "og:type": "article" if page in lesson else "website",
        "og:site_name": config.site_name,
        "og:title": title(page),
        "og:description": page.meta.get("description"),
        "og:url": page.canonical_url,
        "og:image": urljoin(config.site_url or "", PREVIEW),
    }
    lines = [f'<meta property="{name}" content="{escape(str(said))}">' for name, said in shown.items() if said]
    lines.append('<meta name="twitter:card" content="summary_large_image">')
    if page in lesson or page.is_homepage:
        told = _resource(page, config)
        if page in lesson and source:
            told |= {"timeRequired": f"PT{round(minutes(source))}M", "teaches": page.meta.get("tags", [])}
            told["isPartOf"] = {"@type": "LearningResource", "name": config.site_name, "url": config.site_url}
        else:
            told["hasPart"] = [_resource(part, config) for part in lesson]
        data = json.dumps({"@context": "https://schema.org", **told}, ensure_ascii=False).replace("<", "\\u003c")
        lines.append(f'<script type="application/ld+json">{data}</script>')
    return "\n".join(lines)


def title(page: Page) -> str:
    """The title of a page, as its tab has it."""
    return str(page.meta.get("title", page.title))


def _resource(page: Page, config: MkDocsConfig) -> dict[str, Any]:
    return {
        "@type": "LearningResource",
        "name": config.site_name if page.is_homepage else title(page),
        "description": page.meta.get("description"),
        "url": page.canonical_url,
        "inLanguage": "en",
        "learningResourceType": "lesson",
        "isAccessibleForFree": True,
        "license": LICENSE,
    }
