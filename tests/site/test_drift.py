"""The drift corpus, in drift/: every planted defect stops the build, which names its place and tells nothing else."""

import logging
import re
import shutil

import pytest
from drift import SMALL, corpus, difference, plant_small, problem_in_small, run_real
from test_reproducible import differing
from told import messages

from conftest import DATED


@pytest.mark.parametrize("defect", corpus("small"), ids=lambda defect: defect.title)
def test_a_defect_of_one_page_is_caught_where_it_is(defect):
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    wrong = problem_in_small(defect)
    assert wrong is None, wrong


def test_the_small_site_is_clean(tmp_path):
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    shutil.copytree(SMALL, tmp_path / "site")
    assert messages(tmp_path / "site") == []


@pytest.mark.slow
@pytest.mark.timeout(2400)  # a minute on a quiet machine
@pytest.mark.parametrize("part", range(2))
def test_every_defect_of_the_lesson_is_caught_where_it_is(part):
    told = run_real("", part, 2)
    assert [title for title, _ in told] == [defect.title for defect in corpus("real")[part::2]]
    wrong = [f"{title}\n{problem}" for title, problem in told if problem]
    assert not wrong, "\n\n".join([f"{len(wrong)} of {len(told)}:", *wrong])


def test_the_corpus_is_whole():
    defects = corpus()
    assert len(defects) >= 197
    assert not [defect.title for defect in defects if not defect.expect]


def test_a_message_too_many_one_too_few_and_another_line_are_differences():
    expected = ["a.md:1: x is {any} B", "a.md:2: y"]
    assert difference(["a.md:2: y", "a.md:1: x is 5 B"], expected) is None
    for found in (
        ["a.md:2: y"],
        ["a.md:1: x is 5 B", "a.md:2: y", "a.md:2: z"],
        ["a.md:1: x is 5 B", "a.md:3: y"],
        ["a.md:2: y", "a.md:1: x is 5 MB"],
        [],
    ):
        assert difference(found, expected)


def told(output: str) -> list[str]:
    """What a build told, but for the notebook: it computes each number a second way, so it tells wrong code too."""
    return sorted(re.findall(r"^(?!docs/notebook/)\S+:\d+: .*", output, re.M))


# The warm process, which runs the notebook for a few only, finds what a build does, however it is started.
SAMPLE = [
    "digits: a digit",
    "dtype: of a matrix",
    "constants: roofline",
    "figures: axis scale",
    "settings: the site's name",
]


@pytest.mark.slow
def test_the_warm_process_finds_what_a_build_does(checkout, script):
    """A number in prose, in a block, in the code that every page may depend on, in a figure; all in one build."""
    (checkout / "site").mkdir()
    (checkout / "site/index.html").write_text("the last good site")
    by_title = {defect.title: defect for defect in corpus("real")}
    expected = [line for title in SAMPLE for line in by_title[title].plant(checkout)]
    done = script(checkout, "scripts/build")
    output = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in output, output
    assert difference(told(output), expected) is None, output
    assert [f.name for f in (checkout / "site").iterdir()] == ["index.html"]
    assert (checkout / "site/index.html").read_text() == "the last good site"


@pytest.mark.slow
def test_a_clean_checkout_builds_the_same_site_elsewhere(checkout, script, built):
    """As CI does it. The fixture `built` is the same to the byte: quiet, at another path, on another day elsewhere."""
    there = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}
    done = script(checkout, "scripts/build", CI="true", **there, **DATED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert differing(checkout / "site", built) == []
    assert not told(done.stdout + done.stderr)
    assert (checkout / "site/numbers.json").exists()


STARTS = [("build",), ("build", "-q"), ("build", "--strict"), ("build", "-q", "--no-strict")]


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS, ids=" ".join)
@pytest.mark.parametrize("title", ["claims: another value of the page", "blocks: exits at once", ""])
def test_how_a_build_is_started_does_not_change_what_it_finds(tmp_path, mkdocs, start, title):
    small = {defect.title: defect for defect in corpus("small")}
    copy = tmp_path / "site"
    if title:
        expected = plant_small(small[title], copy)
    else:
        shutil.copytree(SMALL, copy)
        expected = []
    (copy / "site").mkdir()
    (copy / "site/old.html").write_text("the last good site")
    status, output = mkdocs(copy, *start)
    assert (status, "Traceback" in output) == (bool(title), False), output
    assert difference(told(output), expected) is None, output
    assert (copy / "site/old.html").exists() == bool(title) != (copy / "site/numbers.json").exists()


def test_a_block_that_cannot_be_interrupted_is_told_among_the_others(tmp_path, mkdocs):
    # A native call that never returns to the interpreter: nothing can be raised into it.
    copy = tmp_path / "site"
    shutil.copytree(SMALL, copy)
    page, other = copy / "docs/page.md", copy / "docs/other.md"
    text = page.read_text(encoding="utf-8").replace("from_one = 5050 / 100", "from_one = sum(range(10**13))", 1)
    start = '```python exec="on" source="above"\nwithout'
    page.write_text(text.replace(start, start.replace("\n", ' timeout="0.5"\n')), encoding="utf-8")
    other.write_text(other.read_text(encoding="utf-8") + "\nOf 99 things.\n", encoding="utf-8")
    at = text.count("\n", 0, text.index("from_one = sum")) + 1
    status, output = mkdocs(copy, "build", "-q")
    assert status == 1 and not (copy / "site").exists()
    assert (
        difference(
            told(output),
            [
                f"docs/page.md:{at}: the block ran longer than 0.5 s",
                'docs/other.md:16: naked number "99": publish it and claim it, [99](calc:name)',
            ],
        )
        is None
    ), output


def test_a_dirty_build_is_refused(tmp_path, mkdocs):
    shutil.copytree(SMALL, tmp_path / "site")
    status, output = mkdocs(tmp_path / "site", "build", "--dirty")
    assert status == 1
    assert "build without --dirty" in output
