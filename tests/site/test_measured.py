"""Files of measurements on a page: a wrong one stops the build at its line, one more needs no edit of a page, and what
is the reader's own is shown and not recorded."""

import json
import re
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch

from scaling_lesson.flash_attention import matrix_bytes
from scaling_lesson.measure.results import FOLDER, Measurement, read, text_of
from scaling_lesson.site.ci import audited

ROOT = Path(__file__).resolve().parents[2]
CPU = ROOT / FOLDER / "cpu.json"
PAGE = """
# Page

```python exec="on"
from scaling_lesson.measure.results import measured

def rows(whose):
    return [[f"`{name}`", m.bytes_per_s()] for name, m, mine in measured("bandwidth") if mine == whose]

table("machines", ["file", ("bandwidth", "GB/s", 1)], rows(False), rows(True))
```
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where the files of measurements stand that pages read in this test; cpu.json is one."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / FOLDER
    made.mkdir(parents=True)
    shutil.copy(CPU, made / "cpu.json")
    return made


WRONG = {
    "a missing field": (', "repeats": 14}', "}", 9, "bandwidth.0.repeats: Field required"),
    "a negative time": ('"median_s": 1', '"median_s": -1', 9, "bandwidth.0.median_s: Input should be greater than 0"),
    "another schema": ("measurement 1", "measurement 2", 2, "schema: Input should be 'scaling-lesson measurement 1'"),
    "no number": ('"median_s": ', '"median_s": NaN, "x": ', 9, "bandwidth.0.median_s: Input should be a finite number"),
    "a slip of the hand": ('"median_s": 1', '"median_s": 7', 9, "bandwidth.0: median_s must lie between lower_s and"),
    "a name of its own": ('"flops": ', '"flop": ', 9, "bandwidth.0.flop: Extra inputs are not permitted"),
    "no JSON": (', "repeats": 14}', ', "repeats": 14', 10, "Invalid JSON: key must be"),
    "cut short": (', "repeats": 14}', "\0", 9, "Invalid JSON: EOF while parsing"),
    "a name twice": (', "repeats": 14}', ', "repeats": 14, "repeats": 9}', 9, "repeats: given twice"),
    "a section twice": ('\n "matmul"', '\n "skipped": [],\n "matmul"', 25, "skipped: given twice"),
    "no UTF-8": ("Intel", "Int\udce9l", 6, "not UTF-8"),
}


@pytest.mark.parametrize("old, new, line, message", WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_told_at_its_line(site, folder, old, new, line, message):
    text = CPU.read_text("utf-8")
    assert old in text
    wrong = text.replace(old, new, 1).partition("\0")[0]
    (folder / "gpu.json").write_bytes(wrong.encode("utf-8", "surrogateescape"))
    (told,) = site(PAGE, accepted=False).messages()
    assert told.startswith(f"docs/page.md:7: the block raised ValueError: {FOLDER}/gpu.json:{line}: {message}"), told


@pytest.mark.parametrize("name", ["gpu", "yours"])
def test_a_wrong_file_fails_the_build(site, folder, name):
    made = site(PAGE)
    assert not made.fails()
    (folder / f"{name}.json").write_text(CPU.read_text("utf-8").replace('"median_s": ', '"median_s": -', 1), "utf-8")
    assert made.fails()


def gpu_text(name: str = "A GPU of 80 <GB>") -> str:
    """The CPU's file, as if measured on a GPU."""
    given = json.loads(CPU.read_text("utf-8"))
    given["machine"] |= {"kind": "cuda", "name": name}
    return text_of(Measurement.model_validate_json(json.dumps(given)))


def test_a_machine_more_is_accepted_and_edits_no_page(site, folder):
    made = site(PAGE)
    (folder / "gpu.json").write_text(gpu_text(), "utf-8")
    told = made.messages()
    assert told and all("table machines row 2" in message for message in told)
    assert made.summary.endswith("To accept: scripts/record docs/page.md")
    made.accept()
    assert made.messages() == []
    assert re.findall("<td><code>(.*?)</code></td>", made.html()) == ["cpu", "gpu"]


def test_what_is_the_readers_is_shown_and_not_recorded(site, folder):
    made = site(PAGE)
    recorded = (made.root / "docs/page.record").read_text("utf-8")
    (folder / "yours.json").write_text(gpu_text(), "utf-8")
    assert made.messages() == []
    made.accept()
    assert (made.root / "docs/page.record").read_text("utf-8") == recorded
    assert re.findall("<td><code>(.*?)</code></td>", made.html()) == ["cpu", "yours"]
    assert made.html().count('<data class="cell"') == 2


def test_a_row_of_the_readers_needs_its_cells_too(site):
    code = 'table("t", ["name", ("size", "MB", 1)], [["one", 2]], [["two"]])'
    told = site(f'# Page\n\n```python exec="on"\n{code}\n```\n', accepted=False).messages()
    assert any("row 2 of table 't' has 1 cells; expected 2" in message for message in told)


