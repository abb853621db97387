"""The drift corpus, in drift/: every planted defect stops the build, which names its place and tells nothing else."""

import logging
import re
import shutil

import pytest
from drift import SMALL, corpus, difference, problem_in_small, run_real
from told import messages

KV, MIXED = (f"docs/scaling-and-efficiency/{name}.md" for name in ("kv-cache", "mixed-precision"))


@pytest.mark.parametrize("defect", corpus("small"), ids=lambda defect: defect.title)
def test_a_defect_of_one_page_is_caught_where_it_is(defect):
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    wrong = problem_in_small(defect)
    assert wrong is None, wrong


def test_the_small_site_is_clean(tmp_path):
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    shutil.copytree(SMALL, tmp_path / "site")
    assert messages(tmp_path / "site") == []


@pytest.mark.timeout(2400)  # two minutes on a quiet machine
def test_every_defect_of_the_lesson_is_caught_where_it_is():
    told = run_real()
    assert len(told) == len(corpus("real"))
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


# The warm process, which runs the notebook for a few only, finds what a build does, however it is started: a number in
# prose, a block that fails to publish, one that ends its process, and a constant that every page may depend on.
SAMPLE = ["digits: a digit", "blocks: exits", "dtype: of a stored number", "constants: roofline"]


@pytest.mark.parametrize("title", SAMPLE)
def test_the_warm_process_finds_what_a_build_does(checkout, mkdocs, script, title):
    (checkout / "site").mkdir()
    (checkout / "site/index.html").write_text("the last good site")
    expected = next(defect for defect in corpus("real") if defect.title == title).plant(checkout)
    builds = [mkdocs(checkout, "build")]
    if (
        title in SAMPLE[:2]
    ):  # how a build is started does not change what it finds: one number and one block stand for all
        done = script(checkout, "scripts/build")
        builds += [mkdocs(checkout, "build", "-q"), (done.returncode, done.stdout + done.stderr)]
    for status, output in builds:
        assert status == 1, output
        assert difference(told(output), expected) is None, output
        assert "Traceback" not in output
    assert [f.name for f in (checkout / "site").iterdir()] == ["index.html"]
    assert (checkout / "site/index.html").read_text() == "the last good site"


def test_a_clean_checkout_builds_every_way(checkout, mkdocs, script):
    done = script(checkout, "scripts/build")
    for status, output in (
        (done.returncode, done.stdout + done.stderr),
        mkdocs(checkout, "build"),
        mkdocs(checkout, "build", "-q"),
    ):
        assert status == 0, output
        assert not told(output)
    assert (checkout / "site/numbers.json").exists()


def change(checkout, file, old, new):
    """Returns the line of the change."""
    text = (checkout / file).read_text(encoding="utf-8")
    at = text.index(old)
    (checkout / file).write_text(text[:at] + new + text[at + len(old) :], encoding="utf-8")
    return text.count("\n", 0, at) + 1


def test_a_block_that_cannot_be_interrupted_is_told_among_the_others(checkout, mkdocs):
    # A native call that never returns to the interpreter: nothing can be raised into it.
    at = change(checkout, KV, "full = GPT2_SMALL.max_seq_len", "full = sum(range(10**13))")
    fence = '```python exec="on" source="above"'
    change(
        checkout, KV, f"{fence}\nfrom scaling_lesson.hardware", f'{fence} timeout="0.5"\nfrom scaling_lesson.hardware'
    )
    naked = change(checkout, MIXED, "The **fraction** sets", "The 99 **fraction** sets")
    status, output = mkdocs(checkout, "build", "-q")
    assert status == 1
    assert told(output) == [
        f"{KV}:{at}: the block ran longer than 0.5 s",
        f'{MIXED}:{naked}: naked number "99": publish it and claim it, [99](calc:name)',
    ]
    assert not (checkout / "site").exists()


def test_a_dirty_build_is_refused(checkout, mkdocs):
    status, output = mkdocs(checkout, "build", "--dirty")
    assert status == 1
    assert "build without --dirty" in output
