"""English around claims: ordinary sentences stop no build, and each that makes another number of a claim is told.

sentences.md is one page of the ordinary ones, sentences.record its record; planted.toml, the others. What stands beside
a claim is judged by the grammar of claims: does it read on into another number?
"""

import logging
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from drift import SMALL
from told import messages

HERE = Path(__file__).resolve().parent
ORDINARY = (HERE / "sentences.md").read_text(encoding="utf-8")
RECORD = (HERE / "sentences.record").read_text(encoding="utf-8")
PLANTED = tomllib.loads((HERE / "planted.toml").read_text(encoding="utf-8"))
BESIDES = 'left, right, mantissa = 37, 748, 5.9\npublish("", left=left, right=right, mantissa=mantissa)\n```\n'
TABLE = "| what | how many |\n|------|----------|\n"


@pytest.fixture
def one_page(tmp_path: Path):
    """one_page(text, record): the folder of a site of that page, with the small site's settings and glossary."""
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    shutil.copytree(SMALL, tmp_path, dirs_exist_ok=True, ignore=lambda folder, names: {"docs"} & set(names))
    settings = (tmp_path / "mkdocs.yml").read_text(encoding="utf-8")
    settings = re.sub(r"nav:\n(  - .*\n)+|      glossary: .*\n", "", settings)
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# Home\n", encoding="utf-8")

    def make(text: str, record: str) -> Path:
        (tmp_path / "docs/page.md").write_text(text, encoding="utf-8")
        (tmp_path / "docs/page.record").write_text(record, encoding="utf-8")
        return tmp_path

    return make


def test_ordinary_sentences_stop_no_build(one_page):
    assert sum("(calc:" in line for line in ORDINARY.splitlines()) >= 260
    told = messages(one_page(ORDINARY, RECORD))
    lines = ORDINARY.splitlines()
    shown = [f"{message}\n    {lines[int(message.split(':')[1]) - 1]}" for message in told]
    assert not told, "\n".join([f"{len(told)} false alarms:", *shown])


def planted_page() -> tuple[str, dict[int, str]]:
    """The page of all planted sentences, each by itself below the block, and which of them stands on each line."""
    block = ORDINARY[ORDINARY.index("```python") :].partition("\n```\n")[0]
    used = " ".join(sorted(set(re.findall(r"\[[^]]+\]\(calc:\w+\)", ORDINARY))))
    text = f"# Sentences\n\n{block}\n{BESIDES}\n{used.replace(' [', ', [')}.\n\n"
    text += "[37](calc:left), [748](calc:right), [5.9](calc:mantissa).\n\n"
    standing = {}
    for sentence in PLANTED:
        text += TABLE * sentence.startswith("| ")
        first = text.count("\n") + 1
        standing |= {first + at: sentence for at in range(sentence.count("\n") + 1)}
        text += f"{sentence}\n\nSo much for that.\n\n"
    return text, standing


def test_another_number_beside_a_claim_is_told_at_its_line_and_nothing_else(one_page):
    assert len(PLANTED) >= 60
    text, standing = planted_page()
    told = {sentence: [] for sentence in PLANTED}
    astray = []
    for message in messages(one_page(text, RECORD + "value left = 37\nvalue right = 748\nvalue mantissa = 5.9\n")):
        line = re.match(r"docs/page\.md:(\d+): ", message)
        (told[standing[int(line[1])]] if line and int(line[1]) in standing else astray).append(message)
    assert not astray, "\n".join(astray)
    wrong = [
        f"{sentence!r} should name {says!r}: {told[sentence]}"
        for sentence, says in PLANTED.items()
        if not any(says in message for message in told[sentence])
    ]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(PLANTED)} are not told as they should be:", *wrong])
