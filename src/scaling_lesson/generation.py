"""Making text with the GPT: with a cache and without one, the most likely token or a drawn one.

Both ways give the same tokens; what they make the model process differs, and `count_positions` measures it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn as nn
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from scaling_lesson.checks import require_finite, require_in_vocabulary, require_positive_int, require_tokens
from scaling_lesson.gpt import GPT, KVCache


def next_token(
    logits: Float[Tensor, "B vocab_size"], temperature: float = 0, generator: Generator | None = None
) -> Int64[Tensor, "B 1"]:
    """The next token ids, from the last position's logits.

    Temperature 0 takes the largest logit. Above 0, one draw from softmax(logits / temperature) for each sequence,
    from `generator`, or from torch's current random stream when it is None. The logits are not read, which would wait
    for the device at every token, so nothing here asks whether they are finite.
    Raises ValueError for logits of another shape, a temperature below 0 or not finite, or a generator that
    temperature 0 would not use.
    """
    if logits.ndim != 2 or logits.numel() == 0:
        raise ValueError(f"logits must have shape (B, vocab_size), both at least 1; got {tuple(logits.shape)}")
    require_finite(temperature=temperature)
    if temperature < 0:
        raise ValueError(f"temperature must be at least 0; got {temperature!r}")
    if temperature == 0 and generator is not None:
        raise ValueError(f"generator must be None at temperature 0, which draws nothing; got {generator!r}")

    if temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)
    # Divided after the largest is taken off, so that a tiny temperature gives 0 and -inf, not inf.
    logits = logits - logits.amax(dim=-1, keepdim=True)
    return torch.multinomial(F.softmax(logits / temperature, dim=-1), num_samples=1, generator=generator)


@torch.no_grad()
def prefill(model: GPT, prompt: Int64[Tensor, "B P"]) -> tuple[Float[Tensor, "B vocab_size"], KVCache]:
    """Logits after the prompt, and a cache holding its P positions, from one forward pass.

    Raises ValueError for a prompt that is not tokens of the model, or longer than max_seq_len.
    """
    require_in_vocabulary(model.config.vocab_size, prompt=prompt)

    weight = model.lm_head.weight
    cache = KVCache(model.config, prompt.size(0), weight.dtype, weight.device)
    return model(prompt, cache, last_only=True)[:, -1], cache


@torch.no_grad()
def decode_one_token(model: GPT, token: Int64[Tensor, "B 1"], cache: KVCache) -> Float[Tensor, "B vocab_size"]:
    """Logits after one more token, whose keys and values are added to the cache. Nothing is read back from the device.

    Raises ValueError when token has another shape or dtype, or the cache is full.
    """
    require_tokens(token=token)
    if token.size(1) != 1:
        raise ValueError(f"token must have shape (B, 1); got {tuple(token.shape)}")

    return model(token, cache)[:, -1]


@torch.no_grad()
def generate(
    model: GPT,
    prompt: Int64[Tensor, "B P"],
    n_new_tokens: int,
    temperature: float = 0,
    generator: Generator | None = None,
) -> Int64[Tensor, "B P_and_new"]:
    """Tokens (B, P + n_new_tokens): the prompt and what follows it, every step from the whole sequence.

    Once the text is longer than max_seq_len, the model sees its last max_seq_len tokens only, as in the generate()
    you wrote. Temperature and generator choose the token, as `next_token` says.
    Raises ValueError for a prompt that is not tokens of the model or longer than max_seq_len, and for a bad count,
    temperature or generator.
    """
    _require_prompt(model, prompt, n_new_tokens)

    tokens = prompt
    for _ in range(n_new_tokens):
        window = tokens[:, -model.config.max_seq_len :]
        logits = model(window)[:, -1]
        tokens = torch.cat([tokens, next_token(logits, temperature, generator)], dim=1)
    return tokens


def generate_with_cache(
    model: GPT,
    prompt: Int64[Tensor, "B P"],
    n_new_tokens: int,
    temperature: float = 0,
    generator: Generator | None = None,
) -> Int64[Tensor, "B P_and_new"]:
    """Tokens (B, P + n_new_tokens), the same as `generate` gives: the prompt once, then one new token a step.

    Once the window is full it slides, and every kept token moves to another position. GPT-2 adds a learned vector
    for each absolute position, so all cached keys and values are then wrong (and those above the first layer were
    computed from tokens since dropped): the cache is dropped and the window prefilled again, at every step from
    there on. Both functions give the same tokens in exact arithmetic; in float32 their logits differ in the last
    digits, so a tie between two tokens could fall either way. Raises ValueError as `generate` does.
    """
    _require_prompt(model, prompt, n_new_tokens)

    tokens, cache = prompt, None
    with torch.inference_mode():  # less for torch to note at every operation than without gradients
        for _ in range(n_new_tokens):
            if cache is None or cache.length == model.config.max_seq_len:
                logits, cache = prefill(model, tokens[:, -model.config.max_seq_len :])
            else:
                logits = decode_one_token(model, tokens[:, -1:], cache)
            tokens = torch.cat([tokens, next_token(logits, temperature, generator)], dim=1)
    return tokens.clone()  # which may be trained on


def _require_prompt(model: GPT, prompt: Tensor, n_new_tokens: int) -> None:
    require_positive_int(n_new_tokens=n_new_tokens)
    require_in_vocabulary(model.config.vocab_size, prompt=prompt)
    if prompt.size(1) > model.config.max_seq_len:
        limit = model.config.max_seq_len
        raise ValueError(f"prompt must have at most max_seq_len={limit} tokens; got {prompt.size(1)}")


@contextmanager
def count_positions(model: GPT) -> Iterator[list[int]]:
    """A list that gains one number for every forward pass inside the `with`: the token positions it processed, B x T.

    It tells a cached run from an uncached one by what the model was really given.
    """
    counted: list[int] = []

    def count(_model: nn.Module, args: tuple, kwargs: dict) -> None:
        counted.append((args[0] if args else kwargs["tokens"]).numel())

    handle = model.register_forward_pre_hook(count, with_kwargs=True)
    try:
        yield counted
    finally:
        handle.remove()
