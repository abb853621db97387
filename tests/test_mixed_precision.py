from math import inf, nan

import ml_dtypes
import numpy
import pytest
import torch

from scaling_lesson import float_formats
from scaling_lesson import mixed_precision as mp
from scaling_lesson.models import GPT2_SMALL, ModelConfig

F16, BF16, F32 = torch.float16, torch.bfloat16, torch.float32
HALVES = [F16, BF16]
CAST = {F16: numpy.float16, BF16: ml_dtypes.bfloat16}  # the same roundings without torch


# -- updates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype, exponent", [(F16, -11), (BF16, -8), (F32, -24)], ids=str)
def test_near_1_an_update_must_exceed_half_a_spacing(dtype, exponent):
    threshold = mp.update_threshold(1.0, dtype)
    assert threshold == 2.0**exponent
    assert mp.add_update(1.0, threshold, dtype) == 1.0  # a tie goes to the even neighbour, which is 1.0
    assert mp.add_update(1.0, threshold + mp.spacing(threshold, dtype), dtype) == 1 + 2 * threshold
    odd = 1 + 2 * threshold  # the next number, whose last fraction bit is 1: there a tie moves the weight
    assert mp.add_update(odd, threshold, dtype) == 1 + 4 * threshold
    assert mp.add_update(-1.0, -threshold, dtype) == -1.0


def test_in_bfloat16_an_update_below_2_to_the_minus_9_of_the_weight_is_always_lost():
    generator = numpy.random.default_rng(1)
    for weight in (mp.stored(x, BF16) for x in 10.0 ** generator.uniform(-30, 30, 300)):
        assert 2**-9 < mp.update_threshold(weight, BF16) / weight <= 2**-8
        assert mp.add_update(weight, weight * 2**-9 * 0.99, BF16) == weight
        assert mp.add_update(weight, weight * 2**-8 * 1.01, BF16) > weight


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("steps", [1, 10, 100, 1000])
def test_1_plus_0_0001_is_lost_in_both_16_bit_formats(dtype, steps):
    assert mp.repeated_updates(1.0, 1e-4, steps, dtype) == [1.0] * (steps + 1)
    assert mp.first_change(mp.repeated_updates(1.0, 1e-4, steps, dtype)) is None


def test_a_float32_master_moves_at_once():
    assert mp.add_update(1.0, 1e-4, F32) == 1.000100016593933
    assert f"{mp.add_update(1.0, 1e-4, F32):.10f}" == "1.0001000166"


@pytest.mark.parametrize("copy_dtype, step, value", [(F16, 5, 1.0009765625), (BF16, 40, 1.0078125)], ids=str)
def test_the_copy_of_a_master_moves_when_enough_has_added_up(copy_dtype, step, value):
    masters, copies = mp.master_updates(1.0, 1e-4, 100, copy_dtype)
    assert (mp.first_change(masters), mp.first_change(copies)) == (1, step)
    assert copies[step] == value
    assert len(masters) == len(copies) == 101
    master = numpy.float32(1)
    for kept, copy in zip(masters, copies, strict=True):
        assert kept == master and copy == CAST[copy_dtype](master)
        master = master + numpy.float32(1e-4)


def test_sums_are_rounded_once_to_the_nearest_number():
    generator = numpy.random.default_rng(2)
    pairs = generator.uniform(-3, 3, (300, 2)).astype(numpy.float16)
    for weight, update in pairs:
        assert mp.add_update(float(weight), float(update), F16) == float(weight + update)


def test_repeated_updates_start_with_the_stored_weight_and_may_overflow():
    assert mp.repeated_updates(0.1, 0.0, 1, BF16) == [mp.stored(0.1, BF16)] * 2
    assert mp.repeated_updates(65504.0, 1000.0, 2, F16) == [65504.0, inf, inf]


def test_first_change_is_an_index():
    assert mp.first_change([3.0]) is None
    assert mp.first_change([3.0, 3.0, 2.0, 3.0]) == 2


def test_adding_a_thousandth_stalls():
    assert mp.stall(1e-3, BF16) == mp.Stall(value=0.5, adds=383)
    assert mp.stall(1e-3, F16) == mp.Stall(value=4.0, adds=3_070)


