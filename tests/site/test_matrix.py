"""The environments in which `scripts/check-gate matrix` builds: what they combine, and how builds are compared."""

from fractions import Fraction
from itertools import combinations

import matrix


def test_any_two_settings_meet_in_the_matrix():
    met = [pair for settings in matrix.MATRIX for pair in combinations(enumerate(s.name for s in settings), 2)]
    wanted = {
        ((a, one.name), (b, other.name))
        for (a, things), (b, others) in combinations(enumerate(matrix.THINGS), 2)
        for one in things
        for other in others
    }
    assert set(met) == wanted and len(met) == len(wanted), "each once"
    assert list(zip(*matrix.DIAGONAL, strict=True)) == [tuple(thing) for thing in matrix.THINGS]


def built_with(tolerance: float, value: str, text: str = "1.0", loose: str = "5") -> matrix.Build:
    values = [
        {"name": "sure", "value": loose, "tolerance": 0.0, "reason": ""},
        {"name": "apart", "value": value, "tolerance": tolerance, "reason": "CPUs differ"},
    ]
    return matrix.Build((), 0, [], {"pages": {"a.md": {"values": values, "claims": [{"text": text}]}}})


def test_what_differs_between_builds_is_found():
    def told(*builds):
        spreads, alarms = matrix.compare(list(builds))
        assert [(s.page, s.name, s.tolerance, s.reason) for s in spreads] == [("a.md", "apart", 0.25, "CPUs differ")]
        return spreads[0].apart, alarms

    assert told(built_with(0.25, "1.0"), built_with(0.25, "1.25")) == (Fraction(1, 4), [[], []])
    # Each within reach of the first, but not of one another.
    far = "a.md: apart is 0.875, too far from the builds before"
    assert told(built_with(0.25, "1.0"), built_with(0.25, "1.25"), built_with(0.25, "0.875"))[1] == [[], [], [far]]
    for changed, message in [
        ({"text": "1.1"}, "numbers.json/pages/a.md/claims/0/text is '1.1', in the first build '1.0'"),
        ({"loose": "6"}, "numbers.json/pages/a.md/values/0/value is '6', in the first build '5'"),
    ]:
        assert told(built_with(0.25, "1.0"), built_with(0.25, "1.0", **changed)) == (0, [[], [message]])
