"""For all tests."""

import os
import signal

import hypothesis
import jaxtyping
import pytest
import torch

# While tests run, every call in these modules is checked against the shapes of its signature (an int will do for a
# float). First of all, since a module that is imported already stays as it is.
jaxtyping.install_import_hook(
    [f"scaling_lesson.{name}" for name in ("gpt", "generation", "flash_attention")],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)

for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "NUMBERS_REPORT", "SITE_URL", "REPOSITORY_URL"):
    os.environ.pop(name, None)  # or CI would be told of every fault the tests plant, and scripts/record refuse

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job, and all it starts, would ignore it

torch.set_num_threads(1)  # the tensors are tiny: threads would only wait for each other

# Every run tries the same examples, so that a failure in CI is one at home; and no deadline, since CI machines stall.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture
def shapes_unchecked():
    """For a test of what the code itself refuses: signatures are not checked, as they are not for a reader."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
