"""Reading a rendered page: what is shown, and what should not be left in it."""

import pytest

from scaling_lesson.site.rendered import read


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>one <code>2</code> three<pre>4</pre></p>", "one three"),
        ('<p>a <span class="claim">⟦slot⟧</span> b</p>', "a ⟦slot⟧ b"),
        ('<td><data class="cell" value="6">6</data></td><td>seven</td>', "seven"),
        ("<svg class=lesson-figure><title>8</title><text>9</text></svg><math xmlns=m><mn>1</mn></math>end", "end"),
        ("<style>p{margin:1px}</style><script>1</script>text", "text"),
        ('<p>a<br>b <img src="3.png" alt="four"></p><p>c</p>', "a b four c"),
        ('<span title="five">x</span><input placeholder=six value="7">', "five x six 7"),
        ("<code>1<b>2</b></code>3", "3"),
        ("&#57;&frac12;", "9½"),
        ("<p><code>1</p>2", "2"),
        ('<a href="calc:3">37 MB</a> after', "after"),
        ('<a href="calc:3">37 MB<a href="x">after</a>', "after"),
        ("<code><b>1</code>2", "2"),
        ("<table><td><pre>1<tr>2<td><pre>3</pre>4</table><pre>5<td>6", "2 4"),
        ("<b title>3</b>", "3"),
        ('<p class="doc doc-object">5</p>6', "6"),
        ('<p>1</p><div class="doc doc-object doc-module"><p>2<div class="doc doc-contents">3</div></p></div>4', "1 4"),
        ('<div class="doc">5</div><div class="doc-object">6</div><div class="docs doc-objects">7</div>', "5 6 7"),
    ],
)
def test_what_is_shown(html, shown):
    assert " ".join(" ".join(read(html)[0]).split()) == shown


@pytest.mark.parametrize(
    ("html", "odd"),
    [
        ('<a href="calc:x">1</a>', "a claim was not read as one: calc:x"),
        ("<p>$$ x $$</p>", "a formula was not read as one: $$ x $$"),
        ("<p>```python</p>", "a fence was not read as one: ```python"),
        ('<div class="gate-problem"><code>x</code></div>', "a block does not run"),
        (f"<p>$${50 * 'x'}</p>", f"a formula was not read as one: $${38 * 'x'}"),
    ],
)
def test_what_should_not_be_left(html, odd):
    assert read(html)[1] == [odd]


def test_code_and_known_claims_may_hold_anything():
    assert read('<pre>``` $$</pre><code>$$</code><a href="calc:3">1</a>')[1] == []


@pytest.mark.parametrize(
    ("inside", "formula"),
    [
        ("<mrow><mn>1</mn><mn>2</mn><mo>=</mo><mi>x</mi></mrow>", "12=x"),
        ("<msup><mi>x</mi><mn>2</mn></msup><mn>5</mn>", "x 2 5"),
        ("<mn>1</mn><mstyle><mn>2</mn></mstyle><mtext>3</mtext>", "123"),
        ("<mn> 1\n2 </mn>", "1 2"),
        ("<mn>1</mn><mtext>a 2</mtext><mn>3</mn>", "1 3"),
        ("<mn>1</mn><mspace/><mn>2</mn>", "12"),
        ('<mn>1</mn><mspace width="0.1667em"/><mn>2</mn><mspace width="-1em"/><mn>3</mn>', "123"),
        ('<mn>1</mn><mspace width="negativethinmathspace"/><mn>2</mn>', "12"),
        (
            '<mn>1</mn><mspace width="1em"/><mn>2</mn><mi width=".1em"></mi><mfrac width=".1em"><mn>3</mn></mfrac>',
            "1 2 3",
        ),
    ],
)
def test_a_formula_keeps_what_stands_side_by_side_together(inside, formula):
    two = read(f'<math xmlns="m">{inside}</math> and <math xmlns="m"><mi>y</mi></math><math><mn>5</mn></math>')[2]
    assert [" ".join(text.split()) for text in two] == [formula, "y"]


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("<p>a <b>b</b><code>c</code></p>d<br>e", "\0a bc\0d\0e"),
        ("<pre>1</pre><script>2</script><style>3</style>4", "\0\0\0\0\0\04"),
        ("<div><p><i>x</div>y", "\0\0x\0y"),
    ],
)
def test_lines_end_where_their_element_does(html, lines):
    assert read(html)[3] == lines
