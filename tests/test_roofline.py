import math
from collections import Counter
from math import inf, nan

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from scaling_lesson import roofline
from scaling_lesson.accounting import forward_flops
from scaling_lesson.gpt import GPT, KVCache, attention
from scaling_lesson.hardware import A100_80GB_SXM, H100_SXM
from scaling_lesson.kv_cache import step_traffic_bytes
from scaling_lesson.models import GPT2_SMALL, ModelConfig
from scaling_lesson.roofline import (
    GELU_FLOPS,
    LAYER_NORM_FLOPS,
    SOFTMAX_FLOPS,
    attainable_flop_per_s,
    bound_by,
    compute_time_s,
    fused_attention,
    gelu,
    gpt_forward,
    layer_norm,
    least_time_s,
    matmul,
    memory_time_s,
    ridge_flop_per_byte,
    scores_pass,
    softmax,
    unfused_attention,
    vector_add,
)

HALF, BF16, F32 = torch.float16, torch.bfloat16, torch.float32
DTYPES = [HALF, BF16, F32]

# Distinct primes where sizes could be swapped; d_model = 3 x 7.
CONFIG = ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)


# -- elementwise work, counted in formulas written out -----------------------------------------------------------------


class CountElementwise(TorchDispatchMode):
    """Counts 1 FLOP for every number an operation writes, and for a sum or maximum 1 for every number it reads.

    `each` holds the FLOPs of operations over all numbers, `each_row` of those over one number a row (a mean, say). An
    operation it does not know is an error, so that none goes uncounted.
    """

    WRITES = {"add", "sub", "mul", "div", "sqrt", "exp", "tanh", "erf"}
    READS = {"sum", "amax"}

    def __init__(self, n):
        super().__init__()
        self.n, self.each, self.each_row = n, 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name not in self.WRITES | self.READS:
            raise AssertionError(f"the written-out formula must use known operations; got {func}")
        worked_on = args[0] if name in self.READS else output
        if worked_on.numel() == self.n:
            self.each += self.n
        else:
            self.each_row += worked_on.numel()
        return output


def written_out_layer_norm(x, gain, bias):
    width = x.size(-1)
    centred = x - x.sum(-1, keepdim=True) / width
    variance = (centred * centred).sum(-1, keepdim=True) / width
    return centred / (variance + 1e-5).sqrt() * gain + bias


def written_out_softmax(x):
    exps = (x - x.amax(-1, keepdim=True)).exp()
    return exps / exps.sum(-1, keepdim=True)


def written_out_gelu_tanh(x):
    return 0.5 * x * (1 + (math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)).tanh())


def written_out_gelu_erf(x):
    return 0.5 * x * (1 + (x / math.sqrt(2)).erf())


