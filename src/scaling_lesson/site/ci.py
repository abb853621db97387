"""What a build tells to machines: the second check's part, GitHub's summary of a job, and a report.

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

from scaling_lesson.site.gate import Problem, summary

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
