"""One table: what each public function of the lesson refuses, and how it says so.

Every function stands with arguments it takes, and every argument with its kind; the kinds list what is refused. The
message names the argument, the requirement and the value.
"""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from math import inf, nan

import pytest
import torch

import scaling_lesson
from scaling_lesson import (
    accounting,
    checks,
    generation,
    gpt,
    hardware,
    kv_cache,
    models,
    roofline,
    training_time,
)
from scaling_lesson import (
    flash_attention as flash,
)
from scaling_lesson import (
    float_formats as formats,
)
from scaling_lesson import (
    mixed_precision as mixed,
)
from scaling_lesson import (
    scaling_laws as laws,
)

pytestmark = pytest.mark.usefixtures("shapes_unchecked")

SOURCE = models.GPT2_SMALL.source
CONFIG = models.ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, SOURCE)
LLAMA = dataclasses.replace(CONFIG, layout="Llama")
GROUPED = dataclasses.replace(CONFIG, n_kv_head=1)
A100 = hardware.A100_80GB_SXM
RUN = models.GOPHER
FIT = laws.PRINTED_FIT
LAW = laws.KAPLAN_COMPUTE
F16 = torch.float16
Q = torch.ones(2, 3, 5)
TOKENS = torch.ones(2, 3, dtype=torch.int64)
MODEL = gpt.GPT(CONFIG)

NOT_NUMBERS = [(True, "a number"), ("7", "a number"), (None, "a number"), (1j, "a number")]
NOT_FINITE = [(nan, "finite"), (inf, "finite"), (-inf, "finite"), (10**400, "finite")]
NOT_TOKENS = [
    (TOKENS.int(), "an int64 tensor"),
    (TOKENS.float(), "an int64 tensor"),
    ([[1, 2]], "an int64 tensor"),
    (TOKENS[0], "shape (B, T)"),
    (TOKENS[:, :0], "shape (B, T)"),
    (TOKENS[:0], "shape (B, T)"),
]
THREE_DTYPES = "one of torch.float16, torch.bfloat16, torch.float32"
KINDS = {
    "size": [(bad, "a positive integer") for bad in (0, -1, 2.5, 3.0, nan, True, "7", None)],
    "number": NOT_NUMBERS + NOT_FINITE,
    "positive": NOT_NUMBERS + NOT_FINITE + [(0, "above 0"), (-1e-9, "above 0")],
    "optional positive": NOT_NUMBERS[:2] + NOT_FINITE + [(0, "above 0"), (-2.5, "above 0")],
    "up to 1": NOT_NUMBERS + NOT_FINITE + [(0, "above 0"), (-0.5, "above 0"), (1.01, "at most 1"), (40, "at most 1")],
    "flag": [(bad, "True or False") for bad in (1, 0, "no", None)],
    "text": [(bad, "a non-empty string") for bad in ("", None, 7)],
    "dtype": [(bad, THREE_DTYPES) for bad in (torch.int64, torch.float64, "float16", None)],
    "any dtype": [
        (bad, "a floating-point or 8-bit integer torch dtype") for bad in (torch.int64, torch.bool, "fp8", None)
    ],
    "half": [(bad, "one of torch.float16, torch.bfloat16") for bad in (torch.float32, torch.int8, "bfloat16", None)],
    "A100 dtype": [(bad, f"{THREE_DTYPES} on the A100 80 GB SXM") for bad in (torch.float64, torch.int8, "float16")],
    "source": [(bad, "a Source") for bad in (None, "Table 2", ("a", "b"))],
    "in context": [(30, "at most max_seq_len=29")] + [(bad, "a positive integer") for bad in (0, -1, 2.5, True, nan)],
    "optional in context": [(30, "at most max_seq_len=29"), (0, "a positive integer"), (2.5, "a positive integer")],
    "tokens": NOT_TOKENS,
    "known tokens": [
        *NOT_TOKENS,
        (TOKENS * 101, "lie in 0..vocab_size-1=100"),
        (-TOKENS, "lie in 0..vocab_size-1=100"),
    ],
    "prompt": [(torch.ones(2, 30, dtype=torch.int64), "at most max_seq_len=29 tokens")],
    "tensor": [
        (Q.long(), "a floating-point tensor"),
        ([[1.0]], "a floating-point tensor"),
        (None, "a floating-point tensor"),
        (Q[0, 0], "shape (..., seq_len, head_dim)"),
        (Q[:, :0], "shape (..., seq_len, head_dim)"),
    ],
    "list": [([], "a list"), ((), "a list"), (None, "a list")],
}
"""Kind: (what is refused, what the message says must be)."""

