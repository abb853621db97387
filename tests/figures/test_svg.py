"""Figures as lines of a record: whatever a reader sees of one is there."""

import re

import matplotlib.pyplot as plt
import pytest

from scaling_lesson.figures import BLUE, CSS_VARIABLES, STYLE, YOURS
from scaling_lesson.figures.svg import said, svg_of


def drawn(**changes):
    """Every entry of a figure with one of each artist, and what `changes` asks for."""
    fig, (left, right) = plt.subplots(1, 2)
    left.plot(
        [1, 2, 3], changes.get("line", [1, 4, 9]), label=changes.get("label", "squares"), color=changes.get("colour")
    )
    left.imshow(changes.get("image", [[1, 2], [3, 4]]), aspect="auto")
    left.inset_axes([0.5, 0.5, 0.4, 0.4]).plot(changes.get("inset", [1, 2]))
    left.xaxis.set_major_formatter(changes.get("formatter", "{x} MB"))
    left.set(title=changes.get("title", "t"), xlabel="x", yscale=changes.get("scale", "linear"))
    left.legend()
    right.bar([1, 2], changes.get("bars", [3, 4]))
    right.scatter([1, 2], changes.get("points", [3, 4]))
    right.fill_between([1, 2], changes.get("area", [3, 4]))
    fig.legend([changes.get("legend", "one")])
    right.text(changes.get("at", 0), 0, changes.get("note", "note"))
    right.set_xticks([1, 2], changes.get("ticks", ["a", "b"]))
    fig.text(0, 0, changes.get("aside", "aside"))
    fig.draw_without_rendering()
    entries = dict(said(fig))
    plt.close(fig)
    return entries


@pytest.fixture(scope="module")
def once() -> dict[str, str]:
    return drawn()


@pytest.mark.parametrize(
    "change",
    [
        {"line": [1, 4, 8]},
        {"label": "cubes"},
        {"title": "u"},
        {"scale": "log"},
        {"bars": [3, 5]},
        {"points": [3, 5]},
        {"area": [3, 3.5]},
        {"note": "other"},
        {"ticks": ["a", "c"]},
        {"aside": "other"},
        {"colour": "red"},
        {"image": [[1, 2], [3, 5]]},
        {"inset": [1, 3]},
        {"legend": "other"},
    ],
)
def test_every_kind_of_drawing_is_recorded(once, change):
    assert drawn(**change) != once


def test_how_the_library_lays_a_figure_out_is_not_recorded(once):
    assert drawn() == drawn(at=1) == once


def line_of(series: list[float]) -> str:
    fig, axes = plt.subplots()
    axes.plot(series)
    fig.draw_without_rendering()
    text = dict(said(fig))["axes 1 line 1 y"]
    plt.close(fig)
    return text


def test_a_long_series_is_recorded_by_its_ends_and_a_digest():
    series = list(range(100))
    text = line_of(series)
    assert text.startswith("[0, 1, … 100 numbers, digest ") and text.endswith("98, 99]")
    assert line_of([*series[:50], 51, *series[51:]]) != text
    assert line_of(series[:24]) == f"[{', '.join(map(str, range(24)))}]"
    assert line_of([0.1234564, float("nan"), 1e-9]) == "[0.123456, nan, 1e-09]"


def test_what_the_reader_measured_is_drawn_and_not_said():
    """Of every kind of artist that has data; the rest is said as if it were not there."""

    def drawn(yours: bool):
        fig, axes = plt.subplots()
        for label in ["", YOURS] if yours else [""]:
            axes.plot([1, 2], [3, 4], label=label)
            axes.bar([1, 2], [3, 4]).patches[0].set_label(label)
            axes.patches[-1].set_label(label)
            axes.scatter([1], [2], label=label)
            axes.text(1, 2, "words").set_label(label)
        fig.draw_without_rendering()
        plt.close(fig)
        return dict(said(fig))

    ours, both = drawn(False), drawn(True)
    assert {"axes 1 line 1 y", "axes 1 bars", "axes 1 collection 1", "axes 1 text 1"} <= set(ours) and both == ours


def svg(**settings: object) -> str:
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots()
        axes.plot([1, 2], color=next(iter(CSS_VARIABLES)), **settings)
        return svg_of(fig, "page-plot", "A <title>", "What is seen")


def test_a_figure_is_an_inline_svg_with_a_title_and_ids_of_its_own():
    text = svg(gid="the-line")
    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg" class="lesson-figure" role="img" ')
    assert 'aria-labelledby="page-plot-title" aria-describedby="page-plot-desc"' in text
    assert '<title id="page-plot-title">A &lt;title&gt;</title>' in text
    assert '<desc id="page-plot-desc">What is seen</desc>' in text
    assert not re.findall(r'id="(?!page-plot-)', text)
    assert "<metadata" not in text and "<style" not in text and "<?xml" not in text and "\n" not in text
    assert not plt.get_fignums()


def test_neighbours_painted_alike_are_one_path_and_groups_that_paint_nothing_are_none():
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots()
        axes.set_axis_off()
        axes.bar(range(5), range(1, 6), color=BLUE)
        text = svg_of(fig, "plot", "A title", "Five bars")
    assert text.count(f"fill: var({CSS_VARIABLES[BLUE]})") == 1 and text.count("M ") == 5 and "<g" not in text


@pytest.mark.parametrize(("title", "desc"), [("", "seen"), (" ", "seen"), ("a title", "")])
def test_a_figure_is_described_to_those_who_cannot_see_it(title, desc):
    with pytest.raises(ValueError, match="needs a title and a desc"):
        svg_of(plt.figure(), "plot", title, desc)
    plt.close("all")
