"""The ridge points: every value can be read."""

import matplotlib.pyplot as plt
import pytest

from scaling_lesson.figures import STYLE
from scaling_lesson.figures.labels import in_points
from scaling_lesson.figures.roofline import ridge_points


@pytest.mark.parametrize("ridge", [200, 265, 277, 279, 281, 295, 370, 386])
def test_no_value_stands_on_an_operations_line(ridge):
    operations = {"projection": 279.0, "feed-forward": 384.0}
    with plt.rc_context(STYLE):
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
    plt.close(figure)