def test_a_figure_of_the_readers_data_is_not_recorded(site):
    page = """
        # Page

        ```python exec="on"
        import matplotlib.pyplot as plt
        from scaling_lesson.figures import BLUE, GREEN, YOURS
        mine = []
        fig, ax = plt.subplots()
        ax.plot([1, 2], [3, 4], color=BLUE)
        for row in mine:
            ax.plot([1, 2], row, color=GREEN, label=YOURS)
        figure(fig, name="f", title="Lines", desc="Two lines.", data=(["name", "end"], [["one", 4]], [["two", y] for _, y in mine]))
        ```
        """
    made = site(page)
    made.write(page.replace("mine = []", "mine = [(5, 6)]"))
    assert made.messages() == []
    assert '<td>two</td><td><data class="cell" value="6" data-unit="">6</data></td>' in made.html()


TABLE = """
# Page

```python exec="on"
table("machines", ["machine", ("bandwidth", "GB/s", 1)], [[NAME, 2e9]])
```
"""


def test_a_cell_in_backticks_is_code_and_may_hold_any_digit(site):
    html = site(TABLE.replace("NAME", "f'`A GPU of {2**7} <GB>`'")).html()
    assert "<td><code>A GPU of 128 &lt;GB&gt;</code></td>" in html
    assert '<th scope=col>machine</th><th scope=col style="text-align: right;">bandwidth (GB/s)</th>' in html


@pytest.mark.parametrize("cell", ["model {3 + 4}", "`{3 + 4}`", "`a` {3 + 4} `b`", "`{15 / 2} GB`"])
def test_a_cell_of_text_hides_no_number(site, cell):
    """Nor code that is nothing but a number: the second check tells."""
    made = site(TABLE.replace("NAME", f'f"{cell}"'))
    made.html()
    assert [str(told) for told in audited(made.root / "site") if "naked number" in str(told)]


BLOCK = re.compile('^```python exec="on"\n(.*?)^```$', re.M | re.S)
MEASURED = ["measurements/index.md"] + [
    f"scaling-and-efficiency/{page}.md" for page in ("roofline", "mixed-precision", "kv-cache", "flash-attention")
]
OF_THE_PAGE = {"full": 1024, "seq_len": 4096, "heads": 12, "matrix_bytes": matrix_bytes, "torch": torch}
"""What earlier blocks of those pages have computed."""

FIRST = ("bandwidth", "matmul", "launches", "steps", "tokens", "attention_memory", "operations", "training")
LACKING = {
    **{f"ends in {part}": lambda m, n=n: dict.fromkeys(FIRST[n + 1 :], ()) | {FIRST[n]: getattr(m, FIRST[n])[:1]}
       for n, part in enumerate(FIRST)},
    "no bfloat16": lambda m: {p: [run for run in getattr(m, p) if run.dtype != "bfloat16"] for p in FIRST},
    "no float16": lambda m: {p: [run for run in getattr(m, p) if run.dtype != "float16"] for p in FIRST},
    "no float32 but bandwidth": lambda m: {
        p: [run for run in getattr(m, p) if run.dtype != "float32"] for p in FIRST[1:]
    },
    "no floor": lambda m: {"launches": m.launches[:1]},
    "no smallest kernel": lambda m: {"launches": m.launches[1:]},
    "no kernel of torch's": lambda m: {
        p: [run for run in getattr(m, p) if run.name != "SDPA flash"] for p in ("operations", "attention_memory")
    },
}  # fmt: skip


def shown(page: str) -> list[tuple]:
    """(columns, rows, the reader's rows) of each table that the blocks of a page make of what was measured."""
    tables = []
    names = OF_THE_PAGE | {
        "publish": lambda *_, **__: None,
        "figure": lambda fig, **given: tables.append(given["data"]),
        "table": lambda name, *given: tables.append(given),
    }
    for code in BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")):
        if page == MEASURED[0] or "measure.results" in code:
            exec(compile(code, page, "exec"), names)
    plt.close("all")
    return tables


@pytest.mark.parametrize("lacks", LACKING)
@pytest.mark.parametrize("page", MEASURED)
def test_every_page_draws_what_a_machine_has(folder, page, lacks):
    """A file that ends early, or whose machine cannot do all, is drawn as far as it goes."""
    m = read(CPU)
    (folder / "yours.json").write_text(text_of(m.model_copy(update=LACKING[lacks](m))), "utf-8")
    assert all(len(row) == len(columns) for columns, *rows in shown(page) for some in rows for row in some)


def test_steps_in_a_graph_are_drawn_where_there_are_any(folder):
    m, graph = (
        read(CPU),
        {"step": "step in a CUDA graph", "step with nothing to do": "step with nothing to do, CUDA graph"},
    )

    def twice(runs):
        again = [run.model_copy(update={"name": graph[run.name]}) for run in runs if run.name in graph]
        return [*runs, *again]

    parts = {part: twice(getattr(m, part)) for part in ("launches", "steps")}
    (folder / "gpu.json").write_text(text_of(m.model_copy(update=parts)), "utf-8")
    (steps,) = [rows for columns, rows, _ in shown(MEASURED[0]) if columns[1] == "sequences"]
    assert [*dict.fromkeys(row[0] for row in steps)] == ["`cpu`", "`gpu`", "`gpu, graph`"]
