"""Argument checks shared by the lesson's public functions.

Each check takes arguments by name, as in `require_positive_int(rows=rows, width=width)`, returns nothing, and raises
ValueError naming the first one it refuses, what is required and what was given. Nothing is converted or clipped: a
wrong input is an error.
"""

import math

import torch

FLOAT_DTYPES = (torch.float16, torch.bfloat16, torch.float32)
"""The three formats the lesson compares."""


def require_positive_int(**values: int) -> None:
    """Each must be an int of at least 1. True is an int to Python but not a size, so it is refused."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive integer; got {value!r}")


def require_finite(**values: float) -> None:
    """Each must be an int or a float that a float can hold, neither NaN nor infinite."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} must be a number; got {value!r}")
        try:
            is_finite = math.isfinite(value)
        except OverflowError:  # an int beyond 1.8e308
            is_finite = False
        if not is_finite:
            raise ValueError(f"{name} must be finite; got {value!r}")


def require_positive(**values: float) -> None:
    """Each must be a finite number above 0."""
    require_finite(**values)
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"{name} must be above 0; got {value!r}")


def require_positive_up_to_1(**values: float) -> None:
    """Each must be a finite number above 0 and at most 1."""
    require_positive(**values)
    for name, value in values.items():
        if value > 1:
            raise ValueError(f"{name} must be at most 1; got {value!r}")


def require_text(**values: str) -> None:
    """Each must be a string with at least one character."""
    for name, value in values.items():
        if not isinstance(value, str) or not value:
            raise ValueError(f"{name} must be a non-empty string; got {value!r}")


def require_bool(**values: bool) -> None:
    """Each must be True or False: 1, "no" and None would all read as an answer to something else."""
    for name, value in values.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False; got {value!r}")


def require_float_dtype(allowed: tuple[torch.dtype, ...] = FLOAT_DTYPES, /, **values: torch.dtype) -> None:
    """Each must be one of the `allowed` torch dtypes."""
    for name, value in values.items():
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}; got {value!r}")


def require_number_dtype(**values: torch.dtype) -> None:
    """Each must be a torch dtype a cache or a weight can be kept in: floating point, or an 8-bit integer."""
    for name, value in values.items():
        if not isinstance(value, torch.dtype) or not (value.is_floating_point or value in (torch.int8, torch.uint8)):
            raise ValueError(f"{name} must be a floating-point or 8-bit integer torch dtype; got {value!r}")


def require_tokens(**values: torch.Tensor) -> None:
    """Each must be an int64 tensor (B, T), not empty. The ids are not looked at: that would wait for the device."""
    for name, value in values.items():
        if not isinstance(value, torch.Tensor) or value.dtype != torch.int64:
            raise ValueError(f"{name} must be an int64 tensor; got {getattr(value, 'dtype', type(value))}")
        if value.ndim != 2 or value.numel() == 0:
            raise ValueError(f"{name} must have shape (B, T), both at least 1; got {tuple(value.shape)}")


def require_in_vocabulary(vocab_size: int, /, **values: torch.Tensor) -> None:
    """Each must be tokens as `require_tokens` says, whose ids all lie below vocab_size."""
    require_tokens(**values)
    for name, value in values.items():
        low, high = int(value.min()), int(value.max())
        if low < 0 or high >= vocab_size:
            raise ValueError(f"{name} must lie in 0..vocab_size-1={vocab_size - 1}; got {low if low < 0 else high}")
