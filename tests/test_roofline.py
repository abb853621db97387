from math import inf, nan

import pytest
import torch

from scaling_lesson.hardware import A100_80GB_SXM
from scaling_lesson.accounting import forward_flops
from scaling_lesson.kv_cache import step_traffic_bytes
from scaling_lesson.models import GPT2_SMALL
from scaling_lesson.roofline import bound_by, compute_time_s, least_time_s, memory_time_s, ridge_flop_per_byte

HALF = torch.float16


def step_1024(cached):
    flops = forward_flops(GPT2_SMALL, 1 if cached else 1024, 1024)
    return flops, step_traffic_bytes(GPT2_SMALL, 1024, cached, HALF)


def test_step_1024_without_a_cache_is_compute_bound_and_takes_0_935_ms():
    assert f"{1e3 * least_time_s(*step_1024(cached=False), A100_80GB_SXM, HALF):.3f} ms" == "0.935 ms"
    assert bound_by(*step_1024(cached=False), A100_80GB_SXM, HALF) == "compute"


def test_step_1024_with_a_cache_is_memory_bound_and_takes_0_140_ms():
    assert f"{1e3 * least_time_s(*step_1024(cached=True), A100_80GB_SXM, HALF):.3f} ms" == "0.140 ms"
    assert bound_by(*step_1024(cached=True), A100_80GB_SXM, HALF) == "memory"


def test_1024_times_fewer_flops_are_6_7_times_less_time():
    uncached, cached = step_1024(cached=False), step_1024(cached=True)
    assert uncached[0] == 1024 * cached[0]
    ratio = least_time_s(*uncached, A100_80GB_SXM, HALF) / least_time_s(*cached, A100_80GB_SXM, HALF)
    assert f"{ratio:.1f}" == "6.7"


def test_the_a100s_ridge_is_153_flop_per_byte():
    assert round(ridge_flop_per_byte(A100_80GB_SXM, HALF)) == 153
    # 19.5e12 / 2.039e12, in tenths
    assert f"{ridge_flop_per_byte(A100_80GB_SXM, torch.float32):.1f}" == "9.6"


def test_the_bound_changes_at_the_ridge():
    traffic_bytes = 10**9
    ridge = ridge_flop_per_byte(A100_80GB_SXM, HALF)
    below, above = 0.999 * ridge * traffic_bytes, 1.001 * ridge * traffic_bytes
    assert bound_by(below, traffic_bytes, A100_80GB_SXM, HALF) == "memory"
    assert bound_by(above, traffic_bytes, A100_80GB_SXM, HALF) == "compute"
    assert least_time_s(below, traffic_bytes, A100_80GB_SXM, HALF) == traffic_bytes / 2.039e12
    assert least_time_s(above, traffic_bytes, A100_80GB_SXM, HALF) == above / 312e12


def test_equal_times_count_as_compute_bound():
    assert compute_time_s(312e12, A100_80GB_SXM, HALF) == memory_time_s(2.039e12, A100_80GB_SXM) == 1
    assert bound_by(312e12, 2.039e12, A100_80GB_SXM, HALF) == "compute"


@pytest.mark.parametrize("bad", [0, -1, nan, inf, True, "1", None], ids=repr)
@pytest.mark.parametrize("function", [least_time_s, bound_by])
def test_work_and_traffic_must_be_above_zero(function, bad):
    with pytest.raises(ValueError, match="^flops must "):
        function(bad, 1, A100_80GB_SXM, HALF)
    with pytest.raises(ValueError, match="^memory_bytes must "):
        function(1, bad, A100_80GB_SXM, HALF)


@pytest.mark.parametrize("function", [least_time_s, bound_by])
def test_a_dtype_without_a_peak_is_refused(function):
    with pytest.raises(ValueError, match="^dtype must be one of "):
        function(1, 1, A100_80GB_SXM, torch.int8)