def test_a_stall_is_where_a_loop_in_numpy_stops():
    value, adds, increment = numpy.float16(-0.7), 0, numpy.float16(0.01)
    while value + increment != value:
        value, adds = value + increment, adds + 1
    assert mp.stall(0.01, F16, start=-0.7) == mp.Stall(float(value), adds)
    assert mp.stall(1e-9, F16) == mp.Stall(0.0, 0)  # the increment itself is stored as 0


# -- gradients ---------------------------------------------------------------------------------------------------------


def test_a_gradient_of_1e_minus_8_needs_scaling_in_float16_only():
    assert mp.gradient_through(1e-8, F16) == 0.0
    # float16 keeps 11 significant bits, so the scaled gradient is within 2^-11 of the true one.
    assert mp.gradient_through(1e-8, F16, loss_scale=2**16) == pytest.approx(1e-8, rel=2**-11)
    assert mp.gradient_through(1e-8, F16, loss_scale=2**43) == inf
    assert f"{mp.gradient_through(1e-8, BF16):.5e}" == "1.00117e-08"
    assert mp.gradient_through(1e-8, F32) == float(numpy.float32(1e-8))


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("true_gradient", [1e-8, -3e-7, 0.1, 0.0, 37.0])
@pytest.mark.parametrize("loss_scale", [1.0, 7.0, 2.0**16, 2.0**40])
def test_a_gradient_is_stored_once_in_16_bits(dtype, true_gradient, loss_scale):
    scaled = numpy.float32(true_gradient) * numpy.float32(loss_scale)
    kept = numpy.float32(mp.stored(float(scaled), dtype))
    assert mp.gradient_through(true_gradient, dtype, loss_scale) == kept / numpy.float32(loss_scale)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_autocast_computes_both_passes_in_16_bits_and_keeps_float32_outside(dtype):
    state = torch.get_rng_state()
    assert mp.autocast_dtypes(dtype) == {
        "weights": F32,
        "activations": dtype,
        "activation_gradients": dtype,
        "weight_gradients": F32,
    }
    assert torch.equal(torch.get_rng_state(), state)


def test_adam_in_float16_breaks_at_its_first_step():
    weight = torch.ones(1, dtype=F16, requires_grad=True)
    weight.grad = torch.full_like(weight, 1e-4)
    torch.optim.Adam([weight], lr=1e-3).step()
    g, eps = weight.grad, torch.tensor(1e-8, dtype=F16)
    assert weight.item() == (1 - 1e-3 * g / ((g * g).sqrt() + eps)).item() == -inf  # as the page writes it


def test_adams_second_average_cannot_decay_in_bfloat16():
    weight = torch.ones(1, dtype=BF16, requires_grad=True)
    optimizer = torch.optim.Adam([weight])
    for gradient in (30.0, 0.0, 0.0, 0.0):
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
        average = optimizer.state[weight]["exp_avg_sq"].item()
        assert average == mp.stored(30.0**2 * 0.001, BF16)


# -- memory ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "precision, total", [("float32", 16), ("mixed", 16), ("16-bit with master", 16), ("bfloat16", 8)]
)
def test_training_bytes_per_parameter(precision, total):
    assert sum(mp.training_bytes_per_parameter(precision).values()) == total


@pytest.mark.parametrize("precision", ["float32", "mixed", "bfloat16"])
def test_training_bytes_are_those_of_a_real_optimizer_step(precision):
    weight_dtype = BF16 if precision == "bfloat16" else F32
    layer = torch.nn.Linear(7, 5, bias=False, dtype=weight_dtype)
    optimizer = torch.optim.Adam(layer.parameters())
    with torch.autocast("cpu", dtype=BF16, enabled=precision == "mixed"):
        layer(torch.ones(3, 7, dtype=weight_dtype)).sum().backward()
    optimizer.step()
    weight, moments = layer.weight, optimizer.state[layer.weight]
    kept = [weight, weight.grad, moments["exp_avg"], moments["exp_avg_sq"]]
    counted = mp.training_bytes_per_parameter(precision)
    assert [tensor.nbytes / weight.numel() for tensor in kept] == list(counted.values())


CONFIG = ModelConfig("primes", 5, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)


