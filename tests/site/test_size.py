"""The gate stays small enough to be read in an afternoon."""

from pathlib import Path

LESSON = Path(__file__).resolve().parents[2] / "src/scaling_lesson"
MOST = 3310
NO_GATES = ("kept.py", "progress.py")


def test_the_gate_and_its_second_opinion_do_not_grow():
    """Lines as they stand, empty ones and docstrings too. No gates: site/web/, what a site has beyond the text of its
    pages; site/kept.py, what keeps `serve` quick; and site/progress.py, what is said meanwhile.
    """
    files = [file for file in (LESSON / "site").rglob("*.py") if LESSON / "site/web" not in file.parents]
    files = [file for file in files if file.name not in NO_GATES] + [LESSON / "audit.py"]
    sizes = {file.relative_to(LESSON).as_posix(): file.read_text(encoding="utf-8").count("\n") for file in files}
    assert {"site/gate.py", "site/numbers/claim.py", "site/plugin.py"} <= set(sizes)
    assert sum(sizes.values()) <= MOST, sizes
