"""What is said of a number that nothing computes."""

import pytest

from scaling_lesson.site.gate import naked

NAME = "; a name, if it is one, goes into names in mkdocs.yml"


@pytest.mark.parametrize(
    ("word", "claim", "also"),
    [
        ("37", "37", ""),
        ("1,024", "1,024", ""),
        ("37.7MB", "37.7 MB", ""),
        ("5×", "5×", ""),
        ("97k", "97k", NAME),
        ("GPT-9", "GPT-9", NAME),
        ("MB37", "MB37", NAME),
        ("37 MB", "37 MB", ""),
    ],
)
def test_the_claim_to_write_is_named(word, claim, also):
    assert naked(word) == f'naked number "{word}": publish it and claim it, [{claim}](calc:name){also}'
