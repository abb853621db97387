import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
import transformers
from jaxtyping import TypeCheckError
from torch.profiler import profile

from scaling_lesson.accounting import parameter_count
from scaling_lesson.gpt import GPT, KVCache, Linear, attention, future_mask, load_gpt2_weights
from scaling_lesson.models import GPT2_LARGE, GPT2_MEDIUM, GPT2_SMALL, GPT2_XL, LLAMA3_70B, ModelConfig

# Distinct primes where sizes could be swapped; d_model = 3 x 7.
CONFIG = ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)


def seeded_model(seed=0):
    """A model whose layers all matter: at GPT-2's deviation of 0.02 a model this narrow nearly ignores them."""
    torch.manual_seed(seed)
    model = GPT(CONFIG)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


def tokens_of(batch_size, seq_len, seed=1):
    return torch.randint(CONFIG.vocab_size, (batch_size, seq_len), generator=torch.Generator().manual_seed(seed))


def largest_difference(a, b):
    return (a - b).abs().max().item()


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
                    heads.append(sum(e / sum(exps) * v for e, v in zip(exps, values, strict=True)))
                attended.append(linear(torch.cat(heads), f"{name}.attn.c_proj"))
            stream = [x + a for x, a in zip(stream, attended, strict=True)]
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
def test_attention_is_torchs_for_the_last_queries(n_query):
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 3, 13, 7, dtype=torch.float64)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)[..., -n_query:, :]
    got = attention(q[..., -n_query:, :], k, v, future_mask(n_query, 13, 13 - n_query, q.device))
    # Two orders of summing float64 numbers of size 1.
    assert largest_difference(got, expected) < 1e-14


def test_later_tokens_do_not_change_earlier_logits():
    model, tokens = seeded_model(), tokens_of(2, 13)
    changed = tokens.clone()
    changed[:, 7:] = (tokens[:, 7:] + 1) % CONFIG.vocab_size
    with torch.no_grad():
        before, after = model(tokens), model(changed)
    # A masked score weighs exactly 0, and both passes do the same arithmetic in the same order.
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.allclose(before[:, 7:], after[:, 7:])


# -- the same weights in Hugging Face's GPT-2 --------------------------------------------------------------------------

# (n_layer, n_head, d_model, d_ff, vocab_size, max_seq_len): d_model is a prime times n_head.
SIZES = [
    (1, 1, 2, 3, 5, 7),
    (2, 3, 21, 83, 101, 29),
    (3, 5, 55, 61, 67, 71),
    (5, 7, 91, 89, 97, 11),
    (7, 2, 26, 19, 3, 1),
]


def config_of(n_layer, n_head, d_model, d_ff, vocab_size, max_seq_len):
    return ModelConfig("primes", n_layer, n_head, n_head, d_model, d_ff, vocab_size, max_seq_len, GPT2_SMALL.source)


def hugging_face_gpt2(config):
    """Hugging Face's GPT-2 of these sizes, in evaluation mode, its attention written out ("eager") as ours is."""
    sizes = transformers.GPT2Config(
        n_layer=config.n_layer,
        n_head=config.n_head,
        n_embd=config.d_model,
        n_inner=config.d_ff,
        vocab_size=config.vocab_size,
        n_positions=config.max_seq_len,
        bos_token_id=0,
        eos_token_id=0,
        attn_implementation="eager",
    )
    return transformers.GPT2LMHeadModel(sizes).eval()


def random_gpt2(config, seed):
    """The same in float64, every weight random and large enough that each one moves the logits."""
    torch.manual_seed(seed)
    model = hugging_face_gpt2(config).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


