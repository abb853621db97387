import math
from math import nan

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling_lesson.generation import (
    count_positions,
    decode_one_token,
    generate,
    generate_with_cache,
    next_token,
    prefill,
)
from scaling_lesson.gpt import GPT, KVCache, load_gpt2_weights
from scaling_lesson.models import GPT2_SMALL, ModelConfig

# Distinct primes where sizes could be swapped; d_model = 3 x 7.
CONFIG = ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)


def seeded_model(seed=0, config=CONFIG):
    """A model whose layers all matter: at GPT-2's deviation of 0.02 a model this narrow nearly ignores them."""
    torch.manual_seed(seed)
    model = GPT(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
        # With gains of 1 the tied table favours the token just seen, and greedy decoding repeats it.
        model.transformer.ln_f.weight.copy_(torch.randn(config.d_model))
    return model


def tokens_of(batch_size, seq_len, seed=1, config=CONFIG):
    return torch.randint(config.vocab_size, (batch_size, seq_len), generator=torch.Generator().manual_seed(seed))


# -- one set of tokens, two ways ---------------------------------------------------------------------------------------


def greedy_by_hand(model, prompt, n_new_tokens):
    tokens = prompt.tolist()[0]
    for _ in range(n_new_tokens):
        with torch.no_grad():
            last = model(torch.tensor([tokens[-CONFIG.max_seq_len :]]))[0, -1].tolist()
        tokens.append(max(range(CONFIG.vocab_size), key=last.__getitem__))
    return tokens


@pytest.mark.parametrize("prompt_len, n_new_tokens", [(1, 1), (1, 28), (7, 11), (13, 29), (29, 3), (29, 31)])
def test_cached_tokens_equal_uncached_ones_inside_and_past_the_window(prompt_len, n_new_tokens):
    model, prompt = seeded_model(), tokens_of(1, prompt_len)
    uncached = generate(model, prompt, n_new_tokens)
    assert uncached.tolist()[0] == greedy_by_hand(model, prompt, n_new_tokens)
    assert torch.equal(generate_with_cache(model, prompt, n_new_tokens), uncached)
    if n_new_tokens > 1:  # a model that only repeated one token would hide a wrong cache
        assert len(set(uncached[0, prompt_len:].tolist())) > 1


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_cached_samples_equal_uncached_ones_for_equal_draws(temperature):
    model, prompt = seeded_model(), tokens_of(3, 5)

    def sample(function, seed):
        return function(model, prompt, 31, temperature, torch.Generator().manual_seed(seed))

    assert torch.equal(sample(generate, 2), sample(generate_with_cache, 2))
    assert not torch.equal(sample(generate, 2), sample(generate, 3))


def test_without_a_generator_the_draws_are_torchs_own():
    model, prompt = seeded_model(), tokens_of(2, 3)
    torch.manual_seed(5)
    drawn = generate_with_cache(model, prompt, 7, temperature=1.0)
    expected = generate(model, prompt, 7, 1.0, torch.Generator().manual_seed(5))
    assert torch.equal(drawn, expected)


def test_temperature_divides_the_logits():
    logits = torch.tensor([[0.0, math.log(9.0)]]).repeat(20_000, 1)
    for temperature, odds in ((1.0, 9.0), (2.0, 3.0)):  # 9^(1/2) = 3
        share = next_token(logits, temperature, torch.Generator().manual_seed(0)).float().mean().item()
        # One deviation of 20,000 draws is at most 0.0035; the seed is fixed, so this passes always or never.
        assert share == pytest.approx(odds / (1 + odds), abs=0.0105)


# -- random models, prompts and batches --------------------------------------------------------------------------------


@st.composite
def runs(draw):
    """A small model in float64, a prompt that fits its window, and more new tokens than the window has room for."""
    n_head = draw(st.integers(1, 5))
    max_seq_len = draw(st.integers(1, 17))
    config = ModelConfig(
        "random",
        n_layer=draw(st.integers(1, 4)),
        n_head=n_head,
        n_kv_head=n_head,
        d_model=n_head * draw(st.integers(1, 7)),
        d_ff=draw(st.integers(1, 31)),
        vocab_size=draw(st.integers(2, 101)),
        max_seq_len=max_seq_len,
        source=GPT2_SMALL.source,
    )
    seed, batch_size = draw(st.integers(0, 10**6)), draw(st.integers(1, 5))
    prompt = tokens_of(batch_size, draw(st.integers(1, max_seq_len)), seed, config)
    n_new_tokens = max_seq_len - prompt.size(1) + draw(st.integers(1, 7))
    return seeded_model(seed, config).double(), prompt, n_new_tokens


def logits_of_every_step(model, function, *arguments):
    """(tokens, logits): what `function` returns, and the model's logits at the last position at each of its steps."""
    logits = []
    handle = model.register_forward_hook(lambda _model, _args, output: logits.append(output[:, -1]))
    tokens = function(model, *arguments)
    handle.remove()
    return tokens, torch.stack(logits)


def positions_with_cache(batch_size, prompt_len, n_new_tokens, max_seq_len):
    """The prompt, then one position a sequence while the text fits the window, then the whole window at every step."""
    lengths = range(prompt_len, prompt_len + n_new_tokens)  # of the text each step reads
    per_sequence = [max_seq_len if length > max_seq_len else 1 for length in lengths]
    return [batch_size * positions for positions in [prompt_len, *per_sequence[1:]]]


@settings(max_examples=100)
@given(runs())
def test_any_model_gives_the_same_logits_and_tokens_with_a_cache(run):
    model, prompt, n_new_tokens = run
    (B, P), max_seq_len = prompt.size(), model.config.max_seq_len
    uncached, uncached_logits = logits_of_every_step(model, generate, prompt, n_new_tokens)
    with count_positions(model) as processed:
        cached, cached_logits = logits_of_every_step(model, generate_with_cache, prompt, n_new_tokens)
    # The same sums in another order in float64: 1e-16 times logits of size 10, over at most 4 layers. A layer norm
    # over one or two features divides by a deviation that may be near 0, and may so add three digits.
    assert (cached_logits - uncached_logits).abs().max().item() < 1e-11
    assert torch.equal(cached, uncached)
    assert cached.shape == (B, P + n_new_tokens) and torch.equal(cached[:, :P], prompt)
    # The cache was used, or equality would say nothing.
    assert processed == positions_with_cache(B, P, n_new_tokens, max_seq_len)


@settings(max_examples=30)
@given(runs(), st.sampled_from([0.3, 1.0, 2.0]), st.integers(0, 10**6))
def test_any_model_gives_the_same_samples_with_a_cache(run, temperature, seed):
    model, prompt, n_new_tokens = run
    uncached, cached = (
        function(model, prompt, n_new_tokens, temperature, torch.Generator().manual_seed(seed))
        for function in (generate, generate_with_cache)
    )
    assert torch.equal(cached, uncached)


def test_the_logits_equal_in_float32_as_far_as_float32_goes():
    model, prompt = seeded_model(), tokens_of(3, 7)
    uncached, uncached_logits = logits_of_every_step(model, generate, prompt, 31)
    cached, cached_logits = logits_of_every_step(model, generate_with_cache, prompt, 31)
    difference = (cached_logits - uncached_logits).abs()
    # The same sums in another order in float32: logits of size 10 times 6e-8, over 5 layers.
    assert difference.max().item() < 1e-4
    # Steps 2 to 23 take one position each, and there the order really is another.
    assert difference[1:23].max().item() > 0
    assert torch.equal(cached, uncached)


@pytest.mark.parametrize("prompt_len", [1, 7, 28])
def test_prefill_and_decoding_give_the_logits_of_one_pass(prompt_len):
    model, tokens = seeded_model().double(), tokens_of(3, CONFIG.max_seq_len)
    logits, cache = prefill(model, tokens[:, :prompt_len])
    stepwise = [logits]
    for position in range(prompt_len, CONFIG.max_seq_len):
        assert cache.length == position
        stepwise.append(decode_one_token(model, tokens[:, position : position + 1], cache))
    with torch.no_grad():
        expected = model(tokens)[:, prompt_len - 1 :]
    # The same sums in another order in float64, as above.
    assert (torch.stack(stepwise, dim=1) - expected).abs().max().item() < 1e-11


@pytest.mark.parametrize("temperature", [0, 0.7])
def test_a_decode_step_waits_for_no_number(temperature):
    # Tensors on torch's meta device have a shape and no numbers, so whatever reads one raises.
    with torch.device("meta"):
        model, token = GPT(CONFIG), torch.zeros(2, 1, dtype=torch.int64)
        cache = KVCache(CONFIG, batch_size=2, device="meta")
        with pytest.raises(RuntimeError, match="meta"):
            token.max().item()
        for _ in range(3):
            logits = decode_one_token(model, token, cache)
            token = next_token(logits, temperature)
    assert cache.length == 3 and token.shape == (2, 1) and logits.shape == (2, 101)


def test_prefill_makes_logits_for_the_last_position_only():
    model, prompt = seeded_model(), tokens_of(3, 11)
    shapes = []
    model.lm_head.register_forward_hook(lambda _head, _inputs, output: shapes.append(tuple(output.shape)))
    logits, cache = prefill(model, prompt)
    assert shapes == [(3, 1, 101)] and logits.shape == (3, 101)
    assert cache.length == 11 and cache.keys.shape == (5, 3, 3, 29, 7)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_prefill_reserves_a_cache_of_the_models_dtype(dtype):
    model = seeded_model().to(dtype)
    logits, cache = prefill(model, tokens_of(1, 5))
    assert logits.dtype == cache.keys.dtype == cache.values.dtype == dtype


@pytest.mark.parametrize("prompt_len, n_new_tokens", [(1, 28), (13, 11), (28, 1)])
def test_greedy_tokens_are_those_hugging_face_generates(prompt_len, n_new_tokens):
    # Inside the window only: past it Hugging Face's GPT-2 has no position to look up.
    sizes = transformers.GPT2Config(
        n_layer=5,
        n_head=3,
        n_embd=21,
        n_inner=83,
        vocab_size=101,
        n_positions=29,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
        attn_implementation="eager",
    )
    theirs, ours = transformers.GPT2LMHeadModel(sizes).double().eval(), GPT(CONFIG).double()
    weights = seeded_model(seed=prompt_len).double().state_dict()
    turned = ("c_attn.weight", "c_fc.weight", "c_proj.weight")
    theirs.load_state_dict({name: w.t() if name.endswith(turned) else w for name, w in weights.items()})
    load_gpt2_weights(ours, theirs.state_dict())
    prompt = tokens_of(3, prompt_len)
    expected = theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=n_new_tokens, do_sample=False
    )
    assert torch.equal(generate(ours, prompt, n_new_tokens), expected)
    assert torch.equal(generate_with_cache(ours, prompt, n_new_tokens), expected)


