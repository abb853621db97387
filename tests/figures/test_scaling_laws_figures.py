"""The figures of the scaling-laws page: what lies on the frontier and what above it can be seen."""

import itertools

import matplotlib.pyplot as plt
import pytest

from scaling_lesson.figures import BLUE, MUTED, ORANGE, STYLE
from scaling_lesson.figures.labels import in_points
from scaling_lesson.figures.scaling_laws import loss_against_compute, same_budget
from scaling_lesson.models import CHINCHILLA, GOPHER, GPT3, LLAMA_13B, LLAMA_65B
from scaling_lesson.scaling_laws import REPLICATED_FIT, frontier_loss, iso_parameter_curve, parametric_loss
from scaling_lesson.training_time import training_flops

FLOPS = [10 ** (18 + step / 10) for step in range(81)]
CURVES = {
    name: iso_parameter_curve(REPLICATED_FIT, size, FLOPS)
    for name, size in {"124M": 124e6, "1B": 1e9, "10B": 10e9, "70B": 70e9, "280B": 280e9}.items()
}
FRONTIER = [frontier_loss(REPLICATED_FIT, budget) for budget in FLOPS]


def place(size: float, tokens: float) -> tuple[float, float]:
    return training_flops(size, tokens), parametric_loss(REPLICATED_FIT, size, tokens)


CROWD = {run.name: place(run.parameters, run.tokens) for run in (GPT3, GOPHER, CHINCHILLA, LLAMA_13B, LLAMA_65B)}
ALONE = {"a small one": place(124e6, 2.5e9)}


@pytest.fixture(autouse=True)
def site_style():
    with plt.rc_context(STYLE):
        yield
    plt.close("all")


def draw(models):
    figure = loss_against_compute(FLOPS, CURVES, FRONTIER, REPLICATED_FIT.E, models)
    figure.canvas.draw()
    return figure


def words(axes) -> set[str]:
    return {text.get_text() for text in axes.texts if text.get_text()}


def test_models_near_one_another_are_named_in_the_enlarged_part():
    above, below = draw(CROWD | ALONE).axes
    assert words(above) == {*CURVES, *ALONE, "compute-optimal\nfrontier", "floor 1.82", "enlarged below"}
    assert words(below) == {*CROWD, "10B", "70B", "280B", "frontier"}
    for axes, models in ((above, CROWD | ALONE), (below, CROWD)):
        dots = [line for line in axes.lines if line.get_color() == ORANGE]
        assert {(*dot.get_xdata(), *dot.get_ydata()) for dot in dots} == {*models.values()}


def test_the_enlarged_part_is_the_one_marked_and_holds_the_same_curves():
    above, below = draw(CROWD | ALONE).axes
    (mark,) = above.patches
    assert (mark.get_x(), mark.get_x() + mark.get_width()) == pytest.approx(below.get_xlim())
    assert (mark.get_y(), mark.get_y() + mark.get_height()) == pytest.approx(below.get_ylim())
    for colour, expected in ((MUTED, list(CURVES.values())), (BLUE, [FRONTIER])):
        for axes in (above, below):
            drawn = [list(line.get_ydata()) for line in axes.lines if line.get_color() == colour]
            assert drawn == expected


def test_gopher_is_seen_above_the_frontier_and_chinchilla_on_it():
    _, below = draw(CROWD | ALONE).axes

    def above_frontier(name):
        budget, loss = CROWD[name]
        return in_points(below, budget, loss)[1] - in_points(below, budget, frontier_loss(REPLICATED_FIT, budget))[1]

    assert above_frontier("Gopher") > 15 and above_frontier("GPT-3") > 15
    assert abs(above_frontier("Chinchilla")) < 1
    # Dots that overlap by more than half would be one again.
    places = [in_points(below, *spot) for spot in CROWD.values()]
    assert min(abs(x - u) + abs(y - v) for (x, y), (u, v) in itertools.combinations(places, 2)) > 5


def test_curves_are_named_at_the_height_where_they_leave_the_enlarged_part():
    _, below = draw(CROWD | ALONE).axes
    right = below.get_xlim()[1]
    ends = {text.get_text(): text.xy for text in below.texts if text.get_text() in CURVES}
    for name, (x, y) in ends.items():
        assert x == right
        size = {"10B": 10e9, "70B": 70e9, "280B": 280e9}[name]
        # A thousandth of a nat: the curve is straight between two of its points.
        assert y == pytest.approx(iso_parameter_curve(REPLICATED_FIT, size, [right])[0], abs=1e-3)


def test_models_far_apart_need_no_second_panel():
    (axes,) = draw(ALONE | {"Gopher": CROWD["Gopher"]}).axes
    assert {*ALONE, "Gopher"} <= words(axes)
    assert not axes.patches


def test_no_name_overlaps_another():
    for axes in draw(CROWD | ALONE).axes:
        boxes = [(text.get_text(), text.get_window_extent()) for text in axes.texts if text.get_text()]
        assert [(a, b) for (a, box), (b, other) in itertools.combinations(boxes, 2) if box.overlaps(other)] == []


def test_a_budget_is_written_as_on_the_page():
    (axes,) = same_budget([("Gopher", 280e9, 300e9), ("Chinchilla", 70e9, 1.4e12)]).axes
    assert {"5.04e23 FLOPs", "5.88e23 FLOPs"} < words(axes)
    gopher, chinchilla = (patch.get_width() * patch.get_height() for patch in axes.patches)
    assert chinchilla / gopher == pytest.approx(5.88 / 5.04)
