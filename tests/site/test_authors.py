"""The page for authors: its examples are a page that builds, and the messages it lists are what the build says."""

import re
from pathlib import Path

import pytest

from conftest import SmallSite

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/authors/index.md").read_text(encoding="utf-8")
EXAMPLE = "\n\n".join(body for _, body in re.findall(r"^(````?)markdown\n(.*?)^\1$", GUIDE, re.M | re.S))
LISTED = re.findall(r"^- `(.*?)`", GUIDE.partition("{ #messages }")[2].partition("\n## ")[0], re.M | re.S)

OTHER = """\
# Mixed precision

```python exec="on"
from scaling_lesson.accounting import parameter_count
from scaling_lesson.models import GPT2_SMALL
n_parameters = parameter_count(GPT2_SMALL)
publish("parameter", n_parameters=n_parameters)
```
"""


RECORDS: dict[Path, str] = {}
"""Once accepted: every test begins with the same pages."""


@pytest.fixture
def guided(configured: SmallSite) -> SmallSite:
    """The examples as a page of a site with the real settings, accepted."""
    configured.write(OTHER, "mixed-precision.md")
    configured.write(EXAMPLE, "token-table.md")
    if not RECORDS:
        configured.accept()
        RECORDS.update(
            (f.relative_to(configured.root), f.read_text("utf-8")) for f in configured.root.rglob("*.record")
        )
    for name, text in RECORDS.items():
        (configured.root / name).write_text(text, encoding="utf-8")
    return configured


def test_the_examples_are_a_page_that_builds(guided):
    assert EXAMPLE.count("```python") >= 6 and len(LISTED) >= 25
    assert guided.messages() == []


SHARE = "[31%](calc:share) of GPT-2"
FIRST = '```python exec="on" source="above"\nfrom scaling_lesson.accounting'
FIRST_BLOCK = FIRST + EXAMPLE.partition(FIRST)[2].partition("```\n")[0] + "```\n"
COMPUTED = "share = table_size / parameter_count(GPT2_SMALL)"
PUBLISHED = 'publish("", share=share)'

