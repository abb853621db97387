"""Scaling laws: how the loss falls with parameters, tokens and compute, and how to split a budget between the two.

N is the number of parameters, D the number of training tokens, C the training FLOPs, and C = 6 N D. Losses are in nats
a token, on each paper's own text, so losses of two papers do not compare. All fits assume that each token is seen
about once.
"""

import math
from dataclasses import dataclass, replace

from scaling_lesson.checks import require_positive, require_text
from scaling_lesson.models import CHINCHILLA, Fact, PublishedRun, Source, require_source
from scaling_lesson.training_time import training_flops

PF_DAY_FLOPS = 1e15 * 86400
"""FLOPs of one petaFLOP/s kept up for a day, the unit of Kaplan et al."""


@dataclass(frozen=True)
class PowerLaw:
    """L(x) = (scale / x)^exponent, with no floor: it goes on falling to 0.

    Raises ValueError when a figure is not above 0 and finite.
    """

    exponent: float
    scale: float
    source: Source

    def __post_init__(self) -> None:
        require_positive(exponent=self.exponent, scale=self.scale)
        require_source(self.source)


def _kaplan(where: str) -> Source:
    return Source(
        "Kaplan et al. 2020, Scaling Laws for Neural Language Models",
        where,
        "2020-01-23",
        "https://arxiv.org/abs/2001.08361v1",
    )


KAPLAN_PARAMETERS = PowerLaw(0.076, 8.8e13, _kaplan("Equation 1.1: parameters, embeddings left out, enough data"))
KAPLAN_TOKENS = PowerLaw(0.095, 5.4e13, _kaplan("Equation 1.2: tokens, a large model stopped early"))
KAPLAN_COMPUTE = PowerLaw(0.050, 3.1e8 * PF_DAY_FLOPS, _kaplan("Equation 1.3: FLOPs, spent in the best way"))
KAPLAN_SIZE_EXPONENT = Fact(
    0.73, _kaplan("Section 1.2, after Equation 1.8: the best number of parameters grows with the budget to this power")
)


def loss_reduction(law: PowerLaw, factor: float) -> float:
    """The fraction by which the loss falls when x grows by `factor`: 1 - factor^-exponent, the same everywhere.

    Raises ValueError when factor is not above 0 and finite.
    """
    require_positive(factor=factor)

    return 1 - factor**-law.exponent


def growth_to_divide_loss(law: PowerLaw, factor: float) -> float:
    """How much larger x must be for 1/factor of the loss: factor^(1 / exponent).

    Raises ValueError when factor is not above 0 and finite, or the answer is too large for a float.
    """
    require_positive(factor=factor)

    try:
        return factor ** (1 / law.exponent)
    except OverflowError:
        raise ValueError(f"factor must give an answer that a float can hold; got {factor!r}") from None


@dataclass(frozen=True)
class ParametricLoss:
    """L(N, D) = E + A / N^alpha + B / D^beta (Hoffmann et al. 2022, Equation 2), with one set of coefficients.

    E is the floor: what no amount of parameters and tokens removes.
    Raises ValueError when a coefficient is not above 0 and finite.
    """

    name: str
    E: float
    A: float
    B: float
    alpha: float
    beta: float
    source: Source

    def __post_init__(self) -> None:
        require_text(name=self.name)
        require_source(self.source)
        require_positive(E=self.E, A=self.A, B=self.B, alpha=self.alpha, beta=self.beta)


HOFFMANN_RUNS = Fact(400, replace(CHINCHILLA.source, where="abstract: over 400 language models"))

PRINTED_FIT = ParametricLoss(
    "as printed",
    E=1.69,
    A=406.4,
    B=410.7,
    alpha=0.34,
    beta=0.28,
    source=replace(CHINCHILLA.source, where="Equation 10, Appendix D.2"),
)
# Two decimals of alpha and beta move the optimum by a quarter; the paper's Figure 4 comes from these.
UNROUNDED_FIT = ParametricLoss(
    "unrounded",
    E=1.6934,
    A=406.4,
    B=410.7,
    alpha=0.3392,
    beta=0.2849,
    source=replace(CHINCHILLA.source, where="comment after Equation 10 in the LaTeX source"),
)
REPLICATED_FIT = ParametricLoss(
    "replicated",
    E=1.8172,
    A=482.01,
    B=2085.43,
    alpha=0.3478,
    beta=0.3658,
    source=Source(
        "Besiroglu et al. 2024, Chinchilla Scaling: A Replication Attempt",
        "Table 1 and Equation 3; why Hoffmann et al. differ: abstract",
        "2024-05-15",
        "https://arxiv.org/abs/2404.10102v2",
    ),
)


def parametric_loss(fit: ParametricLoss, parameters: float, tokens: float) -> float:
    """E + A / N^alpha + B / D^beta; raises ValueError when parameters or tokens are not above 0 and finite."""
    require_positive(parameters=parameters, tokens=tokens)

    return fit.E + fit.A / parameters**fit.alpha + fit.B / tokens**fit.beta


@dataclass(frozen=True)
class Allocation:
    """One way to spend a budget: a number of parameters and a number of tokens, both above 0, else ValueError."""

    parameters: float
    tokens: float

    def __post_init__(self) -> None:
        require_positive(parameters=self.parameters, tokens=self.tokens)

    @property
    def tokens_per_parameter(self) -> float:
        """D / N."""
        return self.tokens / self.parameters


