"""The figures of the flash-attention page: drawn from what they are given, and legible."""

import itertools

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.patches import FancyArrow

from scaling_lesson.figures import BLUE, CSS_VARIABLES, GREEN, ORANGE, STYLE
from scaling_lesson.figures.flash_attention import online_softmax_trace, trips_to_memory
from scaling_lesson.figures.svg import svg_of
from scaling_lesson.flash_attention import (
    flash2_traffic_bytes,
    matrix_bytes,
    naive_attention,
    online_softmax_steps,
    standard_traffic_bytes,
    statistics_bytes,
)

N, HEAD_DIM, TILE, DTYPE = 4096, 64, 128, torch.float16
VECTORS, MATRIX = matrix_bytes(N, HEAD_DIM, DTYPE), matrix_bytes(N, N, DTYPE)
STANDARD = [
    ("read", "Q, K", 2 * VECTORS),
    ("write", "scores", MATRIX),
    ("read", "scores", MATRIX),
    ("write", "weights", MATRIX),
    ("read", "weights, V", MATRIX + VECTORS),
    ("write", "O", VECTORS),
]
TRAFFIC = flash2_traffic_bytes(N, HEAD_DIM, TILE, TILE, DTYPE)
OUT = VECTORS + statistics_bytes(N)
TILED = [
    ("read", "Q", VECTORS),
    ("read", "K, V, again for each row of tiles", TRAFFIC - VECTORS - OUT),
    ("write", "O", OUT),
]

Q, K, V = (torch.tensor(values).unsqueeze(-1) for values in ([2.0, -1, 1, 0], [1.0, 0, 2, 0], [1.0, 2, 6, 3]))


@pytest.fixture(autouse=True)
def site_style():
    with plt.rc_context(STYLE):
        yield
    plt.close("all")


def trace(rescale: bool = True):
    exact = naive_attention(Q, K, V).squeeze(-1).tolist()
    steps = list(online_softmax_steps(Q, K, V, 2, 2, rescale=rescale))
    return online_softmax_trace(steps, V.squeeze(-1).tolist(), exact, "a title")


def drawn(figure) -> list[tuple[str, str]]:
    """Every text with its colour."""
    (axes,) = figure.axes
    return [(text.get_text(), text.get_color()) for text in axes.texts if text.get_text()]


def arrows(figure) -> list[FancyArrow]:
    (axes,) = figure.axes
    return [patch for patch in axes.patches if isinstance(patch, FancyArrow)]


def extent(arrow: FancyArrow) -> float:
    xs = arrow.get_xy()[:, 0]
    return xs.max() - xs.min()


def test_trips_are_as_wide_as_their_bytes_and_orange_for_the_matrix():
    assert sum(n for _, _, n in STANDARD) == standard_traffic_bytes(N, HEAD_DIM, DTYPE)
    shapes, trips = arrows(trips_to_memory(STANDARD, TILED, 8)), STANDARD + TILED
    assert len(shapes) == len(trips)
    for (shape, trip), (other, larger) in itertools.permutations(zip(shapes, trips, strict=True), 2):
        if trip[2] < larger[2]:
            assert extent(shape) < extent(other), (trip, larger)
        elif trip[2] == larger[2]:
            assert extent(shape) == pytest.approx(extent(other))
    names = {plt.matplotlib.colors.to_rgba(colour): colour for colour in CSS_VARIABLES}
    assert [names[a.get_facecolor()] for a in shapes] == [BLUE] + 4 * [ORANGE] + 4 * [BLUE]


def test_reads_point_down_to_the_chip_and_writes_up():
    def down(arrow):  # the tip is the one point in the middle that is lowest or highest
        middle = arrow.get_xy()[:, 0].mean()
        tip = min(arrow.get_xy(), key=lambda point: abs(point[0] - middle))
        return bool(tip[1] < arrow.get_xy()[:, 1].mean())

    ways = ["read" if down(a) else "write" for a in arrows(trips_to_memory(STANDARD, TILED, 8))]
    assert ways == [way for way, _, _ in STANDARD + TILED]


def test_trips_are_labelled_with_what_they_carry_and_their_bytes():
    texts = [text for text, _ in drawn(trips_to_memory(STANDARD, TILED, 8))]
    for label in ("read Q, K\n1.0 MB", "write\nscores\n33.6 MB", "read\nweights, V\n34.1 MB", "write O\n524.3 kB"):
        assert label in texts
    assert "read K, V, again for each row of tiles 33.6 MB" in [text.replace("\n", " ") for text in texts]
    assert [text for text in texts if text.endswith("in all")] == ["136.3 MB in all", "34.6 MB in all"]