def published_files(model):
    """Its weights under each set of keys they are published with: from the whole model, and from the bare network.

    The bare one has no prefix and no lm_head, and carries the causal masks besides, as the file of GPT-2 small does.
    """
    whole = model.state_dict()
    bare = dict(model.transformer.state_dict())
    n_positions = model.config.n_positions
    for layer in range(model.config.n_layer):
        bare[f"h.{layer}.attn.bias"] = torch.ones(1, 1, n_positions, n_positions).tril()
        bare[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    assert "transformer.h.0.ln_1.weight" in whole and "lm_head.weight" in whole
    assert "h.0.ln_1.weight" in bare and "lm_head.weight" not in bare
    return {"with prefix": whole, "without prefix": bare}


@pytest.mark.parametrize("keys", ["with prefix", "without prefix"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_logits_are_those_of_hugging_faces_gpt2_with_the_same_weights(sizes, keys):
    config = config_of(*sizes)
    theirs, ours = random_gpt2(config, seed=sum(sizes)), GPT(config).double()
    load_gpt2_weights(ours, published_files(theirs)[keys])
    for seed, seq_len in enumerate(sorted({1, (config.max_seq_len + 1) // 2, config.max_seq_len})):
        tokens = torch.randint(config.vocab_size, (3, seq_len), generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            expected, got = theirs(tokens).logits, ours(tokens)
        # The same formula in float64, summed in another order: 1e-16 times logits of size 10, over a few layers; 1e-14
        # is seen. One weight 0.1 astray moves a logit by 1e-4 or more, biases of keys aside: softmax cancels those,
        # and the next test sees them.
        assert largest_difference(got, expected) < 1e-12, seq_len


def test_keys_and_values_are_those_of_hugging_faces_cache():
    theirs, ours = random_gpt2(CONFIG, seed=3), GPT(CONFIG).double()
    load_gpt2_weights(ours, theirs.state_dict())
    cache, tokens = KVCache(CONFIG, 2, torch.float64), tokens_of(2, 13)
    with torch.no_grad():
        kept = theirs(tokens, use_cache=True).past_key_values
        ours(tokens, cache)
    for layer in range(CONFIG.n_layer):
        # As the logits above, on numbers of size 10.
        assert largest_difference(cache.keys[layer, :, :, :13], kept.layers[layer].keys) < 1e-12, layer
        assert largest_difference(cache.values[layer, :, :, :13], kept.layers[layer].values) < 1e-12, layer


@pytest.mark.parametrize(
    "config, known",
    [
        (GPT2_SMALL, 124_439_808),
        (GPT2_MEDIUM, 354_823_168),
        (GPT2_LARGE, 774_030_080),
        (GPT2_XL, 1_557_611_200),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_four_gpt2s_have_as_many_parameters_as_hugging_faces(config, known):
    with torch.device("meta"):  # shapes without numbers: no memory is taken
        models = [GPT(config), hugging_face_gpt2(config)]
    counts = [sum(parameter.numel() for parameter in model.parameters()) for model in models]
    assert [*counts, parameter_count(config)] == [known] * 3


def test_weights_of_another_dtype_are_converted_to_the_models():
    halves = random_gpt2(CONFIG, seed=5).half().state_dict()
    from_halves, from_floats = GPT(CONFIG), GPT(CONFIG)
    load_gpt2_weights(from_halves, halves)
    load_gpt2_weights(from_floats, {key: tensor.float() for key, tensor in halves.items()})
    for name, loaded in from_halves.state_dict().items():
        assert loaded.dtype == torch.float32, name
        assert torch.equal(loaded, from_floats.state_dict()[name]), name  # float32 holds every float16


def faulty_weights():
    """What is wrong, then weights with that fault, then what the message must say of each faulty key."""
    good = random_gpt2(CONFIG, seed=7).state_dict()
    without = {key: tensor for key, tensor in good.items() if "h.3.mlp.c_fc" not in key}
    yield "missing", without, ["transformer.h.3.mlp.c_fc.bias is missing", "transformer.h.3.mlp.c_fc.weight is missing"]
    unknown = {"transformer.h.5.ln_1.weight": torch.ones(21), "score.weight": torch.ones(2, 21)}
    yield (
        "unknown",
        good | unknown,
        [
            "transformer.h.5.ln_1.weight is unknown",
            "transformer.score.weight is unknown",
        ],
    )
    # A matrix that is not turned, as nn.Linear holds it, and a longer context.
    turned = good["transformer.h.2.attn.c_attn.weight"].t()
    longer = {"transformer.h.2.attn.c_attn.weight": turned, "transformer.wpe.weight": torch.ones(31, 21)}
    yield (
        "of another shape",
        good | longer,
        [
            "transformer.h.2.attn.c_attn.weight has shape (21, 63), not (63, 21)",
            "transformer.wpe.weight has shape (31, 21), not (29, 21)",
        ],
    )
    untied = {"lm_head.weight": good["lm_head.weight"] + 1}
    yield "untied", good | untied, ["lm_head.weight is not transformer.wte.weight"]
    yield (
        "all four",
        without | unknown | longer | untied,
        [
            "lm_head.weight is not transformer.wte.weight",
            "transformer.h.2.attn.c_attn.weight has shape (21, 63), not (63, 21)",
            "transformer.h.3.mlp.c_fc.bias is missing",
            "transformer.h.3.mlp.c_fc.weight is missing",
            "transformer.h.5.ln_1.weight is unknown",
            "transformer.score.weight is unknown",
            "transformer.wpe.weight has shape (31, 21), not (29, 21)",
        ],
    )


@pytest.mark.parametrize("fault", ["missing", "unknown", "of another shape", "untied", "all four"])
def test_faulty_weights_are_refused_key_by_key_and_change_nothing(fault):
    ((weights, messages),) = [case[1:] for case in faulty_weights() if case[0] == fault]
    model = seeded_model()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError) as error:
        load_gpt2_weights(model, weights)
    assert str(error.value) == f"weights must be those of a GPT-2 of this size; got: {', '.join(messages)}"
    changed = [name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])]
    assert not changed


# -- the cache ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [[17], [1] * 17, [11, 1, 1, 1, 1, 1, 1], [5, 7, 2, 3]], ids=str)
def test_logits_through_a_cache_are_those_of_one_pass(chunks):
    model, tokens = seeded_model(), tokens_of(3, sum(chunks))
    cache = KVCache(CONFIG, batch_size=3)
    with torch.no_grad():
        through = torch.cat([model(part, cache) for part in tokens.split(chunks, dim=1)], dim=1)
        difference = (through - model(tokens)).abs().max().item()
    assert cache.length == 17
    # The same sums in another order in float32: logits of size 10 times 6e-8, over 5 layers. A key or a position out
    # of place changes logits by more than 0.1.
    assert difference < 1e-4


def test_keys_and_values_from_steps_are_those_of_one_pass():
    model, tokens = seeded_model(), tokens_of(1, 23)
    whole, stepwise = KVCache(CONFIG), KVCache(CONFIG)
    with torch.no_grad():
        model(tokens, whole)
        for position in range(23):
            model(tokens[:, position : position + 1], stepwise)
    # Equal in exact arithmetic; sums in another order in float32, as above.
    assert largest_difference(whole.keys[..., :23, :], stepwise.keys[..., :23, :]) < 1e-4
    assert largest_difference(whole.values[..., :23, :], stepwise.values[..., :23, :]) < 1e-4


def test_a_slid_window_changes_every_key_and_value():
    model, tokens = seeded_model(), tokens_of(1, CONFIG.max_seq_len + 1)
    old, new = KVCache(CONFIG), KVCache(CONFIG)
    with torch.no_grad():
        model(tokens[:, :-1], old)
        model(tokens[:, 1:], new)
    for layer in range(CONFIG.n_layer):
        # The same tokens, kept by both windows, one position apart.
        change = (old.keys[layer, :, :, 1:] - new.keys[layer, :, :, :-1]).abs().amax(dim=(0, 1, 3))
        assert change.min().item() > 1e-2, layer


def test_the_cache_writes_in_place_and_hands_out_views():
    cache = KVCache(CONFIG, batch_size=2, dtype=torch.float64)
    assert cache.keys.shape == cache.values.shape == (5, 2, 3, 29, 7)
    address = cache.keys.data_ptr(), cache.values.data_ptr()
    k, v = torch.randn(2, 2, 3, 11, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for layer in (0, 4):
        for cache.length, new in ((0, slice(0, 5)), (5, slice(5, 11))):
            keys, values = cache.update(layer, k[:, :, new], v[:, :, new])
            assert keys.data_ptr() == cache.keys[layer].data_ptr()
            assert values.data_ptr() == cache.values[layer].data_ptr()
        assert torch.equal(keys, k) and torch.equal(values, v)
    assert (cache.keys.data_ptr(), cache.values.data_ptr()) == address


def test_a_pass_lengthens_the_cache_once_for_all_layers():
    model, cache = seeded_model(), KVCache(CONFIG, batch_size=2, max_seq_len=13)
    lengths = []
    with torch.no_grad():
        for new_positions in (7, 1, 5):
            model(tokens_of(2, new_positions), cache)
            lengths.append(cache.length)
    assert lengths == [7, 8, 13]


@pytest.mark.parametrize("filled", [0, 11])
def test_logits_of_the_last_position_alone_are_those_of_the_whole_pass(filled):
    model, tokens = seeded_model().double(), tokens_of(3, 17)
    caches = [KVCache(CONFIG, 3, torch.float64) for _ in range(2)]
    with torch.no_grad():
        for cache in caches if filled else ():
            model(tokens[:, :filled], cache)
        whole = model(tokens[:, filled:], caches[0])
        last = model(tokens[:, filled:], caches[1], last_only=True)
    assert last.shape == (3, 1, CONFIG.vocab_size)
    # A product of one row may be summed in another order than one of many: 1e-16 times logits of size 10.
    assert largest_difference(last, whole[:, -1:]) < 1e-13


def test_one_mask_serves_all_layers_and_a_single_position_needs_none(monkeypatch):
    built, masks = [], []

    def mask(*sizes):
        built.append(sizes)
        return future_mask(*sizes)

    def watched(q, k, v, future=None):
        masks.append(future)
        return attention(q, k, v, future)

    monkeypatch.setattr("scaling_lesson.gpt.future_mask", mask)
    monkeypatch.setattr("scaling_lesson.gpt.attention", watched)
    monkeypatch.setattr("torch.nn.functional.scaled_dot_product_attention", watched)
    model, cache = GPT(CONFIG), KVCache(CONFIG)
    with torch.no_grad():
        model(tokens_of(1, 3), cache)
        model(tokens_of(1, 1), cache)
    assert len(built) == 1 and len(masks) == 2 * CONFIG.n_layer
    assert masks[0].tolist() == [[False, True, True], [False, False, True], [False, False, False]]
    assert all(mask is masks[0] for mask in masks[: CONFIG.n_layer])
    assert masks[CONFIG.n_layer :] == [None] * CONFIG.n_layer


# -- what is refused ---------------------------------------------------------------------------------------------------

FLOAT64, META = torch.float64, torch.device("meta")


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize(
    "tokens, cached, message",
    [
        (tokens_of(1, 30), 0, "cached and new tokens must fit max_seq_len=29; got 0 cached and 30 new"),
        (tokens_of(1, 7), 23, "cached and new tokens must fit max_seq_len=29; got 23 cached and 7 new"),
        (tokens_of(2, 1), 3, "cache must have batch_size=2, as model and tokens have; got 1"),
        (tokens_of(1, 1).float(), 0, "tokens must be an int64 tensor; got torch.float32"),
    ],
)
def test_bad_tokens_are_refused_by_name(tokens, cached, message):
    model, cache = GPT(CONFIG), KVCache(CONFIG)
    if cached:
        with torch.no_grad():
            model(tokens_of(1, cached), cache)
    with pytest.raises(ValueError, match=f"^{message}$"):
        model(tokens, cache)
    assert cache.length == cached


@pytest.mark.parametrize("bad", [CONFIG.vocab_size, -1])
def test_an_id_outside_the_vocabulary_is_refused_by_torch(bad):
    with pytest.raises(IndexError, match="out of range"):
        GPT(CONFIG)(torch.full((2, 3), bad))


@pytest.mark.parametrize("reserved, filled", [(29, 29), (13, 13), (13, 7)])
def test_a_cache_without_room_is_refused_and_left_as_it_is(reserved, filled):
    model, cache = GPT(CONFIG), KVCache(CONFIG, max_seq_len=reserved)
    with torch.no_grad():
        model(tokens_of(1, filled), cache)
        before = cache.keys.clone()
        too_many = reserved - filled + 1
        with pytest.raises(ValueError, match=r"^cache(d and new tokens must fit| must have room for all positions)"):
            model(tokens_of(1, too_many), cache)
    assert cache.length == filled
    assert torch.equal(cache.keys[..., :filled, :], before[..., :filled, :])
    k = torch.zeros(1, 3, too_many, 7)
    room = f"cache must have room for all positions; got {reserved} reserved and {reserved + 1} to hold"
    with pytest.raises(ValueError, match=f"^{room}$"):
        cache.update(0, k, k)


@pytest.mark.parametrize(
    "cache, message",
    [
        (KVCache(replace(CONFIG, n_layer=4)), "n_layer=5, as model and tokens have; got 4"),
        (KVCache(CONFIG, batch_size=3), "batch_size=1, as model and tokens have; got 3"),
        (KVCache(replace(CONFIG, n_kv_head=1)), "n_kv_head=3, as model and tokens have; got 1"),
        (KVCache(replace(CONFIG, d_model=33)), "head_dim=7, as model and tokens have; got 11"),
        (KVCache(CONFIG, dtype=FLOAT64), "dtype=torch.float32, as model and tokens have; got torch.float64"),
        (KVCache(CONFIG, device=META), "device=cpu, as model and tokens have; got meta"),
    ],
    ids=["depth", "batch", "heads", "width", "dtype", "device"],
)
def test_a_cache_of_another_model_is_refused(cache, message):
    with pytest.raises(ValueError, match=f"^cache must have {message}$"):
        GPT(CONFIG)(tokens_of(1, 1), cache)
    assert cache.length == 0


def test_a_model_of_another_layout_is_refused():
    with pytest.raises(ValueError, match=r"^layout must be 'GPT-2'; got 'Llama' \(Llama 3 70B\)$"):
        GPT(LLAMA3_70B)


# -- shapes in signatures ----------------------------------------------------------------------------------------------


def test_shapes_of_signatures_are_checked_while_tests_run():
    q = torch.zeros(2, 3, 5, 7)
    with pytest.raises(TypeCheckError, match="attention"):
        attention(q, q, torch.zeros(2, 3, 5, 11))
    with pytest.raises(TypeCheckError, match="update"):
        KVCache(CONFIG).update(0, torch.zeros(1, 3, 2, 7), torch.zeros(1, 3, 1, 7))


@pytest.mark.usefixtures("shapes_unchecked")
def test_shapes_of_signatures_are_not_checked_for_a_reader():
    q = torch.zeros(2, 3, 5, 7)
    assert attention(q, q, torch.zeros(2, 3, 5, 11)).shape == (2, 3, 5, 11)


def products(call) -> list[str]:
    """The matrix products that torch ran."""
    with profile() as ran:
        call()
    return [event.name for event in ran.events() if event.name in ("aten::addmm", "aten::mm", "aten::bmm")]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("d_out", [1, 6, 7, 50])  # 7 is divided into seven parts only
def test_a_decode_steps_product_is_shared_by_the_cores(monkeypatch, d_out, bias):
    torch.manual_seed(0)
    linear, x = Linear(5, d_out, bias), torch.randn(3, 1, 5)
    plain = F.linear(x, linear.weight, linear.bias)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2 if d_out > 1 else 1)
    assert torch.allclose(linear(x), plain, atol=1e-6) and linear(x).shape == plain.shape
    assert (products(lambda: linear(x)) == ["aten::bmm"]) == (d_out > 1)


def test_all_other_products_are_torchs_own(monkeypatch):
    linear, x = Linear(5, 6), torch.randn(3, 2, 5)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    assert torch.equal(linear(x), F.linear(x, linear.weight, linear.bias))
    half = linear.to(torch.bfloat16)
    assert torch.equal(half(x[:, :1].bfloat16()), F.linear(x[:, :1].bfloat16(), half.weight, half.bias))
    assert Linear(5, 6, device="meta")(torch.empty(3, 1, 5, device="meta")).shape == (3, 1, 6)


def test_the_last_position_alone_costs_no_copy_of_the_table():
    model = GPT(CONFIG).requires_grad_(False).bfloat16()
    tokens = torch.zeros(3, 4, dtype=torch.int64)
    with profile(profile_memory=True) as ran:
        model(tokens, last_only=True)
    table = model.lm_head.weight.nbytes
    assert max(event.self_cpu_memory_usage for event in ran.events()) < table
