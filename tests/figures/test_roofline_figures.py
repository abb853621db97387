"""The roofline page's figures: they draw what they are given, and every value can be read."""

import itertools

import matplotlib.pyplot as plt
import pytest
from matplotlib.axis import Axis
from matplotlib.text import Text

from scaling_lesson.figures import SMALL, STYLE
from scaling_lesson.figures.labels import in_points
from scaling_lesson.figures.roofline import gpt2_roofline, ridge_points, step_against_batch

USERS = [1, 2, 4, 8, 16, 32, 64, 128, 153, 256, 512, 1024]
WEIGHTS_S = [max(1.0e-4, 8e-7 * users) for users in USERS]
FULL_S = [1.0e-4 + 2e-5 * users for users in USERS]
OPERATIONS = {
    "residual add": 0.17,
    "one decoded token": 0.999,
    "softmax": 1.25,
    "layer norm": 1.75,
    "GELU": 2.25,
    "your attention": 15.5,
    "attention projection": 279.3,
    "QKV projection": 369.4,
    "feed-forward": 384.0,
    "logits": 435.0,
}


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context(STYLE):
        yield
    plt.close("all")


def drawn():
    return {
        "roofline": gpt2_roofline(312e12, 2.039e12, OPERATIONS),
        "ridges": ridge_points({"a GPU": 153.0, "another": 281.25, "its twin": 293.3}, {"projection": 279.0}),
        "batch": step_against_batch(USERS, WEIGHTS_S, FULL_S, 6.15e-4, 5e-6, 1024),
    }


def _shown_ticks(axis: Axis) -> list[Text]:
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


@pytest.mark.parametrize("name", ["roofline", "ridges", "batch"])
def test_no_text_is_small_or_lies_on_another(name):
    figure = drawn()[name]
    figure.canvas.draw()
    texts = [
        text
        for axes in figure.axes
        for text in (
            *axes.texts,
            axes.title,
            axes._left_title,
            axes.xaxis.label,
            *_shown_ticks(axes.xaxis),
            *_shown_ticks(axes.yaxis),
        )
        if text.get_text() and text.get_visible()
    ]
    assert [text.get_text() for text in texts if text.get_size() < SMALL] == []
    # A rotated text's box is larger than its letters.
    seen = [(text.get_text(), text.get_window_extent()) for text in texts if not text.get_rotation()]
    page = figure.bbox
    seen = [(text, box) for text, box in seen if page.x0 <= box.x0 + 2 and box.x1 - 2 <= page.x1 and box.y0 >= page.y0]
    # Neighbouring rows of labels may share the space between their lines.
    on_another = [
        (a, b)
        for (a, one), (b, two) in itertools.combinations(seen, 2)
        if min(one.x1, two.x1) - max(one.x0, two.x0) > 0 and min(one.y1, two.y1) - max(one.y0, two.y0) > 3
    ]
    assert on_another == []


def test_every_operation_stands_on_the_roof_and_the_title_says_that_it_is_a_bound():
    (axes,) = drawn()["roofline"].axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    places = sorted((float(x), float(y)) for line in dots for x, y in zip(*line.get_data(), strict=True))
    assert places == [(x, min(312e12, x * 2.039e12)) for x in sorted(OPERATIONS.values())]
    assert "bound" in axes.get_title(loc="left")
    names = {text.get_text() for text in axes.texts}
    assert {"one decoded token 1.00", "residual add 0.17", "your attention 15.5", "logits 435"} < names


def test_step_against_batch_draws_what_it_is_given_and_says_what_is_assumed():
    above, below = drawn()["batch"].axes
    assert [list(line.get_ydata()) for line in above.lines] == [
        [s * 1e3 for s in WEIGHTS_S],
        [s * 1e3 for s in FULL_S],
        [0.615] * len(USERS),
    ]
    for line, seconds in zip(below.lines, (WEIGHTS_S, FULL_S, [6.15e-4] * len(USERS)), strict=True):
        assert list(line.get_ydata()) == [n / s for n, s in zip(USERS, seconds, strict=True)]
    texts = {text.get_text() for text in above.texts}
    assert texts == {"weights alone", "launches (assumed 5 µs)", "with 1,024 keys and values each"}


@pytest.mark.parametrize("ridge", [200, 265, 277, 279, 281, 295, 370, 386])
def test_no_value_stands_on_an_operations_line(ridge):
    operations = {"projection": 279.0, "feed-forward": 384.0}
    figure = ridge_points({"a GPU": ridge, "another": 139}, operations)
    (axes,) = figure.axes
    figure.canvas.draw()
    label = next(text for text in axes.texts if text.get_text() == str(ridge))
    box = label.get_window_extent()
    left, right = (edge * 72 / figure.dpi for edge in (box.x0, box.x1))
    lines = {intensity: in_points(axes, intensity, 0)[0] for intensity in operations.values()}
    assert not [line for line in lines.values() if left - 2 < line < right + 2]
    # It stays on its dot's side of each line.
    for intensity, line in lines.items():
        assert (left > line) == (ridge >= intensity)
