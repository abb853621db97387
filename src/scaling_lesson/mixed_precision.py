"""Mixed precision: what is lost when 16-bit numbers are added and differentiated, and the float32 that stays.

Every rounding is a real torch cast, addition or backward pass. `float_formats` looks at one number in one format, and
all that it offers a page can be imported from here too.
"""

from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from scaling_lesson.checks import require_finite, require_float_dtype, require_positive, require_positive_int
from scaling_lesson.float_formats import (
    FloatFormat,
    bit_fields,
    cast,
    float_format,
    largest_consecutive_integer,
    numbers_between,
    spacing,
    stored,
    update_threshold,
)
from scaling_lesson.gpt import GPT
from scaling_lesson.models import ModelConfig, require_in_context

__all__ = [
    "FloatFormat",
    "Stall",
    "add_update",
    "autocast_dtypes",
    "bit_fields",
    "first_change",
    "float_format",
    "gradient_through",
    "largest_consecutive_integer",
    "master_updates",
    "numbers_between",
    "repeated_updates",
    "saved_activation_bytes",
    "spacing",
    "stall",
    "stored",
    "training_bytes_per_parameter",
    "update_threshold",
]

HALF_DTYPES = (torch.float16, torch.bfloat16)
"""The 16-bit formats autocast computes in."""


def add_update(weight: float, update: float, dtype: torch.dtype) -> float:
    """weight + update, both stored in dtype, added by torch, and the sum stored in dtype.

    An update is what the optimizer adds: minus the learning rate times a gradient (for Adam, a rescaled gradient).
    The result is infinite when the sum overflows. Raises ValueError when a number is not finite or dtype unknown.
    """
    return (cast("weight", weight, dtype) + cast("update", update, dtype)).item()


def repeated_updates(weight: float, update: float, steps: int, dtype: torch.dtype) -> list[float]:
    """The weight before and after each of `steps` equal updates in dtype: steps + 1 numbers, the first stored(weight).

    Infinite from the sum that overflows on. Raises ValueError as `add_update` does, and when steps is not a positive
    integer.
    """
    require_positive_int(steps=steps)

    kept, added = cast("weight", weight, dtype), cast("update", update, dtype)
    values = [kept.item()]
    for _ in range(steps):
        kept = kept + added
        values.append(kept.item())
    return values


def master_updates(
    weight: float, update: float, steps: int, copy_dtype: torch.dtype
) -> tuple[list[float], list[float]]:
    """A float32 master weight and its copy in copy_dtype, before and after each update: two lists of steps + 1.

    The optimizer adds to the master, and every forward pass computes with a fresh copy of it (Micikevicius et al.
    2018, Mixed Precision Training, Section 3.1). Updates add up in the master until the copy moves.
    Raises ValueError as `repeated_updates` does.
    """
    require_float_dtype(copy_dtype=copy_dtype)

    masters = repeated_updates(weight, update, steps, torch.float32)
    copies = torch.tensor(masters, dtype=torch.float32).to(copy_dtype)
    return masters, copies.tolist()


def first_change(values: list[float]) -> int | None:
    """The index of the first value that differs from values[0], or None; raises ValueError for an empty list.

    In a list from `repeated_updates` the index is the number of updates done.
    """
    if not values:
        raise ValueError(f"values must not be empty; got {values!r}")
    return next((step for step, value in enumerate(values) if value != values[0]), None)


@dataclass(frozen=True)
class Stall:
    """Where a running sum stopped: the value it kept, and the number of additions that still changed it."""

    value: float
    adds: int


def stall(increment: float, dtype: torch.dtype, start: float = 0.0, max_steps: int = 100_000) -> Stall:
    """The value at which adding `increment` over and over in dtype no longer changes the sum, and the adds until then.

    Raises ValueError when the sum overflows or still changes after max_steps additions, when a number is not finite,
    and when max_steps is not a positive integer.
    """
    require_positive_int(max_steps=max_steps)

    value, added = cast("start", start, dtype), cast("increment", increment, dtype)
    for adds in range(max_steps):
        following = value + added
        if following.isinf():
            raise ValueError(f"increment must stall below the largest number of {dtype}; got {increment!r}")
        if following == value:
            return Stall(value.item(), adds)
        value = following
    raise ValueError(f"max_steps must reach the stall, and the sum still moves at {value.item()}; got {max_steps}")


def gradient_through(true_gradient: float, dtype: torch.dtype, loss_scale: float = 1.0) -> float:
    """The gradient that reaches a float32 weight through a graph in dtype, divided by loss_scale again, in float32.

    The graph is autocast's in small: a float32 weight is cast to dtype, multiplied by an input of 1, and the loss is
    taken in float32, where d loss / d output = true_gradient exactly up to float32. On its way back to the weight the
    gradient, times loss_scale, is stored in dtype (Micikevicius et al. 2018, Section 3.2). 0.0 when it underflows
    there, infinite when it overflows. Raises ValueError when true_gradient is not finite or loss_scale not above 0.
    """
    require_finite(true_gradient=true_gradient)
    require_positive(loss_scale=loss_scale)
    require_float_dtype(dtype=dtype)

    weight = torch.ones((), dtype=torch.float32, requires_grad=True)
    output = weight.to(dtype) * torch.ones((), dtype=dtype)
    loss = output.float() * true_gradient
    (scaled_gradient,) = torch.autograd.grad(loss * loss_scale, weight)
    return (scaled_gradient / loss_scale).item()


