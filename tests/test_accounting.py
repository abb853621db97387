import warnings

import pytest
import torch
import transformers
from fvcore.nn import FlopCountAnalysis
from torch.utils.flop_counter import FlopCounterMode

from scaling_lesson.accounting import (
    forward_flops,
    forward_flops_by_component,
    parameter_count,
    parameters_by_component,
)
from scaling_lesson.gpt import GPT, KVCache
from scaling_lesson.models import (
    GPT2_LARGE,
    GPT2_MEDIUM,
    GPT2_SMALL,
    GPT2_XL,
    LLAMA2_7B,
    LLAMA3_8B,
    LLAMA3_70B,
    LLAMA3_405B,
    QWEN3_4B,
    ModelConfig,
)

# Every size is another prime (d_model = 3 x 7), and d_ff is not 4 d_model, so that no two sizes can be swapped unseen.
PRIMES = ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)


def llama_of(n_kv_head):
    """The same for Llama, with 15 query heads of width 2: each key-value head serves 15, 5, 3 or 1 of them."""
    return ModelConfig("Llama primes", 5, 15, n_kv_head, 30, 83, 101, 29, GPT2_SMALL.source, "Llama")


LLAMAS = [llama_of(n_kv_head) for n_kv_head in (1, 3, 5, 15)]
# Heads of a width of their own, whose sum, 15 x 14, is not d_model; even, for a rotation turns pairs.
QWEN = ModelConfig("Qwen primes", 5, 15, 3, 31, 83, 101, 29, GPT2_SMALL.source, "Qwen3", own_head_dim=14)
GPT2S = [GPT2_SMALL, GPT2_MEDIUM, GPT2_LARGE, GPT2_XL]
LLAMAS_PUBLISHED = [LLAMA2_7B, LLAMA3_8B, LLAMA3_70B, LLAMA3_405B]


def named(config):
    return f"{config.name}, {config.n_kv_head} KV heads" if config in LLAMAS else config.name


def hugging_face_gpt2(config):
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            n_layer=config.n_layer,
            n_head=config.n_head,
            n_embd=config.d_model,
            n_inner=config.d_ff,
            vocab_size=config.vocab_size,
            n_positions=config.max_seq_len,
            bos_token_id=0,
            eos_token_id=0,
        )
    )


def hugging_face_llama(config):
    """Hugging Face's Llama of these sizes, its attention written out ("eager"), so that its products can be counted."""
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            num_hidden_layers=config.n_layer,
            num_attention_heads=config.n_head,
            num_key_value_heads=config.n_kv_head,
            hidden_size=config.d_model,
            intermediate_size=config.d_ff,
            vocab_size=config.vocab_size,
            max_position_embeddings=config.max_seq_len,
            bos_token_id=0,
            eos_token_id=0,
            attn_implementation="eager",
        )
    )


def hugging_face_qwen3(config):
    """Hugging Face's Qwen3 of these sizes, as above."""
    return transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(
            num_hidden_layers=config.n_layer,
            num_attention_heads=config.n_head,
            num_key_value_heads=config.n_kv_head,
            head_dim=config.head_dim,
            hidden_size=config.d_model,
            intermediate_size=config.d_ff,
            vocab_size=config.vocab_size,
            max_position_embeddings=config.max_seq_len,
            tie_word_embeddings=True,
            attn_implementation="eager",
        )
    )


def hugging_face(config):
    return {"GPT-2": hugging_face_gpt2, "Llama": hugging_face_llama, "Qwen3": hugging_face_qwen3}[config.layout](config)


# -- parameters --------------------------------------------------------------------------------------------------------


def counted_in_the_modules(build, config):
    """Parameters of a real model by component, from their names: ours, GPT-2's and Llama's in that order on each line.

    On the meta device no numbers are stored, so any size is quick.
    """
    with torch.device("meta"):
        model = build(config)
    counted = dict.fromkeys(("embeddings", "attention", "feed_forward", "norm"), 0)
    for name, parameter in model.named_parameters():  # a tied table is listed once
        if ".ln_" in name or "norm." in name:
            counted["norm"] += parameter.numel()
        elif ".attn." in name or ".self_attn." in name:
            counted["attention"] += parameter.numel()
        elif ".mlp." in name:
            counted["feed_forward"] += parameter.numel()
        else:
            assert name.rsplit(".", 2)[-2] in ("wte", "wpe", "embed_tokens", "lm_head"), name
            counted["embeddings"] += parameter.numel()
    return counted


