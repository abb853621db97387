"""Reading a rendered page: what is shown, and what should not be left in it."""

import pytest

from scaling_lesson.site.rendered import read


@pytest.mark.parametrize(("html", "shown"), [
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
    ('<p>1</p><div class="doc doc-object doc-module"><p>2<div class="doc doc-contents">3</div></p></div>4', "1 4"),
    ('<div class="doc">5</div><div class="doc-object">6</div><div class="docs doc-objects">7</div>', "5 6 7"),
])  # fmt: skip
def test_what_is_shown(html, shown):
    assert " ".join(" ".join(read(html)[0]).split()) == shown


@pytest.mark.parametrize(("html", "odd"), [
    ('<a href="calc:x">1</a>', "a claim was not read as one: calc:x"),
    ("<p>$$ x $$</p>", "a formula was not read as one: $$ x $$"),
    ("<p>```python</p>", "a fence was not read as one: ```python"),
    ('<div class="gate-problem"><code>x</code></div>', "a block does not run"),
])  # fmt: skip
def test_what_should_not_be_left(html, odd):
    assert read(html)[1] == [odd]


def test_code_and_known_claims_may_hold_anything():
    assert read('<pre>``` $$</pre><code>$$</code><a href="calc:3">1</a>')[1] == []
