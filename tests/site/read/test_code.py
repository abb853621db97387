"""What a block's code and the site's settings say in words, each with its line."""

from scaling_lesson.site.read.code import titles, words

CODE = """\
# It takes 99 MB.
figure(plot, name="fig2", title="Over 5", desc=f"{x:.3f} and {'6'}")
text = "step 2: 98.5 %"
ax.set_title("97B") or print(f"{x} in 96 s", "a[3] x2")
def f():
    'Returns 95 GB/s, or 3x, 4 million.'
table("t", ["step 7"], [])
"""


def test_the_texts_of_a_block_are_found_with_their_lines():
    shown, said = words(CODE)
    assert sorted(shown) == [(2, " and "), (2, "6"), (2, "Over 5"), (7, "step 7"), (7, "t")]
    assert sorted(said) == [
        (1, "# It takes 99 MB."),
        (2, "fig2"),
        (3, "step 2: 98.5 %"),
        (4, " in 96 s"),
        (4, "97B"),
        (4, "a[3] x2"),
        (6, "Returns 95 GB/s, or 3x, 4 million."),
    ]


def test_the_measures_among_them_are_told(site):
    code = """\
# It takes 99 MB.
x = 5
text = "step 2: 98.5 %"
"97B"; print(f"{x} in 96 s", "a[3] x2")
def f():
    'Returns 95 GB/s, or 3x, 4 million.'
"""
    page = f'[5](calc:x)\n\n```python exec="on"\n{code}publish("", x=x)\n```\n'
    found = [message.split('"')[:2] for message in site(page).messages()]
    expected = [(4, "99 MB"), (6, "98.5 %"), (7, "96 s"), (7, "97B"), (9, "3x"), (9, "4 million"), (9, "95 GB/s")]
    assert found == [[f"docs/page.md:{line}: naked number ", number] for line, number in expected]


def test_the_settings_that_pages_show():
    text = """\
site_name: One
theme:
  name: Two
nav:
  - Three: a.md
  - b.md
  - Four:
      - "Five": c.md
      - Six:
        - d.md
copyright: >
  Seven
  Eight
"""
    assert list(titles(text)) == [
        (1, "One"),
        (5, "Three"),
        (7, "Four"),
        (8, "Five"),
        (9, "Six"),
        (12, "  Seven\n  Eight"),
    ]
