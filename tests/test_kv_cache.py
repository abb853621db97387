from dataclasses import replace
from math import nan

import pytest
import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

from scaling_lesson.accounting import forward_flops
from scaling_lesson.generation import count_positions, generate, generate_with_cache
from scaling_lesson.gpt import GPT, KVCache
from scaling_lesson.kv_cache import (
    flops_per_step,
    generation_flops,
    kv_cache_bytes,
    kv_cache_bytes_per_token,
    positions_per_step,
    positions_processed,
    query_key_pairs,
    query_key_pairs_per_step,
    recomputed_positions,
    step_traffic_bytes,
)
from scaling_lesson.models import GPT2_SMALL, LLAMA2_7B, LLAMA3_70B, QWEN3_4B, ModelConfig

# Distinct primes where sizes could be swapped; d_model = 3 x 7.
CONFIG = ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)
QWEN3_4B_SIZES = transformers.Qwen3Config(
    num_hidden_layers=36,
    num_attention_heads=32,
    num_key_value_heads=8,
    head_dim=128,
    hidden_size=2560,
    intermediate_size=9728,
)
GENERATORS = {False: generate, True: generate_with_cache}
RUNS = [(1, 1), (1, 7), (2, 1), (7, 11), (13, 3)]


def tokens_of(batch_size, seq_len):
    return torch.arange(batch_size * seq_len).view(batch_size, seq_len) % CONFIG.vocab_size


# -- the lesson's numbers ----------------------------------------------------------------------------------------------


def test_a_prompt_of_10_and_100_new_tokens():
    assert positions_processed(10, 100, cached=False) == 5_950
    assert positions_processed(10, 100, cached=True) == 109
    assert f"{5_950 / 109:.1f}" == "54.6"
    flops = [generation_flops(GPT2_SMALL, 10, 100, cached) for cached in (False, True)]
    assert f"{flops[0] / flops[1]:.1f}" == "54.7"


def test_a_prompt_of_1_and_100_new_tokens():
    assert positions_processed(1, 100, cached=False) == 5_050
    assert positions_processed(1, 100, cached=True) == 100
    assert query_key_pairs(1, 100, cached=False) == 171_700
    assert query_key_pairs(1, 100, cached=True) == 5_050
    assert (5_050 / 100, 171_700 / 5_050) == (50.5, 34)


def test_a_prompt_of_1_and_1000_new_tokens():
    assert positions_processed(1, 1000, cached=False) == 500_500
    assert positions_processed(1, 1000, cached=True) == 1_000


def test_a_full_window_of_gpt2_small():
    uncached, cached = (flops_per_step(GPT2_SMALL, 1, 1024, cached) for cached in (False, True))
    assert uncached[-1] == 1024 * cached[-1]  # exactly
    assert f"{sum(uncached) / sum(cached):.1f}" == "524.6"
    assert positions_processed(1, 1024, cached=False) / positions_processed(1, 1024, cached=True) == 512.5
    assert round(uncached[-1] / uncached[0]) == 1180


def test_the_cache_of_gpt2_small():
    assert kv_cache_bytes(GPT2_SMALL, 1024) == 37_748_736 == 36 * 2**20  # 37.7 MB
    assert kv_cache_bytes(GPT2_SMALL, 1024, batch_size=32) == 1_207_959_552 == 1.125 * 2**30  # 1.2 GB
    assert kv_cache_bytes_per_token(GPT2_SMALL) == 36_864 == 36 * 2**10


@pytest.mark.parametrize(
    "n_kv_head, kib", [(64, 2_560), (8, 320), (1, 40)], ids=["multi-head", "grouped-query", "multi-query"]
)
def test_the_cache_of_llama_3_70b_under_each_kind_of_attention(n_kv_head, kib):
    config = replace(LLAMA3_70B, n_kv_head=n_kv_head)
    assert kv_cache_bytes_per_token(config, torch.bfloat16) == kib * 2**10
    # 8 bits a number, as an integer or a float, are half of it.
    for dtype in (torch.int8, torch.float8_e4m3fn):
        assert kv_cache_bytes_per_token(config, dtype) == kib * 2**9


