"""What a published value was computed by, read from the blocks: the last line of each publishes x."""

import ast

import pytest

from scaling_lesson.site.run.provenance import Provenance


def of(*blocks: str) -> str:
    """What x was computed by, as the last block's last line publishes it; each block stands below the one before."""
    provenance, before = Provenance(), 0
    for block in blocks:
        source = "\n" * before + block
        provenance.read(source, ast.parse(source))
        before = source.count("\n") + 1
    return provenance.of("x", before)


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
        ("x = 2 + 3\ndef f():\n    x = 99", "2 + 3"),
        ("if c:\n    x = 2 + 3\nelse:\n    x = 7", "x"),
        ("x = 7\nif c:\n    x = 2 + 3", "x"),
        ("if c:\n    x = 7\nx = 2 + 3", "2 + 3"),
        ("try:\n    x = 2 + 3\nexcept E:\n    x = 7", "x"),
        ("match c:\n    case 1:\n        x = 2 + 3", "x"),
        ("for n in (2, 3):\n    x = n + 1", "n + 1"),
        ("x = 7\nprint(x := 2 + 3)", "x"),
        ("x = 7\nfor n, x in pairs: pass", "x"),
        ("x = 7\nwith f() as x: pass", "x"),
        ("x = 7\n[*x, y] = pairs", "x"),
        (
            "x = 2 + 3\ny = [x for x in pairs], {x for x in pairs}, {x: 1 for x in pairs}, sum(x for x in pairs)",
            "2 + 3",
        ),
        ("x = 2 + 3\nclass C:\n    x = 99", "2 + 3"),
        ("x = 2 + 3\ndef f(n):\n    x = 0\n    for x in n:\n        x += 1\n    return lambda: [x := 99]", "2 + 3"),
    ],
)
def test_a_value_says_how_it_was_computed(code, expression):
    assert of(f"{code}\npublish('', x=x)") == expression
    assert of(code, "publish('', x=x)") == expression
    assert of(f"{code}\npublish('', y=x)\npublish('', x=x)") == expression


@pytest.mark.parametrize(
    ("code", "expression"),
    [
        ("both = {}\nboth['a'] = 2 + 3\npublish('', x=both['a'])", "both['a']"),
        ("both = f()\nboth['b'] = 2 + 3\npublish('', x=both['a'])", "both['a']"),
        ("both = f()\nboth['b'] += 3\npublish('', x=both['a'])", "both['a']"),
        ("both = [2 + 3]\npublish('', x=both[0])", "both[0], with both = [2 + 3]"),
        ("both = f()\npublish('', x=both.sizes['a'][0])", "both.sizes['a'][0], with both = f()"),
        ("publish('', x=math.pi)", "math.pi"),
        ("publish('', **known)", "x"),
        ("y = 2 + 3; f(x=1, y=y); page.publish(x=2); publish('', y=1, x=y)", "2 + 3"),
        ("y = 2 + 3\nf(\n    publish('', x=y))", "2 + 3"),
    ],
)
def test_a_name_or_a_part_of_one_is_published(code, expression):
    assert of(code) == expression


def test_only_what_was_assigned_before_counts():
    provenance = Provenance()
    source = "x = 2 + 3\npublish('', x=x)\nx = 7 * 7"
    provenance.read(source, ast.parse(source))
    assert provenance.of("x", 2) == "2 + 3"
    source = "\n\n\npublish('',\n    x=y\n)"
    provenance.read(source, ast.parse(source))
    assert [provenance.of("x", line) for line in (2, 3, 4, 5, 6, 7)] == ["x", "x", "y", "y", "y", "x"]


@pytest.mark.parametrize(
    "value", ["2 + 3", "sum([2, 3])", "5", "'99 MB'", "-5", "[5][0]", "both[f()]", "both[1 + 1]", "(a, b)"]
)
def test_a_value_is_not_computed_where_readers_cannot_see_it(value):
    with pytest.raises(ValueError) as error:
        of(f"publish('', x={value})")
    assert str(error.value) == "publish lines are not shown, so x must be computed in a line of its own above"


NAMES = {"GIB": 2**30, "gib": 2**30, "MB": 10**6, "SHARE": 0.5}


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ('print(f"{x / 1024**3:.1f} GB")', '"GB" is typed behind a number divided by 1,073,741,824'),
        ('print(f"{x / 2**20} MB")', '"MB" is typed behind a number divided by 1,048,576'),
        ('print(f"{x / GIB} GB")', '"GB" is typed behind a number divided by 1,073,741,824'),
        ('print(f"{x / 1e9} MB")', '"MB" is typed behind a number divided by 1,000,000,000'),
        ('y = x / 1e6\nprint(f"{y:.1f} GB/s")', '"GB/s" is typed behind a number divided by 1,000,000'),
        ('print(f"{x / 1e9} µs")', '"µs" is typed behind a number divided by 1,000,000,000'),
        ('print(f"{x * 1e3} µs")', '"µs" is typed behind a number divided by 1/1,000'),
        ('print(f"{x * 1e3} ms")', None),
        ('print(f"{x / 1e9} GB")', None),
        ('print(f"{x / GIB} GiB")', None),
        ('print(f"{x / MB} MB, {x / 1e9:.2f} GB")', None),
        ('print(f"{x / gib} GB")', None),  # a name that is not in capitals may be any number
        ('print(f"{x / 7} GB")', None),
        ('print(f"{x / SHARE} GB")', None),
        ('print(f"{x / 1024} tokens")', None),
        ('print(f"{x / 1024} of them")', None),
        ('print(f"{x} GB")', None),
        ('print(f"{x // 1024} MB")', None),
        ('print(f"{x / (1 / 0)} MB")', None),
        ('print("5 GB", f"GB {x / 1024}")', None),
        ('y = x / 1e9\ny = x / 1e6\nprint(f"{y} GB")', '"GB" is typed behind a number divided by 1,000,000'),
    ],
)
def test_a_unit_typed_behind_another_prefix_is_told(code, told):
    provenance = Provenance()
    provenance.read(code, ast.parse(code))
    found = list(provenance.mislabelled(NAMES))
    assert found == ([(code.count("\n") + 1, told)] if told else [])