def optimum(fit: ParametricLoss, flops: float) -> Allocation:
    """The parameters and tokens with the least loss among all with 6 N D = flops, in closed form.

    N = G (C/6)^(beta / (alpha + beta)), D = (C/6)^(alpha / (alpha + beta)) / G, G = (alpha A / (beta B))^(1 / (alpha +
    beta)): Hoffmann et al. 2022, Equation 4. Raises ValueError when flops is not above 0 and finite.
    """
    require_positive(flops=flops)

    both = fit.alpha + fit.beta
    G = (fit.alpha * fit.A / (fit.beta * fit.B)) ** (1 / both)
    return Allocation(
        parameters=G * (flops / 6) ** (fit.beta / both),
        tokens=(flops / 6) ** (fit.alpha / both) / G,
    )


def frontier_loss(fit: ParametricLoss, flops: float) -> float:
    """The least loss that `flops` can reach: that of `optimum`. Raises ValueError as it does."""
    best = optimum(fit, flops)
    return parametric_loss(fit, best.parameters, best.tokens)


def budget_for_size(fit: ParametricLoss, parameters: float) -> float:
    """The training FLOPs for which `parameters` is the best size: `optimum` the other way round.

    C = 6 (N / G)^((alpha + beta) / beta), where G is the best size at 6 FLOPs. Raises ValueError when parameters is not
    above 0 and finite.
    """
    require_positive(parameters=parameters)

    G = optimum(fit, 6).parameters
    return 6 * (parameters / G) ** ((fit.alpha + fit.beta) / fit.beta)


def budget_for_loss(fit: ParametricLoss, loss: float) -> float:
    """The least training FLOPs that reach `loss`, spent on the best size: `frontier_loss` the other way round.

    The frontier is E + K (C/6)^(-alpha beta / (alpha + beta)), where E + K is its loss at 6 FLOPs. Raises ValueError
    when loss is not finite and above the floor E.
    """
    require_positive(loss=loss)
    if loss <= fit.E:
        raise ValueError(f"loss must be above the floor E={fit.E}; got {loss!r}")

    K = frontier_loss(fit, 6) - fit.E
    return 6 * ((loss - fit.E) / K) ** (-(fit.alpha + fit.beta) / (fit.alpha * fit.beta))


def optimum_at_ratio(flops: float, tokens_per_parameter: float = 20) -> Allocation:
    """The parameters and tokens with 6 N D = flops and D = tokens_per_parameter x N; 20 is a convention.

    Chinchilla itself has 1.4T / 70B = 20. Raises ValueError when a figure is not above 0 and finite.
    """
    require_positive(flops=flops, tokens_per_parameter=tokens_per_parameter)

    parameters = math.sqrt(flops / (6 * tokens_per_parameter))
    return Allocation(parameters, tokens_per_parameter * parameters)


def iso_parameter_curve(fit: ParametricLoss, parameters: float, flops: list[float]) -> list[float]:
    """The loss of a model of this size after each budget of `flops`, spent on D = C / (6 N) tokens.

    Raises ValueError when a figure is not above 0 and finite, or flops is empty.
    """
    _require_list(flops=flops)
    for C in flops:
        require_positive(flops=C)

    return [parametric_loss(fit, parameters, C / training_flops(parameters, 1)) for C in flops]


def iso_flop_curve(fit: ParametricLoss, flops: float, parameters: list[float]) -> list[float]:
    """The loss of each model size when all get the same budget; it falls, then rises again.

    Raises ValueError when a figure is not above 0 and finite, or parameters is empty.
    """
    _require_list(parameters=parameters)
    require_positive(flops=flops)

    return [parametric_loss(fit, N, flops / training_flops(N, 1)) for N in parameters]


def _require_list(**lists: list[float]) -> None:
    for name, values in lists.items():
        if not isinstance(values, list) or not values:
            raise ValueError(f"{name} must be a list with at least one number; got {values!r}")


def tokens_per_parameter(run: PublishedRun) -> float:
    """D / N of a published run."""
    return run.tokens / run.parameters


def times_too_few_tokens(run: PublishedRun, wanted_tokens: float) -> float:
    """How many times more tokens than its own a model of the run's size should see: wanted_tokens / D.

    Above 1 the run is undertrained, below 1 overtrained, by whatever rule gave wanted_tokens.
    Raises ValueError when wanted_tokens is not above 0 and finite.
    """
    require_positive(wanted_tokens=wanted_tokens)

    return wanted_tokens / run.tokens


def times_too_large(run: PublishedRun, best: Allocation) -> float:
    """How many times more parameters the run has than the best allocation of its own budget: N / best N."""
    return run.parameters / best.parameters


CHINCHILLA_TABLE_3 = {
    400e6: (1.92e19, 8.0e9),
    1e9: (1.21e20, 20.2e9),
    10e9: (1.23e22, 205.1e9),
    67e9: (5.76e23, 1.5e12),
    175e9: (3.85e24, 3.7e12),
    280e9: (9.90e24, 5.9e12),
    520e9: (3.43e25, 11.0e12),
    1e12: (1.27e26, 21.2e12),
    10e12: (1.30e28, 216.2e12),
}
"""Parameters: (FLOPs, tokens) of the best model of that size, by Approach 1: Hoffmann et al. 2022, Table 3."""
