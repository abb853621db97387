"""The figure of the landing page."""

import matplotlib.pyplot as plt
import pytest

from scaling_lesson.figures import STYLE
from scaling_lesson.figures.home import computing_and_fetching


@pytest.fixture(autouse=True)
def site_style():
    with plt.rc_context(STYLE):
        yield
    plt.close("all")


def test_both_bars_are_to_one_scale_and_named_with_their_time():
    figure = computing_and_fetching(0.75e-6, 120e-6)
    figure.canvas.draw()
    (axes,) = figure.axes
    fetching, computing = axes.patches
    assert (fetching.get_width(), computing.get_width()) == (120e-6, 0.75e-6)
    assert [text.get_text() for text in axes.texts] == ["fetching the weights: 120 µs", "computing: 0.75 µs"]
    above, below = (text.get_window_extent() for text in axes.texts)
    assert not above.overlaps(below)
