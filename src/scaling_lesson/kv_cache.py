"""KV caching: what generating costs with a cache and without one, and what the cache itself costs.

Three things are counted, and never called by one name: token positions processed, query-key pairs scored, and FLOPs.
A prompt of P positions is followed by T new tokens, one a step. Without a cache step t processes all P + t - 1
positions. With one, step 1 processes the prompt and every later step the one new position, whose query still meets the
key of every position before it. All counts are for one sequence that stays inside the context window.
"""

import torch

from scaling_lesson.accounting import forward_flops, parameter_count
from scaling_lesson.checks import require_bool, require_number_dtype, require_positive_int
from scaling_lesson.models import ModelConfig, require_gpt2_layout, require_in_context


def kv_cache_bytes_per_token(config: ModelConfig, dtype: torch.dtype = torch.float16) -> int:
    """Bytes one token position adds to the cache: 2 x n_layer x n_kv_head x head_dim x bytes per number.

    The 2 is for K and V. Fewer key-value heads than query heads make it smaller by that factor: n_kv_head = n_head is
    multi-head attention, 1 is multi-query attention (Shazeer 2019, Fast Transformer Decoding), and what lies between
    is grouped-query attention (Ainslie et al. 2023). Scales that 8-bit caches keep beside the numbers are not counted.
    Raises ValueError when dtype is not a floating-point or 8-bit integer torch dtype.
    """
    require_number_dtype(dtype=dtype)

    return 2 * config.n_layer * config.n_kv_head * config.head_dim * dtype.itemsize


def kv_cache_bytes(config: ModelConfig, seq_len: int, batch_size: int = 1, dtype: torch.dtype = torch.float16) -> int:
    """Bytes of the keys and values of batch_size sequences of seq_len positions.

    K and V of every layer have shape (batch_size, n_kv_head, seq_len, head_dim).
    Raises ValueError for a size that is not a positive integer, seq_len above max_seq_len, or another dtype.
    """
    require_in_context(config, seq_len=seq_len)
    require_positive_int(batch_size=batch_size)

    return batch_size * seq_len * kv_cache_bytes_per_token(config, dtype)


def positions_per_step(prompt_len: int, n_new_tokens: int, cached: bool) -> list[int]:
    """Token positions processed at each step: P, P+1, ..., P+T-1 without a cache, and P, 1, 1, ... with one.

    Raises ValueError for a length that is not a positive integer.
    """
    require_positive_int(prompt_len=prompt_len, n_new_tokens=n_new_tokens)
    require_bool(cached=cached)

    if cached:
        return [prompt_len] + [1] * (n_new_tokens - 1)
    return [prompt_len + step - 1 for step in range(1, n_new_tokens + 1)]


def positions_processed(prompt_len: int, n_new_tokens: int, cached: bool) -> int:
    """Token positions processed in all: T P + T (T-1) / 2 without a cache, P + T - 1 with one.

    Raises ValueError as `positions_per_step` does.
    """
    return sum(positions_per_step(prompt_len, n_new_tokens, cached))


def recomputed_positions(prompt_len: int, step: int) -> int:
    """Positions whose keys and values step `step` computes again when there is no cache: P + t - 2, or 0 at step 1.

    Of the P + t - 1 positions of step t, only the last is new. Raises ValueError as `positions_per_step` does.
    """
    require_positive_int(prompt_len=prompt_len, step=step)

    return 0 if step == 1 else prompt_len + step - 2


def query_key_pairs_per_step(prompt_len: int, n_new_tokens: int, cached: bool) -> list[int]:
    """Query-key pairs the causal mask lets through at each step, in one head of one layer.

    Each position meets itself and those before it: L (L+1) / 2 pairs when all L positions are queries, L when only
    the last one is. Raises ValueError as `positions_per_step` does.
    """
    require_bool(cached=cached)

    lengths = positions_per_step(prompt_len, n_new_tokens, cached=False)
    pairs = [length * (length + 1) // 2 for length in lengths]
    return pairs[:1] + lengths[1:] if cached else pairs


def query_key_pairs(prompt_len: int, n_new_tokens: int, cached: bool) -> int:
    """Query-key pairs in all steps, in one head of one layer; raises ValueError as `positions_per_step` does."""
    return sum(query_key_pairs_per_step(prompt_len, n_new_tokens, cached))


def flops_per_step(config: ModelConfig, prompt_len: int, n_new_tokens: int, cached: bool) -> list[int]:
    """FLOPs of each step of generating, counted as `accounting.forward_flops` does: logits at every position of a step.

    `generation.prefill` leaves out those of all but the prompt's last: 2 d_model vocab_size FLOPs for each.
    Raises ValueError as `positions_per_step` and `forward_flops` do.
    """
    new = positions_per_step(prompt_len, n_new_tokens, cached)
    keys = positions_per_step(prompt_len, n_new_tokens, cached=False)
    return [forward_flops(config, new_positions, length) for new_positions, length in zip(new, keys, strict=True)]


def generation_flops(config: ModelConfig, prompt_len: int, n_new_tokens: int, cached: bool) -> int:
    """FLOPs of all steps of generating; raises ValueError as `flops_per_step` does."""
    return sum(flops_per_step(config, prompt_len, n_new_tokens, cached))


def step_traffic_bytes(
    config: ModelConfig, key_positions: int, cached: bool, dtype: torch.dtype = torch.float16
) -> int:
    """The least bytes of memory traffic in the step that brings a GPT-2 to key_positions positions.

    Counted: every weight the step uses, once. That is all but the rows of the position table it does not look up: it
    uses one with a cache, key_positions without. (The token table is used whole, for the logits.) With a cache also
    K and V of every position: those of the earlier ones are read and those of the new one written. Not counted:
    activations, which a perfect implementation keeps on the chip; token ids and logits.
    Raises ValueError for key_positions that is not a positive integer up to max_seq_len, another dtype, or another
    layout than GPT-2's.
    """
    require_gpt2_layout(config)
    require_in_context(config, key_positions=key_positions)
    require_bool(cached=cached)
    require_number_dtype(dtype=dtype)

    new_positions = 1 if cached else key_positions
    unused = (config.max_seq_len - new_positions) * config.d_model
    weights_bytes = (parameter_count(config) - unused) * dtype.itemsize
    return weights_bytes + (kv_cache_bytes(config, key_positions, dtype=dtype) if cached else 0)