def test_a_context_of_llama_2_7b_takes_2_gib():
    # 512 KiB a token, 4,096 tokens.
    assert kv_cache_bytes_per_token(LLAMA2_7B) == 512 * 2**10
    assert kv_cache_bytes(LLAMA2_7B, 4096) == 2 * 2**30


def test_recomputed_positions_are_p_plus_t_minus_2_after_the_first_step():
    assert [recomputed_positions(10, step) for step in (1, 2, 3, 100)] == [0, 10, 11, 108]


# -- each count by a second route --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("prompt_len, n_new_tokens", RUNS)
def test_positions_are_those_the_model_is_given(prompt_len, n_new_tokens, cached):
    model = GPT(CONFIG)
    with count_positions(model) as counted:
        GENERATORS[cached](model, tokens_of(1, prompt_len), n_new_tokens)
    assert positions_per_step(prompt_len, n_new_tokens, cached) == counted
    assert positions_processed(prompt_len, n_new_tokens, cached) == sum(counted)


@pytest.mark.parametrize("prompt_len, n_new_tokens", RUNS)
def test_positions_follow_the_closed_forms(prompt_len, n_new_tokens):
    P, T = prompt_len, n_new_tokens
    assert positions_processed(P, T, cached=False) == T * P + T * (T - 1) // 2
    assert positions_processed(P, T, cached=True) == P + T - 1


@pytest.mark.parametrize("prompt_len, n_new_tokens", RUNS)
def test_recomputed_and_new_positions_make_up_each_uncached_step(prompt_len, n_new_tokens):
    have = set()
    for step, processed in enumerate(positions_per_step(prompt_len, n_new_tokens, cached=False), start=1):
        positions = set(range(processed))
        assert recomputed_positions(prompt_len, step) == len(positions & have)
        have |= positions


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("prompt_len, n_new_tokens", RUNS)
def test_query_key_pairs_are_the_pairs_one_can_list(prompt_len, n_new_tokens, cached):
    listed, done = [], 0
    for length in range(prompt_len, prompt_len + n_new_tokens):
        queries = range(done, length) if cached else range(length)
        listed.append(sum(1 for query in queries for key in range(length) if key <= query))
        done = length
    assert query_key_pairs_per_step(prompt_len, n_new_tokens, cached) == listed
    assert query_key_pairs(prompt_len, n_new_tokens, cached) == sum(listed)


@pytest.mark.parametrize("new_positions, key_positions", [(1, 1), (1, 23), (11, 11), (5, 17), (29, 29)])
def test_flops_of_a_pass_are_those_torch_counts(new_positions, key_positions):
    model, cache = GPT(CONFIG), KVCache(CONFIG)
    with torch.no_grad():
        if key_positions > new_positions:
            model(tokens_of(1, key_positions - new_positions), cache)
        with FlopCounterMode(display=False) as counter:
            model(tokens_of(1, new_positions), cache)
    assert forward_flops(CONFIG, new_positions, key_positions) == counter.get_total_flops()


@pytest.mark.parametrize("cached", [False, True])
def test_flops_of_a_run_are_those_torch_counts(cached):
    model = GPT(CONFIG)
    with FlopCounterMode(display=False) as counter:
        GENERATORS[cached](model, tokens_of(1, 7), 11)
    # `prefill` makes no logits before the prompt's last position.
    left_out = 6 * 2 * CONFIG.d_model * CONFIG.vocab_size if cached else 0
    assert generation_flops(CONFIG, 7, 11, cached) == counter.get_total_flops() + left_out


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_cache_fills_what_it_reserved_to_the_byte(dtype):
    model, cache = GPT(CONFIG).to(dtype), KVCache(CONFIG, batch_size=2, dtype=dtype, max_seq_len=13)
    reserved = kv_cache_bytes(CONFIG, 13, batch_size=2, dtype=dtype)
    with torch.no_grad():
        for seq_len, new_positions in ((7, 7), (8, 1), (9, 1), (12, 3)):
            model(tokens_of(2, new_positions), cache)
            filled = [kept[..., : cache.length, :] for kept in (cache.keys, cache.values)]
            held = sum(numbers.numel() * numbers.element_size() for numbers in filled)
            assert cache.length == seq_len
            assert held == kv_cache_bytes(CONFIG, seq_len, batch_size=2, dtype=dtype)
            assert cache.nbytes == reserved
    assert held == 2 * 12 * kv_cache_bytes_per_token(CONFIG, dtype)


