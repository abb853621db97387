"""The gate stays small enough to be read in one sitting."""

import ast
from pathlib import Path

SITE = Path(__file__).resolve().parents[2] / "src/scaling_lesson/site"
GATE = {"claims", "beside", "source", "run", "session", "isolate", "records", "rendered", "gate"}
"""What reads a page, runs its blocks, and judges."""
AROUND = {
    "digits",
    "expressions",
    "present",
    "tables",
    "svg",
    "report",
    "terminal",
    "record",  # how it is shown, told and accepted
    "markdown",
    "plugin",
    "formulas",
    "glossary",
    "listings",
    "notebook",  # what Markdown and MkDocs call, and the site's other parts
}


def code_lines(text: str) -> int:
    """Lines that are neither empty, nor a comment, nor part of a docstring or another text that stands alone."""
    said = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    lines = enumerate(text.split("\n"), 1)
    return sum(bool(line.strip()) and not line.strip().startswith("#") and number not in said for number, line in lines)


def test_what_counts_as_code():
    assert (
        code_lines('"""Doc."""\n\nx = 1  # why\n# only\ndef f():\n    """Doc\n    more."""\n    return """a\nb"""\n')
        == 4
    )


def test_the_gate_is_under_1200_lines_of_code():
    assert {file.stem for file in SITE.glob("*.py")} - {"__init__"} == GATE | AROUND
    sizes = {name: code_lines((SITE / f"{name}.py").read_text(encoding="utf-8")) for name in GATE}
    assert sum(sizes.values()) < 1200, sizes
