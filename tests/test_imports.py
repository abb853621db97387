"""The arrows of the house: ground floor <- gpt and the concept modules <- figures, measure <- pages, and site/ beside.

Within site/, one straight line: numbers <- run, read <- gate <- show, web <- the tools. And nowhere a circle.
Imports are read from the source, never run, so one run lists every offence.
"""

import ast
import sys
from pathlib import Path

import pytest

import scaling_lesson

PACKAGE = Path(scaling_lesson.__file__).parent
GROUND = {"units", "digits", "checks", "models", "accounting", "hardware"}
"""What everything may stand on. Any other module directly in the package, gpt aside, is a concept module."""

ALONE_MAY_USE = {"torch", "numpy", "jaxtyping"} | set(sys.stdlib_module_names)
"""What a reader needs to know to read a ground-floor or concept module: no drawing, no site builder."""


def layer_of(module: str) -> str:
    """package, ground, gpt, concept, figures, measure, site or audit, for a dotted name below scaling_lesson ("" for itself)."""
    top = module.split(".")[0]
    if top in GROUND:
        return "ground"
    return {"": "package"}.get(top, top if top in ("gpt", "figures", "measure", "site", "audit") else "concept")


MAY_IMPORT = {
    "package": set(),
    "ground": {"ground"},
    "gpt": {"ground"},
    "concept": {"ground", "gpt", "concept"},
    "figures": {"ground", "gpt", "concept", "figures"},
    "measure": {"ground", "gpt", "concept", "measure"},
    "audit": set(),  # the second check shares nothing with what it checks
    "site": {"ground", "site"},  # and of figures the style and the SVG: see `offences`
}


ROOMS = {
    "numbers": {"numbers"},
    "run": {"numbers", "run"},
    "read": {"numbers", "read"},
    "gate": {"numbers", "run", "read"},
    "show": {"numbers", "run", "read", "gate", "show"},
    "web": {"numbers", "run", "read", "gate", "show", "web"},
    "tools": {"numbers", "run", "read", "gate", "show", "web", "tools"},
}
"""What the modules in a room of site/ may import of it."""
TOOLS = {"plugin", "kept", "accept", "notebook", "ci", "progress"}


def room_of(module: str) -> str:
    """The room of a module of site/, "" for site itself; a module that stands in none is a room of its own."""
    name = ([*module.split("."), ""])[1]
    return "tools" if name in TOOLS else name


def imported_by(module: str, tree: ast.Module, modules: set[str], is_package: bool):
    """(line, full dotted name) of everything imported; `from a import b` is a.b when that is a module."""
    parents = ["scaling_lesson", *module.split(".")] if module else ["scaling_lesson"]
    if not is_package:
        parents = parents[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, [base, node.module]))
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield node.lineno, full if full.removeprefix("scaling_lesson.") in modules else base


