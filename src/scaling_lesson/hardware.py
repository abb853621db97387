"""Accelerators: the two speeds that bound every step, as their makers print them.

Peaks are dense. A datasheet also prints a doubled figure for weights pruned to a fixed sparsity pattern; no model of
this lesson is pruned so. Both speeds are ceilings: real code reaches a part of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch

from scaling_lesson.checks import positive_number
from scaling_lesson.models import Source


@dataclass(frozen=True)
class Accelerator:
    """One accelerator, in base units.

    peak_flop_per_s: dense peak for each torch dtype, FLOP/s.  memory_bytes_per_s: memory bandwidth, B/s.
    memory_bytes: memory size, B.  source: where they are printed.

    Raises ValueError when a figure is not a finite number above 0.
    """

    name: str
    peak_flop_per_s: Mapping[torch.dtype, float]
    memory_bytes_per_s: float
    memory_bytes: float
    source: Source

    def __post_init__(self) -> None:
        if not self.peak_flop_per_s:
            raise ValueError(f"peak_flop_per_s must hold at least one dtype; got {self.peak_flop_per_s!r}")
        for dtype, peak in self.peak_flop_per_s.items():
            if not isinstance(dtype, torch.dtype):
                raise ValueError(f"peak_flop_per_s must have torch dtypes as keys; got {dtype!r}")
            positive_number(f"peak_flop_per_s[{dtype}]", peak)
        positive_number("memory_bytes_per_s", self.memory_bytes_per_s)
        positive_number("memory_bytes", self.memory_bytes)

    def peak_for(self, dtype: torch.dtype) -> float:
        """Dense peak in `dtype`, FLOP/s; raises ValueError for a dtype this accelerator has no figure for."""
        if dtype not in self.peak_flop_per_s:
            known = ", ".join(map(str, self.peak_flop_per_s))
            raise ValueError(f"dtype must be one of {known} on the {self.name}; got {dtype!r}")
        return self.peak_flop_per_s[dtype]


A100_80GB_SXM = Accelerator(
    name="A100 80 GB SXM",
    # A frozen dataclass does not freeze a dict inside it; this read-only view does.
    peak_flop_per_s=MappingProxyType(
        {
            torch.float16: 312e12,  # tensor cores; the 624 beside it is the sparse figure
            torch.bfloat16: 312e12,  # tensor cores
            torch.float32: 19.5e12,  # the vector units; tensor cores take float32 only rounded to TF32
        }
    ),
    memory_bytes_per_s=2.039e12,
    memory_bytes=80e9,  # as printed; the device itself reports some 85.2e9
    source=Source(
        title="NVIDIA A100 Tensor Core GPU Datasheet",
        where="specifications table, column A100 80GB SXM, document nvidia-us-2188504",
        date="2022-05",
        url="https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf/"
        "nvidia-a100-datasheet-nvidia-us-2188504-web.pdf",
    ),
)
