"""What the gate tells of a site: the one place where tests that hold data meet the gate."""

from pathlib import Path

from scaling_lesson.site.accept import compute


def messages(root: Path) -> list[str]:
    """Every problem of the site in this folder, as the build prints it."""
    return [str(problem) for problem in compute(root / "mkdocs.yml").found]
