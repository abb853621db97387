"""One straight line: in a build, each page is read once, and each claim is read, looked up and judged once."""

import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from scaling_lesson.site.gate import Verdict
from scaling_lesson.site.numbers import claim
from scaling_lesson.site.read import source
from scaling_lesson.site.run.results import Results
from scaling_lesson.site.run.worker import Runner

PAGES = {
    "index.md": "# Home\n\nIt takes [37.7 MB](calc:page/cache), or [36.0 MiB](calc:page/cache).\n",
    "page.md": """
        # Page

        The cache takes [37.7 MB](calc:cache), [about 38 MB](calc:cache), for [12 layers](calc:other/layers).

        | what | size |
        |------|------|
        | one  | [37,748,736 bytes](calc:cache) |

        ```python exec="on"
        cache = 2 * 12 * 12 * 64 * 1024 * 2
        publish("B", cache=cache)
        ```
        """,
    "other.md": """
        # Other

        ```python exec="on" source="above"
        layers = 12
        publish("layer", layers=layers)
        kind = "float"
        publish("", kind=kind)
        ```

        It has [12](calc:layers) of them, in [float](calc:kind).

        ```python exec="on"
        share = 1 / 3
        publish("", share=share, tolerance=1e-9, reason="sums")
        table("sizes", ["name", ("share", "%", 1)], [["one", share]])
        ```

        That is [33%](calc:share), [under 34%](calc:share).
        """,
    "more/none.md": "# None\n\nNo number, and `code`.\n",
    "more/list.md": "# List\n\n<!-- listing: numbers -->\n",
}
CLAIMS = sum(text.count("](calc:") for text in PAGES.values())


class Counted(dict):
    """Values by name, which counts how often one is sought."""

    sought = 0

    def get(self, *arguments: object) -> object:
        Counted.sought += 1
        return super().get(*arguments)

    def __getitem__(self, name: str) -> object:
        Counted.sought += 1
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        Counted.sought += 1
        return super().__contains__(name)


@pytest.fixture
def counts(monkeypatch) -> Counter:
    """How often each is called, wherever it was imported to, and values are sought."""
    calls = Counter()

    def counting(name: str, function: Callable) -> Callable:
        def counted(*arguments: object, **named: object) -> object:
            calls[name] += 1
            return function(*arguments, **named)

        return counted

    for name, function in {"parse": claim.parse, "read": source.read}.items():
        counted = counting(name, function)
        for module in [module for key, module in sys.modules.items() if key.startswith("scaling_lesson.site")]:
            for attribute, value in list(vars(module).items()):
                if value is function:
                    monkeypatch.setattr(module, attribute, counted)
    monkeypatch.setattr(Verdict, "__init__", counting("verdict", Verdict.__init__))
    run = Runner.run

    def seeking(runner: Runner, path: str, jobs: list) -> Future[Results]:
        future, given = Future(), run(runner, path, jobs).result()
        given.__dict__["values"] = Counted(given.values)
        future.set_result(given)
        return future

    monkeypatch.setattr(Runner, "run", seeking)
    monkeypatch.setattr(Counted, "sought", 0)
    return calls


def test_each_page_is_read_once_and_each_claim_judged_once(site, counts):
    made = site(PAGES["page.md"], accepted=False)
    for name, text in PAGES.items():
        made.write(text, name)
    made.accept()
    assert made.messages() == []
    counts.clear()
    Counted.sought = 0
    assert made.html().count('<data class="claim-number"') == 4
    assert counts["read"] == len(PAGES)
    assert counts["verdict"] == CLAIMS == 10
    assert CLAIMS - 1 <= counts["parse"] <= CLAIMS  # one is a text
    assert CLAIMS <= Counted.sought <= 2 * CLAIMS
