"""The figures: drawn from the numbers they are given, with no number of their own."""

import ast
import functools
import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch

import scaling_lesson.figures
from scaling_lesson.figures import CSS_VARIABLES
from scaling_lesson.figures.kv_cache import cache_growth, generation_cost, query_meets_keys, two_clocks
from scaling_lesson.figures.mixed_precision import autocast_dataflow, bit_fields, falling_short, stuck_weight
from scaling_lesson.float_formats import float_format

FOLDER = Path(scaling_lesson.figures.__file__).parent


@pytest.fixture(autouse=True)
def close_all():
    yield
    plt.close("all")


def colours(axes) -> list[str]:
    names = {plt.matplotlib.colors.to_rgba(colour): colour for colour in CSS_VARIABLES}
    return [names[patch.get_facecolor()] for patch in axes.patches]


def words(tree: ast.AST) -> list[tuple[int, str]]:
    """The literal text of a module with its line, formats such as .1f left out, which are not shown."""
    formats = {
        id(n)
        for f in ast.walk(tree)
        if isinstance(f, ast.FormattedValue) and f.format_spec
        for n in ast.walk(f.format_spec)
    }
    texts = [
        n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in formats
    ]
    return [(n.lineno, n.value) for n in texts]


def test_no_figure_holds_a_typed_number_in_its_words():
    names = ("float32", "16-bit")
    typed = [
        f"{file.name}:{line}: {text!r}"
        for file in sorted(FOLDER.glob("*.py"))
        if file.name not in ("__init__.py", "svg.py")  # svg.py draws none
        for line, text in words(ast.parse(file.read_text()))
        if any(c.isdigit() for c in functools.reduce(lambda t, name: t.replace(name, ""), names, text))
    ]
    assert typed == []


def test_bit_fields_draws_one_box_a_bit():
    formats = [float_format(dtype) for dtype in (torch.float32, torch.bfloat16, torch.float16)]
    (axes,) = bit_fields(formats).axes
    bits = [colours(axes)[i] for i, patch in enumerate(axes.patches) if patch.get_width() == 1]
    counts = {colour: bits.count(colour) for colour in set(bits)}
    assert sorted(counts.values()) == sorted([3, 8 + 8 + 5, 23 + 7 + 10])
    # The key names the three colours, in the order of the fields.
    key = [(colours(axes)[i], patch.get_label()) for i, patch in enumerate(axes.patches) if patch.get_width() < 1]
    assert key == list(
        zip(dict.fromkeys(bits), ("sign", "exponent: the range", "fraction: the precision"), strict=True)
    )
    assert {text.get_text(): text.get_color() for text in axes.texts if text.get_text() in dict(key).values()} == {
        field: colour for colour, field in key
    }
    assert "sign 1, exponent 5, fraction 10" in [text.get_text() for text in axes.texts]


def test_stuck_weight_draws_what_it_is_given():
    stuck, masters, copies = [1.0, 1.0, 1.0], [1.0, 1.25, 1.5], {"a": [1.0, 1.0, 2.0], "b": [1.0, 1.5, 1.5]}
    (axes,) = stuck_weight(stuck, masters, copies).axes
    drawn = [list(line.get_ydata()) for line in axes.lines]
    assert drawn == [[0.0, 0.0, 1.0], [0.0, 0.5, 0.5], [0.0, 0.25, 0.5], [0.0, 0.0, 0.0]]
    # Every line is named where it ends.
    ends = {text.get_text(): text.xy[1] for text in axes.texts}
    assert ends == {"its a copy": 1.0, "its b copy": 0.5, "float32 master": 0.5, "16-bit weight": 0.0}


RULERS = [("coarse", [0.75, 1.0, 1.5, 2.0], (0.9, 1.7)), ("fine", [0.9375, 1.0, 1.125, 1.25], (0.9, 1.7))]


def test_an_update_falls_short_of_the_point_halfway_to_the_next_mark():
    coarse, fine = falling_short(1.0, 0.03125, RULERS).axes
    for axes, marks, half in ((coarse, [1.0, 1.5], 1.25), (fine, [0.9375, 1.0, 1.125, 1.25], 1.0625)):
        drawn, halfway = ([segment[0][0] for segment in lines.get_segments()] for lines in axes.collections)
        assert (drawn, halfway) == (marks, [half])
        (shaded,) = axes.patches
        assert shaded.get_x() + shaded.get_width() == half
        (arrow,) = (text for text in axes.texts if not text.get_text())
        assert (arrow.xyann[0], arrow.xy[0]) == (1.0, 1.03125)
    assert [text.get_text() for text in coarse.texts if text.get_text()] == ["1.0 + 0.03125", "halfway: 1.25000"]
    assert not [text for text in fine.texts if text.get_text()]  # too close to be named beside one another
    assert [label.get_text() for label in coarse.get_xticklabels()] == ["1.0", "1.50000"]