ATTENTION = ({"q": Q, "k": Q, "v": Q}, {"q": "tensor", "k": "tensor", "v": "tensor", "causal": "flag"})
TILED = (
    ATTENTION[0] | {"q_tile": 2, "kv_tile": 2},
    ATTENTION[1] | {"q_tile": "size", "kv_tile": "size", "rescale": "flag"},
)
WORK = (
    {"flops": 1e9, "memory_bytes": 1e6, "accelerator": A100, "dtype": F16},
    {"flops": "positive", "memory_bytes": "positive", "dtype": "A100 dtype"},
)
GENERATE = (
    {"model": MODEL, "prompt": TOKENS, "n_new_tokens": 1},
    {"prompt": "known tokens", "n_new_tokens": "size", "temperature": "number"},
)
STEPS = (
    {"prompt_len": 3, "n_new_tokens": 2, "cached": True},
    {"prompt_len": "size", "n_new_tokens": "size", "cached": "flag"},
)
LENGTHS = (
    {"config": CONFIG, "new_positions": 1, "key_positions": 7},
    {"new_positions": "size", "key_positions": "in context"},
)
PER_HEAD = {"n_query": "size", "n_key": "size", "head_dim": "size", "dtype": "dtype", "heads": "size"}
SIZES = ("n_layer", "n_head", "n_kv_head", "d_model", "d_ff", "vocab_size", "max_seq_len")


