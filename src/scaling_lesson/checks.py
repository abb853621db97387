"""Argument checks shared by the lesson's public functions.

Each check takes the argument's name and its value, returns the value unchanged, and raises ValueError naming the
argument, what is required and what was given. Nothing is converted or clipped: a wrong input is an error.
"""

import math

import torch

FLOAT_DTYPES = (torch.float16, torch.bfloat16, torch.float32)
"""The three formats the lesson compares."""


def positive_int(name: str, value: int) -> int:
    """`value`, when it is an int of at least 1. True is an int to Python but not a size, so it is refused."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive integer; got {value!r}")
    return value


def finite_number(name: str, value: float) -> float:
    """`value`, when it is an int or a float that a float can hold, neither NaN nor infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name} must be a number; got {value!r}")
    try:
        is_finite = math.isfinite(value)
    except OverflowError:  # an int beyond 1.8e308
        is_finite = False
    if not is_finite:
        raise ValueError(f"{name} must be finite; got {value!r}")
    return value


def positive_number(name: str, value: float) -> float:
    """`value`, when it is a finite number above 0."""
    if finite_number(name, value) <= 0:
        raise ValueError(f"{name} must be above 0; got {value!r}")
    return value


def fraction(name: str, value: float) -> float:
    """`value`, when it is a finite number above 0 and at most 1."""
    if positive_number(name, value) > 1:
        raise ValueError(f"{name} must be at most 1; got {value!r}")
    return value


def non_empty_string(name: str, value: str) -> str:
    """`value`, when it is a string with at least one character."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a non-empty string; got {value!r}")
    return value


def true_or_false(name: str, value: bool) -> bool:
    """`value`, when it is True or False: 1, "no" and None would all read as an answer to something else."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False; got {value!r}")
    return value


def float_dtype(name: str, value: torch.dtype, allowed: tuple[torch.dtype, ...] = FLOAT_DTYPES) -> torch.dtype:
    """`value`, when it is one of the `allowed` torch dtypes."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}; got {value!r}")
    return value


def number_dtype(name: str, value: torch.dtype) -> torch.dtype:
    """`value`, when it is a torch dtype a cache or a weight can be kept in: floating point, or an 8-bit integer."""
    if not isinstance(value, torch.dtype) or not (value.is_floating_point or value in (torch.int8, torch.uint8)):
        raise ValueError(f"{name} must be a floating-point or 8-bit integer torch dtype; got {value!r}")
    return value


def token_ids(name: str, value: torch.Tensor, vocab_size: int) -> torch.Tensor:
    """`value`, when it is an int64 tensor (B, T), not empty, whose ids all lie below vocab_size."""
    if not isinstance(value, torch.Tensor) or value.dtype != torch.int64:
        raise ValueError(f"{name} must be an int64 tensor; got {getattr(value, 'dtype', type(value))}")
    if value.ndim != 2 or value.numel() == 0:
        raise ValueError(f"{name} must have shape (B, T), both at least 1; got {tuple(value.shape)}")
    low, high = int(value.min()), int(value.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(f"{name} must lie in 0..vocab_size-1={vocab_size - 1}; got {low if low < 0 else high}")
    return value