def autocast_dtypes(dtype: torch.dtype) -> dict[str, torch.dtype]:
    """The dtypes autocast uses where, from one forward and backward pass of a small Linear-GELU-Linear on the CPU.

    weights; activations (outputs of the three layers); activation_gradients (gradients of those three, inside the
    graph); weight_gradients (the .grad the optimizer reads). The caller's random stream is left as it was.
    Raises ValueError unless dtype is float16 or bfloat16.
    """
    require_float_dtype(HALF_DTYPES, dtype=dtype)

    with torch.random.fork_rng(devices=[]):
        layers = nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Linear(5, 2))
    activations = []
    with torch.autocast("cpu", dtype=dtype):
        x = torch.ones(7, 3)
        for layer in layers:
            x = layer(x)
            x.retain_grad()
            activations.append(x)
        loss = x.float().square().mean()
    loss.backward()
    weights = list(layers.parameters())
    return {
        "weights": _only({w.dtype for w in weights}),
        "activations": _only({a.dtype for a in activations}),
        "activation_gradients": _only({a.grad.dtype for a in activations}),
        "weight_gradients": _only({w.grad.dtype for w in weights if w.grad is not None}),
    }


def _only(dtypes: set[torch.dtype]) -> torch.dtype:
    (dtype,) = dtypes  # fails when torch mixes dtypes where the lesson says it does not
    return dtype


def training_bytes_per_parameter(precision: str) -> dict[str, int]:
    """Bytes that each parameter occupies all through training with Adam, by part; the sum is the cost.

    "float32": everything in float32, 16 B.  "mixed": torch's autocast, 16 B; its weights are the float32 ones, and
    the 16-bit copies it makes live only for a forward and backward pass and are not counted.  "16-bit with master":
    16-bit weights and gradients and a float32 master weight, 16 B (Rajbhandari et al. 2020, ZeRO, Section 3.1).
    "bfloat16": everything in bfloat16, 8 B, which stalls (see `stall`). Activations are not counted; see
    `saved_activation_bytes`. Raises ValueError for another precision.
    """
    all_float32 = {
        "weight_float32": 4,
        "gradient_float32": 4,
        "adam_first_moment_float32": 4,
        "adam_second_moment_float32": 4,
    }
    parts = {
        "float32": all_float32,
        "mixed": all_float32,
        "16-bit with master": {
            "weight_16_bit": 2,
            "gradient_16_bit": 2,
            "master_weight_float32": 4,
            "adam_first_moment_float32": 4,
            "adam_second_moment_float32": 4,
        },
        "bfloat16": {
            "weight_bfloat16": 2,
            "gradient_bfloat16": 2,
            "adam_first_moment_bfloat16": 2,
            "adam_second_moment_bfloat16": 2,
        },
    }
    if precision not in parts:
        raise ValueError(f"precision must be one of {', '.join(map(repr, parts))}; got {precision!r}")
    return parts[precision]


def saved_activation_bytes(
    config: ModelConfig, batch_size: int, seq_len: int, autocast_dtype: torch.dtype | None = None
) -> int:
    """Bytes autograd keeps for the backward pass of one GPT forward pass and cross-entropy loss; measured.

    tokens and targets: (batch_size, seq_len). Counted: every storage autograd saves, once, at its full size (token
    ids and masks among them). Not counted: parameters, and the 16-bit copies autocast makes of them, which do not
    grow with the batch. autocast_dtype None runs in float32; otherwise torch's CPU autocast, which takes the loss in
    float32 as CUDA's does, but softmax and layer norm in the dtype of their input where CUDA's take float32.
    The caller's random stream is left as it was.
    Raises ValueError for sizes that are not positive integers, seq_len above max_seq_len, or another dtype.
    """
    require_positive_int(batch_size=batch_size)
    require_in_context(config, seq_len=seq_len)
    if autocast_dtype is not None:
        require_float_dtype(HALF_DTYPES, autocast_dtype=autocast_dtype)

    with torch.random.fork_rng(devices=[]):
        model = GPT(config)
    tokens = torch.zeros(batch_size, seq_len, dtype=torch.int64)
    parameter_storages = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    saved = {}  # the storages themselves: one that is held cannot be freed and its address used again

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameter_storages and not _is_cast_parameter(tensor):
            saved[storage.data_ptr()] = storage
        return tensor

    autocast = torch.autocast("cpu", dtype=autocast_dtype, enabled=autocast_dtype is not None)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), autocast:
        F.cross_entropy(model(tokens).view(-1, config.vocab_size), tokens.view(-1))
    return sum(storage.nbytes() for storage in saved.values())


def _is_cast_parameter(tensor: torch.Tensor) -> bool:
    """Whether tensor is a parameter cast to another dtype, or a transposed view of that."""
    node = tensor.grad_fn
    while node is not None and node.name() in ("TBackward0", "ToCopyBackward0"):
        node = node.next_functions[0][0]
    return node is not None and node.name() == "torch::autograd::AccumulateGrad"