def offences(sources: dict[str, str]) -> list[str]:
    """Every breach of the rules in {path below the package: source}, as "path:line: what"."""
    named = {path.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", "."): path for path in sources}
    found = []
    for module, path in named.items():
        layer, tree = layer_of(module), ast.parse(sources[path])
        reads_alone = layer in ("package", "ground", "gpt", "concept")
        for line, name in imported_by(module, tree, set(named), path.endswith("__init__.py")):
            top, _, inside = name.partition(".")
            if top == "scaling_lesson":
                style_or_svg = layer == "site" and inside in ("figures", "figures.svg")
                if inside and layer_of(inside) not in MAY_IMPORT[layer] and not style_or_svg:
                    found.append(f"{path}:{line}: {layer} imports {name}")
                elif layer == layer_of(inside) == "site" and room_of(inside) not in ROOMS.get(room_of(module), {""}):
                    found.append(f"{path}:{line}: {room_of(module) or 'site'} imports {name}")
            elif (layer == "audit" and top not in sys.stdlib_module_names) or (
                reads_alone and (top not in ALONE_MAY_USE or top == "importlib")
            ):
                found.append(f"{path}:{line}: {layer} imports {name}")
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if reads_alone and isinstance(called, ast.Name) and called.id in ("print", "__import__"):
                found.append(f"{path}:{called.lineno}: {layer} calls {called.id}")
    return sorted(found)


def circles(sources: dict[str, str]) -> list[str]:
    """Every set of modules that import each other in a circle, as "a -> b -> a", however late the import is made."""
    named = {path.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", "."): path for path in sources}
    imports = {
        module: {
            name.removeprefix("scaling_lesson").removeprefix(".")
            for _, name in imported_by(module, ast.parse(sources[path]), set(named), path.endswith("__init__.py"))
            if name.partition(".")[0] == "scaling_lesson"
        }
        & set(named)
        for module, path in named.items()
    }

    def way(start: str, goal: str) -> list[str] | None:
        """The shortest way along imports."""
        ways = [[start]]
        for walked in ways:
            for module in sorted(imports[walked[-1]]):
                if module == goal:
                    return [*walked, goal]
                if all(module not in other for other in ways):
                    ways.append([*walked, module])
        return None

    trips = [trip for module in sorted(named, reverse=True) if (trip := way(module, module))]
    found = {frozenset(trip): trip for trip in trips}
    return [" -> ".join(module or "scaling_lesson" for module in trip) for trip in found.values()]


SOURCES = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}


def test_no_modules_import_each_other_in_a_circle():
    assert circles(SOURCES) == []


@pytest.mark.parametrize(
    ("house", "found"),
    [
        ({"a.py": "from scaling_lesson.b import x", "b.py": "from . import a"}, ["a -> b -> a"]),
        ({"a.py": "def f():\n    import scaling_lesson.b", "b.py": "import scaling_lesson.a as a"}, ["a -> b -> a"]),
        ({"a.py": "from .a import x"}, ["a -> a"]),
        (
            {
                "a.py": "from .b.c import x",
                "b/__init__.py": "",
                "b/c.py": "from ..d import y",
                "d.py": "from . import a",
            },
            ["a -> b.c -> d -> a"],
        ),
        ({"a.py": "from . import b, c", "b.py": "from . import c", "c.py": "import ast"}, []),
        ({"a.py": "from .b import x", "b.py": "from .c import x", "c.py": "from .b import y"}, ["b -> c -> b"]),
    ],
)
def test_a_planted_circle_is_found(house, found):
    assert circles(house) == found


def test_the_rooms_are_all_there_and_hold_all_modules():
    rooms = {
        room_of(layer)
        for layer in (path.removesuffix(".py").replace("/", ".") for path in SOURCES)
        if layer.startswith("site.")
    }
    assert rooms - {"__init__"} | {"web"} == set(ROOMS)


def test_arrows_point_one_way():
    assert {"models.py", "gpt.py", "kv_cache.py", "mixed_precision.py", "roofline.py"} <= set(SOURCES)
    assert not offences(SOURCES), "\n".join(["", *offences(SOURCES)])


@pytest.mark.parametrize(
    "path, source, offence",
    [
        ("kv_cache.py", "import matplotlib.pyplot as plt", "concept imports matplotlib.pyplot"),
        ("kv_cache.py", "from scaling_lesson import figures", "concept imports scaling_lesson.figures"),
        ("kv_cache.py", "from scaling_lesson.figures import STYLE", "concept imports scaling_lesson.figures"),
        ("kv_cache.py", "def f():\n    from .site.gate import x", "concept imports scaling_lesson.site.gate"),
        ("kv_cache.py", "import scaling_lesson.site.gate", "concept imports scaling_lesson.site.gate"),
        ("kv_cache.py", "from importlib import import_module", "concept imports importlib"),
        ("kv_cache.py", "__import__('matplotlib')", "concept calls __import__"),
        ("kv_cache.py", "def f(x):\n    print(x)", "concept calls print"),
        ("new_concept.py", "import mkdocs", "concept imports mkdocs"),
        ("gpt.py", "from scaling_lesson.kv_cache import x", "gpt imports scaling_lesson.kv_cache"),
        ("models.py", "from . import gpt", "ground imports scaling_lesson.gpt"),
        ("checks.py", "from scaling_lesson import kv_cache", "ground imports scaling_lesson.kv_cache"),
        ("__init__.py", "from .models import GPT2_SMALL", "package imports scaling_lesson.models"),
        ("kv_cache.py", "from scaling_lesson.measure import results", "concept imports scaling_lesson.measure.results"),
        ("measure/results.py", "from scaling_lesson import figures", "measure imports scaling_lesson.figures"),
        ("measure/results.py", "from ..site import gate", "measure imports scaling_lesson.site.gate"),
        ("figures/kv_cache.py", "from ..measure import results", "figures imports scaling_lesson.measure.results"),
        ("figures/kv_cache.py", "from ..site import gate", "figures imports scaling_lesson.site.gate"),
        ("site/gate.py", "from scaling_lesson.kv_cache import x", "site imports scaling_lesson.kv_cache"),
        ("site/gate.py", "from .. import gpt", "site imports scaling_lesson.gpt"),
        ("audit.py", "from scaling_lesson.units import parse_unit", "audit imports scaling_lesson.units"),
        ("audit.py", "import numpy", "audit imports numpy"),
        ("site/gate.py", "from scaling_lesson.audit import wrong", "site imports scaling_lesson.audit"),
        ("site/numbers/claim.py", "from ..gate import judge", "numbers imports scaling_lesson.site.gate"),
        (
            "site/numbers/claim.py",
            "from scaling_lesson.site.read import prose",
            "numbers imports scaling_lesson.site.read.prose",
        ),
        (
            "site/run/block.py",
            "from scaling_lesson.site.read.prose import x",
            "run imports scaling_lesson.site.read.prose",
        ),
        ("site/read/prose.py", "from ..run.block import x", "read imports scaling_lesson.site.run.block"),
        ("site/read/prose.py", "def f():\n    from .. import gate", "read imports scaling_lesson.site.gate"),
        ("site/gate.py", "from .show.claims import x", "gate imports scaling_lesson.site.show.claims"),
        ("site/gate.py", "from . import ci", "gate imports scaling_lesson.site.ci"),
        ("site/show/claims.py", "from .. import plugin", "show imports scaling_lesson.site.plugin"),
        ("site/show/claims.py", "from ..web import index", "show imports scaling_lesson.site.web.index"),
        ("site/new.py", "from .numbers import claim", "new imports scaling_lesson.site.numbers.claim"),
        ("site/__init__.py", "from .gate import judge", "site imports scaling_lesson.site.gate"),
        ("site/__init__.py", "from ..figures.kv_cache import draw", "site imports scaling_lesson.figures.kv_cache"),
    ],
)
def test_a_planted_offence_is_found(path, source, offence):
    house = dict.fromkeys(
        [
            "__init__.py",
            "units.py",
            "checks.py",
            "models.py",
            "gpt.py",
            "kv_cache.py",
            "figures/__init__.py",
            "figures/kv_cache.py",
            "measure/__init__.py",
            "measure/results.py",
            "site/__init__.py",
            "site/numbers/claim.py",
            "site/run/block.py",
            "site/read/prose.py",
            "site/gate.py",
            "site/show/claims.py",
            "site/web/index.py",
            "site/plugin.py",
            "site/ci.py",
            "audit.py",
        ],
        "",
    )
    (line,) = offences(house | {path: source})
    assert line.startswith(f"{path}:") and line.endswith(f": {offence}")


@pytest.mark.parametrize(
    "path, source",
    [
        ("kv_cache.py", "import math\nimport torch.nn as nn\nfrom .models import x"),
        ("kv_cache.py", "from scaling_lesson.gpt import GPT\nfrom scaling_lesson import units"),
        ("figures/kv_cache.py", "import matplotlib\nfrom . import STYLE\nfrom scaling_lesson.kv_cache import x"),
        ("measure/results.py", "import pydantic\nfrom scaling_lesson import gpt, kv_cache\nprint(1)"),
        ("site/gate.py", "import mkdocs, importlib\nfrom scaling_lesson.units import Unit\nprint(1)"),
        ("site/gate.py", "from scaling_lesson.figures import STYLE, svg\nfrom .numbers import claim"),
        ("site/plugin.py", "from . import ci, gate\nfrom .show import claims"),
        ("site/show/claims.py", "from ..gate import judge\nfrom ..numbers import claim"),
    ],
)
def test_what_the_rules_allow_is_not_an_offence(path, source):
    rooms = ["numbers/claim", "gate", "show/claims", "plugin", "ci"]
    names = [
        "units",
        "models",
        "gpt",
        "kv_cache",
        "figures/__init__",
        "figures/svg",
        "measure/results",
        "site/__init__",
        *(f"site/{r}" for r in rooms),
    ]
    house = dict.fromkeys([f"{name}.py" for name in names], "")
    assert offences(house | {path: source}) == []