# What to change in the examples, from and to, for each kind of message. None: in the record, the settings, or elsewhere.
CHANGES = {
    'claim "32%": share is': (SHARE, "[32%](calc:share) of GPT-2"),
    "MB is data, not parameter": (
        "[38.6 million parameters](calc:table_size). That",
        "[38.6 MB](calc:table_size). That",
    ),
    'claim "under 0.0001"': ("[under 0.001](calc:apart)", "[under 0.0001](calc:apart)"),
    "its tolerance reaches": ("[under 0.001](calc:apart)", "[under 0.0005](calc:apart)"),
    "too little": ("[under 0.001](calc:apart)", "[under 0.1](calc:apart)"),
    "nothing publishes": ("(calc:table_size). That", "(calc:tabel_size). That"),
    "there is no page": ("(calc:mixed-precision/n_parameters).\n", "(calc:mixed-precison/n_parameters).\n"),
    "this is not a claim": (SHARE, "[31%\n](calc:share) of GPT-2"),
    'claim "31%" is not on the built page': ("## Where are the parameters?", "## Where are the [31%](calc:share)?"),
    "belongs inside": (SHARE, "under [31%](calc:share) of GPT-2"),
    "makes it another": (SHARE, "−[31%](calc:share) of GPT-2"),
    'naked number "768": publish': ("You gave every token a vector.", "You gave every token a vector of 768."),
    "in code": (COMPUTED, COMPUTED + "  # of 768 parameters"),
    "has a number": (PUBLISHED, 'said = f"{share:.0%}"\npublish("", share=share, said=said)'),
    "may show": ("You gave every token a vector.", 'You gave <div class="wide"> every token a vector.'),
    "an image": ("You gave every token a vector.", "You gave every token a vector. ![It](it.svg)"),
    "published share: recorded": (COMPUTED, "share = 0.31"),
    "is not in the record": (PUBLISHED, "spare = 768\n" + 'publish("", share=share, spare=spare)'),
    "but the page no longer has it": (PUBLISHED, ""),
    "block 1 line 1: recorded": ('of the model")', 'of it")'),
    "table sizes row 1": ("4 * parameter_count(m)", "2 * parameter_count(m)"),
    "figure parts": ("ax.barh(", "ax.bar("),
    "nothing claims it": (PUBLISHED, "spare = 768\n" + 'publish("", share=share, spare=spare)'),
    "NameError": ("table_size = GPT2_SMALL", "table_size = GPT2"),
    "sys.exit": (COMPUTED, "raise SystemExit(0)"),
    "ran longer": (FIRST, FIRST.replace("\n", ' timeout="1"\nwhile True: pass\n', 1)),
    "publish lines are not shown": (PUBLISHED, 'publish("", share=table_size / parameter_count(GPT2_SMALL))'),
    "unit must be": ('publish("parameter", table', 'publish("paramter", table'),
    "tolerance and reason": (PUBLISHED, 'publish("", share=share, tolerance=0.1)'),
    "must use the palette": ("color=BLUE", 'color="#ff0000"'),
    "there is no option": (FIRST, FIRST.replace("source", "souce")),
    "python blocks are executed": (FIRST, FIRST.replace(' exec="on"', "")),
    "stands in a comment": (FIRST_BLOCK, f"<!--\n{FIRST_BLOCK}-->\n"),
    "never closed": ("count the table first.\n///\n", 'count the table first.\n///\n\n```python exec="on"\npass\n'),
    "outlasts": (COMPUTED, f"{COMPUTED}\nfrom threading import Timer\nTimer(9, print).start()"),
    "did not read": ("You gave every token a vector.", '=== "A tab"\n\nYou gave every token a vector.'),
    "matter is not read": ("description: How much", "description: Say: how much"),
    "reads as front matter": ("---\n", "Note: it is mine\n\n---\n"),
    "show less than": (COMPUTED, f'{COMPUTED}\nfor n in range(20_000):\n    print("word after word")'),
    "cannot read the formula": ("In a small model", r"With $\nosuch{N}$, in a small model"),
}
ELSEWHERE = ("merge conflict", "exemption", "does not reach it", "contain an anchor")
UNSPOILT = ("symbolic", "this large", "too deeply", "another build", "read-only", "No space", "edited meanwhile")
"""Tried in test_unspoilt.py."""


def told_by(kind: str) -> str:
    """The one listed message of this kind."""
    (message,) = [message for message in LISTED if kind in message]
    return message


def test_every_listed_message_is_tried():
    tried = {told_by(kind) for kind in (*CHANGES, *ELSEWHERE, *UNSPOILT)}
    assert tried == set(LISTED)


@pytest.mark.parametrize("kind", CHANGES)
def test_a_listed_message_is_what_the_build_says(guided, kind):
    old, new = CHANGES[kind]
    assert EXAMPLE.count(old) >= 1
    guided.write(EXAMPLE.replace(old, new, 1), "token-table.md")
    messages = guided.messages()
    assert [message for message in messages if told_by(kind) in message], messages


def test_the_other_listed_messages(guided):
    record = guided.root / "docs/token-table.record"
    record.write_text(record.read_text().replace("value share", "<<<<<<< ours\nvalue share", 1))
    (guided.root / "docs/drafts").mkdir()
    guided.write('```python exec="on"\n```\n', "drafts/hidden.md")
    settings = (guided.root / "mkdocs.yml").read_text()
    settings = settings.replace("exempt: {}", 'exempt: {docs/token-table.md: {"768": "a trial"}}')
    settings = settings.replace("  *.record\n", "  *.record\n  drafts/\n")
    (guided.root / "mkdocs.yml").write_text(settings)
    messages = guided.messages()
    for kind in ELSEWHERE[:3]:  # the last is MkDocs' own, and test_plan.py waits for it
        assert [message for message in messages if told_by(kind) in message], (kind, messages)
