"""Figures of measurements: what they draw, and that the reader's own machine changes nothing else."""

from dataclasses import replace
from itertools import pairwise

import matplotlib.pyplot as plt
import pytest

from scaling_lesson.figures import BLUE, GREEN, YOURS
from scaling_lesson.figures.measurements import Line, Roof, lines, measured_roofline, steps_by_batch
from scaling_lesson.figures.svg import said


@pytest.fixture(autouse=True)
def close_all():
    yield
    plt.close("all")


INTENSITIES = {"sum": 0.5, "norm": 0.6, "product": 300.0}
ROOF = Roof("here", 2e12, 1e10, {"sum": 3e9, "product": 1e12})
MINE = Roof("yours", 5e13, 1e12, {"sum": 4e11, "norm": 1e11}, yours=True)
CURVES = [Line("a", [1, 2, 4], [5, 6, 7]), Line("b", [1, 2, 4], [5, 5, 7], way=1, bound=True)]


def test_a_machine_has_its_roof_and_its_dots_under_it():
    (ax,) = measured_roofline([ROOF], INTENSITIES).axes
    roof, dots = [line for line in ax.lines if line.get_color() == BLUE]
    assert tuple(roof.get_xydata()[1]) == (200, 2e12)  # the ridge
    assert max(roof.get_ydata()) == 2e12 and roof.get_ydata()[0] == roof.get_xdata()[0] * 1e10
    assert [tuple(point) for point in dots.get_xydata()] == [(0.5, 3e9), (300, 1e12)]
    assert {text.get_text() for text in ax.texts} == {"here", *INTENSITIES}


def test_machines_alike_are_named_apart_and_on_the_picture():
    alike = [replace(ROOF, machine=f"a machine of a long name {n}") for n in range(4)]
    many = [replace(CURVES[0], name=f"a machine of a long name {n}: as you wrote it") for n in range(20)]
    for fig in (
        measured_roofline(alike, INTENSITIES),
        lines("t", "x", many, [1, 4]),
        steps_by_batch(many, many, [1, 4]),
    ):
        fig.draw_without_rendering()
        for ax in fig.axes:
            boxes = [t.get_window_extent() for t in ax.texts if "long name" in t.get_text()]
            assert len(boxes) in (4, 20) and all(box.x1 <= fig.bbox.x1 and box.y0 >= ax.bbox.y0 - 1 for box in boxes)
            boxes.sort(key=lambda box: box.y0)
            assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))


def test_names_below_the_dots_keep_apart():
    (ax,) = measured_roofline([ROOF], INTENSITIES).axes
    ax.figure.draw_without_rendering()
    boxes = sorted(t.get_window_extent().extents[[0, 2]].tolist() for t in ax.texts if t.get_rotation() == 90)
    assert len(boxes) == 3 and all(left[1] <= right[0] for left, right in pairwise(boxes))


@pytest.mark.parametrize(
    "with_yours, without",
    [
        (lambda: measured_roofline([ROOF, MINE], INTENSITIES), lambda: measured_roofline([ROOF], INTENSITIES)),
        (
            lambda: lines("t", "x", [*CURVES, Line("yours", [1, 8], [50, 90], yours=True)], [1, 4]),
            lambda: lines("t", "x", CURVES, [1, 4]),
        ),
    ],
    ids=["roofline", "lines"],
)
def test_yours_is_drawn_in_green_and_the_record_does_not_hold_it(with_yours, without):
    drawn, alone = with_yours(), without()
    green = [line for line in drawn.axes[0].lines if line.get_color() == GREEN]
    assert green and {line.get_label() for line in green} == {YOURS}
    assert any(text.get_text() == "yours" for text in drawn.axes[0].texts)
    for figure in (drawn, alone):
        figure.draw_without_rendering()
    assert dict(said(drawn)) == dict(said(alone))


def test_bounds_are_dashed_and_measurements_have_dots():
    (ax,) = lines("t", "x", CURVES, [1, 4]).axes
    assert [(line.get_linestyle(), line.get_marker() != "") for line in ax.lines] == [("-", True), ("--", False)]
    assert [text.get_text() for text in ax.texts] == ["a", "b"]  # which end at one point, and are named apart
    ax.figure.draw_without_rendering()
    low, high = sorted(text.get_window_extent().y0 for text in ax.texts)
    assert high - low > 5


def test_steps_have_two_panels():
    above, below = steps_by_batch(CURVES, CURVES[:1], [1, 4]).axes
    assert (len(above.lines), len(below.lines)) == (2, 1)
