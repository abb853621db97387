"""The code of all pages, one page after the other, with nothing around it: what a build cannot do without.

Prints the seconds of each page as JSON. Figures are written as SVG, and nobody looks at what is published.
"""

import contextlib
import io
import json
import sys
import time
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import torch

from scaling_lesson.figures import STYLE
from scaling_lesson.site.read.source import read


def nothing(*_: object, **__: object) -> None:
    pass


def draw(figure: plt.Figure, **_: object) -> None:
    figure.savefig(io.BytesIO(), format="svg")
    plt.close(figure)


def main() -> None:
    plt.switch_backend("agg")
    torch.set_num_threads(1)
    taken = {}
    for page in sorted(Path("docs").rglob("*.md")):
        codes = [block.code for block in read(page.as_posix(), page.read_text("utf-8")).blocks if block.runs]
        module = sys.modules["page"] = ModuleType("page")
        vars(module).update(publish=nothing, table=nothing, cite=nothing, figure=draw)
        torch.manual_seed(0)
        plt.rcParams.update(STYLE)
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            for code in codes:
                exec(compile(code, page, "exec"), vars(module))
        if codes:
            taken[page.stem if page.stem != "index" else page.parent.name] = time.perf_counter() - start
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
