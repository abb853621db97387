"""How long training takes: the FLOPs of a run, divided by what the accelerators sustain.

Training costs about 6 FLOPs a parameter and token: 2 forward (a multiply and an add), 4 backward (the same for the
gradients of the inputs and of the weights). The 6 leaves attention's scores out, which are small until the context is
long, and counts the embedding table as if it were multiplied, which it is only when it makes the logits too
(Kaplan et al. 2020, Scaling Laws for Neural Language Models, Section 2.1).
"""

import math
from fractions import Fraction

import torch

from scaling_lesson.checks import fraction, positive_int, positive_number
from scaling_lesson.hardware import Accelerator


def training_flops(parameters: float, tokens: float) -> float:
    """FLOPs of training `parameters` on `tokens`: 6 N D (Hoffmann et al. 2022, Section 3.3; Kaplan et al. 2020, 2.1).

    Raises ValueError when either is not above 0 and finite.
    """
    return 6 * positive_number("parameters", parameters) * positive_number("tokens", tokens)


def sustained_flop_per_s(
    accelerator: Accelerator, dtype: torch.dtype, utilisation: float, n_accelerators: int = 1
) -> float:
    """FLOP/s that n_accelerators keep up together when each does useful work at `utilisation` of its dense peak.

    Utilisation in this sense, the model's own FLOPs over the peak, is called MFU (Chowdhery et al. 2022, PaLM,
    Section 4.1). Raises ValueError when utilisation is not in (0, 1], n_accelerators not a positive integer, or dtype
    one the accelerator has no peak for.
    """
    per_accelerator = accelerator.peak_for(dtype) * fraction("utilisation", utilisation)
    return per_accelerator * positive_int("n_accelerators", n_accelerators)


def training_time_s(flops: float, flop_per_s: float) -> float:
    """Seconds that `flops` take at a sustained flop_per_s; raises ValueError when either is not above 0 and finite."""
    return positive_number("flops", flops) / positive_number("flop_per_s", flop_per_s)


def tokens_per_s(parameters: float, flop_per_s: float) -> float:
    """Tokens a second trained on at a sustained flop_per_s: flop_per_s / (6 N).

    Raises ValueError when either is not above 0 and finite.
    """
    return positive_number("flop_per_s", flop_per_s) / training_flops(parameters, 1)


def accelerators_needed(flops: float, flop_per_s: float, deadline_s: float) -> int:
    """The fewest accelerators, each sustaining flop_per_s, that finish `flops` within deadline_s seconds.

    Assumes that adding accelerators costs nothing in utilisation, so it is a lower bound. Divided exactly, so work that
    was rounded up on its way here can need one more. Raises ValueError when a figure is not above 0 and finite.
    """
    each = Fraction(positive_number("flop_per_s", flop_per_s)) * Fraction(positive_number("deadline_s", deadline_s))
    return math.ceil(Fraction(positive_number("flops", flops)) / each)