@pytest.mark.parametrize("build", [GPT, hugging_face_gpt2], ids=["ours", "Hugging Face's"])
@pytest.mark.parametrize("config", [PRIMES, *GPT2S], ids=named)
def test_every_component_of_a_gpt2_has_as_many_parameters_as_its_modules(config, build):
    assert parameters_by_component(config) == counted_in_the_modules(build, config)


@pytest.mark.parametrize("config", [*LLAMAS, *LLAMAS_PUBLISHED, QWEN, QWEN3_4B], ids=named)
def test_every_component_of_a_later_model_has_as_many_parameters_as_hugging_faces(config):
    assert parameters_by_component(config) == counted_in_the_modules(hugging_face, config)


@pytest.mark.parametrize(
    "config, known",
    [
        (GPT2_SMALL, 124_439_808),
        (GPT2_MEDIUM, 354_823_168),
        (GPT2_LARGE, 774_030_080),
        (GPT2_XL, 1_557_611_200),
        (LLAMA2_7B, 6_738_415_616),
        (LLAMA3_8B, 8_030_261_248),
        (LLAMA3_70B, 70_553_706_496),
        (LLAMA3_405B, 405_853_388_800),
        (QWEN3_4B, 4_022_468_096),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_published_models_have_the_known_counts_and_parts_that_sum_to_them(config, known):
    assert parameter_count(config) == sum(parameters_by_component(config).values()) == known


def test_the_shares_of_gpt2_small():
    parts = parameters_by_component(GPT2_SMALL)
    shares = {part: f"{count / parameter_count(GPT2_SMALL):.1%}" for part, count in parts.items()}
    assert shares == {"embeddings": "31.6%", "attention": "22.8%", "feed_forward": "45.5%", "norm": "0.0%"}


def test_tying_the_token_table_saves_38_6_million():
    with torch.device("meta"):
        model = GPT(GPT2_SMALL)
        untied = torch.nn.Linear(GPT2_SMALL.d_model, GPT2_SMALL.vocab_size, bias=False)
    tied = sum(parameter.numel() for parameter in model.parameters())
    model.lm_head = untied
    assert sum(parameter.numel() for parameter in model.parameters()) - tied == 38_597_376


# -- FLOPs of a forward pass -------------------------------------------------------------------------------------------

PASSES = [(1, 1), (29, 29), (11, 11), (1, 23), (5, 17)]  # new positions, key positions: prefill, decode, both at once


def tokens_of(config, batch_size, seq_len):
    return torch.arange(batch_size * seq_len).view(batch_size, seq_len) % config.vocab_size


def our_pass(config, batch_size, new_positions, key_positions):
    """A real GPT, the tokens of this pass, and a cache that holds the positions before them."""
    model, cache = GPT(config), KVCache(config, batch_size)
    if key_positions > new_positions:
        with torch.no_grad():
            model(tokens_of(config, batch_size, key_positions - new_positions), cache)
    return model, tokens_of(config, batch_size, new_positions), cache


def by_component(flops_by_module):
    """{module path: FLOPs of that module and those inside it} summed by component; parents are left out.

    Q K^T and weights times V are no modules: they are what is left of attention beside its matrices.
    """
    ends = {
        "attention_projections": ("c_attn", "attn.c_proj", "q_proj", "k_proj", "v_proj", "o_proj"),
        "attention": (".attn", "self_attn"),
        "feed_forward": ("c_fc", "mlp.c_proj", "gate_proj", "up_proj", "down_proj"),
        "logits": ("lm_head",),
    }
    found = {
        component: sum(flops for path, flops in flops_by_module.items() if path.endswith(names))
        for component, names in ends.items()
    }
    return found | {"attention": found["attention"] - found["attention_projections"]}


def times(batch_size, parts):
    return {component: batch_size * flops for component, flops in parts.items()}


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("new_positions, key_positions", PASSES)
def test_flops_of_a_gpt_pass_are_those_torch_counts_in_its_modules(new_positions, key_positions, batch_size):
    model, tokens, cache = our_pass(PRIMES, batch_size, new_positions, key_positions)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(tokens, cache)
    flops_by_module = {path: sum(ops.values()) for path, ops in counter.get_flop_counts().items()}
    expected = times(batch_size, forward_flops_by_component(PRIMES, new_positions, key_positions))
    assert by_component(flops_by_module) == expected
    assert counter.get_total_flops() == batch_size * forward_flops(PRIMES, new_positions, key_positions)


class Continue(torch.nn.Module):
    """A model with its cache: fvcore's inputs must be tensors."""

    def __init__(self, model, cache):
        super().__init__()
        self.model, self.cache = model, cache

    def forward(self, tokens):
        return self.model(tokens, self.cache)


@pytest.mark.usefixtures("shapes_unchecked")  # a size is a tensor while fvcore traces
@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("new_positions, key_positions", PASSES)
def test_flops_of_a_gpt_pass_are_twice_the_multiply_adds_fvcore_counts(new_positions, key_positions, batch_size):
    # fvcore traces the pass instead of watching it, and calls a multiply-add 1 FLOP. It has a count of its own for
    # layer norms, which `forward_flops` leaves out, and none for the rest: both lists stand here in full.
    model, tokens, cache = our_pass(PRIMES, batch_size, new_positions, key_positions)
    analysis = FlopCountAnalysis(Continue(model, cache), tokens)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("all")
    with warnings.catch_warnings():  # tracing fixes the checks of the tokens' range, which do not change the count
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        counted, left_out = analysis.by_operator(), set(analysis.unsupported_ops())
        flops_by_module = {
            path: 2 * (ops["linear"] + ops["matmul"]) for path, ops in analysis.by_module_and_operator().items()
        }
    assert set(counted) == {"linear", "matmul", "layer_norm"}
    assert left_out <= {f"aten::{name}" for name in ("add", "div", "embedding", "gelu", "softmax", "sub", "triu")}
    assert {"aten::gelu", "aten::softmax", "aten::embedding"} <= left_out
    expected = times(batch_size, forward_flops_by_component(PRIMES, new_positions, key_positions))
    assert by_component(flops_by_module) == expected
    total = 2 * (counted["linear"] + counted["matmul"])
    assert total == batch_size * forward_flops(PRIMES, new_positions, key_positions)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("new_positions, key_positions", PASSES)
@pytest.mark.parametrize("config", [*LLAMAS, QWEN], ids=named)
def test_flops_of_a_later_models_pass_are_those_torch_counts(config, new_positions, key_positions, batch_size):
    model, cache = hugging_face(config).eval(), transformers.DynamicCache()
    with torch.no_grad():
        if key_positions > new_positions:
            model(tokens_of(config, batch_size, key_positions - new_positions), past_key_values=cache)
        with FlopCounterMode(display=False) as counter:
            model(tokens_of(config, batch_size, new_positions), past_key_values=cache)
    flops_by_module = {path: sum(ops.values()) for path, ops in counter.get_flop_counts().items()}
    expected = times(batch_size, forward_flops_by_component(config, new_positions, key_positions))
    assert by_component(flops_by_module) == expected
    assert counter.get_total_flops() == batch_size * forward_flops(config, new_positions, key_positions)


def test_sharing_key_value_heads_saves_projections_and_leaves_attention_alone():
    full, shared = (forward_flops_by_component(llama_of(n_kv_head), 11, 29) for n_kv_head in (15, 3))
    # K and V are 2 of the 4 matrices' 4 x d_model columns; four fifths of both go.
    assert full["attention_projections"] * 6 == shared["attention_projections"] * 10
    assert {part: full[part] for part in ("attention", "feed_forward", "logits")} == {
        part: shared[part] for part in ("attention", "feed_forward", "logits")
    }


@pytest.mark.parametrize("config", [*GPT2S, *LLAMAS_PUBLISHED], ids=named)
def test_without_attention_a_position_costs_2_flops_for_each_weight_of_a_matrix(config):
    parts = forward_flops_by_component(config, 1, 1)
    build = GPT if config in GPT2S else hugging_face_llama
    with torch.device("meta"):
        model = build(config)
    looked_up = [name for name in ("transformer.wpe", "model.embed_tokens") if name in dict(model.named_modules())]
    in_matrices = sum(
        parameter.numel()
        for name, parameter in model.named_parameters()  # GPT-2's token table once: it is the matrix of the logits
        if parameter.ndim == 2 and name.removesuffix(".weight") not in looked_up
    )
    assert sum(parts.values()) - parts["attention"] == 2 * in_matrices


def test_the_last_step_of_a_full_window_costs_1024_times_less_with_a_cache():
    assert forward_flops(GPT2_SMALL, 1024, 1024) == 1024 * forward_flops(GPT2_SMALL, 1, 1024)