# -- counting what was processed ---------------------------------------------------------------------------------------


def test_an_uncached_run_processes_everything_at_every_step():
    with count_positions(model := seeded_model()) as counted:
        generate(model, tokens_of(1, 7), 11)
    assert counted == [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]


def test_a_cached_run_processes_the_prompt_and_then_one_position_a_step():
    with count_positions(model := seeded_model()) as counted:
        generate_with_cache(model, tokens_of(1, 7), 11)
    assert counted == [7] + [1] * 10


def test_past_the_window_both_process_all_of_it():
    model = seeded_model()
    with count_positions(model) as uncached:
        generate(model, tokens_of(1, 27), 6)
    with count_positions(model) as cached:
        generate_with_cache(model, tokens_of(1, 27), 6)
    # Position 29 is the last that fits: it is the step after the prompt and two tokens.
    assert uncached == [27, 28, 29, 29, 29, 29]
    assert cached == [27, 1, 1, 29, 29, 29]


def test_counting_takes_in_the_whole_batch_and_stops_afterwards():
    model = seeded_model()
    with pytest.raises(KeyError), count_positions(model) as counted:
        model(tokens_of(3, 5))
        model(tokens=tokens_of(2, 11))
        raise KeyError
    model(tokens_of(1, 2))
    assert counted == [15, 22]