@pytest.mark.parametrize("n_tiles", [1, 2, 5, 8])
def test_of_all_tiles_one_is_there(n_tiles):
    (axes,) = trips_to_memory(STANDARD, TILED, n_tiles).axes
    labels = [patch.get_label().partition(":")[0] for patch in axes.patches]
    # each stands once more in the key
    done, now, later = (labels.count(name) - 1 for name in ("done", "the only tile there is now", "still to come"))
    assert now == 1
    assert done + now + later == n_tiles**2
    assert done == n_tiles * (2 * n_tiles // 3) + n_tiles // 3


def test_trace_draws_the_values_of_every_step():
    texts = [text for text, _ in drawn(trace())]
    heads = [i for i, text in enumerate(texts) if text.startswith("step")]
    rows = [texts[i:j] for i, j in itertools.pairwise([*heads, None])]
    assert rows[0][:11] == [
        "step 1: queries 1–2, keys 1–2",
        "query 1",
        "2",
        "–",
        "1.135",
        "1.271",
        "query 2",
        "0",
        "–",
        "1.368",
        "2.368",
    ]
    assert rows[1][:15] == [
        "step 2: queries 1–2, keys 3–4",
        "query 1",
        "2 → 4",
        "0.135",
        "1.172",
        "6.227",
        "5.313",
        "5.313",
        "=",
        "query 2",
        "0",
        "1",
        "2.503",
        "6.180",
        "2.469",
    ]
    # Before the heading of a row stand the scores of its tile, from left to right and from top to bottom.
    assert texts[heads[1] - 4 : heads[1]] == ["4", "0", "-2", "0"]


def test_values_stand_below_the_columns_of_their_keys_and_those_of_the_tile_are_bold():
    (axes,) = trace().axes
    for i, name in enumerate(text for text in axes.texts if text.get_text() == "V"):
        row = [t for t in axes.texts if t.get_position()[1] == name.get_position()[1] and t is not name]
        assert [t.get_text() for t in row] == ["1", "2", "6", "3"]
        left, right = [t.get_weight() == "bold" for t in row[:2]], [t.get_weight() == "bold" for t in row[2:]]
        assert (left, right) == ([i % 2 == 0] * 2, [i % 2 == 1] * 2)
        cells = sorted({p.get_x() + p.get_width() / 2 for p in axes.patches})
        assert [t.get_position()[0] for t in row] == pytest.approx(cells, abs=1)


def test_key_boxes_stand_apart_each_level_with_its_words():
    (axes,) = trips_to_memory(STANDARD, TILED, 4).axes
    words = {text.get_text(): text for text in axes.texts}
    kinds = {*words} - {""}
    boxes = {patch.get_label(): patch for patch in axes.patches if patch.get_label() in kinds}  # the last is the key's
    assert len(boxes) == 3
    middles = [box.get_y() + box.get_height() / 2 for box in boxes.values()]
    assert middles == pytest.approx([words[kind].get_position()[1] for kind in boxes])
    steps = [upper - lower for upper, lower in itertools.pairwise(sorted(middles, reverse=True))]
    assert steps == pytest.approx([steps[0]] * 2)
    assert all(box.get_height() + 4 <= steps[0] for box in boxes.values())
    assert len({box.get_x() for box in boxes.values()}) == 1


def test_a_first_tile_looks_the_same_with_and_without_rescaling():
    rows = []
    for rescale in (True, False):
        texts = [text for text, _ in drawn(trace(rescale))]
        heads = [i for i, text in enumerate(texts) if text.startswith("step")]
        rows.append([texts[i : i + 11] for i in heads[::2]])
    assert rows[0] == rows[1]
    assert [row[3] for row in rows[0]] == [row[8] for row in rows[0]] == ["–", "–"]


def test_the_map_is_named_once_above_the_first():
    (axes,) = trace().axes
    (name,) = (text for text in axes.texts if text.get_text() == "scores")
    heading = next(text for text in axes.texts if text.get_text() == "factor")
    assert name.get_position()[1] == heading.get_position()[1]


@pytest.mark.parametrize(("rescale", "signs"), [(True, "===="), (False, "≠=≠=")])
def test_trace_says_where_the_result_is_right(rescale, signs):
    texts = drawn(trace(rescale))
    marks = [(i, text) for i, (text, _) in enumerate(texts) if text in ("=", "≠")]
    assert "".join(text for _, text in marks) == signs
    for i, text in marks:
        assert {colour for _, colour in texts[i - 2 : i + 1]} == {GREEN if text == "=" else ORANGE}
    # The factor is marked where m rose, by whether it made up for that.
    factors = [colour for i, (_, colour) in enumerate(texts) if "→" in texts[i - 1][0]]
    assert factors == 2 * [BLUE if rescale else ORANGE]


def test_a_result_wrong_in_the_last_digit_shown_is_wrong():
    steps = list(online_softmax_steps(Q, K, V, 2, 2))
    exact = naive_attention(Q, K, V).squeeze(-1).tolist()
    exact[3] += 0.001
    texts = [text for text, _ in drawn(online_softmax_trace(steps, V.squeeze(-1).tolist(), exact, "a title"))]
    assert texts[-3:] == ["3", "3.001", "≠"]


FIGURES = {
    "trips": lambda: trips_to_memory(STANDARD, TILED, 8),
    "trace": trace,
    "without": lambda: trace(rescale=False),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_overlaps_another_or_leaves_the_figure(name):
    figure = FIGURES[name]()
    figure.canvas.draw()
    boxes = [
        (text.get_text(), text.get_window_extent(figure.canvas.get_renderer()))
        for text in figure.axes[0].texts
        if text.get_text()
    ]
    bad = [f"{a!r} over {b!r}" for (a, box), (b, other) in itertools.combinations(boxes, 2) if box.overlaps(other)]
    inside = figure.bbox.padded(0.5)
    bad += [f"{text!r} outside" for text, box in boxes if not (inside.x0 <= box.x0 and box.x1 <= inside.x1)]
    bad += [f"{text!r} outside" for text, box in boxes if not (inside.y0 <= box.y0 and box.y1 <= inside.y1)]
    assert bad == []


@pytest.mark.parametrize("name", FIGURES)
def test_every_colour_follows_the_page(name):
    assert 'viewBox="0 0 352.8 ' in svg_of(FIGURES[name](), name, "a title", "a description")
