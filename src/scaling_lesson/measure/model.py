"""The whole GPT: each token by its position, steps by batch, the floor that launches set, a training step.

Every step runs the lesson's own code. Weights are random: no time depends on their values.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

import torch
import torch.nn.functional as F

from scaling_lesson.accounting import forward_flops
from scaling_lesson.generation import decode_one_token
from scaling_lesson.gpt import GPT, KVCache
from scaling_lesson.kv_cache import kv_cache_bytes, step_traffic_bytes
from scaling_lesson.measure.operations import HALF_AND_FULL, Bench, Step
from scaling_lesson.measure.results import Timed, dtype_name
from scaling_lesson.measure.timing import require_fast
from scaling_lesson.models import ModelConfig


def decode_step(model: GPT, batch_size: int, positions: int) -> Callable[[], object]:
    """One cached step that brings batch_size sequences to `positions`, to be called again and again."""
    weight = model.lm_head.weight
    cache = KVCache(model.config, batch_size, weight.dtype, weight.device, max_seq_len=positions)
    cache.keys.zero_()
    cache.values.zero_()
    token = torch.zeros(batch_size, 1, dtype=torch.int64, device=weight.device)

    def step() -> torch.Tensor:
        cache.length = positions - 1
        return decode_one_token(model, token, cache)

    return step


def decode_work(config: ModelConfig, batch_size: int, positions: int, dtype: torch.dtype) -> dict[str, int]:
    """FLOPs and least bytes of that step: the weights once for all, keys and values for each."""
    others = (batch_size - 1) * kv_cache_bytes(config, positions, dtype=dtype)
    return {
        "flops": batch_size * forward_flops(config, 1, positions),
        "memory_bytes": step_traffic_bytes(config, positions, True, dtype) + others,
    }


def graph_of(call: Callable[[], object]) -> Callable[[], object]:
    """`call` captured as a CUDA graph: all its kernels launched as one."""
    call()  # what is set up on first use cannot be captured
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph), torch.no_grad():
        call()
    return graph.replay


def launches(bench: Bench) -> Iterator[Step]:
    """What it takes to start work when there is almost none: one kernel, and a step of a GPT with the same launches.

    That GPT has as many layers and heads, each head one number wide, and two tokens to choose from.
    """
    one = torch.zeros(1, device=bench.device)
    few = {"d_model": bench.sizes.config.n_head, "d_ff": bench.sizes.config.n_head, "vocab_size": 2}
    narrow = replace(bench.sizes.config, **few)

    def add() -> object:
        return torch.add(one, one, out=one)

    def in_a_row(n: int = 100) -> None:
        for _ in range(n):
            add()

    def step(dtype: torch.dtype = torch.float32) -> Callable[[], object]:
        return decode_step(GPT(narrow).to(bench.device, dtype), 1, bench.sizes.step_positions)

    fields = {"dtype": "float32", "batch_size": 1, "positions": bench.sizes.step_positions}
    yield "the smallest kernel", lambda: bench.time(add, name="smallest kernel", dtype="float32")
    yield "a step with nothing to do", lambda: bench.time(step(), name="step with nothing to do", **fields)
    if bench.device.type == "cuda":
        yield (
            "a hundred of the smallest kernel in a CUDA graph",
            lambda: bench.time(graph_of(in_a_row), name="100 smallest kernels, CUDA graph", dtype="float32"),
        )
        yield (
            "the same step in a CUDA graph",
            lambda: bench.time(graph_of(step()), name="step with nothing to do, CUDA graph", **fields),
        )


def models(bench: Bench) -> Callable[[torch.dtype], GPT]:
    """The GPT in a dtype, made once."""

    @cache
    def model(dtype: torch.dtype) -> GPT:
        torch.manual_seed(0)
        return GPT(bench.sizes.config).to(bench.device, dtype).requires_grad_(False)

    return model


def tokens(bench: Bench, model: Callable[[torch.dtype], GPT]) -> Iterator[Step]:
    """The time of one more token by its position: with the cache, and from the whole sequence, as `generate` does."""
    config = bench.sizes.config

    def measure(dtype: torch.dtype, positions: int, cached: bool) -> Timed:
        fields = {"dtype": dtype_name(dtype), "batch_size": 1, "positions": positions}
        if cached:
            work = decode_work(config, 1, positions, dtype)
            return bench.time(decode_step(model(dtype), 1, positions), name="with a cache", **fields, **work)
        sequence = torch.zeros(1, positions, dtype=torch.int64, device=bench.device)
        work = {
            "flops": forward_flops(config, positions, positions),
            "memory_bytes": step_traffic_bytes(config, positions, False, dtype),
        }
        return bench.time(lambda: model(dtype)(sequence), name="without a cache", **fields, **work)

    for dtype in HALF_AND_FULL:
        for cached in (True, False):
            for positions in bench.sizes.token_positions:
                way = "with" if cached else "without"
                title = f"a token at {positions}, {way} a cache, {dtype_name(dtype)}"
                yield title, partial(measure, dtype, positions, cached)


def steps(bench: Bench, model: Callable[[torch.dtype], GPT]) -> Iterator[Step]:
    """A cached step of several sequences together; on CUDA also as a graph."""
    positions = bench.sizes.step_positions

    def measure(dtype: torch.dtype, batch_size: int, in_graph: bool) -> Timed:
        call = decode_step(model(dtype), batch_size, positions)
        fields = {"dtype": dtype_name(dtype), "batch_size": batch_size, "positions": positions}
        work = decode_work(bench.sizes.config, batch_size, positions, dtype)
        name = "step in a CUDA graph" if in_graph else "step"
        return bench.time(graph_of(call) if in_graph else call, name=name, **fields, **work)

    for dtype in HALF_AND_FULL:
        for in_graph in (False, True) if bench.device.type == "cuda" else (False,):
            for batch_size in bench.sizes.batches:
                title = f"a step of {batch_size} sequences, {dtype_name(dtype)}"
                yield title, partial(measure, dtype, batch_size, in_graph)


def training(bench: Bench) -> Iterator[Step]:
    """A training step, optimizer and all: in float32, and under autocast. Its FLOPs: three times the forward pass's."""
    config, (batch_size, positions) = bench.sizes.config, bench.sizes.training

    def measure(dtype: torch.dtype) -> Timed:
        flops = 3 * batch_size * forward_flops(config, positions, positions)
        require_fast(flops, dtype, bench.device)
        torch.manual_seed(0)
        model = GPT(config).to(bench.device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        scaler = torch.amp.GradScaler(bench.device.type, enabled=dtype == torch.float16)
        sequence = torch.randint(config.vocab_size, (batch_size, positions + 1), device=bench.device)

        def step() -> None:
            with torch.autocast(bench.device.type, dtype=dtype, enabled=dtype != torch.float32):
                logits = model(sequence[:, :-1])
                loss = F.cross_entropy(logits.flatten(0, 1), sequence[:, 1:].flatten())
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()

        name = "float32" if dtype == torch.float32 else f"autocast {dtype_name(dtype)}"
        fields = {"dtype": dtype_name(dtype), "batch_size": batch_size, "positions": positions, "flops": flops}
        return bench.time(step, name=name, **fields)

    for dtype in (*HALF_AND_FULL, torch.float16):
        yield f"a training step, {dtype_name(dtype)}", partial(measure, dtype)
