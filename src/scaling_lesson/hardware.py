"""Accelerators: the two speeds that bound every step, as their makers print them.

Peaks are dense. A datasheet also prints a doubled figure for weights pruned to a fixed sparsity pattern; no model of
this lesson is pruned so. Both speeds are ceilings: real code reaches a part of them. A peak stands only under a dtype
its source prints one for. To measure against an accelerator that is not here, make an `Accelerator` of your own; every
function of the lesson takes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch

from scaling_lesson.checks import require_positive, require_text
from scaling_lesson.models import Fact, Source, require_source


@dataclass(frozen=True)
class Accelerator:
    """One accelerator, in base units.

    peak_flop_per_s: dense peak for each torch dtype, FLOP/s.  memory_bytes_per_s: memory bandwidth, B/s.
    memory_bytes: memory size as printed, B (the device itself reports a little more).  source: where they are printed.

    Raises ValueError when a figure is not a finite number above 0, or a key is not a torch dtype.
    """

    name: str
    peak_flop_per_s: Mapping[torch.dtype, float]
    memory_bytes_per_s: float
    memory_bytes: float
    source: Source

    def __post_init__(self) -> None:
        require_text(name=self.name)
        require_source(self.source)
        if not isinstance(self.peak_flop_per_s, Mapping) or not self.peak_flop_per_s:
            raise ValueError(f"peak_flop_per_s must map at least one dtype to a peak; got {self.peak_flop_per_s!r}")
        for dtype, peak in self.peak_flop_per_s.items():
            if not isinstance(dtype, torch.dtype):
                raise ValueError(f"peak_flop_per_s must have torch dtypes as keys; got {dtype!r}")
            require_positive(**{f"peak_flop_per_s[{dtype}]": peak})
        # A frozen dataclass does not freeze a dict inside it; a read-only view of a copy does.
        object.__setattr__(self, "peak_flop_per_s", MappingProxyType(dict(self.peak_flop_per_s)))
        require_positive(memory_bytes_per_s=self.memory_bytes_per_s, memory_bytes=self.memory_bytes)

    def peak_for(self, dtype: torch.dtype) -> float:
        """Dense peak in `dtype`, FLOP/s; raises ValueError for a dtype this accelerator has no figure for."""
        if dtype not in self.peak_flop_per_s:
            known = ", ".join(map(str, self.peak_flop_per_s))
            raise ValueError(f"dtype must be one of {known} on the {self.name}; got {dtype!r}")
        return self.peak_flop_per_s[dtype]


def _nvidia(title: str, where: str, date: str, url: str) -> Source:
    return Source(f"NVIDIA {title}", where, date, f"https://{url}")


# The tensor cores of the V100 and the T4 take float16, not bfloat16. The float32 peak is second hand; it is what 5,120
# cores with two FLOPs a clock do at 1.53 GHz (Cornell Virtual Workshop, GPU architecture, Tesla V100).
V100_SXM = Accelerator(
    name="V100 32 GB SXM2",
    peak_flop_per_s={torch.float16: 125e12, torch.float32: 15.7e12},
    memory_bytes_per_s=0.900e12,
    memory_bytes=32e9,
    source=_nvidia(
        "V100 Tensor Core GPU Datasheet",
        "specifications table, column V100 SXM2; the float32 peak second hand, from the Cornell Virtual Workshop",
        "2020-01",
        "images.nvidia.com/content/technologies/volta/pdf/volta-v100-datasheet-update-us-1165301-r5.pdf",
    ),
)

T4 = Accelerator(
    name="T4",
    peak_flop_per_s={torch.float16: 65e12, torch.float32: 8.1e12},
    memory_bytes_per_s=0.320e12,  # the T4 datasheet of 2019 prints 300 GB/s
    memory_bytes=16e9,
    source=_nvidia(
        "Turing GPU Architecture",
        "Table 5 and Appendix A, column Tesla T4, WP-09183-001_v01",
        "2018",
        "images.nvidia.com/aem-dam/en-zz/Solutions/design-visualization/technologies/turing-architecture/"
        "NVIDIA-Turing-Architecture-Whitepaper.pdf",
    ),
)


# float32 runs on the vector units; tensor cores take float32 only rounded to TF32.
_A100_PEAKS = {torch.float16: 312e12, torch.bfloat16: 312e12, torch.float32: 19.5e12}
_A100_URL = "www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf"

A100_40GB_SXM = Accelerator(
    name="A100 40 GB SXM",
    peak_flop_per_s=_A100_PEAKS,
    memory_bytes_per_s=1.555e12,
    memory_bytes=40e9,
    source=_nvidia(
        "A100 Tensor Core GPU Datasheet",
        "specifications table, column A100 40GB SXM, document 1758950",
        "2021-06",
        f"{_A100_URL}/nvidia-a100-datasheet-us-nvidia-1758950-r4-web.pdf",
    ),
)

_A100_80GB_DATASHEET = ("2022-05", f"{_A100_URL}/nvidia-a100-datasheet-nvidia-us-2188504-web.pdf")

A100_80GB_PCIE = Accelerator(
    name="A100 80 GB PCIe",
    peak_flop_per_s=_A100_PEAKS,
    memory_bytes_per_s=1.935e12,
    memory_bytes=80e9,
    source=_nvidia(
        "A100 Tensor Core GPU Datasheet",
        "specifications table, column A100 80GB PCIe, document nvidia-us-2188504",
        *_A100_80GB_DATASHEET,
    ),
)

A100_80GB_SXM = Accelerator(
    name="A100 80 GB SXM",
    peak_flop_per_s=_A100_PEAKS,
    memory_bytes_per_s=2.039e12,
    memory_bytes=80e9,
    source=_nvidia(
        "A100 Tensor Core GPU Datasheet",
        "specifications table, column A100 80GB SXM, document nvidia-us-2188504",
        *_A100_80GB_DATASHEET,
    ),
)

A100_TF32_FLOP_PER_S = Fact(156e12, A100_80GB_SXM.source)
"""What its tensor cores do with float32 inputs that are rounded to TF32 first, dense."""

A100_L2_BYTES = Fact(
    40960 * 1024,
    _nvidia(
        "Ampere Architecture In-Depth",
        "comparison of data center GPUs, row L2 Cache Size; 40 MB in the text",
        "2020-05-14",
        "developer.nvidia.com/blog/nvidia-ampere-architecture-in-depth/",
    ),
)
"""The cache on the chip between all multiprocessors and the memory."""

# The product page prints 1,979 TFLOP/s, the sparse figure, and rounds the others to 67 TFLOP/s and 3.35 TB/s.
H100_SXM = Accelerator(
    name="H100 SXM",
    peak_flop_per_s={torch.float16: 989.4e12, torch.bfloat16: 989.4e12, torch.float32: 66.9e12},
    memory_bytes_per_s=3.35e12,
    memory_bytes=80e9,
    source=_nvidia(
        "H100 Tensor Core GPU Architecture",
        "Tables 1 and 3, column H100 SXM5; bandwidth of the H100 datasheet",
        "2022",
        "resources.nvidia.com/en-us-tensor-core/gtc22-whitepaper-hopper",
    ),
)

# An eighth of what the system's datasheet prints: 72 PFLOP/s in sparse 8-bit numbers, of which 16-bit numbers without
# sparsity get a quarter, 64 TB/s and 1,440 GB. Documents on single B200s of 2024 and 2025 print 7.7 to 8 TB/s.
B200 = Accelerator(
    name="B200",
    peak_flop_per_s={torch.float16: 72e15 / 4 / 8, torch.bfloat16: 72e15 / 4 / 8},
    memory_bytes_per_s=64e12 / 8,
    memory_bytes=1440e9 / 8,
    source=_nvidia(
        "DGX B200 Datasheet",
        "specifications table, an eighth of the system",
        "2024",
        "resources.nvidia.com/en-us-dgx-systems/dgx-b200-datasheet",
    ),
)

B200_REPORTED_BYTES_PER_S = Fact(
    7.672e12,
    Source(
        "PyTorch ao, pull request 4002: update b200 peak memory bandwidth",
        "description: 7680 bits at 3996 MHz, two transfers a clock, as driver and nvidia-smi report them",
        "2026-03-05",
        "https://github.com/pytorch/ao/pull/4002",
    ),
)
"""Memory bandwidth by the bus width and clock that the device itself reports, beside the 8 TB/s that are printed."""

EXPONENTIALS_PER_CLOCK = Fact(
    16,
    Source(
        "Zadouri et al. 2026, FlashAttention-4",
        "Section 2.2: a multiprocessor of a B200, the same as of Hopper; attention's forward pass in Table 1",
        "2026-03-05",
        "https://arxiv.org/abs/2603.05451v1",
    ),
)
"""Exponentials that one multiprocessor does in a clock."""
