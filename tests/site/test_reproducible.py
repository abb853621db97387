"""The same commit makes the same site, to the byte, wherever and whenever it is built. test_drift.py has the real one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import DATED

pytestmark = pytest.mark.slow  # two whole builds, though of a small site

PLACES = {
    "here": {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
    "Größe ∞/in a b": {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7", "HOME": "/nowhere"},
}
PAGE = """
# Page

It takes [5 B](calc:a).

```python exec="on"
import matplotlib.pyplot as plt
from scaling_lesson.figures import BLUE

a = len({"one", "two", "three", "four", "five"})
publish("B", a=a)
fig, ax = plt.subplots()
ax.plot([1, 2], color=BLUE)
figure(fig, name="f", title="A figure", desc="A line.")
```
"""


def differing(one: Path, other: Path) -> list[str]:
    """The files that are not the same in two built sites, or are in one only."""
    contents = [
        {f.relative_to(site).as_posix(): f.read_bytes() for f in site.rglob("*") if f.is_file()}
        for site in (one, other)
    ]
    return sorted(n for n in contents[0].keys() | contents[1] if contents[0].get(n) != contents[1].get(n))


def test_two_places_build_the_same_site(site, tmp_path):
    made = site(PAGE, accepted=False)
    made.dress()
    settings = made.root / "mkdocs.yml"
    web = "{web: {lesson: lesson/, numbers: list.md, repository: https://git.example/lesson}}"
    text = settings.read_text("utf-8").replace("}}]", "}}, " + web + "]", 1)
    settings.write_text(text + "site_url: https://lesson.example/\n", "utf-8")
    made.write("# List\n\n<!-- listing: numbers -->\n", "list.md")
    made.accept()
    sites = []
    for time, (place, environment) in enumerate(PLACES.items()):
        copy = tmp_path / "places" / place
        shutil.copytree(made.root, copy, ignore=shutil.ignore_patterns("places", "site", ".*"))
        for file in copy.rglob("*"):
            os.utime(file, (time, time))
        command = [sys.executable, "-m", "mkdocs", "build", "-q"]
        done = subprocess.run(command, cwd=copy, env=os.environ | DATED | environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        sites.append(copy / "site")
    assert differing(*sites) == []
    names = {"page/index.html", "sitemap.xml.gz", "search/search_index.json", "numbers.json", "llms.txt"}
    assert all((sites[0] / name).exists() for name in names)
    (sites[1] / "numbers.json").write_text("{}")
    assert differing(*sites) == ["numbers.json"]
