"""What a build tells to machines: the second check's part, GitHub's summary of a job, a report, and numbers.json.

GitHub marks each problem at its line by the pattern of .github/gate-matcher.json. The job's summary lists them all.
Where NUMBERS_REPORT names a file, each build writes {"problems": [...], "drifted": n, "other": n} there.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from scaling_lesson.site.gate import Page, Problem, Settings, Verdicts, summary
from scaling_lesson.site.numbers.value import Value

_AUDIT = Path(__file__).parents[1] / "audit.py"


def audited(site: Path) -> list[Problem]:
    """What the second check finds on a built site. It runs in a process of its own, and shares nothing with this."""
    command = [sys.executable, "-I", "-X", "utf8", str(_AUDIT), str(site)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode == 0:
        print(done.stdout, end="")
        return []
    lines = re.findall(r"^(.+?):(\d+): (.*)$", done.stdout, re.M)
    found = [Problem(f"{site.name}/{path}", int(line), message) for path, line, message in lines]
    return found or [Problem(site.name, 1, f"the second check did not run: {done.stderr.strip()}")]


def tell(found: Sequence[Problem]) -> None:
    """Print every problem; write GitHub's summary, where this runs there, and the report, where one is asked for."""
    for problem in found:
        print(problem, file=sys.stderr)
    if found and (path := os.environ.get("GITHUB_STEP_SUMMARY")):
        with open(path, "a", encoding="utf-8") as file:
            print("### Numbers that do not hold\n\n```text", *found, summary(found), "```", sep="\n", file=file)
    if path := os.environ.get("NUMBERS_REPORT"):
        drifted = sum(problem.drift for problem in found)
        content = {"problems": [asdict(p) for p in found], "drifted": drifted, "other": len(found) - drifted}
        Path(path).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def numbers(pages: Sequence[Page], verdicts: Verdicts, settings: Settings) -> dict:
    """Everything published and claimed, as `numbers.json` gives it to anyone who wants to check the site."""
    listed = {}
    for page in pages:
        values = [_published(page, value) for value in page.results.values.values()]
        claims = [
            {"text": v.link.text, "page": v.owner.path, "name": v.link.name, "line": v.link.line}
            for v in verdicts.claims[page.path].values()
            if v.owner and v.value
        ]
        cells = [{"text": c.text, "value": str(c.value), "unit": c.unit.symbol} for c in page.results.cells]
        if values or claims or cells or page.path in settings.exempt:
            listed[page.path] = {"url": page.url, "values": values, "claims": claims, "cells": cells}
    return {"names": list(settings.names), "exempt": settings.exempt, "pages": listed}


def _published(page: Page, value: Value) -> dict:
    accepted = page.accepted(value)
    exact = {"value": str(value.value), "type": type(value.value).__name__, "unit": value.unit.symbol}
    recorded = str(value.value if accepted is None else accepted)
    margin = {"tolerance": value.tolerance, "recorded": recorded, "reason": value.reason}
    origin = {"expression": value.expression, "source": str(value.source), "line": page.source.line(value.place)}
    return {"name": value.name, **exact, **margin, **origin}