# -- what is refused ---------------------------------------------------------------------------------------------------

GOOD = tokens_of(2, 3)


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize("function", [generate, generate_with_cache])
@pytest.mark.parametrize(
    "change, message",
    [
        ({"prompt": GOOD[0]}, r"prompt must have shape \(B, T\), both at least 1; got \(3,\)"),
        ({"prompt": GOOD[:, :0]}, r"prompt must have shape \(B, T\), both at least 1; got \(2, 0\)"),
        ({"prompt": GOOD.int()}, "prompt must be an int64 tensor; got torch.int32"),
        ({"prompt": GOOD.float()}, "prompt must be an int64 tensor; got torch.float32"),
        ({"prompt": [[1, 2]]}, "prompt must be an int64 tensor; got <class 'list'>"),
        ({"prompt": GOOD * 0 + 101}, "prompt must lie in 0..vocab_size-1=100; got 101"),
        ({"prompt": GOOD * 0 - 1}, "prompt must lie in 0..vocab_size-1=100; got -1"),
        ({"n_new_tokens": 0}, "n_new_tokens must be a positive integer; got 0"),
        ({"n_new_tokens": True}, "n_new_tokens must be a positive integer; got True"),
        ({"n_new_tokens": 2.0}, "n_new_tokens must be a positive integer; got 2.0"),
        ({"temperature": -0.5}, "temperature must be at least 0; got -0.5"),
        ({"temperature": nan}, "temperature must be finite; got nan"),
        ({"temperature": "hot"}, "temperature must be a number; got 'hot'"),
        ({"generator": torch.Generator()}, "generator must be None at temperature 0"),
    ],
)
def test_bad_generation_arguments_are_refused_by_name(function, change, message):
    arguments = {"prompt": GOOD, "n_new_tokens": 2} | change
    with pytest.raises(ValueError, match=f"^{message}"):
        function(GPT(CONFIG), **arguments)
