"""The Content-Security-Policy of a page: nothing from elsewhere, and no script but those it was built with.

A page is a file, on any server or on none, so a `meta` element carries its policy. Scripts and style sheets that stand
in the page are named by their hashes. Style *attributes* are allowed: every figure has hundreds, which matplotlib
writes, and they can neither run nor fetch anything.
"""

import base64
import hashlib
import re
from html import escape

SCRIPT = re.compile(r"<script(?![^>]*\s(?:src=|type=\"?application/))[^>]*>(.*?)</script>", re.S)
"""What runs: a script without an address, that is no data."""
STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.S)
_CHARSET = re.compile(r"<meta charset=[^>]*>", re.I)


def policy(html: str) -> str:
    """What the page needs, and nothing else."""
    rules = {
        "default-src": "'none'",
        "script-src": f"'self'{_hashes(SCRIPT, html)}",
        "style-src": f"'self'{_hashes(STYLE, html)}",
        "style-src-attr": "'unsafe-inline'",
        "img-src": "'self' data:",  # the theme's icons are masks, whose drawings stand in its style sheet
        "connect-src": "'self'",
        "worker-src": "'self'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def guarded(html: str) -> str:
    """The page with its policy, before anything that the policy is about."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{escape(policy(html))}">'
    return _CHARSET.sub(lambda charset: f"{charset[0]}\n      {meta}", html, count=1)


def _hashes(kind: re.Pattern, html: str) -> str:
    digests = {hashlib.sha256(content.encode()).digest(): None for content in kind.findall(html)}
    return "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