GAIN, BIAS = torch.randn(2, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
ELEMENTWISE = {
    # torch's own, written out, what the lesson counts, and FLOPs a row it leaves out
    "vector add": (lambda x: x + BIAS, lambda x: x + BIAS, lambda rows, n: vector_add(rows * n, F32), 0),
    "layer norm": (
        lambda x: F.layer_norm(x, (13,), GAIN, BIAS),
        lambda x: written_out_layer_norm(x, GAIN, BIAS),
        lambda rows, n: layer_norm(rows, n, F32),
        4,  # dividing both sums by the width, adding epsilon, and the root
    ),
    "softmax": (lambda x: x.softmax(-1), written_out_softmax, lambda rows, n: softmax(rows, n, F32), 0),
    "GELU, tanh": (
        lambda x: F.gelu(x, approximate="tanh"),
        written_out_gelu_tanh,
        lambda rows, n: gelu(rows * n, F32),
        0,
    ),
    "GELU, erf": (F.gelu, written_out_gelu_erf, lambda rows, n: gelu(rows * n, F32, "erf"), 0),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_flops_are_those_of_the_formula_written_out(name):
    torchs, written_out, operation, flops_a_row = ELEMENTWISE[name]
    x = torch.randn(7, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with CountElementwise(x.numel()) as counter:
        result = written_out(x)
    # The same formula, so the difference is float64's rounding of numbers of size 1.
    assert (result - torchs(x)).abs().max().item() < 1e-14
    assert operation(7, 13).flops == counter.each
    assert counter.each_row == 7 * flops_a_row


@pytest.mark.parametrize("written_out", [lambda x: x * 0.125, lambda x: x / 8.0], ids=["multiplied", "divided"])
def test_a_pass_over_the_scores_is_one_flop_each(written_out):
    x = torch.randn(7, 13, generator=torch.Generator().manual_seed(0))
    with CountElementwise(x.numel()) as counter:
        y = written_out(x)
    assert scores_pass(7, 13, F32).flops == counter.each
    assert scores_pass(7, 13, F32).memory_bytes == x.nbytes + y.nbytes == 2 * scores_pass(7, 13, HALF).memory_bytes


def test_the_flops_for_each_element_are_as_said():
    assert (LAYER_NORM_FLOPS, SOFTMAX_FLOPS, GELU_FLOPS) == (7, 5, {"tanh": 9, "erf": 5})


# -- bytes and FLOPs of real tensors -----------------------------------------------------------------------------------


def random(*shape, dtype):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).to(dtype)


def bytes_of(*tensors):
    return sum(tensor.nbytes for tensor in tensors)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_elementwise_bytes_are_those_of_the_tensors_read_and_written(dtype):
    x, y = random(7, 13, dtype=dtype), random(7, 13, dtype=dtype)
    assert vector_add(91, dtype).memory_bytes == bytes_of(x, y, x + y)
    assert layer_norm(7, 13, dtype).memory_bytes == bytes_of(x, F.layer_norm(x, (13,)))
    assert softmax(7, 13, dtype).memory_bytes == bytes_of(x, x.softmax(-1))
    assert gelu(91, dtype).memory_bytes == gelu(91, dtype, "erf").memory_bytes == bytes_of(x, F.gelu(x))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("batch_size", [1, 5])
def test_a_matmul_is_what_torch_counts_and_the_tensors_hold(batch_size, dtype):
    a, b = random(batch_size, 7, 11, dtype=dtype), random(batch_size, 11, 13, dtype=dtype)
    with FlopCounterMode(display=False) as counter:
        product = a @ b
    operation = matmul(7, 11, 13, dtype, batch_size)
    assert operation.flops == counter.get_total_flops()
    assert operation.memory_bytes == bytes_of(a, b, product)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("n_query, n_key", [(1, 19), (11, 19), (19, 19)])
def test_attention_is_what_torch_counts_and_the_tensors_hold(n_query, n_key, dtype):
    B, n_head, head_dim = 2, 3, 7
    q = random(B, n_head, n_query, head_dim, dtype=dtype)
    k, v = (random(B, n_head, n_key, head_dim, dtype=dtype) for _ in range(2))
    with FlopCounterMode(display=False) as counter:
        output = attention(q, k, v)
    fused = fused_attention(n_query, n_key, head_dim, dtype, heads=B * n_head)
    unfused = unfused_attention(n_query, n_key, head_dim, dtype, heads=B * n_head)
    assert fused.flops == unfused.flops == counter.get_total_flops()
    assert fused.memory_bytes == bytes_of(q, k, v, output)
    scores = q @ k.transpose(-2, -1)
    weights = scores.softmax(-1)
    pieces = [(q, k, scores), (scores, weights), (weights, v, output)]  # each reads all but its last, and writes that
    assert unfused.memory_bytes == sum(bytes_of(*piece) for piece in pieces)


# -- the forward pass, operation by operation --------------------------------------------------------------------------


class RecordOperations(TorchDispatchMode):
    """(kind, numbers worked on, bytes read and written) of every operation of a pass that `gpt_forward` counts.

    For a matrix product the second is its FLOPs. LEFT_OUT is all else torch runs, so that nothing new goes unseen:
    views, positions and table rows, what is written to the cache and, for some products, read from it in another
    layout, and, in attention, the scaling and the mask.
    """

    KINDS = {
        "addmm": "matmul",
        "mm": "matmul",
        "bmm": "matmul",
        "add": "add",
        "native_layer_norm": "layer norm",
        "_softmax": "softmax",
        "gelu": "GELU",
    }
    LEFT_OUT = {
        "view",
        "_unsafe_view",
        "t",
        "transpose",
        "permute",
        "unbind",
        "expand",
        "split",
        "clone",
        "select",
        "slice",
        "copy_",
        "arange",
        "embedding",
        "div",
        "ones",
        "triu",
        "masked_fill",
    }

    def __init__(self):
        super().__init__()
        self.recorded = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name not in self.KINDS:
            assert name in self.LEFT_OUT, f"{func} is neither counted nor left out on purpose"
            return output
        inputs = [arg for arg in args if isinstance(arg, torch.Tensor)]
        if name == "addmm":
            inputs = inputs[1:]  # the first is the bias
        elif name == "native_layer_norm":
            inputs = inputs[:1]  # the others are gain and bias
        written = output[0] if isinstance(output, tuple) else output
        work = written.numel()
        if self.KINDS[name] == "matmul":
            work *= 2 * inputs[0].size(-1)
        elif name == "add" and inputs[1].ndim < written.ndim:
            inputs[1] = inputs[1].expand_as(written)  # position rows: looked up for each sequence, as token rows are
        read = sum(each.numel() * each.element_size() for each in inputs)
        self.recorded[self.KINDS[name], work, read + written.nbytes] += 1
        return output


def kind_of(operation):
    """The kind of a `gpt_forward` operation, and its FLOPs for each number where it is elementwise, else 1."""
    kinds = {
        "embedding": ("add", 1),
        "residual add": ("add", 1),
        "layer norm": ("layer norm", LAYER_NORM_FLOPS),
        "softmax": ("softmax", SOFTMAX_FLOPS),
        "GELU": ("GELU", GELU_FLOPS["tanh"]),
    }
    return kinds.get(operation.name, ("matmul", 1))


PASSES = [(1, 1), (29, 29), (11, 11), (1, 23), (5, 17)]  # new positions, key positions: prefill, decode, both at once


def tokens_of(batch_size, seq_len):
    return torch.arange(batch_size * seq_len).view(batch_size, seq_len) % CONFIG.vocab_size


def our_pass(batch_size, new_positions, key_positions, dtype=F32):
    """A real GPT, the tokens of this pass, and a cache that holds the positions before them."""
    model, cache = GPT(CONFIG).to(dtype), KVCache(CONFIG, batch_size, dtype)
    if key_positions > new_positions:
        with torch.no_grad():
            model(tokens_of(batch_size, key_positions - new_positions), cache)
    return model, tokens_of(batch_size, new_positions), cache


@pytest.mark.parametrize("dtype", [BF16, F32], ids=str)
@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("new_positions, key_positions", PASSES)
def test_unfused_every_operation_is_one_the_model_runs_and_as_often(new_positions, key_positions, batch_size, dtype):
    model, tokens, cache = our_pass(batch_size, new_positions, key_positions, dtype)
    with torch.no_grad(), RecordOperations() as ran:
        model(tokens, cache)
    counted = Counter()
    for operation in gpt_forward(CONFIG, batch_size, new_positions, key_positions, dtype, fused=False):
        kind, flops_each = kind_of(operation)
        counted[kind, operation.flops / flops_each, operation.memory_bytes] += operation.runs
    assert counted == ran.recorded


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("new_positions, key_positions", PASSES)
def test_fused_attention_is_one_operation_in_each_layer(new_positions, key_positions, batch_size, monkeypatch):
    model, tokens, cache = our_pass(batch_size, new_positions, key_positions)
    in_layers, flops = [], []

    def watched(q, k, v, future=None):
        with FlopCounterMode(display=False) as counter:
            output = attention(q, k, v, future)
        in_layers.append(bytes_of(q, k, v, output))
        flops.append(counter.get_total_flops())
        return output

    monkeypatch.setattr("scaling_lesson.gpt.attention", watched)
    monkeypatch.setattr("torch.nn.functional.scaled_dot_product_attention", watched)
    with torch.no_grad():
        model(tokens, cache)
    fused = gpt_forward(CONFIG, batch_size, new_positions, key_positions, F32)
    (operation,) = [operation for operation in fused if operation.name == "attention"]
    assert [operation.memory_bytes] * operation.runs == in_layers
    assert [operation.flops] * operation.runs == flops
    # Everything else stands there as it does unfused.
    unfused = gpt_forward(CONFIG, batch_size, new_positions, key_positions, F32, fused=False)
    pieces = ("attention scores", "softmax", "weighted values")
    assert [other for other in fused if other is not operation] == [
        operation for operation in unfused if operation.name not in pieces
    ]


@pytest.mark.parametrize("config", [CONFIG, GPT2_SMALL], ids=lambda config: config.name)
@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("new_positions, key_positions", PASSES)
def test_matrix_products_sum_to_the_flops_of_a_forward_pass(new_positions, key_positions, fused, batch_size, config):
    operations = gpt_forward(config, batch_size, new_positions, key_positions, HALF, fused)
    in_products = sum(operation.flops * operation.runs for operation in operations if kind_of(operation)[0] == "matmul")
    assert in_products == batch_size * forward_flops(config, new_positions, key_positions)


@pytest.mark.parametrize("config", [CONFIG, GPT2_SMALL], ids=lambda config: config.name)
@pytest.mark.parametrize("batch_size", [1, 7])
def test_decoding_reads_every_matrix_once(batch_size, config):
    projections = {"QKV projection", "attention projection", "feed-forward up", "feed-forward down", "logits"}
    traffic_bytes = sum(
        operation.memory_bytes * operation.runs
        for operation in gpt_forward(config, batch_size, 1, 19, HALF)
        if operation.name in projections
    )
    with torch.device("meta"):
        layers = [module for module in GPT(config).half().modules() if isinstance(module, nn.Linear)]
    activations = sum(layer.in_features + layer.out_features for layer in layers) * batch_size * 2  # bytes a number
    assert traffic_bytes - activations == bytes_of(*(layer.weight for layer in layers))


# -- the lesson's numbers ----------------------------------------------------------------------------------------------


def intensities(batch_size, new_positions, key_positions, fused=True):
    operations = gpt_forward(GPT2_SMALL, batch_size, new_positions, key_positions, HALF, fused)
    return {operation.name: operation.flop_per_byte for operation in operations}


def test_intensities_of_gpt2_at_1024_tokens():
    prefill = intensities(1, 1024, 1024, fused=False)
    rounded = {name: round(prefill[name]) for name in prefill if "projection" in name or "feed" in name}
    assert rounded == {
        "QKV projection": 369,
        "attention projection": 279,
        "feed-forward up": 384,
        "feed-forward down": 384,
    }
    assert round(prefill["logits"]) == 435
    assert f"{prefill['attention scores']:.1f}" == f"{matmul(1024, 64, 1024, HALF).flop_per_byte:.1f}" == "56.9"


def test_the_attention_projection_is_compute_bound_on_an_a100_and_memory_bound_on_an_h100():
    projection = matmul(1024, 768, 768, HALF)
    assert bound_by(projection.flops, projection.memory_bytes, A100_80GB_SXM, HALF) == "compute"
    assert bound_by(projection.flops, projection.memory_bytes, H100_SXM, HALF) == "memory"


def test_decoding_one_token_its_products_do_1_flop_a_byte():
    decode = intensities(1, 1, 1024)
    products = ("QKV projection", "attention projection", "feed-forward up", "feed-forward down", "logits")
    # 1 / (1 + 1/k + 1/n): 0.9974 for 768 x 768, 0.9987 for 768 x 50,257.
    assert {name: round(decode[name], 3) for name in products} == {
        "QKV projection": 0.998,
        "attention projection": 0.997,
        "feed-forward up": 0.998,
        "feed-forward down": 0.998,
        "logits": 0.999,
    }
    in_all = [operation for operation in gpt_forward(GPT2_SMALL, 1, 1, 1024, HALF) if operation.name in products]
    flops, traffic_bytes = (
        sum(getattr(operation, field) * operation.runs for operation in in_all) for field in ("flops", "memory_bytes")
    )
    assert f"{flops / traffic_bytes:.3f}" == "0.998"


def test_intensities_of_single_operations():
    assert vector_add(10**6, F32).flop_per_byte == pytest.approx(1 / 12, rel=1e-15)  # two float64 divisions
    assert vector_add(10**6, HALF).flop_per_byte == pytest.approx(1 / 6, rel=1e-15)
    assert layer_norm(1024, 768, HALF).flop_per_byte == 1.75
    assert softmax(1024, 1024, HALF).flop_per_byte == 1.25
    assert (gelu(3072, HALF, "erf").flop_per_byte, gelu(3072, HALF).flop_per_byte) == (1.25, 2.25)
    assert f"{unfused_attention(4096, 4096, 64, HALF).flop_per_byte:.1f}" == "31.5"


def test_a_square_matmul_is_compute_bound_from_460():
    operations = [matmul(n, n, n, HALF) for n in range(1, 1000)]
    for n, operation in enumerate(operations, start=1):
        assert 3 * operation.flops == n * operation.memory_bytes, n  # n / 3 FLOP/B
    bounds = [bound_by(operation.flops, operation.memory_bytes, A100_80GB_SXM, HALF) for operation in operations]
    assert bounds == ["memory"] * 459 + ["compute"] * 540


def step_1024(cached):
    flops = forward_flops(GPT2_SMALL, 1 if cached else 1024, 1024)
    return flops, step_traffic_bytes(GPT2_SMALL, 1024, cached, HALF)


def test_step_1024_without_a_cache_is_compute_bound_and_takes_0_935_ms():
    assert f"{1e3 * least_time_s(*step_1024(cached=False), A100_80GB_SXM, HALF):.3f} ms" == "0.935 ms"
    assert bound_by(*step_1024(cached=False), A100_80GB_SXM, HALF) == "compute"


def test_step_1024_with_a_cache_is_memory_bound_and_takes_0_140_ms():
    assert f"{1e3 * least_time_s(*step_1024(cached=True), A100_80GB_SXM, HALF):.3f} ms" == "0.140 ms"
    assert bound_by(*step_1024(cached=True), A100_80GB_SXM, HALF) == "memory"


def test_1024_times_fewer_flops_are_6_7_times_less_time():
    uncached, cached = step_1024(cached=False), step_1024(cached=True)
    assert uncached[0] == 1024 * cached[0]
    ratio = least_time_s(*uncached, A100_80GB_SXM, HALF) / least_time_s(*cached, A100_80GB_SXM, HALF)
    assert f"{ratio:.1f}" == "6.7"


def test_the_a100s_ridge_is_153_flop_per_byte():
    assert round(ridge_flop_per_byte(A100_80GB_SXM, HALF)) == 153
    # 19.5e12 / 2.039e12, in tenths
    assert f"{ridge_flop_per_byte(A100_80GB_SXM, torch.float32):.1f}" == "9.6"


def test_the_bound_changes_at_the_ridge():
    traffic_bytes = 10**9
    ridge = ridge_flop_per_byte(A100_80GB_SXM, HALF)
    below, above = 0.999 * ridge * traffic_bytes, 1.001 * ridge * traffic_bytes
    assert bound_by(below, traffic_bytes, A100_80GB_SXM, HALF) == "memory"
    assert bound_by(above, traffic_bytes, A100_80GB_SXM, HALF) == "compute"
    assert least_time_s(below, traffic_bytes, A100_80GB_SXM, HALF) == traffic_bytes / 2.039e12
    assert least_time_s(above, traffic_bytes, A100_80GB_SXM, HALF) == above / 312e12


def test_equal_times_count_as_compute_bound():
    assert compute_time_s(312e12, A100_80GB_SXM, HALF) == memory_time_s(2.039e12, A100_80GB_SXM) == 1
    assert bound_by(312e12, 2.039e12, A100_80GB_SXM, HALF) == "compute"


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("accelerator", [A100_80GB_SXM, H100_SXM], ids=lambda accelerator: accelerator.name)
def test_what_is_attainable_is_the_work_over_its_least_time(accelerator, dtype):
    operations = [
        operation for new_positions in (1, 1024) for operation in gpt_forward(GPT2_SMALL, 3, new_positions, 1024, dtype)
    ]
    bounds = set()
    for operation in operations:
        work = (operation.flops, operation.memory_bytes, accelerator, dtype)
        roof = attainable_flop_per_s(operation.flop_per_byte, accelerator, dtype)
        # (flops / bytes) x bandwidth against flops / (bytes / bandwidth): two roundings of 1.1e-16 on either side.
        assert roof == pytest.approx(operation.flops / least_time_s(*work), rel=1e-15), operation.name
        assert (roof == accelerator.peak_for(dtype)) == (bound_by(*work) == "compute"), operation.name
        bounds.add(bound_by(*work))
    assert bounds == {"compute", "memory"}


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, -1, nan, inf, True, "1", None], ids=repr)
@pytest.mark.parametrize("function", [least_time_s, bound_by])
def test_work_and_traffic_must_be_above_zero(function, bad):
    with pytest.raises(ValueError, match="^flops must "):
        function(bad, 1, A100_80GB_SXM, HALF)
    with pytest.raises(ValueError, match="^memory_bytes must "):
        function(1, bad, A100_80GB_SXM, HALF)


@pytest.mark.parametrize("function", [least_time_s, bound_by])
def test_a_dtype_without_a_peak_is_refused(function):
    with pytest.raises(ValueError, match="^dtype must be one of "):
        function(1, 1, A100_80GB_SXM, torch.int8)


def test_every_operation_carries_its_name_and_stands_for_one_head_unless_told():
    f16, size = torch.float16, {"n_query": 3, "n_key": 5, "head_dim": 7}
    made = [
        roofline.vector_add(3, f16),
        roofline.layer_norm(3, 5, f16),
        roofline.softmax(3, 5, f16),
        roofline.gelu(3, f16),
        roofline.matmul(3, 5, 7, f16),
        roofline.unfused_attention(**size, dtype=f16),
        roofline.fused_attention(**size, dtype=f16),
    ]
    assert [operation.name for operation in made] == [
        "vector add",
        "layer norm",
        "softmax",
        "GELU",
        "matmul",
        "unfused attention",
        "fused attention",
    ]
    for counted in (roofline.unfused_attention, roofline.fused_attention):
        assert counted(**size, dtype=f16) == counted(**size, dtype=f16, heads=1)
