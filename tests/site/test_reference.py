"""The pages of the reference code: one a module, from its docstrings."""

import ast
import html
import pkgutil
import re
from pathlib import Path

import pytest

import scaling_lesson

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    m.name
    for m in pkgutil.iter_modules(scaling_lesson.__path__)
    if not m.ispkg and m.name not in ("audit", "digits", "sources")
)
"""The lesson's; the others are tools of the site."""
REFERENCE = ROOT / "docs/reference"


def test_every_module_has_a_page_and_a_line_in_the_same_order():
    listed = re.findall(r"^\[`(\w+)`\]\(\1\.md\)\n:   \w.+\.$", (REFERENCE / "index.md").read_text(), re.M)
    assert sorted(listed) == MODULES
    assert sorted(file.stem for file in REFERENCE.glob("*.md")) == sorted([*MODULES, "index"])
    in_nav = re.findall(r"- reference/(\w+)\.md", (ROOT / "mkdocs.yml").read_text())
    assert in_nav == ["index", *listed]


@pytest.mark.parametrize("module", MODULES)
def test_a_page_shows_each_public_docstring_and_folds_the_source(built, module):
    text = (built / f"reference/{module}.html").read_text()
    article = text.split("<article", 1)[1].split("</article>", 1)[0]
    words = " ".join(html.unescape(re.sub("<[^>]+>", "", article)).split())
    tree = ast.parse((ROOT / f"src/scaling_lesson/{module}.py").read_text())
    public = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith("_")]
    for node in [tree, *public]:
        for paragraph in (ast.get_docstring(node) or "").split("\n\n"):
            plain = " ".join(re.sub(r"(?m)^- ", "", paragraph).replace("`", "").replace("**", "").split())
            assert plain in words.replace("**", ""), paragraph
    for node in public:
        assert f'id="scaling_lesson.{module}.{node.name}"' in article
    assert article.count("<details") >= len(public) and "<details open" not in article
    assert "gate-problem" not in article and "calc:" not in article


MODULE = '''\
"""A module with 3 digits."""


def half(x: int) -> float:
    """Half of x: 2 of it are x, in `3` bytes."""
    return x / 2
'''
PAGE = '# Page\n\nOf 7 things.\n\n::: odd_module\n\nAnd [5 B](calc:a).\n\n```python exec="on"\na = 5\npublish("B", a=a)\n```\n'


def test_digits_of_docstrings_are_comments_and_those_of_the_page_are_not(site):
    made = site("# Page\n", accepted=False)
    (made.root / "odd_module.py").write_text(MODULE)
    settings = (made.root / "mkdocs.yml").read_text()
    handler = "{mkdocstrings: {handlers: {python: {paths: [.], options: {docstring_style: null}}}}}"
    (made.root / "mkdocs.yml").write_text(settings.replace("[search, ", f"[search, {handler}, "))
    made.write(PAGE)
    made.accept()
    assert made.messages() == ['docs/page.md:3: naked number "7": publish it and claim it, [7](calc:name)']
    made.write(PAGE.replace("7 things", "the things"))
    assert made.messages() == []
    text = made.html()
    assert "A module with 3 digits." in text and "Half of x: 2 of it are x" in text
    assert text.count('<data class="claim-number" value="5">') == 1
    # The second reading alone: Markdown that the first takes for code, on a page that also shows a module.
    made.write(PAGE.replace("Of 7 things", "Of `` ` 7``` things"))
    assert any("naked number" in message or "not read" in message for message in made.messages())
