import dataclasses
import re
from math import inf, nan

import pytest
import torch

from scaling_lesson import hardware
from scaling_lesson.hardware import A100_80GB_SXM, Accelerator
from scaling_lesson.roofline import bound_by, least_time_s, ridge_flop_per_byte
from scaling_lesson.training_time import sustained_flop_per_s, training_flops, training_time_s


def test_the_a100_has_its_dense_datasheet_figures():
    assert A100_80GB_SXM.peak_for(torch.float16) == 312e12
    assert A100_80GB_SXM.peak_for(torch.bfloat16) == 312e12
    assert A100_80GB_SXM.peak_for(torch.float32) == 19.5e12
    assert A100_80GB_SXM.memory_bytes_per_s == 2.039e12
    assert A100_80GB_SXM.memory_bytes == 80e9
    assert "A100" in str(A100_80GB_SXM.source) and A100_80GB_SXM.source.date == "2022-05"


ACCELERATORS = {name: value for name, value in vars(hardware).items() if isinstance(value, Accelerator)}
_A100_CORES = (432 * 256, 6912, 1410, 1410)
CORES = {
    # Multiply-adds a clock in float16, on all tensor cores, and in float32, on all others; their boost clocks in MHz.
    "V100_SXM": (640 * 64, 5120, 1530, 1530),
    "T4": (320 * 64, 2560, 1590, 1590),
    "A100_40GB_SXM": _A100_CORES,
    "A100_80GB_PCIE": _A100_CORES,
    "A100_80GB_SXM": _A100_CORES,
    "H100_SXM": (528 * 512, 16896, 1830, 1980),
}
BUSES = {
    # Bits wide, MHz with two transfers a clock, and the step the maker rounds to, B/s.
    "V100_SXM": (4096, 877, 10e9),
    "T4": (256, 5000, 10e9),
    "A100_40GB_SXM": (5120, 1215, 1e9),
    "A100_80GB_PCIE": (5120, 1512, 1e9),
    "A100_80GB_SXM": (5120, 1593, 1e9),
    "H100_SXM": (5120, 2619, 10e9),
}
RIDGES = {
    "V100_SXM": "138.9",
    "T4": "203.1",
    "A100_40GB_SXM": "200.6",
    "A100_80GB_PCIE": "161.2",
    "A100_80GB_SXM": "153.0",
    "H100_SXM": "295.3",
    "B200": "281.2",
}


def test_every_accelerator_is_tested():
    assert set(RIDGES) == set(ACCELERATORS)
    # Documents on the B200 print no clocks, and 7.7 to 8 TB/s: its figures stand on one route.
    assert set(CORES) == set(BUSES) == set(ACCELERATORS) - {"B200"}


@pytest.mark.parametrize("name", CORES)
def test_peaks_are_what_the_cores_do_at_their_clocks(name):
    # A second route to the figures: a fused multiply-add is 2 FLOPs. Makers print three digits, or 0.1 TFLOP/s.
    tensor, others, tensor_mhz, others_mhz = CORES[name]
    peaks = ACCELERATORS[name].peak_flop_per_s
    step = 0.1e12 if name == "H100_SXM" else 1e12
    assert tensor * 2 * tensor_mhz * 1e6 == pytest.approx(peaks[torch.float16], abs=step / 2)
    assert others * 2 * others_mhz * 1e6 == pytest.approx(peaks[torch.float32], abs=0.05e12)


@pytest.mark.parametrize("name", BUSES)
def test_bandwidths_are_what_the_buses_carry_at_their_clocks(name):
    bits, mhz, step = BUSES[name]
    assert bits / 8 * 2 * mhz * 1e6 == pytest.approx(ACCELERATORS[name].memory_bytes_per_s, abs=step / 2)


def test_the_b200_reports_what_its_bus_carries():
    assert hardware.B200_REPORTED_BYTES_PER_S.value == pytest.approx(7680 / 8 * 2 * 3996e6, abs=0.001e12)


def test_tf32_is_half_the_sixteen_bit_peak():
    # The same tensor cores, half the multiply-adds a clock.
    assert 2 * hardware.A100_TF32_FLOP_PER_S.value == A100_80GB_SXM.peak_for(torch.float16)


@pytest.mark.parametrize("name", RIDGES)
def test_ridges(name):
    assert f"{ridge_flop_per_byte(ACCELERATORS[name], torch.float16):.1f}" == RIDGES[name]


def test_bfloat16_is_as_fast_as_float16_where_there_is_any():
    without = {name for name, value in ACCELERATORS.items() if torch.bfloat16 not in value.peak_flop_per_s}
    assert without == {"V100_SXM", "T4"}
    for name in ACCELERATORS.keys() - without:
        assert ACCELERATORS[name].peak_for(torch.bfloat16) == ACCELERATORS[name].peak_for(torch.float16)


@pytest.mark.parametrize("name", ["V100_SXM", "T4"])
def test_no_bfloat16_before_the_a100(name):
    shown = re.escape(ACCELERATORS[name].name)
    message = f"^dtype must be one of torch.float16, torch.float32 on the {shown}; got torch.bfloat16$"
    with pytest.raises(ValueError, match=message):
        ACCELERATORS[name].peak_for(torch.bfloat16)


@pytest.mark.parametrize("name", RIDGES)
def test_peaks_are_read_only(name):
    peaks = ACCELERATORS[name].peak_flop_per_s
    before = dict(peaks)
    with pytest.raises(TypeError):
        peaks[torch.float16] = 2 * peaks[torch.float16]
    with pytest.raises(TypeError):
        del peaks[torch.float16]
    assert dict(peaks) == before


def test_an_accelerator_of_your_own():
    mine = {torch.float64: 7.0, torch.float16: 91.0}
    own = Accelerator("mine", mine, memory_bytes_per_s=13.0, memory_bytes=101.0, source=A100_80GB_SXM.source)
    mine[torch.float64] = 1e9  # a copy was taken
    assert own.peak_for(torch.float64) == 7
    assert ridge_flop_per_byte(own, torch.float16) == 7
    assert least_time_s(182, 13, own, torch.float16) == 2 and bound_by(182, 13, own, torch.float16) == "compute"
    assert least_time_s(7, 39, own, torch.float64) == 3 and bound_by(7, 39, own, torch.float64) == "memory"
    assert training_time_s(training_flops(7, 13), sustained_flop_per_s(own, torch.float64, 0.5, 3)) == 6 * 7 * 13 / 10.5


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
