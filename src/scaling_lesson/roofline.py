"""The least time a piece of work can take: limited by arithmetic, or by memory traffic.

An accelerator computes and moves data at the same time, so work of W FLOPs and Q bytes of memory traffic takes at least
max(W / peak FLOP/s, Q / bandwidth). Which of the two is larger is the bound (Williams, Waterman and Patterson 2009,
Roofline: An Insightful Visual Performance Model, Communications of the ACM 52(4)). W / Q is the arithmetic intensity.

Each operation below counts the arithmetic it needs and the least traffic it causes when it runs by itself: every input
read from memory once, every output written once. Matrix multiplications count a multiply-add as 2 FLOPs. Elementwise
work counts every add, multiply, divide, comparison, exponential, tanh and erf as 1 FLOP for each element; what is done
once a row (layer norm's root, say) is left out.
"""

from dataclasses import dataclass

import torch

from scaling_lesson.checks import require_bool, require_float_dtype, require_positive, require_positive_int
from scaling_lesson.hardware import Accelerator
from scaling_lesson.models import ModelConfig, require_gpt2_layout, require_positions

LAYER_NORM_FLOPS = 7
"""For each element: add to the mean, subtract it, square, add to the variance, divide, gain, bias."""

SOFTMAX_FLOPS = 5
"""For each element: compare for the maximum, subtract it, exponential, add to the sum, divide by it."""

GELU_FLOPS = {"tanh": 9, "erf": 5}
"""For each element. tanh: 0.5 x (1 + tanh(c (x + 0.044715 x x x))), GPT-2's form.  erf: 0.5 x (1 + erf(x / c))."""


@dataclass(frozen=True)
class Operation:
    """What runs as one piece: its FLOPs and its bytes of memory traffic, and how often a forward pass runs it.

    Raises ValueError when a figure is not a positive integer.
    """

    name: str
    flops: int
    memory_bytes: int
    runs: int = 1

    def __post_init__(self) -> None:
        require_positive_int(flops=self.flops, memory_bytes=self.memory_bytes, runs=self.runs)

    @property
    def flop_per_byte(self) -> float:
        """Arithmetic intensity: FLOPs for each byte of traffic."""
        return self.flops / self.memory_bytes


def vector_add(n: int, dtype: torch.dtype) -> Operation:
    """a + b for vectors of n numbers: n FLOPs, two reads and one write of n.

    Raises ValueError when n is not a positive integer or dtype is not float16, bfloat16 or float32; every function
    below raises so for its own sizes and dtype.
    """
    require_positive_int(n=n)

    return _elementwise("vector add", n, 1, 3, dtype)


def layer_norm(rows: int, width: int, dtype: torch.dtype) -> Operation:
    """Layer norm over rows x width numbers, read once and written once; gain and bias, 2 x width, are not counted."""
    require_positive_int(rows=rows, width=width)

    return _elementwise("layer norm", rows * width, LAYER_NORM_FLOPS, 2, dtype)


def softmax(rows: int, width: int, dtype: torch.dtype) -> Operation:
    """Softmax over rows x width numbers, read once and written once."""
    require_positive_int(rows=rows, width=width)

    return _elementwise("softmax", rows * width, SOFTMAX_FLOPS, 2, dtype)


def scores_pass(rows: int, width: int, dtype: torch.dtype) -> Operation:
    """One more pass over rows x width scores, read once and written once, 1 FLOP each: scaling them, or masking them.

    The mask itself, a byte for each place of one head's matrix and the same for all heads, is not counted.
    """
    require_positive_int(rows=rows, width=width)

    return _elementwise("scores pass", rows * width, 1, 2, dtype)


def gelu(n: int, dtype: torch.dtype, form: str = "tanh") -> Operation:
    """GELU of n numbers, read once and written once; form "tanh" or "erf"."""
    if form not in GELU_FLOPS:
        raise ValueError(f"form must be one of {', '.join(map(repr, GELU_FLOPS))}; got {form!r}")
    require_positive_int(n=n)

    return _elementwise("GELU", n, GELU_FLOPS[form], 2, dtype)


def _elementwise(name: str, n: int, flops_each: int, passes: int, dtype: torch.dtype) -> Operation:
    require_float_dtype(dtype=dtype)

    return Operation(name, flops_each * n, passes * n * dtype.itemsize)


def matmul(m: int, k: int, n: int, dtype: torch.dtype, batch_size: int = 1) -> Operation:
    """batch_size products (m, k) @ (k, n): 2 m k n FLOPs each; both factors read, the product written. No bias."""
    require_positive_int(m=m, k=k, n=n, batch_size=batch_size)
    require_float_dtype(dtype=dtype)

    flops = 2 * m * k * n
    numbers = m * k + k * n + m * n
    return Operation("matmul", batch_size * flops, batch_size * numbers * dtype.itemsize)