def test_all_of_the_context_is_reserved_unless_told():
    assert KVCache(CONFIG).nbytes == kv_cache_bytes(CONFIG, 29, dtype=torch.float32)


def keys_and_values_of_a_llama(n_kv_head, batch_size, lengths):
    """(config, all keys and values) in Hugging Face's cache of a tiny Llama, in bfloat16, after these passes."""
    config = ModelConfig("Llama primes", 5, 15, n_kv_head, 30, 83, 101, 29, GPT2_SMALL.source, "Llama")
    sizes = transformers.LlamaConfig(
        num_hidden_layers=5,
        num_attention_heads=15,
        num_key_value_heads=n_kv_head,
        hidden_size=30,
        intermediate_size=83,
        vocab_size=101,
        max_position_embeddings=29,
        bos_token_id=0,
        eos_token_id=0,
    )
    model, cache = transformers.LlamaForCausalLM(sizes).to(torch.bfloat16).eval(), transformers.DynamicCache()
    with torch.no_grad():
        for length in lengths:
            model(tokens_of(batch_size, length), past_key_values=cache)
    return config, [kept for layer in cache.layers for kept in (layer.keys, layer.values)]


@pytest.mark.parametrize("batch_size, lengths", [(1, [1]), (2, [7, 1, 1, 3]), (3, [29])], ids=str)
@pytest.mark.parametrize("n_kv_head", [1, 3, 5, 15])
def test_the_cache_of_a_llama_is_as_large_as_hugging_faces(n_kv_head, batch_size, lengths):
    config, kept = keys_and_values_of_a_llama(n_kv_head, batch_size, lengths)
    seq_len = sum(lengths)
    assert len(kept) == 2 * config.n_layer
    assert {tuple(tensor.shape) for tensor in kept} == {(batch_size, n_kv_head, seq_len, config.head_dim)}
    assert kv_cache_bytes(config, seq_len, batch_size, torch.bfloat16) == sum(tensor.nbytes for tensor in kept)
    for dtype in (torch.int8, torch.uint8, torch.float8_e4m3fn, torch.float8_e5m2):
        in_8_bits = sum(tensor.to(dtype).nbytes for tensor in kept)
        assert kv_cache_bytes(config, seq_len, batch_size, dtype) == in_8_bits


def test_a_head_of_a_width_of_its_own_sets_the_bytes_of_a_token():
    # Hugging Face's Qwen3 4B keeps K and V of shape (1, 8, seq_len, 128) in each of 36 layers; d_model / n_head is 80.
    with torch.device("meta"):
        model, cache = transformers.Qwen3ForCausalLM(QWEN3_4B_SIZES).to(torch.bfloat16), transformers.DynamicCache()
        model(torch.zeros(1, 3, dtype=torch.long), past_key_values=cache)
    kept = sum(tensor.nbytes for layer in cache.layers for tensor in (layer.keys, layer.values))
    assert kv_cache_bytes(QWEN3_4B, 3, dtype=torch.bfloat16) == kept
    assert kv_cache_bytes_per_token(QWEN3_4B) == 147_456
    assert kv_cache_bytes_per_token(replace(QWEN3_4B, own_head_dim=None)) == 92_160


def looked_up_weight_bytes(config, new_positions, dtype):
    """Bytes of every weight a forward pass uses, from the modules' own shapes: of the position table, the rows used."""
    with torch.device("meta"):
        model = GPT(config)
    table = model.transformer.wpe.weight
    others = sum(parameter.numel() for parameter in model.parameters() if parameter is not table)
    return (others + new_positions * config.d_model) * dtype.itemsize