# function: (arguments it takes, the kind of each argument)
TABLE = {
    models.Source: (
        dict(title="t", where="w", date="d", url="u"),
        dict.fromkeys(("title", "where", "date", "url"), "text"),
    ),
    models.ModelConfig: (
        dataclasses.asdict(CONFIG) | {"source": SOURCE},
        {"name": "text", "source": "source"} | dict.fromkeys(SIZES, "size"),
    ),
    models.Fact: ({"value": 1e9, "source": SOURCE}, {"value": "positive", "source": "source"}),
    models.PublishedRun: (
        dict(name="run", parameters=1e9, tokens=1e9, source=SOURCE),
        {"name": "text", "parameters": "positive", "tokens": "positive", "source": "source"}
        | dict.fromkeys(("training_flops", "n_accelerators", "accelerator_hours", "days"), "optional positive"),
    ),
    models.require_source: ({"source": SOURCE}, {"source": "source"}),
    models.require_in_context: ({"config": CONFIG, "seq_len": 29}, {"seq_len": "in context"}),
    models.require_positions: LENGTHS,
    models.require_gpt2_layout: ({"config": CONFIG}, {}),
    hardware.Accelerator: (
        dict(name="chip", peak_flop_per_s={F16: 1e12}, memory_bytes_per_s=1e9, memory_bytes=1e9, source=SOURCE),
        {"name": "text", "memory_bytes_per_s": "positive", "memory_bytes": "positive", "source": "source"},
    ),
    accounting.parameters_by_component: ({"config": CONFIG}, {}),
    accounting.parameter_count: ({"config": CONFIG}, {}),
    accounting.forward_flops_by_component: LENGTHS,
    accounting.forward_flops: LENGTHS,
    gpt.KVCache: (
        {"config": CONFIG},
        {"batch_size": "size", "max_seq_len": "optional in context", "dtype": "any dtype"},
    ),
    gpt.future_mask: (dict(n_query=2, n_key=3, offset=1, device=torch.device("cpu")), {}),
    gpt.attention: ({"q": Q, "k": Q, "v": Q}, {}),
    gpt.GPT: ({"config": CONFIG}, {}),
    gpt.GPT.forward: ({"self": MODEL, "tokens": TOKENS}, {"tokens": "tokens"}),
    gpt.load_gpt2_weights: ({"model": MODEL, "weights": {}}, None),
    generation.next_token: ({"logits": torch.ones(2, 7)}, {"temperature": "number"}),
    generation.prefill: ({"model": MODEL, "prompt": TOKENS}, {"prompt": "known tokens"}),
    generation.decode_one_token: (
        {"model": MODEL, "token": TOKENS[:, :1], "cache": gpt.KVCache(CONFIG, 2)},
        {"token": "tokens"},
    ),
    generation.generate: GENERATE,
    generation.generate_with_cache: GENERATE,
    generation.count_positions: ({"model": MODEL}, {}),
    formats.float_format: ({"dtype": F16}, {"dtype": "dtype"}),
    formats.cast: ({"name": "x", "x": 1.0, "dtype": F16}, {"x": "number", "dtype": "dtype"}),
    formats.stored: ({"x": 1.0, "dtype": F16}, {"x": "number", "dtype": "dtype"}),
    formats.bit_fields: ({"x": 1.0, "dtype": F16}, {"x": "number", "dtype": "dtype"}),
    formats.spacing: ({"x": 1.0, "dtype": F16}, {"x": "number", "dtype": "dtype"}),
    formats.update_threshold: ({"weight": 1.0, "dtype": F16}, {"weight": "number", "dtype": "dtype"}),
    formats.numbers_between: (
        {"low": 1.0, "high": 1.5, "dtype": F16},
        {"low": "number", "high": "number", "dtype": "dtype"},
    ),
    formats.largest_consecutive_integer: ({"dtype": F16}, {"dtype": "dtype"}),
    mixed.add_update: (
        {"weight": 1.0, "update": 1.0, "dtype": F16},
        {"weight": "number", "update": "number", "dtype": "dtype"},
    ),
    mixed.repeated_updates: (
        {"weight": 1.0, "update": 1.0, "steps": 2, "dtype": F16},
        {"weight": "number", "update": "number", "steps": "size", "dtype": "dtype"},
    ),
    mixed.master_updates: (
        {"weight": 1.0, "update": 1.0, "steps": 2, "copy_dtype": F16},
        {"weight": "number", "update": "number", "steps": "size", "copy_dtype": "dtype"},
    ),
    mixed.first_change: ({"values": [1.0, 2.0]}, None),
    mixed.stall: (
        {"increment": 0.5, "dtype": torch.bfloat16},
        {"increment": "number", "dtype": "dtype", "start": "number", "max_steps": "size"},
    ),
    mixed.gradient_through: (
        {"true_gradient": 1.0, "dtype": F16},
        {"true_gradient": "number", "dtype": "dtype", "loss_scale": "positive"},
    ),
    mixed.autocast_dtypes: ({"dtype": torch.bfloat16}, {"dtype": "half"}),
    mixed.training_bytes_per_parameter: ({"precision": "mixed"}, None),
    mixed.saved_activation_bytes: (
        {"config": CONFIG, "batch_size": 1, "seq_len": 2},
        {"batch_size": "size", "seq_len": "in context"},
    ),
    kv_cache.kv_cache_bytes_per_token: ({"config": CONFIG}, {"dtype": "any dtype"}),
    kv_cache.kv_cache_bytes: (
        {"config": CONFIG, "seq_len": 2},
        {"seq_len": "in context", "batch_size": "size", "dtype": "any dtype"},
    ),
    kv_cache.positions_per_step: STEPS,
    kv_cache.positions_processed: STEPS,
    kv_cache.recomputed_positions: ({"prompt_len": 3, "step": 2}, {"prompt_len": "size", "step": "size"}),
    kv_cache.query_key_pairs_per_step: STEPS,
    kv_cache.query_key_pairs: STEPS,
    kv_cache.flops_per_step: (STEPS[0] | {"config": CONFIG}, STEPS[1]),
    kv_cache.generation_flops: (STEPS[0] | {"config": CONFIG}, STEPS[1]),
    kv_cache.step_traffic_bytes: (
        {"config": CONFIG, "key_positions": 7, "cached": True},
        {"key_positions": "in context", "cached": "flag", "dtype": "any dtype"},
    ),
    roofline.Operation: (
        {"name": "x", "flops": 1, "memory_bytes": 1},
        {"flops": "size", "memory_bytes": "size", "runs": "size"},
    ),
    roofline.vector_add: ({"n": 7, "dtype": F16}, {"n": "size", "dtype": "dtype"}),
    roofline.layer_norm: ({"rows": 3, "width": 7, "dtype": F16}, {"rows": "size", "width": "size", "dtype": "dtype"}),
    roofline.softmax: ({"rows": 3, "width": 7, "dtype": F16}, {"rows": "size", "width": "size", "dtype": "dtype"}),
    roofline.scores_pass: ({"rows": 3, "width": 7, "dtype": F16}, {"rows": "size", "width": "size", "dtype": "dtype"}),
    roofline.gelu: ({"n": 7, "dtype": F16}, {"n": "size", "dtype": "dtype"}),
    roofline.matmul: (
        {"m": 2, "k": 3, "n": 5, "dtype": F16},
        {"m": "size", "k": "size", "n": "size", "dtype": "dtype", "batch_size": "size"},
    ),
    roofline.unfused_attention: ({"n_query": 2, "n_key": 3, "head_dim": 5, "dtype": F16}, PER_HEAD),
    roofline.fused_attention: ({"n_query": 2, "n_key": 3, "head_dim": 5, "dtype": F16}, PER_HEAD),
    roofline.gpt_forward: (
        LENGTHS[0] | {"batch_size": 1, "dtype": F16},
        LENGTHS[1] | {"batch_size": "size", "dtype": "dtype", "fused": "flag"},
    ),
    roofline.compute_time_s: (
        {k: v for k, v in WORK[0].items() if k != "memory_bytes"},
        {"flops": "positive", "dtype": "A100 dtype"},
    ),
    roofline.memory_time_s: ({"memory_bytes": 1.0, "accelerator": A100}, {"memory_bytes": "positive"}),
    roofline.least_time_s: WORK,
    roofline.bound_by: WORK,
    roofline.ridge_flop_per_byte: ({"accelerator": A100, "dtype": F16}, {"dtype": "A100 dtype"}),
    roofline.attainable_flop_per_s: (
        {"flop_per_byte": 1.0, "accelerator": A100, "dtype": F16},
        {"flop_per_byte": "positive", "dtype": "A100 dtype"},
    ),
    flash.naive_attention: ATTENTION,
    flash.online_softmax_steps: TILED,
    flash.tiled_attention: TILED,
    flash.tile_counts: (
        {"seq_len": 7, "q_tile": 2, "kv_tile": 3},
        {"seq_len": "size", "q_tile": "size", "kv_tile": "size", "causal": "flag"},
    ),
    flash.matrix_bytes: (
        {"rows": 2, "columns": 3, "dtype": F16},
        {"rows": "size", "columns": "size", "dtype": "dtype", "heads": "size"},
    ),
    flash.statistics_bytes: ({"seq_len": 3}, {"seq_len": "size", "heads": "size"}),
    flash.compulsory_traffic_bytes: (
        {"seq_len": 3, "head_dim": 5, "dtype": F16},
        {"seq_len": "size", "head_dim": "size", "dtype": "dtype"},
    ),
    flash.standard_traffic_bytes: (
        {"seq_len": 3, "head_dim": 5, "dtype": F16},
        {"seq_len": "size", "head_dim": "size", "dtype": "dtype"},
    ),
    flash.flash1_traffic_bytes: (
        {"seq_len": 3, "head_dim": 5, "sram_bytes": 100, "dtype": F16},
        {"seq_len": "size", "head_dim": "size", "sram_bytes": "size", "dtype": "dtype"},
    ),
    flash.flash2_traffic_bytes: (
        {"seq_len": 7, "head_dim": 5, "q_tile": 2, "kv_tile": 3, "dtype": F16},
        {
            "seq_len": "size",
            "head_dim": "size",
            "q_tile": "size",
            "kv_tile": "size",
            "dtype": "dtype",
            "causal": "flag",
        },
    ),
    training_time.training_flops: (
        {"parameters": 1e9, "tokens": 1e9},
        {"parameters": "positive", "tokens": "positive"},
    ),
    training_time.sustained_flop_per_s: (
        {"accelerator": A100, "dtype": F16, "utilisation": 0.4},
        {"dtype": "A100 dtype", "utilisation": "up to 1", "n_accelerators": "size"},
    ),
    training_time.training_time_s: ({"flops": 1e9, "flop_per_s": 1e9}, {"flops": "positive", "flop_per_s": "positive"}),
    training_time.accelerators_needed: (
        {"flops": 1e9, "flop_per_s": 1e9, "deadline_s": 1.0},
        {"flops": "positive", "flop_per_s": "positive", "deadline_s": "positive"},
    ),
    laws.PowerLaw: (
        {"exponent": 0.1, "scale": 1e9, "source": SOURCE},
        {"exponent": "positive", "scale": "positive", "source": "source"},
    ),
    laws.loss_reduction: ({"law": LAW, "factor": 2}, {"factor": "positive"}),
    laws.growth_to_divide_loss: ({"law": LAW, "factor": 2}, {"factor": "positive"}),
    laws.ParametricLoss: (
        dict(name="fit", E=1.0, A=1.0, B=1.0, alpha=1.0, beta=1.0, source=SOURCE),
        dict.fromkeys(("E", "A", "B", "alpha", "beta"), "positive") | {"name": "text", "source": "source"},
    ),
    laws.parametric_loss: (
        {"fit": FIT, "parameters": 1e9, "tokens": 1e9},
        {"parameters": "positive", "tokens": "positive"},
    ),
    laws.Allocation: ({"parameters": 1e9, "tokens": 1e9}, {"parameters": "positive", "tokens": "positive"}),
    laws.optimum: ({"fit": FIT, "flops": 1e20}, {"flops": "positive"}),
    laws.frontier_loss: ({"fit": FIT, "flops": 1e20}, {"flops": "positive"}),
    laws.budget_for_size: ({"fit": FIT, "parameters": 1e9}, {"parameters": "positive"}),
    laws.budget_for_loss: ({"fit": FIT, "loss": 2.5}, {"loss": "positive"}),
    laws.optimum_at_ratio: ({"flops": 1e20}, {"flops": "positive", "tokens_per_parameter": "positive"}),
    laws.iso_parameter_curve: (
        {"fit": FIT, "parameters": 1e9, "flops": [1e20]},
        {"parameters": "positive", "flops": "list"},
    ),
    laws.iso_flop_curve: (
        {"fit": FIT, "flops": 1e20, "parameters": [1e9]},
        {"flops": "positive", "parameters": "list"},
    ),
    laws.tokens_per_parameter: ({"run": RUN}, {}),
    laws.times_too_few_tokens: ({"run": RUN, "wanted_tokens": 1e12}, {"wanted_tokens": "positive"}),
    laws.times_too_large: ({"run": RUN, "best": laws.Allocation(1e9, 1e9)}, {}),
}
"""None as kinds: what it refuses is of no common kind, and stands below."""

