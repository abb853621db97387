"""The lesson's operations one at a time: bandwidth, matrix products, elementwise work, attention, launches.

Each function yields what to time, as (title, function that times it). Work and traffic are counted by `roofline`, so
that a point and its bound speak of the same thing. Operands are cold unless said otherwise.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from scaling_lesson import roofline
from scaling_lesson.flash_attention import tiled_attention
from scaling_lesson.gpt import attention
from scaling_lesson.measure.results import Machine, PeakMemory, Timed, dtype_name
from scaling_lesson.measure.timing import cold, peak_bytes, require_fast, seconds
from scaling_lesson.models import GPT2_SMALL, ModelConfig

HALF_AND_FULL = (torch.float32, torch.bfloat16)
BACKENDS = {
    "cpu": (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH),
    "cuda": (
        SDPBackend.FLASH_ATTENTION,
        SDPBackend.EFFICIENT_ATTENTION,
        SDPBackend.CUDNN_ATTENTION,
        SDPBackend.MATH,
    ),
    "mps": (SDPBackend.MATH,),
}
"""Those of F.scaled_dot_product_attention that a device may have."""

ASSUMED_CACHE_BYTES = 64 * 2**20
"""Of a last-level cache that the system does not tell of."""

Step = tuple[str, Callable[[], Timed | PeakMemory]]


@dataclass(frozen=True)
class Sizes:
    """What to measure, and how long: `budget_s` for each thing, less where its spread is known sooner.

    working_sets: bytes, each three times a power of two, so that vectors, pairs and triples of them are equally large.
    cold_bytes: what the copies of an operation's operands take together, so that they overflow the last-level cache.
    """

    profile: str
    config: ModelConfig
    budget_s: float
    working_sets: tuple[int, ...]
    cold_bytes: int
    square: tuple[int, ...]
    batches: tuple[int, ...]
    step_positions: int
    token_positions: tuple[int, ...]
    memory_positions: tuple[int, ...]
    training: tuple[int, int]
    prompt: int
    new_tokens: int
    rounds: int


def full_sizes(device: torch.device, machine: Machine) -> Sizes:
    """GPT-2 small, and operands that overflow the last-level cache twice where memory is meant."""
    on_gpu = device.type == "cuda"
    overflow = 2 * (machine.cache_bytes or ASSUMED_CACHE_BYTES)
    largest = 3 * 2**28
    while largest < overflow:
        largest *= 2
    return Sizes(
        profile="full",
        config=GPT2_SMALL,
        budget_s=0.6,
        working_sets=(3 * 2**18, 3 * 2**21, 3 * 2**24, 3 * 2**26, largest),
        cold_bytes=overflow,
        square=(4096, 8192) if on_gpu else (2048, 4096),
        batches=(1, 2, 4, 8, 16, 32, 64),
        step_positions=256,
        token_positions=(64, 128, 256, 512, 768, 1024),
        memory_positions=(512, 1024, 2048, 4096),
        training=(8, 1024) if on_gpu else (1, 256),
        prompt=64,
        new_tokens=128,
        rounds=5,
    )


def quick_sizes() -> Sizes:
    """A model of no use and the shortest times: whether the script works, in seconds."""
    tiny = replace(GPT2_SMALL, n_layer=2, n_head=2, n_kv_head=2, d_model=32, d_ff=128, vocab_size=64, max_seq_len=64)
    return Sizes(
        profile="quick",
        config=tiny,
        budget_s=0.001,
        working_sets=(3 * 2**14, 3 * 2**18),
        cold_bytes=2**20,
        square=(64,),
        batches=(1, 2),
        step_positions=16,
        token_positions=(8, 64),
        memory_positions=(64, 128),
        training=(1, 16),
        prompt=8,
        new_tokens=8,
        rounds=2,
    )


@dataclass(frozen=True)
class Bench:
    """Where and how much to measure."""

    device: torch.device
    machine: Machine
    sizes: Sizes

    def random(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.randn(shape, dtype=torch.float32, device=self.device).to(dtype)

    def time(self, call: Callable[[], object], **fields) -> Timed:
        return Timed(**fields, **seconds(call, self.sizes.budget_s, self.device))

    def time_operation(
        self,
        operation: roofline.Operation,
        call: Callable[..., object],
        shapes: Sequence[tuple[int, ...]],
        dtype: torch.dtype,
        **fields,
    ) -> Timed:
        """call's time, each with the next of cold operands of these shapes."""
        following = cold(tuple(self.random(*shape, dtype=dtype) for shape in shapes), self.sizes.cold_bytes)
        fields |= {"dtype": dtype_name(dtype), "flops": operation.flops, "memory_bytes": operation.memory_bytes}
        return self.time(lambda: call(*following()), **fields)


