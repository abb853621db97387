"""What an argument left out means, and messages and dtypes no other test looks at."""

import pytest
import torch

from scaling_lesson.flash_attention import (
    flash1_traffic_bytes,
    flash2_traffic_bytes,
    naive_attention,
    online_softmax_steps,
    tile_counts,
    tiled_attention,
)
from scaling_lesson.gpt import GPT, load_gpt2_weights
from scaling_lesson.mixed_precision import gradient_through
from scaling_lesson.models import GPT2_SMALL, ModelConfig

Q, K, V = torch.randn(3, 2, 7, 5, generator=torch.Generator().manual_seed(0))
F16 = torch.float16


def test_attention_is_not_causal_unless_told():
    steps = list(online_softmax_steps(Q, K, V, 2, 3))
    assert all(step.scores is not None for step in steps)
    assert tile_counts(7, 2, 3) == tile_counts(7, 2, 3, causal=False) == (12, 0)
    assert flash2_traffic_bytes(7, 5, 2, 3, F16) == flash2_traffic_bytes(7, 5, 2, 3, F16, causal=False)


@pytest.mark.parametrize("dtype", [F16, torch.bfloat16, torch.float32, torch.float64])
def test_the_output_has_the_dtype_of_the_queries(dtype):
    q, k, v = Q.to(dtype), K.to(dtype), V.to(dtype)
    assert tiled_attention(q, k, v, 2, 3).dtype == naive_attention(q, k, v).dtype == dtype
    assert {step.m.dtype for step in online_softmax_steps(q, k, v, 2, 3)} == {torch.promote_types(dtype, torch.float32)}


def test_half_a_number_does_not_fit_on_the_chip():
    # 41 bytes hold 20 numbers of 16 bits: one key of 5 numbers a tile, so 7 passes; half a number more makes it two.
    assert (
        flash1_traffic_bytes(7, 5, 41, F16)
        == flash1_traffic_bytes(7, 5, 40, F16)
        != flash1_traffic_bytes(7, 5, 42, F16)
    )


@pytest.mark.usefixtures("shapes_unchecked")
def test_messages_name_what_was_given():
    with pytest.raises(ValueError, match="q must be a floating-point tensor; got torch.int64"):
        naive_attention(Q.long(), K, V)
    with pytest.raises(ValueError, match="causal must be False for more queries than keys; got 7 and 3"):
        naive_attention(Q, K[:, :3], V[:, :3], causal=True)


def test_without_a_loss_scale_a_gradient_arrives_as_it_is():
    assert gradient_through(0.75, F16) == 0.75


def test_masks_are_left_out_wherever_they_stand():
    config = ModelConfig("primes", 2, 3, 3, 21, 83, 101, 29, GPT2_SMALL.source)
    model, other = GPT(config), GPT(config)
    turned = ("c_attn.weight", "c_fc.weight", "c_proj.weight")
    weights = {"transformer.h.0.attn.bias": torch.ones(1)}
    weights |= {name: tensor.t() if name.endswith(turned) else tensor for name, tensor in other.state_dict().items()}
    load_gpt2_weights(model, weights)
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in other.state_dict().items())