DTYPES = {
    "weights": "float32",
    "copies": "half",
    "activations": "half",
    "loss": "float32",
    "activation_gradients": "half",
    "weight_gradients": "float32",
}


def test_autocast_frames_each_part_in_the_colour_of_its_dtype():
    (axes,) = autocast_dataflow(DTYPES).axes
    edges = {patch.get_label(): plt.matplotlib.colors.to_hex(patch.get_edgecolor()) for patch in axes.patches}
    assert edges == {part: "#2f6bd8" if dtype == "float32" else "#c2570c" for part, dtype in DTYPES.items()}
    boxes = {patch.get_label(): patch for patch in axes.patches}
    for part, dtype in DTYPES.items():
        x, y = boxes[part].get_xy()
        inside = [
            text.get_text()
            for text in axes.texts
            if x < text.get_position()[0] < x + boxes[part].get_width()
            and y < text.get_position()[1] < y + boxes[part].get_height()
            and text.get_text()
        ]
        assert inside[-1] == dtype and len(inside) == 2
    # Forward from left to right above, backward from right to left below.
    arrows = [(text.xyann, text.xy) for text in axes.texts if not text.get_text()]
    forward = [start[0] < end[0] for start, end in arrows]
    heights = [start[1] for start, _ in arrows]
    assert forward.count(True) == forward.count(False) == 3
    assert min(y for y, f in zip(heights, forward, strict=True) if f) > max(
        y for y, f in zip(heights, forward, strict=True) if not f
    )


def ruler_words(axes) -> list:
    return [axes._left_title, *axes.get_xticklabels()] if axes.axison else []


@pytest.mark.parametrize("draw", [lambda: autocast_dataflow(DTYPES), lambda: falling_short(1.0, 0.03125, RULERS)])
def test_no_words_overlap_or_leave_the_figure(draw):
    with plt.rc_context(scaling_lesson.figures.STYLE):
        figure = draw()
        figure.canvas.draw()
    texts = [text for axes in figure.axes for text in [*axes.texts, *ruler_words(axes)]]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    assert [(a, b) for (a, box), (b, other) in itertools.combinations(boxes, 2) if box.overlaps(other)] == []
    assert [a for a, box in boxes if box.x0 < -1 or box.x1 > figure.bbox.x1 + 1] == []


def test_cache_growth_draws_a_box_a_position_and_labels_the_new_one():
    above, below = cache_growth([5, 6, 7], [5, 1, 1]).axes
    assert len(above.patches) == len(below.patches) == 5 + 6 + 7
    blue, orange, shade = (sum(c == name for c in colours(above)) for name in ("#2f6bd8", "#c2570c", "#d9dfeb"))
    assert (blue, orange, shade) == (5 + 1 + 1, 5 + 6, 0)
    blue, orange, shade = (sum(c == name for c in colours(below)) for name in ("#2f6bd8", "#c2570c", "#d9dfeb"))
    assert (blue, orange, shade) == (5 + 1 + 1, 0, 5 + 6)
    # What is computed is named where only the new token's is.
    assert [[text.get_text() for text in axes.texts].count("Q, K, V") for axes in (above, below)] == [0, 2]


def test_generation_cost_draws_each_step_and_the_running_total():
    above, below = generation_cost([3, 4, 5], [3, 1, 1]).axes
    assert [list(line.get_ydata()) for line in above.lines] == [[3, 4, 5], [3, 1, 1]]
    assert [list(line.get_ydata()) for line in below.lines] == [[3, 7, 12], [3, 4, 5]]
    assert [text.get_text() for text in below.texts] == ["without: 12", "with cache: 5"]


def test_a_query_meets_the_cached_keys_in_one_row():
    above, below = query_meets_keys(5, 3).axes
    names = ("#2f6bd8", "#c2570c", "#d9dfeb", "#fbfbfd")
    # Without: 5 queries and 5 keys of 3 boxes, 5 x 5 scores, 10 of them masked; new are a query, a key and a row.
    blue, orange, shade, paper = (colours(above).count(name) for name in names)
    assert (blue, orange, shade, paper) == (3 + 3 + 5, 4 * 3 + 4 * 3 + 10, 0, 10)
    # With: one query, 4 cached keys and a new one, a row of scores, nothing masked.
    blue, orange, shade, paper = (colours(below).count(name) for name in names)
    assert (blue, orange, shade, paper) == (3 + 3 + 5, 0, 4 * 3, 0)


def test_two_clocks_draws_both_of_each_step_and_marks_the_one_that_decides():
    (axes,) = two_clocks({"a": (7e-3, 2e-3), "b": (1e-3, 3e-3)}).axes
    assert [bar.get_width() for bar in axes.patches] == [7, 2, 1, 3]
    bold = {text.get_text() for text in axes.texts if text.get_weight() == "bold"}
    assert bold == {"a", "b", "compute 7.000 ms", "memory 3.000 ms"}
    assert {text.get_text() for text in axes.texts} - bold == {"memory 2.000 ms", "compute 1.000 ms"}
