"""How long training takes: the FLOPs of a run, divided by what the accelerators sustain.

Training costs about 6 FLOPs a parameter and token: 2 forward (a multiply and an add), 4 backward (the same for the
gradients of the inputs and of the weights). The 6 leaves attention's scores out, which are small until the context is
long, and counts the embedding table as if it were multiplied, which it is only when it makes the logits too
(Kaplan et al. 2020, Scaling Laws for Neural Language Models, Section 2.1).
"""

import math
from fractions import Fraction

import torch

from scaling_lesson.checks import require_positive, require_positive_int, require_positive_up_to_1
from scaling_lesson.hardware import Accelerator


def training_flops(parameters: float, tokens: float) -> float:
    """FLOPs of training `parameters` on `tokens`: 6 N D (Hoffmann et al. 2022, Section 3.3; Kaplan et al. 2020, 2.1).

    Raises ValueError when either is not above 0 and finite.
    """
    require_positive(parameters=parameters, tokens=tokens)

    return 6 * parameters * tokens


def sustained_flop_per_s(
    accelerator: Accelerator, dtype: torch.dtype, utilisation: float, n_accelerators: int = 1
) -> float:
    """FLOP/s that n_accelerators keep up together when each does useful work at `utilisation` of its dense peak.

    Utilisation in this sense, the model's own FLOPs over the peak, is called MFU (Chowdhery et al. 2022, PaLM,
    Section 4.1). Raises ValueError when utilisation is not in (0, 1], n_accelerators not a positive integer, or dtype
    one the accelerator has no peak for.
    """
    require_positive_up_to_1(utilisation=utilisation)
    require_positive_int(n_accelerators=n_accelerators)

    return accelerator.peak_for(dtype) * utilisation * n_accelerators


def training_time_s(flops: float, flop_per_s: float) -> float:
    """Seconds that `flops` take at a sustained flop_per_s; raises ValueError when either is not above 0 and finite."""
    require_positive(flops=flops, flop_per_s=flop_per_s)

    return flops / flop_per_s


def accelerators_needed(flops: float, flop_per_s: float, deadline_s: float) -> int:
    """The fewest accelerators, each sustaining flop_per_s, that finish `flops` within deadline_s seconds.

    Assumes that adding accelerators costs nothing in utilisation, so it is a lower bound. Divided exactly, so work that
    was rounded up on its way here can need one more. Raises ValueError when a figure is not above 0 and finite.
    """
    require_positive(flops=flops, flop_per_s=flop_per_s, deadline_s=deadline_s)

    return math.ceil(Fraction(flops) / (Fraction(flop_per_s) * Fraction(deadline_s)))