def bandwidth(bench: Bench) -> Iterator[Step]:
    """Vectors read, copied and added, over working sets from a cache's to memory's; not cold, so that caches show."""

    def measure(name: str, n_bytes: int) -> Timed:
        n = n_bytes // 4
        if name == "read":
            source = bench.random(n)
            call, flops = lambda: torch.sum(source), n
        elif name == "copy":
            source, target = bench.random(n // 2), torch.empty(n // 2, device=bench.device)
            call, flops = lambda: target.copy_(source), 0
        else:
            a, b, out = bench.random(n // 3), bench.random(n // 3), torch.empty(n // 3, device=bench.device)
            call, flops = lambda: torch.add(a, b, out=out), n // 3
        return bench.time(call, name=name, dtype="float32", flops=flops, memory_bytes=n_bytes)

    for n_bytes in bench.sizes.working_sets:
        for name in ("read", "copy", "add"):
            yield f"bandwidth: {name} {n_bytes / 1e6:,.1f} MB", partial(measure, name, n_bytes)


def matmul(bench: Bench) -> Iterator[Step]:
    """Products of square matrices, whose best is a dtype's peak."""

    def measure(dtype: torch.dtype, n: int) -> Timed:
        work = roofline.matmul(n, n, n, dtype)
        require_fast(work.flops, dtype, bench.device)
        a, b = bench.random(n, n, dtype=dtype), bench.random(n, n, dtype=dtype)
        fields = {"name": f"{n} x {n}", "dtype": dtype_name(dtype), "flops": work.flops}
        return bench.time(lambda: a @ b, **fields, memory_bytes=work.memory_bytes)

    for dtype in (*HALF_AND_FULL, torch.float16):
        for n in bench.sizes.square:
            yield f"matrix product: {n} x {n}, {dtype_name(dtype)}", partial(measure, dtype, n)


def operations(bench: Bench) -> Iterator[Step]:
    """GPT-2's operations over its full context, its matrix products also for one token of several sequences."""
    config, device = bench.sizes.config, bench.device
    T, d, d_ff, heads, head_dim = (
        config.max_seq_len,
        config.d_model,
        config.d_ff,
        config.n_head,
        config.head_dim,
    )
    products = {
        "QKV projection": (d, 3 * d),
        "attention projection": (d, d),
        "feed-forward up": (d, d_ff),
        "feed-forward down": (d_ff, d),
        "logits": (d, config.vocab_size),
    }

    for dtype in HALF_AND_FULL:
        kind = dtype_name(dtype)
        timed = partial(bench.time_operation, dtype=dtype, batch_size=1, positions=T)
        for work, call, *shapes in (
            (roofline.vector_add(T * d, dtype), torch.add, (T, d), (T, d)),
            (roofline.layer_norm(T, d, dtype), lambda x: F.layer_norm(x, (d,)), (T, d)),
            (roofline.softmax(heads * T, T, dtype), lambda x: x.softmax(dim=-1), (heads, T, T)),
            (roofline.gelu(T * d_ff, dtype), lambda x: F.gelu(x, approximate="tanh"), (T, d_ff)),
        ):
            name = "residual add" if call is torch.add else work.name
            yield f"{name}, {kind}", partial(timed, work, call, shapes, name=name)
        for name, (k, n) in products.items():
            work = roofline.matmul(T, k, n, dtype)
            yield f"{name}, {T} positions, {kind}", partial(timed, work, F.linear, [(T, k), (n, k)], name=name)
            for B in bench.sizes.batches:
                work = roofline.matmul(B, k, n, dtype)
                one_token = {"name": name, "batch_size": B, "positions": None}
                yield f"{name}, a token of {B}, {kind}", partial(timed, work, F.linear, [(B, k), (n, k)], **one_token)
        for name, call in ways_of_attention(device).items():
            count = roofline.unfused_attention if name in UNFUSED else roofline.fused_attention
            work = count(T, T, head_dim, dtype, heads)
            yield f"{name}, {kind}", partial(timed, work, call, [(1, heads, T, head_dim)] * 3, name=name)


UNFUSED = ("attention as you wrote it", "SDPA math")
"""The ways of attention that keep the matrix of scores in memory."""


def ways_of_attention(device: torch.device, tile: int = 128) -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    """Attention without a mask, by name: the whole matrix, in tiles by the lesson's loop, and torch's kernels."""

    def by(backend: SDPBackend) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        def call(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            with sdpa_kernel(backend):
                return F.scaled_dot_product_attention(q, k, v)

        return call

    ways = {
        "attention as you wrote it": lambda q, k, v: attention(q, k, v),
        "attention in tiles": lambda q, k, v: tiled_attention(q, k, v, tile, tile),
    }
    names = {backend: backend.name.removesuffix("_ATTENTION").lower() for backend in BACKENDS[device.type]}
    return ways | {f"SDPA {name}": by(backend) for backend, name in names.items()}


def attention_memory(bench: Bench) -> Iterator[Step]:
    """The most memory each way of attention holds, by length."""
    heads, head_dim = bench.sizes.config.n_head, bench.sizes.config.head_dim

    def measure(name: str, call: Callable, positions: int) -> PeakMemory:
        q, k, v = (bench.random(1, heads, positions, head_dim) for _ in range(3))
        most = peak_bytes(lambda: call(q, k, v), bench.device)
        return PeakMemory(name=name, dtype="float32", heads=heads, positions=positions, peak_bytes=most)

    for name, call in ways_of_attention(bench.device).items():
        if name == "SDPA math":  # the matrix again
            continue
        for positions in bench.sizes.memory_positions:
            yield f"memory of {name}, {positions} positions", partial(measure, name, call, positions)
