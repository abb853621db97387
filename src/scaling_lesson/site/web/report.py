"""A way to say that a number is wrong: a link beside each one listed, which carries all that is known of it."""

import re
from html import escape, unescape
from urllib.parse import urlencode

_ROW = re.compile(r'<tr><td><a href="(?P<page>[^"#]*)#calc-(?P<name>\w+)"><code>\w+</code></a>.*?</tr>', re.S)


def with_reports(html: str, repository: str) -> str:
    """The list of numbers, each with a link that begins an issue in the repository."""

    def reported(match: re.Match) -> str:
        value, in_full = re.search('<data value="([^"]*)">([^<]*)</data>', match[0]).groups()
        claims = re.findall(r'#claim-\d+">([^<]*)</a>', match[0])
        body = [
            f"Page: {match['page']}#calc-{match['name']}",
            f"Shown as: {', '.join(dict.fromkeys(map(unescape, claims)))}",
            f"Value: {unescape(in_full)} ({unescape(value)})",
            "",
            "What is wrong with it, and how do you know?",
            "",
        ]
        query = urlencode({"title": f"{match['name']} on {match['page']}", "body": "\n".join(body)})
        link = f'<a class="report" href="{repository.rstrip("/")}/issues/new?{escape(query)}">report</a>'
        return match[0].replace("</a>", f"</a> {link}", 1)

    return _ROW.sub(reported, html)