@pytest.mark.parametrize("config, length", [(CONFIG, 23), (GPT2_SMALL, 1024)], ids=["primes", "GPT-2 small"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_a_step_moves_the_weights_and_the_cache_once(config, length, dtype):
    uncached = step_traffic_bytes(config, length, False, dtype)
    cached = step_traffic_bytes(config, length, True, dtype)
    assert uncached == looked_up_weight_bytes(config, length, dtype)
    assert cached == looked_up_weight_bytes(config, 1, dtype) + kv_cache_bytes(config, length, dtype=dtype)


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, -1, 2.0, nan, True, "7", None], ids=repr)
@pytest.mark.parametrize(
    "name, call",
    [
        ("seq_len", lambda bad: kv_cache_bytes(CONFIG, bad)),
        ("batch_size", lambda bad: kv_cache_bytes(CONFIG, 7, bad)),
        ("prompt_len", lambda bad: positions_per_step(bad, 7, True)),
        ("n_new_tokens", lambda bad: positions_per_step(7, bad, True)),
        ("prompt_len", lambda bad: positions_processed(bad, 7, False)),
        ("prompt_len", lambda bad: recomputed_positions(bad, 1)),
        ("step", lambda bad: recomputed_positions(7, bad)),
        ("prompt_len", lambda bad: query_key_pairs_per_step(bad, 7, True)),
        ("n_new_tokens", lambda bad: query_key_pairs(7, bad, False)),
        ("new_positions", lambda bad: forward_flops(CONFIG, bad, 7)),
        ("key_positions", lambda bad: forward_flops(CONFIG, 1, bad)),
        ("prompt_len", lambda bad: flops_per_step(CONFIG, bad, 7, True)),
        ("n_new_tokens", lambda bad: generation_flops(CONFIG, 7, bad, True)),
        ("key_positions", lambda bad: step_traffic_bytes(CONFIG, bad, True)),
    ],
)
def test_a_length_must_be_a_positive_integer(name, call, bad):
    with pytest.raises(ValueError, match=f"^{name} must be a positive integer; got {bad!r}$"):
        call(bad)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: kv_cache_bytes(CONFIG, 30), "seq_len must be at most max_seq_len=29; got 30"),
        (lambda: forward_flops(CONFIG, 1, 30), "key_positions must be at most max_seq_len=29; got 30"),
        (lambda: forward_flops(CONFIG, 8, 7), "new_positions must be at most key_positions=7; got 8"),
        (lambda: generation_flops(CONFIG, 7, 24, True), "key_positions must be at most max_seq_len=29; got 30"),
        (lambda: step_traffic_bytes(CONFIG, 30, False), "key_positions must be at most max_seq_len=29; got 30"),
        (lambda: step_traffic_bytes(LLAMA3_70B, 7, True), "layout must be 'GPT-2'; got 'Llama' .*"),
        (lambda: kv_cache_bytes_per_token(CONFIG, torch.int16), "dtype must be a floating-point .*; got torch.int16"),
        (lambda: kv_cache_bytes(CONFIG, 7, dtype="float16"), "dtype must be a floating-point .*; got 'float16'"),
        (lambda: step_traffic_bytes(CONFIG, 7, True, None), "dtype must be a floating-point .*; got None"),
        (lambda: positions_per_step(7, 7, 1), "cached must be True or False; got 1"),
        (lambda: query_key_pairs(7, 7, "no"), "cached must be True or False; got 'no'"),
        (lambda: step_traffic_bytes(CONFIG, 7, None), "cached must be True or False; got None"),
    ],
)
def test_other_bad_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        call()


@pytest.mark.parametrize("cached", [False, True])
def test_counts_are_whole_numbers(cached):
    counts = (
        query_key_pairs_per_step(7, 5, cached) + positions_per_step(7, 5, cached) + flops_per_step(CONFIG, 7, 5, cached)
    )
    assert {type(count) for count in counts} == {int}