def float32_saved_by_hand(config, batch_size, seq_len):
    """What the backward pass of each module needs, added up from the formulas of gpt.py, in bytes."""
    B, T, C, D = batch_size, seq_len, config.d_model, config.d_ff
    layer_norm = B * T * C + 2 * B * T  # its input, and a mean and a deviation for each position
    attention = B * T * C  # input of c_attn
    attention += 3 * B * T * C  # Q, K, V
    attention += B * config.n_head * T * T  # the softmax's output
    attention += B * T * C  # input of c_proj
    feed_forward = B * T * C + 2 * B * T * D  # input of c_fc, input of GELU, input of c_proj
    ends = layer_norm + B * T * C + B * T * config.vocab_size  # ln_f, input of lm_head, log-softmax
    floats = config.n_layer * (2 * layer_norm + attention + feed_forward) + ends
    return 4 * floats + 8 * B * T + not_in_the_batch(config, seq_len)  # and the int64 tokens


def not_in_the_batch(config, seq_len):
    """Saved once however many sequences there are: the layers' one mask, the int64 positions, the loss's divisor.

    A single position has no mask.
    """
    mask = seq_len**2 if seq_len > 1 else 0
    return mask + 8 * seq_len + 4


@pytest.mark.parametrize("batch_size, seq_len", [(1, 1), (2, 17), (3, 29)])
def test_saved_bytes_in_float32_are_those_the_formulas_need(batch_size, seq_len):
    assert mp.saved_activation_bytes(CONFIG, batch_size, seq_len) == float32_saved_by_hand(CONFIG, batch_size, seq_len)


@pytest.mark.parametrize("autocast_dtype", [None, F16, BF16], ids=str)
def test_no_parameter_and_no_copy_of_one_is_counted(autocast_dtype):
    two, four = (mp.saved_activation_bytes(CONFIG, batch_size, 17, autocast_dtype) for batch_size in (2, 4))
    # What is left when the batch is taken to 0.
    assert 2 * two - four == not_in_the_batch(CONFIG, 17)


def test_activations_shrink_under_autocast_by_less_than_half():
    in_float32, in_float16 = (mp.saved_activation_bytes(CONFIG, 2, 29, dtype) for dtype in (None, F16))
    assert in_float16 == mp.saved_activation_bytes(CONFIG, 2, 29, BF16)
    # The residual stream, the layer norms' inputs and the loss stay in float32, so it cannot reach one half.
    assert 0.5 < in_float16 / in_float32 < 0.75


def test_measuring_leaves_the_random_stream_alone():
    state = torch.get_rng_state()
    mp.saved_activation_bytes(CONFIG, 1, 7)
    assert torch.equal(torch.get_rng_state(), state)


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [nan, inf, -inf, True, "1", None, 10**400], ids=lambda bad: repr(bad)[:5])
@pytest.mark.parametrize(
    "name, call",
    [
        ("x", lambda bad: mp.stored(bad, F16)),
        ("x", lambda bad: mp.bit_fields(bad, F16)),
        ("x", lambda bad: mp.spacing(bad, F16)),
        ("weight", lambda bad: mp.update_threshold(bad, F16)),
        ("weight", lambda bad: mp.add_update(bad, 1.0, F16)),
        ("update", lambda bad: mp.add_update(1.0, bad, F16)),
        ("weight", lambda bad: mp.repeated_updates(bad, 1.0, 2, F16)),
        ("update", lambda bad: mp.master_updates(1.0, bad, 2, F16)),
        ("increment", lambda bad: mp.stall(bad, F16)),
        ("start", lambda bad: mp.stall(1.0, F16, start=bad)),
        ("true_gradient", lambda bad: mp.gradient_through(bad, F16)),
        ("loss_scale", lambda bad: mp.gradient_through(1.0, F16, bad)),
    ],
)
def test_a_number_must_be_finite(name, call, bad):
    with pytest.raises(ValueError, match=f"^{name} must be (finite|a number); got "):
        call(bad)


