"""What SECURITY.md promises of CI, read from the workflows; zizmor, in scripts/lint, looks for all else."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
JOBS = [
    pytest.param(job, id=f"{file.stem}: {name}")
    for file in FILES
    for name, job in yaml.safe_load(file.read_text("utf-8"))["jobs"].items()
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_workflow_has_a_secret_or_a_right_of_its_own_or_runs_for_strangers_with_ours(file):
    text = file.read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert "secrets." not in text and "github.token" not in text
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow[True])  # YAML reads `on` as True
    used = re.findall(r"uses: (\S+)", text)
    assert used and all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)


@pytest.mark.parametrize("job", JOBS)
def test_a_job_that_may_write_runs_nothing_of_the_repository(job):
    rights = job["permissions"]
    checked_out = [step for step in job["steps"] if "actions/checkout@" in step.get("uses", "")]
    if rights == {"contents": "read"}:
        assert all(step["with"]["persist-credentials"] is False for step in checked_out)
    else:
        assert rights == {"pages": "write", "id-token": "write"}
        assert "github.ref == 'refs/heads/main'" in job["if"] and "github.event_name == 'push'" in job["if"]
        assert not checked_out and not any("run" in step for step in job["steps"])
