"""The figures of the scaling-laws page: what lies on the frontier and what above it can be seen."""

import itertools

import matplotlib.pyplot as plt
import pytest

from scaling_lesson.figures import BLUE, GREEN, MUTED, ORANGE, STYLE
from scaling_lesson.figures.labels import in_points
from scaling_lesson.figures.scaling_laws import loss_against_compute, loss_valley, same_budget
from scaling_lesson.models import CHINCHILLA, GOPHER
from scaling_lesson.scaling_laws import (
    REPLICATED_FIT,
    budget_for_size,
    frontier_loss,
    iso_flop_curve,
    iso_parameter_curve,
    parametric_loss,
)
from scaling_lesson.training_time import training_flops

FLOPS = [10 ** (18 + step / 10) for step in range(81)]
SIZES = {"124M": 124e6, "1B": 1e9, "10B": 10e9, "70B": 70e9, "280B": 280e9}
CURVES = {name: iso_parameter_curve(REPLICATED_FIT, size, FLOPS) for name, size in SIZES.items()}
FRONTIER = [frontier_loss(REPLICATED_FIT, budget) for budget in FLOPS]
TOUCHING = [
    (budget, frontier_loss(REPLICATED_FIT, budget))
    for budget in (budget_for_size(REPLICATED_FIT, size) for size in SIZES.values())
]
MODELS = {
    run.name: (
        training_flops(run.parameters, run.tokens),
        parametric_loss(REPLICATED_FIT, run.parameters, run.tokens),
    )
    for run in (GOPHER, CHINCHILLA)
}
TICKS = [4, 3, 2.5, 2.2, 2, 1.9]


@pytest.fixture(autouse=True)
def site_style():
    with plt.rc_context(STYLE):
        yield
    plt.close("all")


@pytest.fixture
def compute():
    figure = loss_against_compute(FLOPS, CURVES, FRONTIER, REPLICATED_FIT.E, TOUCHING, MODELS, TICKS)
    figure.canvas.draw()
    return figure.axes[0]


SPLITS = [10 ** (9.5 + step / 50) for step in range(126)]


@pytest.fixture
def valley():
    fit, budget = REPLICATED_FIT, 5.76e23
    from_size = [fit.A / size**fit.alpha for size in SPLITS]
    from_text = [fit.B / (budget / 6 / size) ** fit.beta for size in SPLITS]
    sizes = {"Gopher's size": (280e9, parametric_loss(fit, 280e9, budget / 6 / 280e9))}
    figure = loss_valley(SPLITS, fit.E, from_size, from_text, sizes)
    figure.canvas.draw()
    return figure.axes[0]


def words(axes) -> set[str]:
    return {text.get_text() for text in axes.texts if text.get_text()}


def drawn(axes, colour) -> list[list[float]]:
    return [list(line.get_ydata()) for line in axes.lines if line.get_color() == colour and line.get_marker() != "o"]


def dots(axes, colour) -> set[tuple[float, float]]:
    found = [line for line in axes.lines if line.get_color() == colour and line.get_marker() == "o"]
    return {(*dot.get_xdata(), *dot.get_ydata()) for dot in found}


def overlaps(axes) -> list[tuple[str, str]]:
    boxes = [(text.get_text(), text.get_window_extent()) for text in axes.texts if text.get_text()]
    return [(a, b) for (a, box), (b, other) in itertools.combinations(boxes, 2) if box.overlaps(other)]


def test_the_curves_the_frontier_and_the_models_are_drawn_and_named(compute):
    assert words(compute) == {*CURVES, *MODELS, "compute-optimal\nfrontier"}
    assert drawn(compute, MUTED) == list(CURVES.values())
    assert drawn(compute, BLUE) == [FRONTIER]
    assert dots(compute, BLUE) == set(TOUCHING)
    assert dots(compute, ORANGE) == set(MODELS.values())


def test_high_loss_is_at_the_top_and_the_frontier_is_straight(compute):
    low, high = compute.get_ylim()
    assert high > low
    places = [in_points(compute, x, y) for x, y in zip(FLOPS, FRONTIER, strict=True)]
    (x0, y0), (x1, y1) = places[0], places[-1]
    off = [y - (y0 + (y1 - y0) * (x - x0) / (x1 - x0)) for x, y in places]
    assert max(map(abs, off)) < 0.01  # points of the page


def test_gopher_is_seen_above_the_frontier_and_chinchilla_on_it(compute):
    def above_frontier(name):
        budget, loss = MODELS[name]
        return (
            in_points(compute, budget, loss)[1] - in_points(compute, budget, frontier_loss(REPLICATED_FIT, budget))[1]
        )

    assert above_frontier("Gopher") > 6  # a dot is 6 points across
    assert abs(above_frontier("Chinchilla")) < 1


def test_curves_are_named_at_the_height_where_they_end(compute):
    ends = {text.get_text(): text.xy for text in compute.texts if text.get_text() in CURVES}
    assert ends == {name: (FLOPS[-1], losses[-1]) for name, losses in CURVES.items()}


def test_the_valley_is_the_floor_and_the_two_terms_on_it(valley):
    total = iso_flop_curve(REPLICATED_FIT, 5.76e23, SPLITS)
    (curve,) = drawn(valley, BLUE)
    assert curve == pytest.approx(total, rel=1e-12)
    (size_only,) = drawn(valley, GREEN)
    assert size_only == pytest.approx([REPLICATED_FIT.E + 482.01 / size**0.3478 for size in SPLITS], rel=1e-12)
    assert words(valley) == {"floor 1.82", "too few\nparameters", "too little\ntext", "best split", "Gopher's size"}
    (best,) = (text.xy for text in valley.texts if text.get_text() == "best split")
    assert best[1] == min(curve) and best[0] == pytest.approx(72e9, rel=0.05)  # the points lie 4.7 % apart


def test_no_name_overlaps_another(compute, valley):
    assert overlaps(compute) == overlaps(valley) == []


def test_a_budget_is_written_as_on_the_page():
    (axes,) = same_budget([("Gopher", 280e9, 300e9), ("Chinchilla", 70e9, 1.4e12)]).axes
    assert {"5.04e23 FLOPs", "5.88e23 FLOPs"} < words(axes)
    gopher, chinchilla = (patch.get_width() * patch.get_height() for patch in axes.patches)
    assert chinchilla / gopher == pytest.approx(5.88 / 5.04)