@pytest.mark.parametrize("bad", [0, -1, 2.0, nan, True, "7", None], ids=repr)
@pytest.mark.parametrize(
    "name, call",
    [
        ("steps", lambda bad: mp.repeated_updates(1.0, 1.0, bad, F16)),
        ("steps", lambda bad: mp.master_updates(1.0, 1.0, bad, F16)),
        ("max_steps", lambda bad: mp.stall(1.0, F16, max_steps=bad)),
        ("batch_size", lambda bad: mp.saved_activation_bytes(CONFIG, bad, 7)),
        ("seq_len", lambda bad: mp.saved_activation_bytes(CONFIG, 7, bad)),
    ],
)
def test_a_count_must_be_a_positive_integer(name, call, bad):
    with pytest.raises(ValueError, match=f"^{name} must be a positive integer; got {bad!r}$"):
        call(bad)


@pytest.mark.parametrize("bad", [torch.float64, torch.int16, "float16", None], ids=repr)
@pytest.mark.parametrize(
    "name, call",
    [
        ("dtype", lambda bad: mp.float_format(bad)),
        ("dtype", lambda bad: mp.stored(1.0, bad)),
        ("dtype", lambda bad: mp.bit_fields(1.0, bad)),
        ("dtype", lambda bad: mp.spacing(1.0, bad)),
        ("dtype", lambda bad: mp.update_threshold(1.0, bad)),
        ("dtype", lambda bad: mp.largest_consecutive_integer(bad)),
        ("dtype", lambda bad: mp.add_update(1.0, 1.0, bad)),
        ("dtype", lambda bad: mp.repeated_updates(1.0, 1.0, 2, bad)),
        ("copy_dtype", lambda bad: mp.master_updates(1.0, 1.0, 2, bad)),
        ("dtype", lambda bad: mp.stall(1.0, bad)),
        ("dtype", lambda bad: mp.gradient_through(1.0, bad)),
        ("dtype", lambda bad: mp.autocast_dtypes(bad)),
    ],
)
def test_a_dtype_must_be_one_of_the_lessons(name, call, bad):
    with pytest.raises(ValueError, match=f"^{name} must be one of torch.float16, .*; got {bad!r}$"):
        call(bad)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: mp.autocast_dtypes(F32), "dtype must be one of torch.float16, torch.bfloat16; got torch.float32"),
        (lambda: mp.saved_activation_bytes(CONFIG, 1, 7, F32), "autocast_dtype must be one of .*; got torch.float32"),
        (lambda: mp.saved_activation_bytes(CONFIG, 1, 30), "seq_len must be at most max_seq_len=29; got 30"),
        (lambda: mp.spacing(65504.0, F16), "x must be below the largest number of torch.float16 in size; got 65504.0"),
        (lambda: mp.update_threshold(1e5, F16), "weight must be below the largest number .*; got 100000.0"),
        (lambda: mp.first_change([]), r"values must not be empty; got \[\]"),
        (lambda: mp.gradient_through(1.0, F16, 0.0), "loss_scale must be above 0; got 0.0"),
        (lambda: mp.stall(1e-3, F16, max_steps=3070), "max_steps must reach the stall, .* at 4.0; got 3070"),
        (lambda: mp.stall(1000.0, F16), "increment must stall below the largest number of torch.float16; got 1000.0"),
        (lambda: mp.training_bytes_per_parameter("fp8"), "precision must be one of 'float32', .*; got 'fp8'"),
    ],
)
def test_other_bad_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        call()


def test_everything_the_format_module_defines_for_pages_is_here_too():
    here = float_formats.__name__
    own = {name for name, value in vars(float_formats).items() if getattr(value, "__module__", "") == here}
    assert {name for name in own if not name.startswith("_")} - {"cast"} <= set(mp.__all__)


@pytest.mark.parametrize(
    ("precision", "parts"),
    [
        ("float32", "weight_float32 gradient_float32 adam_first_moment_float32 adam_second_moment_float32"),
        ("mixed", "weight_float32 gradient_float32 adam_first_moment_float32 adam_second_moment_float32"),
        (
            "16-bit with master",
            "weight_16_bit gradient_16_bit master_weight_float32 adam_first_moment_float32 adam_second_moment_float32",
        ),
        ("bfloat16", "weight_bfloat16 gradient_bfloat16 adam_first_moment_bfloat16 adam_second_moment_bfloat16"),
    ],
)
def test_each_part_takes_the_bytes_its_name_says(precision, parts):
    bytes_named = {
        name: 4 if name.endswith("float32") and not name.endswith("bfloat16") else 2 for name in parts.split()
    }
    assert mp.training_bytes_per_parameter(precision) == bytes_named
