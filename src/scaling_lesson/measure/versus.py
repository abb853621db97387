"""Our cached generation beside transformers' greedy one: the same weights, the same tokens, turn by turn in one run."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch.utils.benchmark import Timer

from scaling_lesson.generation import generate_with_cache
from scaling_lesson.gpt import GPT, load_gpt2_weights
from scaling_lesson.measure.model import decode_work
from scaling_lesson.measure.operations import HALF_AND_FULL, Bench
from scaling_lesson.measure.results import Timed, dtype_name
from scaling_lesson.measure.timing import quartiles


def generate(bench: Bench, batch_sizes: tuple[int, ...] = (1, 8)) -> Iterator[tuple[Timed, Timed]]:
    """(ours, transformers') for each dtype and batch size: one whole generation, prompt and all.

    Both are run in turn, so that a machine that slows down slows both. memory_bytes: of all steps, the weights at each.
    """
    from transformers import GPT2Config, GPT2LMHeadModel  # only here: it takes seconds, and the site does without

    config, sizes = bench.sizes.config, bench.sizes
    torch.manual_seed(0)
    theirs: Any = GPT2LMHeadModel(  # whose types say less than it does
        GPT2Config(
            n_layer=config.n_layer,
            n_head=config.n_head,
            n_embd=config.d_model,
            n_inner=config.d_ff,
            vocab_size=config.vocab_size,
            n_positions=config.max_seq_len,
            bos_token_id=None,
            eos_token_id=None,
        )
    ).eval()
    ours = GPT(config).requires_grad_(False)
    load_gpt2_weights(ours, theirs.state_dict())
    for dtype in HALF_AND_FULL:
        ours, theirs = ours.to(bench.device, dtype), theirs.to(bench.device, dtype)
        for B in batch_sizes:
            prompt = torch.randint(config.vocab_size, (B, sizes.prompt), device=bench.device)
            greedy = {"max_new_tokens": sizes.new_tokens, "do_sample": False, "pad_token_id": 0}
            us = partial(generate_with_cache, ours, prompt, sizes.new_tokens)
            them = partial(theirs.generate, prompt, attention_mask=torch.ones_like(prompt), **greedy)
            # The last token is chosen, and not put through the model.
            seen = range(sizes.prompt, sizes.prompt + sizes.new_tokens)
            moved = sum(decode_work(config, B, positions, dtype)["memory_bytes"] for positions in seen)
            fields = {"dtype": dtype_name(dtype), "batch_size": B, "positions": seen[-1], "memory_bytes": moved}
            our_s, their_s = in_turn(us, them, sizes.rounds)
            yield Timed(name="ours", **fields, **our_s), Timed(name="transformers", **fields, **their_s)


def in_turn(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[dict, dict]:
    """The seconds of both, as fields of a `Timed`: one after the other, `rounds` times. `timeit` warms up twice."""
    timers = [Timer("call()", globals={"call": call}, num_threads=torch.get_num_threads()) for call in (first, second)]
    turns = [[timer.timeit(1).median for timer in timers] for _ in range(rounds)]
    return quartiles([turn[0] for turn in turns]), quartiles([turn[1] for turn in turns])