def unfused_attention(n_query: int, n_key: int, head_dim: int, dtype: torch.dtype, heads: int = 1) -> Operation:
    """Attention in three pieces: Q K^T, softmax, weights times V, with the n_query x n_key matrix in memory between.

    FLOPs of the two matrix products, full rectangle, as FLOP counters count them: softmax, scaling and mask are not in.
    Bytes: Q, K and V read, the output written, and the matrix written, read, written and read. `heads` counts every
    head of every sequence.
    """
    work = fused_attention(n_query, n_key, head_dim, dtype, heads)
    matrix_bytes = heads * n_query * n_key * dtype.itemsize
    return Operation("unfused attention", work.flops, work.memory_bytes + 4 * matrix_bytes)


def fused_attention(n_query: int, n_key: int, head_dim: int, dtype: torch.dtype, heads: int = 1) -> Operation:
    """Attention in one piece: the FLOPs of `unfused_attention`, but only Q, K, V and the output go through memory.

    That is the least traffic there can be; `flash_attention` counts what its tiles really cause.
    """
    require_positive_int(n_query=n_query, n_key=n_key, head_dim=head_dim, heads=heads)
    require_float_dtype(dtype=dtype)

    flops = 2 * 2 * n_query * n_key * head_dim
    numbers = 2 * n_query * head_dim + 2 * n_key * head_dim
    return Operation("fused attention", heads * flops, heads * numbers * dtype.itemsize)


def gpt_forward(
    config: ModelConfig, batch_size: int, new_positions: int, key_positions: int, dtype: torch.dtype, fused: bool = True
) -> list[Operation]:
    """Every operation of a GPT-2 forward pass, by kind: what one run costs, and how many runs there are.

    Each of batch_size sequences puts new_positions through the model, whose queries meet key_positions keys. Prefill of
    P positions: new_positions = key_positions = P. Decode, one token with the cache: new_positions = 1.
    Attention is one operation when `fused`, else three. Logits are computed at every new position. Their matrix
    products' FLOPs sum to batch_size x `accounting.forward_flops`. Keys and values count as written by the QKV
    projection and as read by attention. Not counted: biases, scaling and masking the scores, joining the cache,
    copies between layouts, looking rows up in a table.
    Raises ValueError for another layout than GPT-2's, sizes that are not positive integers, new_positions above
    key_positions, key_positions above max_seq_len, or another dtype.
    """
    require_gpt2_layout(config)
    require_positions(new_positions, key_positions, config)
    require_positive_int(batch_size=batch_size)
    require_bool(fused=fused)

    rows = batch_size * new_positions
    d_model, d_ff, n_layer = config.d_model, config.d_ff, config.n_layer
    heads, head_dim = batch_size * config.n_head, config.head_dim

    def named(name: str, operation: Operation, runs: int = n_layer) -> Operation:
        return Operation(name, operation.flops, operation.memory_bytes, runs)

    if fused:
        attention = [named("attention", fused_attention(new_positions, key_positions, head_dim, dtype, heads))]
    else:
        attention = [
            named("attention scores", matmul(new_positions, head_dim, key_positions, dtype, heads)),
            named("softmax", softmax(heads * new_positions, key_positions, dtype)),
            named("weighted values", matmul(new_positions, key_positions, head_dim, dtype, heads)),
        ]
    return [
        named("embedding", vector_add(rows * d_model, dtype), runs=1),  # token row + position row
        named("layer norm", layer_norm(rows, d_model, dtype), runs=2 * n_layer + 1),
        named("QKV projection", matmul(rows, d_model, 3 * d_model, dtype)),
        *attention,
        named("attention projection", matmul(rows, d_model, d_model, dtype)),
        named("residual add", vector_add(rows * d_model, dtype), runs=2 * n_layer),
        named("feed-forward up", matmul(rows, d_model, d_ff, dtype)),
        named("GELU", gelu(rows * d_ff, dtype)),
        named("feed-forward down", matmul(rows, d_ff, d_model, dtype)),
        named("logits", matmul(rows, d_model, config.vocab_size, dtype), runs=1),
    ]


def compute_time_s(flops: float, accelerator: Accelerator, dtype: torch.dtype) -> float:
    """Seconds the arithmetic alone takes at the dense peak of `dtype`: flops / peak.

    Raises ValueError when flops is not above 0 or the accelerator has no peak for dtype.
    """
    require_positive(flops=flops)

    return flops / accelerator.peak_for(dtype)


def memory_time_s(memory_bytes: float, accelerator: Accelerator) -> float:
    """Seconds the memory traffic alone takes at full bandwidth: memory_bytes / bandwidth.

    Raises ValueError when memory_bytes is not above 0.
    """
    require_positive(memory_bytes=memory_bytes)

    return memory_bytes / accelerator.memory_bytes_per_s


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


def attainable_flop_per_s(flop_per_byte: float, accelerator: Accelerator, dtype: torch.dtype) -> float:
    """The roof over work of this intensity, FLOP/s: min(peak, flop_per_byte x bandwidth).

    Raises ValueError when flop_per_byte is not above 0 or the accelerator has no peak for dtype.
    """
    require_positive(flop_per_byte=flop_per_byte)

    return min(accelerator.peak_for(dtype), flop_per_byte * accelerator.memory_bytes_per_s)
