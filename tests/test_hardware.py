import dataclasses
from math import inf, nan

import pytest
import torch

from scaling_lesson.hardware import A100_80GB_SXM


def test_the_a100_has_its_dense_datasheet_figures():
    assert A100_80GB_SXM.peak_for(torch.float16) == 312e12
    assert A100_80GB_SXM.peak_for(torch.bfloat16) == 312e12
    assert A100_80GB_SXM.peak_for(torch.float32) == 19.5e12
    assert A100_80GB_SXM.memory_bytes_per_s == 2.039e12
    assert A100_80GB_SXM.memory_bytes == 80e9
    assert "A100" in str(A100_80GB_SXM.source) and A100_80GB_SXM.source.date == "2022-05"


def test_the_float32_peak_is_what_6912_cores_do_at_1410_mhz():
    # A second route to one figure: a fused multiply-add, 2 FLOPs, in every core at the boost clock.
    # The datasheet rounds to 0.1 TFLOP/s, so the two may differ by half of that.
    assert 6912 * 2 * 1410e6 == pytest.approx(A100_80GB_SXM.peak_for(torch.float32), abs=0.05e12)


def test_the_bandwidth_is_what_a_5120_bit_bus_does_at_1593_mhz():
    # Two transfers a clock. The datasheet rounds to 1 GB/s.
    assert 5120 / 8 * 2 * 1593e6 == pytest.approx(A100_80GB_SXM.memory_bytes_per_s, abs=0.5e9)


def test_an_accelerator_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        A100_80GB_SXM.memory_bytes = 1
    with pytest.raises(TypeError):
        A100_80GB_SXM.peak_flop_per_s[torch.float16] = 624e12


@pytest.mark.parametrize(
    "change, name",
    [
        ({"memory_bytes_per_s": 0}, "memory_bytes_per_s"),
        ({"memory_bytes_per_s": "2.039e12"}, "memory_bytes_per_s"),
        ({"memory_bytes": -80e9}, "memory_bytes"),
        ({"memory_bytes": inf}, "memory_bytes"),
        ({"memory_bytes": True}, "memory_bytes"),
        ({"peak_flop_per_s": {}}, "peak_flop_per_s"),
        ({"peak_flop_per_s": {"float16": 312e12}}, "peak_flop_per_s"),
        ({"peak_flop_per_s": {torch.float16: nan}}, r"peak_flop_per_s\[torch.float16\]"),
    ],
)
def test_bad_figures_are_refused_by_name(change, name):
    with pytest.raises(ValueError, match=f"^{name} must "):
        dataclasses.replace(A100_80GB_SXM, **change)


def test_a_dtype_without_a_figure_is_refused():
    with pytest.raises(ValueError, match=r"^dtype must be one of torch.float16, .* got torch.float64$"):
        A100_80GB_SXM.peak_for(torch.float64)