CASES = [
    (function, good | {argument: bad}, f"{argument} must", requirement, bad)
    for function, (good, kinds) in TABLE.items()
    for argument, kind in (kinds or {}).items()
    for bad, requirement in KINDS[kind]
]

# What no kind covers: function, arguments, the message.
OWN_CASES = [
    (
        lambda: dataclasses.replace(CONFIG, d_model=770, n_head=12, n_kv_head=12),
        "d_model must be divisible by n_head; got d_model=770, n_head=12",
    ),
    (
        lambda: dataclasses.replace(CONFIG, n_kv_head=2),
        "n_head must be divisible by n_kv_head; got n_head=3, n_kv_head=2",
    ),
    (lambda: dataclasses.replace(CONFIG, layout="BERT"), "layout must be 'GPT-2', 'Llama' or 'Qwen3'; got 'BERT'"),
    (lambda: models.require_gpt2_layout(LLAMA), "layout must be 'GPT-2'; got 'Llama' (primes)"),
    (
        lambda: models.require_gpt2_layout(dataclasses.replace(CONFIG, own_head_dim=11)),
        "head_dim must be d_model / n_head in the GPT-2 layout; got head_dim=11, d_model=21, n_head=3",
    ),
    (
        lambda: models.require_gpt2_layout(GROUPED),
        "n_kv_head must equal n_head in the GPT-2 layout; got n_kv_head=1, n_head=3",
    ),
    (lambda: gpt.GPT(LLAMA), "layout must be 'GPT-2'; got 'Llama' (primes)"),
    (lambda: roofline.gpt_forward(LLAMA, 1, 1, 1, F16), "layout must be 'GPT-2'; got 'Llama' (primes)"),
    (lambda: kv_cache.step_traffic_bytes(LLAMA, 3, True), "layout must be 'GPT-2'; got 'Llama' (primes)"),
    (lambda: accounting.forward_flops(CONFIG, 8, 7), "new_positions must be at most key_positions=7; got 8"),
    (lambda: roofline.gpt_forward(CONFIG, 1, 8, 7, F16), "new_positions must be at most key_positions=7; got 8"),
    (lambda: kv_cache.flops_per_step(CONFIG, 20, 11, True), "key_positions must be at most max_seq_len=29; got 30"),
    (
        lambda: hardware.Accelerator("chip", {}, 1, 1, SOURCE),
        "peak_flop_per_s must map at least one dtype to a peak; got {}",
    ),
    (
        lambda: hardware.Accelerator("chip", 1e12, 1, 1, SOURCE),
        "peak_flop_per_s must map at least one dtype to a peak; got 1000000000000.0",
    ),
    (
        lambda: hardware.Accelerator("chip", {"fp16": 1e12}, 1, 1, SOURCE),
        "peak_flop_per_s must have torch dtypes as keys; got 'fp16'",
    ),
    (
        lambda: hardware.Accelerator("chip", {F16: nan}, 1, 1, SOURCE),
        "peak_flop_per_s[torch.float16] must be finite; got nan",
    ),
    (
        lambda: hardware.V100_SXM.peak_for(torch.bfloat16),
        "dtype must be one of torch.float16, torch.float32 on the V100 32 GB SXM2; got torch.bfloat16",
    ),
    (
        lambda: MODEL(torch.ones(1, 30, dtype=torch.int64)),
        "cached and new tokens must fit max_seq_len=29; got 0 cached and 30 new",
    ),
    (
        lambda: MODEL(TOKENS, generation.prefill(MODEL, TOKENS[:1])[1]),
        "cache must have batch_size=2, as model and tokens have; got 1",
    ),
    (lambda: gpt.load_gpt2_weights(MODEL, {}), "weights must be those of a GPT-2 of this size; got: "),
    (
        lambda: generation.generate(MODEL, *KINDS["prompt"][0][:1], 1),
        "prompt must have at most max_seq_len=29 tokens; got 30",
    ),
    (
        lambda: generation.generate_with_cache(MODEL, *KINDS["prompt"][0][:1], 1),
        "prompt must have at most max_seq_len=29 tokens; got 30",
    ),
    (
        lambda: generation.prefill(MODEL, KINDS["prompt"][0][0]),
        "cached and new tokens must fit max_seq_len=29; got 0 cached and 30 new",
    ),
    (
        lambda: generation.decode_one_token(MODEL, TOKENS, gpt.KVCache(CONFIG, 2)),
        "token must have shape (B, 1); got (2, 3)",
    ),
    (lambda: generation.next_token(torch.ones(2, 7), temperature=-0.5), "temperature must be at least 0; got -0.5"),
    (
        lambda: generation.next_token(torch.ones(7)),
        "logits must have shape (B, vocab_size), both at least 1; got (7,)",
    ),
    (
        lambda: generation.next_token(torch.ones(0, 7)),
        "logits must have shape (B, vocab_size), both at least 1; got (0, 7)",
    ),
    (
        lambda: generation.next_token(torch.ones(1, 7), generator=torch.Generator()),
        "generator must be None at temperature 0, which draws nothing; got <",
    ),
    (lambda: formats.spacing(65504, F16), "x must be below the largest number of torch.float16 in size; got 65504"),
    (
        lambda: formats.update_threshold(65504, F16),
        "weight must be below the largest number of torch.float16 in size; got 65504",
    ),
    (lambda: formats.numbers_between(2.0, 1.0, F16), "low must be at most high=1.0; got 2.0"),
    (lambda: mixed.first_change([]), "values must not be empty; got []"),
    (lambda: mixed.stall(60000.0, F16), "increment must stall below the largest number of torch.float16; got 60000.0"),
    (lambda: mixed.stall(1e-3, F16, max_steps=9), "max_steps must reach the stall, and the sum still moves at "),
    (
        lambda: mixed.training_bytes_per_parameter("fp8"),
        "precision must be one of 'float32', 'mixed', '16-bit with master', 'bfloat16'; got 'fp8'",
    ),
    (
        lambda: mixed.saved_activation_bytes(CONFIG, 1, 2, torch.float32),
        "autocast_dtype must be one of torch.float16, torch.bfloat16; got torch.float32",
    ),
    (lambda: roofline.gelu(7, F16, form="exact"), "form must be one of 'tanh', 'erf'; got 'exact'"),
    (
        lambda: flash.naive_attention(Q, Q[:1], Q[:1]),
        "k must have q's shape but for seq_len; got q (2, 3, 5), k (1, 3, 5)",
    ),
    (
        lambda: flash.naive_attention(Q, Q[..., :4], Q),
        "k must have q's shape but for seq_len; got q (2, 3, 5), k (2, 3, 4)",
    ),
    (lambda: flash.naive_attention(Q, Q, Q[:, :2]), "v must have k's shape, (2, 3, 5); got (2, 2, 5)"),
    (lambda: flash.naive_attention(Q, Q, Q.half()), "v must have the dtype of q, torch.float32; got torch.float16"),
    (
        lambda: flash.tiled_attention(Q, Q[:, :2], Q[:, :2], 2, 2, causal=True),
        "causal must be False for more queries than keys; got 3 and 2",
    ),
    (lambda: laws.growth_to_divide_loss(LAW, 1e200), "factor must give an answer that a float can hold; got 1e+200"),
    (lambda: laws.budget_for_loss(FIT, 1.69), "loss must be above the floor E=1.69; got 1.69"),
    (lambda: laws.iso_parameter_curve(FIT, 1e9, [1e20, nan]), "flops must be finite; got nan"),
    (lambda: laws.iso_flop_curve(FIT, 1e20, [1e9, 0]), "parameters must be above 0; got 0"),
]


