"""Number formats: which numbers 16 or 32 bits can hold, and how far apart they lie, found by real torch casts.

A floating-point number is sign x 1.fraction x 2^exponent. Exponent bits buy range, fraction bits buy precision:
float16 and bfloat16 spend the same 16 bits on different sides.
"""

import math
from dataclasses import dataclass

import torch

from scaling_lesson.checks import require_finite, require_float_dtype


@dataclass(frozen=True)
class FloatFormat:
    """What one floating-point format can hold.

    bits = 1 (sign) + exponent_bits + fraction_bits.  largest: largest finite number.  smallest_normal: smallest with
    full precision.  smallest: smallest above zero; between the two, numbers lose bits one by one.
    """

    name: str
    dtype: torch.dtype
    bits: int
    exponent_bits: int
    fraction_bits: int
    largest: float
    smallest_normal: float
    smallest: float


def float_format(dtype: torch.dtype) -> FloatFormat:
    """The format of torch.float16, torch.bfloat16 or torch.float32, read from torch and from bit patterns.

    eps, the step from 1.0 to the next number, is 2^-fraction_bits; the pattern 0...01 is the smallest number.
    Raises ValueError for another dtype.
    """
    require_float_dtype(dtype=dtype)

    info = torch.finfo(dtype)
    fraction_bits = int(-math.log2(info.eps))
    return FloatFormat(
        name=str(dtype).removeprefix("torch."),
        dtype=dtype,
        bits=info.bits,
        exponent_bits=info.bits - 1 - fraction_bits,
        fraction_bits=fraction_bits,
        largest=info.max,
        smallest_normal=info.smallest_normal,
        smallest=torch.tensor(1, dtype=_same_width_int(dtype)).view(dtype).item(),
    )


def _same_width_int(dtype: torch.dtype) -> torch.dtype:
    """The integer dtype whose bits can be looked at in place of `dtype`'s."""
    return {16: torch.int16, 32: torch.int32}[torch.finfo(dtype).bits]


def cast(name: str, x: float, dtype: torch.dtype) -> torch.Tensor:
    """A tensor of shape () holding x rounded to dtype; raises ValueError naming `name` when x is not finite.

    Torch takes a Python float (float64) to 16 bits by way of float32, so x is rounded twice. That differs from one
    rounding only when x lies within float32's rounding of the midpoint between two 16-bit numbers. Values inside a
    network are float32 before the cast and are rounded once.
    """
    require_finite(**{name: x})
    require_float_dtype(dtype=dtype)

    return torch.tensor(float(x), dtype=dtype)


def stored(x: float, dtype: torch.dtype) -> float:
    """What is left of x when it is stored in dtype: the nearest number the format has (ties to even).

    0.0 when x underflows, infinite when it overflows. `cast` says how float64 gets to 16 bits.
    Raises ValueError when x is not finite or dtype is not one of the three formats.
    """
    return cast("x", x, dtype).item()


def bit_fields(x: float, dtype: torch.dtype) -> tuple[str, str, str]:
    """The bits of stored(x, dtype): sign, exponent and fraction, each a string of 0s and 1s.

    Raises ValueError as `stored` does.
    """
    form = float_format(dtype)
    pattern = cast("x", x, dtype).view(_same_width_int(dtype)).item() % 2**form.bits  # two's complement to unsigned
    bits = format(pattern, f"0{form.bits}b")
    return bits[0], bits[1 : 1 + form.exponent_bits], bits[1 + form.exponent_bits :]


def spacing(x: float, dtype: torch.dtype) -> float:
    """The distance from |stored(x, dtype)| to the next larger number dtype has.

    The difference is taken in float64, which holds both numbers exactly.
    Raises ValueError as `stored` does, and when no larger finite number exists.
    """
    return _gap_above("x", x, dtype)


def _gap_above(name: str, x: float, dtype: torch.dtype) -> float:
    size = cast(name, x, dtype).abs()
    larger = torch.nextafter(size, torch.tensor(math.inf, dtype=dtype))
    if larger.isinf():
        raise ValueError(f"{name} must be below the largest number of {dtype} in size; got {x!r}")
    return larger.item() - size.item()


def update_threshold(weight: float, dtype: torch.dtype) -> float:
    """The update that would land halfway to the next larger number: smaller ones leave stored(weight, dtype) alone.

    Half of spacing(weight, dtype), for an update of the weight's own sign. An update of exactly this size ties, and
    ties go to the neighbour whose last fraction bit is 0: at 1.0 the weight stays. Relative to a normal
    number the threshold lies between 2^-(fraction_bits + 2) and 2^-(fraction_bits + 1).
    Raises ValueError as `spacing` does.
    """
    return _gap_above("weight", weight, dtype) / 2


def numbers_between(low: float, high: float, dtype: torch.dtype) -> list[float]:
    """Every number dtype has from low to high, ascending: the marks of that ruler; exact in float64.

    low and high themselves are among them only when dtype has them.
    Raises ValueError when either is not finite, low is above high, or dtype is not one of the three formats.
    """
    require_finite(low=low, high=high)
    require_float_dtype(dtype=dtype)
    if low > high:
        raise ValueError(f"low must be at most high={high!r}; got {low!r}")

    infinity = torch.tensor(math.inf, dtype=dtype)
    x = torch.nextafter(cast("low", low, dtype), -infinity)  # a cast may round past low, by less than one mark
    found = []
    while (x := torch.nextafter(x, infinity)).isfinite() and x.item() <= high:
        if x.item() >= low:
            found.append(x.item())
    return found


def largest_consecutive_integer(dtype: torch.dtype) -> int:
    """The largest n for which dtype holds every integer from 0 to n; n + 1 is rounded away.

    A number with p significant bits (fraction_bits and the leading 1) holds all integers below 2^p, so the first gap
    follows a power of two: the one where a cast of n + 1 does not give n + 1 back.
    Raises ValueError when dtype is not one of the three formats.
    """
    n = 1
    while stored(n + 1, dtype) == n + 1:
        n *= 2
    return n
