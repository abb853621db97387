"""What is wrong, told to machines: to GitHub as annotations and a summary, to any as a file; numbers.json; and the second check's part.

In GitHub Actions each problem becomes an annotation at its line, and the job's summary gets a table of all. Where
NUMBERS_REPORT names a file, each build writes {"problems": [...], "drifted": n, "other": n} there, also when all holds.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from scaling_lesson.site.gate import Gate, Problem
from scaling_lesson.site.present import summary

_AUDIT = Path(__file__).parents[1] / "audit.py"


def audited(site: Path) -> list[Problem]:
    """What the second check finds on a built site. It runs as a process of its own, and shares nothing with this one."""
    command = [sys.executable, "-I", "-X", "utf8", str(_AUDIT), str(site)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace")
    if done.returncode == 0:
        print(done.stdout, end="")
        return []
    lines = re.findall(r"^(.+?):(\d+): (.*)$", done.stdout, re.M)
    found = [Problem(f"{site.name}/{path}", int(line), message) for path, line, message in lines]
    return found or [Problem(site.name, 1, f"the second check did not run: {done.stderr.strip()}")]


def tell(found: list[Problem]) -> None:
    """Tell GitHub, where this runs there, and write the report, where one is asked for."""
    if os.environ.get("GITHUB_ACTIONS"):
        for problem in found:
            print(annotation(problem), file=sys.stderr)
        if found and (path := os.environ.get("GITHUB_STEP_SUMMARY")):
            with open(path, "a", encoding="utf-8") as file:
                file.write(table(found))
    if path := os.environ.get("NUMBERS_REPORT"):
        drifted = sum(problem.drift for problem in found)
        content = {"problems": [asdict(p) for p in found], "drifted": drifted, "other": len(found) - drifted}
        Path(path).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def numbers(gate: Gate) -> dict:
    """Everything published and claimed, as `numbers.json` gives it to anyone who wants to check the site."""
    pages = {}
    for page in gate.pages.values():
        values = [
            {
                "name": v.name,
                "value": str(v.value),
                "type": type(v.value).__name__,
                "unit": v.unit.symbol,
                "tolerance": v.tolerance,
                "recorded": str(v.value if v.recorded is None else v.recorded),
                "reason": v.reason,
                "expression": v.expression,
                "source": str(v.source),
                "line": page.line(v.place),
            }
            for v in page.run.values.values()
        ]
        stated = []
        for link in page.links:
            found = gate.look_up(page, link)
            if isinstance(found, tuple):
                owner, value = found
                stated.append({"text": link.text, "page": owner.path, "name": link.name, "line": link.line})
        cells = [{"text": c.text, "value": str(c.value), "unit": c.unit.symbol} for c in page.run.cells]
        if values or stated or cells or page.path in gate.exempt:
            pages[page.path] = {"url": page.url, "values": values, "claims": stated, "cells": cells}
    return {"names": gate.names, "exempt": gate.exempt, "pages": pages}


def annotation(problem: Problem) -> str:
    """The problem as a command to GitHub's runner, whose marks are escaped in it."""
    path = _escaped(problem.path).replace(":", "%3A").replace(",", "%2C")
    return f"::error file={path},line={problem.line},title={_kind(problem)}::{_escaped(problem.message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def table(found: list[Problem]) -> str:
    """All problems as a Markdown table, and below it how to go on."""
    rows = [f"| {_plain(f'{p.path}:{p.line}')} | {_kind(p)} | {_plain(p.message)} |" for p in found]
    head = ["### Numbers that do not hold", "", "| Where | Kind | What |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, "", _plain(summary(found)), ""])


def _kind(problem: Problem) -> str:
    return "Number drifted" if problem.drift else "To mend by hand"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return re.sub(r"[^\w\s.,;/-]", lambda mark: f"&#{ord(mark[0])};", " ".join(text.split()))
