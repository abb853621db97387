"""What a published value was computed by, read from the blocks: the last line of each publishes x."""

import ast

import pytest

from scaling_lesson.site.expressions import Expressions


def of(*blocks: str) -> str:
    """What x was computed by, as the last block's last line publishes it; each block stands below the one before."""
    expressions, before = Expressions(), 0
    for block in blocks:
        source = "\n" * before + block
        expressions.read(source, ast.parse(source))
        before = source.count("\n") + 1
    return expressions.of("x", before)


@pytest.mark.parametrize(
    ("code", "expression"),
    [
        ("x = 2 + 3", "2 + 3"),
        ("y = x = 2 + 3", "2 + 3"),
        ("x, y = 2 + 3, 4", "2 + 3"),
        ("(y, x), z = (4, 2 + 3), 5", "2 + 3"),
        ("x, y = divmod(16, 3)", "divmod(16, 3)"),
        ("*y, x = 5, 6, 7", "5, 6, 7"),
        ("x = 1\nx = 2 + 3", "2 + 3"),
        ("x = 1; x = 2 + 3", "2 + 3"),
        ("x = (2 +\n     3)", "2 + 3"),
        ("x: int = 5", "x"),
        ("x = 0\nfor n in (2, 3):\n    x += n", "x"),
        ("x = 0\nfor x in (2, 3): pass", "x"),
    ],
)
def test_a_value_says_how_it_was_computed(code, expression):
    assert of(f"{code}\npublish('', x=x)") == expression
    assert of(code, "publish('', x=x)") == expression
    assert of(f"{code}\npublish('', y=x)\npublish('', x=x)") == expression


@pytest.mark.parametrize(
    ("code", "expression"),
    [
        ("both = {}\nboth['a'] = 2 + 3\npublish('', x=both['a'])", "both['a'], with both = 2 + 3"),
        ("both = [2 + 3]\npublish('', x=both[0])", "both[0], with both = [2 + 3]"),
        ("both = f()\npublish('', x=both.sizes['a'][0])", "both.sizes['a'][0], with both = f()"),
        ("publish('', x=math.pi)", "math.pi"),
        ("publish('', x=[5][0])", "[5][0]"),
        ("publish('', **known)", "x"),
        ("y = 2 + 3; f(x=1, y=y); page.publish(x=2); publish('', y=1, x=y)", "2 + 3"),
        ("y = 2 + 3\nf(\n    publish('', x=y))", "2 + 3"),
    ],
)
def test_a_name_or_a_part_of_one_is_published(code, expression):
    assert of(code) == expression


def test_only_what_was_assigned_before_counts():
    expressions = Expressions()
    source = "x = 2 + 3\npublish('', x=x)\nx = 7 * 7"
    expressions.read(source, ast.parse(source))
    assert expressions.of("x", 2) == "2 + 3"
    source = "\n\n\npublish('',\n    x=y\n)"
    expressions.read(source, ast.parse(source))
    assert [expressions.of("x", line) for line in (2, 3, 4, 5, 6, 7)] == ["x", "x", "y", "y", "y", "x"]


@pytest.mark.parametrize("value", ["2 + 3", "sum([2, 3])", "5", "'99 MB'", "-5", "both[f()]", "both[1 + 1]", "(a, b)"])
def test_a_value_is_not_computed_where_readers_cannot_see_it(value):
    with pytest.raises(ValueError) as error:
        of(f"publish('', x={value})")
    assert str(error.value) == "publish lines are not shown, so x must be computed in a line of its own above"
