import math
from math import nan

import pytest
import torch
import torch.nn.functional as F

from scaling_lesson.generation import count_positions, generate, generate_with_cache, next_token
from scaling_lesson.gpt import GPT, Head, KVCache
from scaling_lesson.models import GPT2_SMALL, LLAMA3_70B, ModelConfig

torch.set_num_threads(1)  # the tensors are tiny: threads would only wait for each other

# Distinct primes where sizes could be swapped; d_model = 3 x 7.
CONFIG = ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)


def seeded_model(seed=0):
    """A model whose layers all matter: at GPT-2's deviation of 0.02 a model this narrow nearly ignores them."""
    torch.manual_seed(seed)
    model = GPT(CONFIG)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
        # With gains of 1 the tied table favours the token just seen, and greedy decoding repeats it.
        model.transformer.ln_f.weight.copy_(torch.randn(CONFIG.d_model))
    return model


def tokens_of(batch_size, seq_len, seed=1):
    return torch.randint(CONFIG.vocab_size, (batch_size, seq_len), generator=torch.Generator().manual_seed(seed))


# -- the model ---------------------------------------------------------------------------------------------------------


def test_the_state_dict_has_the_keys_of_the_published_gpt2():
    expected = {"transformer.wte.weight", "transformer.wpe.weight", "lm_head.weight"}
    expected |= {f"transformer.ln_f.{kind}" for kind in ("weight", "bias")}
    for layer in range(CONFIG.n_layer):
        for module in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"):
            expected |= {f"transformer.h.{layer}.{module}.{kind}" for kind in ("weight", "bias")}
    assert set(GPT(CONFIG).state_dict()) == expected


def test_the_output_projection_is_the_token_table():
    model = GPT(CONFIG)
    assert model.lm_head.weight is model.transformer.wte.weight


def test_weights_start_as_gpt2s_do():
    torch.manual_seed(0)
    config = ModelConfig("wide", 2, 2, 2, 128, 512, 1009, 256, GPT2_SMALL.source)
    for name, parameter in GPT(config).named_parameters():
        if name.endswith("bias"):
            assert parameter.eq(0).all(), name
        elif ".ln_" in name:
            assert parameter.eq(1).all(), name
        else:
            expected = 0.02 / math.sqrt(4) if "c_proj" in name else 0.02  # two residual writers in each of two layers
            # The deviation of n draws strays by expected / sqrt(2n), at most 0.6 % here; 5 times that never happens.
            assert parameter.std().item() == pytest.approx(expected, rel=0.03), name