def called(function, arguments):
    result = function(**arguments)
    return list(result) if inspect.isgenerator(result) else result  # a generator checks when it is first asked


def test_there_are_at_least_a_hundred_cases():
    assert len(CASES) + len(OWN_CASES) >= 100


@pytest.mark.parametrize(
    ("function", "good"), [(f, good) for f, (good, kinds) in TABLE.items() if f is not gpt.load_gpt2_weights]
)
def test_the_arguments_beside_the_bad_one_are_good(function, good):
    called(function, good)


@pytest.mark.parametrize(("function", "arguments", "named", "requirement", "bad"), CASES)
def test_bad_input_is_refused_by_name(function, arguments, named, requirement, bad):
    with pytest.raises(ValueError) as caught:
        called(function, arguments)
    message = str(caught.value)
    assert message.startswith(named) and requirement in message and "; got " in message, message
    if not isinstance(bad, torch.Tensor):  # of a tensor the message shows dtype, shape or the id out of range
        assert repr(bad) in message or str(getattr(bad, "dtype", type(bad))) in message, message


@pytest.mark.parametrize(("call", "message"), OWN_CASES, ids=[message[:40] for _, message in OWN_CASES])
def test_what_is_refused_by_one_function_alone(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_every_public_function_is_in_the_table():
    missing = []
    for info in pkgutil.iter_modules(scaling_lesson.__path__):
        if info.name in (
            "site",
            "figures",
            "checks",
            "units",
            "audit",
            "sources",
            "digits",
        ):  # all have tests of their own
            continue
        module = importlib.import_module(f"scaling_lesson.{info.name}")
        for name, value in vars(module).items():
            is_ours = getattr(value, "__module__", None) == module.__name__ and callable(value)
            makes_result = name in RESULTS or (inspect.isclass(value) and issubclass(value, torch.nn.Module))
            if is_ours and not name.startswith("_") and value not in TABLE and not makes_result:
                missing.append(f"{info.name}.{name}")
    assert not missing


RESULTS = {"FloatFormat", "Stall", "TileStep"}
"""What functions return; nobody else makes one."""


def test_every_check_says_what_it_wants():
    """The kinds above name each check of `checks`, so that a new one gets a kind."""
    named = {name for name, value in vars(checks).items() if inspect.isfunction(value)}
    assert named == {
        "require_positive_int",
        "require_finite",
        "require_positive",
        "require_positive_up_to_1",
        "require_text",
        "require_bool",
        "require_float_dtype",
        "require_number_dtype",
        "require_tokens",
        "require_in_vocabulary",
    }
