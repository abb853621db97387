"""The least time a piece of work can take: limited by arithmetic, or by memory traffic.

An accelerator computes and moves data at the same time, so work of W FLOPs and Q bytes of memory traffic takes at least
max(W / peak FLOP/s, Q / bandwidth). Which of the two is larger is the bound (Williams, Waterman and Patterson 2009,
Roofline: An Insightful Visual Performance Model, Communications of the ACM 52(4)).
"""

import torch

from scaling_lesson.checks import positive_number
from scaling_lesson.hardware import Accelerator


def compute_time_s(flops: float, accelerator: Accelerator, dtype: torch.dtype) -> float:
    """Seconds the arithmetic alone takes at the dense peak of `dtype`: flops / peak.

    Raises ValueError when flops is not above 0 or the accelerator has no peak for dtype.
    """
    return positive_number("flops", flops) / accelerator.peak_for(dtype)


def memory_time_s(memory_bytes: float, accelerator: Accelerator) -> float:
    """Seconds the memory traffic alone takes at full bandwidth: memory_bytes / bandwidth.

    Raises ValueError when memory_bytes is not above 0.
    """
    return positive_number("memory_bytes", memory_bytes) / accelerator.memory_bytes_per_s


def least_time_s(flops: float, memory_bytes: float, accelerator: Accelerator, dtype: torch.dtype) -> float:
    """Seconds the work takes at the very least: the larger of its compute time and its memory time.

    Assumes that the two overlap perfectly and both peaks are reached; launching kernels and waiting are not counted.
    Raises ValueError as `compute_time_s` and `memory_time_s` do.
    """
    return max(compute_time_s(flops, accelerator, dtype), memory_time_s(memory_bytes, accelerator))


def bound_by(flops: float, memory_bytes: float, accelerator: Accelerator, dtype: torch.dtype) -> str:
    """Which of the two times is the larger: "compute" or "memory"; "compute" when they are equal.

    Raises ValueError as `compute_time_s` and `memory_time_s` do.
    """
    compute_s = compute_time_s(flops, accelerator, dtype)
    return "compute" if compute_s >= memory_time_s(memory_bytes, accelerator) else "memory"


def ridge_flop_per_byte(accelerator: Accelerator, dtype: torch.dtype) -> float:
    """FLOPs for each byte of traffic at which the two times are equal: peak / bandwidth, FLOP/B.

    Raises ValueError when the accelerator has no peak for dtype.
    """
    return accelerator.peak_for(dtype) / accelerator.memory_bytes_per_s