def reference_logits(model, tokens):
    """The same model in float64, one number at a time: Python loops over batch, positions, heads and keys."""
    weights = {name: tensor.double() for name, tensor in model.state_dict().items()}
    head_dim = CONFIG.d_model // CONFIG.n_head

    def layer_norm(x, name):
        centred = x - x.mean()
        return centred / (centred.square().mean() + 1e-5).sqrt() * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def linear(x, name):
        return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]

    def gelu(x):
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    logits = []
    for sequence in tokens.tolist():
        stream = [
            weights["transformer.wte.weight"][token] + weights["transformer.wpe.weight"][position]
            for position, token in enumerate(sequence)
        ]
        for layer in range(CONFIG.n_layer):
            name = f"transformer.h.{layer}"
            projected = [linear(layer_norm(x, f"{name}.ln_1"), f"{name}.attn.c_attn") for x in stream]
            attended = []
            for position in range(len(stream)):
                heads = []
                for head in range(CONFIG.n_head):
                    first = head * head_dim
                    q = projected[position][first : first + head_dim]
                    keys = [projected[j][CONFIG.d_model + first :][:head_dim] for j in range(position + 1)]
                    values = [projected[j][2 * CONFIG.d_model + first :][:head_dim] for j in range(position + 1)]
                    exps = [math.exp(float(q @ k) / math.sqrt(head_dim)) for k in keys]
                    heads.append(sum(e / sum(exps) * v for e, v in zip(exps, values)))
                attended.append(linear(torch.cat(heads), f"{name}.attn.c_proj"))
            stream = [x + a for x, a in zip(stream, attended)]
            stream = [
                x + linear(gelu(linear(layer_norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc")), f"{name}.mlp.c_proj")
                for x in stream
            ]
        outputs = [weights["lm_head.weight"] @ layer_norm(x, "transformer.ln_f") for x in stream]
        logits.append(torch.stack(outputs))
    return torch.stack(logits)


def test_the_forward_pass_is_the_formula():
    model, tokens = seeded_model(), tokens_of(2, 11)
    with torch.no_grad():
        difference = (model.double()(tokens) - reference_logits(model, tokens)).abs().max().item()
    # float64 rounds at 1e-16; a few hundred operations on numbers of size 10 stay far below 1e-11.
    assert difference < 1e-11


@pytest.mark.parametrize("n_query", [1, 2, 5, 13])
def test_a_head_is_torchs_attention_for_the_last_queries(n_query):
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 3, 13, 7, dtype=torch.float64)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)[..., -n_query:, :]
    # Two orders of summing float64 numbers of size 1.
    assert (Head()(q[..., -n_query:, :], k, v) - expected).abs().max().item() < 1e-14


def test_later_tokens_do_not_change_earlier_logits():
    model, tokens = seeded_model(), tokens_of(2, 13)
    changed = tokens.clone()
    changed[:, 7:] = (tokens[:, 7:] + 1) % CONFIG.vocab_size
    with torch.no_grad():
        before, after = model(tokens), model(changed)
    # A masked score weighs exactly 0, and both passes do the same arithmetic in the same order.
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.allclose(before[:, 7:], after[:, 7:])


# -- the cache ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [[17], [1] * 17, [11, 1, 1, 1, 1, 1, 1], [5, 7, 2, 3]], ids=str)
def test_logits_through_a_cache_are_those_of_one_pass(chunks):
    model, tokens = seeded_model(), tokens_of(3, sum(chunks))
    cache = KVCache(CONFIG.n_layer)
    with torch.no_grad():
        through = torch.cat([model(part, cache) for part in tokens.split(chunks, dim=1)], dim=1)
        difference = (through - model(tokens)).abs().max().item()
    assert cache.length == 17
    # The same sums in another order in float32: logits of size 10 times 6e-8, over 5 layers. A key or a position out
    # of place changes logits by more than 0.1.
    assert difference < 1e-4


def test_keys_and_values_from_steps_are_those_of_one_pass():
    model, tokens = seeded_model(), tokens_of(1, 23)
    whole, stepwise = KVCache(CONFIG.n_layer), KVCache(CONFIG.n_layer)
    with torch.no_grad():
        model(tokens, whole)
        for position in range(23):
            model(tokens[:, position : position + 1], stepwise)
    pairs = zip(whole.keys + whole.values, stepwise.keys + stepwise.values)
    differences = [(a - b).abs().max().item() for a, b in pairs]
    # Equal in exact arithmetic; sums in another order in float32, as above.
    assert max(differences) < 1e-4


def test_a_slid_window_changes_every_key_and_value():
    model, tokens = seeded_model(), tokens_of(1, CONFIG.max_seq_len + 1)
    old, new = KVCache(CONFIG.n_layer), KVCache(CONFIG.n_layer)
    with torch.no_grad():
        model(tokens[:, :-1], old)
        model(tokens[:, 1:], new)
    for layer in range(CONFIG.n_layer):
        # The same tokens, kept by both windows, one position apart.
        change = (old.keys[layer][:, :, 1:] - new.keys[layer][:, :, :-1]).abs().amax(dim=(0, 1, 3))
        assert change.min().item() > 1e-2, layer


def greedy_by_hand(model, prompt, n_new_tokens):
    tokens = prompt.tolist()[0]
    for _ in range(n_new_tokens):
        with torch.no_grad():
            last = model(torch.tensor([tokens[-CONFIG.max_seq_len :]]))[0, -1].tolist()
        tokens.append(max(range(CONFIG.vocab_size), key=last.__getitem__))
    return tokens


@pytest.mark.parametrize("prompt_len, n_new_tokens", [(1, 1), (1, 28), (7, 11), (13, 29), (29, 3), (37, 5)])
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


@pytest.mark.parametrize(
    "tokens, cached, message",
    [
        (tokens_of(1, 30), 0, "cached and new tokens must fit max_seq_len=29; got 0 cached and 30 new"),
        (tokens_of(1, 7), 23, "cached and new tokens must fit max_seq_len=29; got 23 cached and 7 new"),
        (tokens_of(2, 1), 3, "cache must hold as many sequences as tokens, 2; got 1"),
        (tokens_of(1, 1).float(), 0, "tokens must be an int64 tensor; got torch.float32"),
    ],
)
def test_bad_tokens_are_refused_by_name(tokens, cached, message):
    model, cache = GPT(CONFIG), KVCache(CONFIG.n_layer)
    if cached:
        model(tokens_of(1, cached), cache)
    with pytest.raises(ValueError, match=f"^{message}$"):
        model(tokens, cache)
    assert cache.length == cached


def test_a_cache_of_another_depth_is_refused():
    with pytest.raises(ValueError, match="^cache must have n_layer=5 layers; got 4$"):
        GPT(CONFIG)(tokens_of(1, 1), KVCache(4))
    with pytest.raises(ValueError, match="^n_layer must be a positive integer; got 0$"):
        KVCache(0)


def test_a_model_with_shared_key_value_heads_is_refused():
    with pytest.raises(ValueError, match="^n_kv_head must equal n_head in the GPT-2 architecture; got n_kv_head=8"):
        GPT(LLAMA3_70B)
