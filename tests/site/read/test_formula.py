"""Formulas become MathML, inline and displayed, and leave code and money alone."""

import pytest
from one_page import render


def html(text: str) -> str:
    shown, page = render(text)
    assert page.prose.problems == ()
    return shown


def test_a_formula_is_mathml_inline_and_displayed():
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline">' in html("half, $\\frac{T}{2}$ of it")
    assert "<mfrac><mrow><mi>T</mi></mrow><mrow><mn>2</mn></mrow></mfrac>" in html("half, $\\frac{T}{2}$ of it")
    assert 'display="block"' in html("$$\nT_n\n$$")


@pytest.mark.parametrize("mark", ".,;:)")
def test_what_follows_a_formula_stays_on_its_line(mark):
    assert f"</math>{mark}</span>" in html(f"($T${mark} and")


@pytest.mark.parametrize("text", ["`$T$`", "it costs $ 5 and $ 6", "\\$T\\$", "a $ b"])
def test_what_is_not_a_formula_stays_text(text):
    assert "<math" not in html(text)
