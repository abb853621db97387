"""The arrows of the house: ground floor <- gpt and the concept modules <- figures <- pages, and site/ beside them.

Imports are read from the source, never run, so one run lists every offence.
"""

import ast
import sys
from pathlib import Path

import pytest

import scaling_lesson

PACKAGE = Path(scaling_lesson.__file__).parent
GROUND = {"units", "checks", "models", "accounting", "hardware"}
"""What everything may stand on. Any other module directly in the package, gpt aside, is a concept module."""

ALONE_MAY_USE = {"torch", "numpy", "jaxtyping"} | set(sys.stdlib_module_names)
"""What a reader needs to know to read a ground-floor or concept module: no drawing, no site builder."""


def layer_of(module: str) -> str:
    """package, ground, gpt, concept, figures, site or audit, for a dotted name below scaling_lesson ("" for itself)."""
    top = module.split(".")[0]
    if top in GROUND:
        return "ground"
    return {"": "package", "gpt": "gpt", "figures": "figures", "site": "site", "audit": "audit"}.get(top, "concept")


MAY_IMPORT = {
    "package": set(),
    "ground": {"ground"},
    "gpt": {"ground"},
    "concept": {"ground", "gpt", "concept"},
    "figures": {"ground", "gpt", "concept", "figures"},
    "audit": set(),  # the second check shares nothing with what it checks
    "site": {"ground", "site"},  # and of figures the style and the SVG: see `offences`
}


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
            elif (layer == "audit" and top not in sys.stdlib_module_names) or (
                reads_alone and (top not in ALONE_MAY_USE or top == "importlib")
            ):
                found.append(f"{path}:{line}: {layer} imports {name}")
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if reads_alone and isinstance(called, ast.Name) and called.id in ("print", "__import__"):
                found.append(f"{path}:{called.lineno}: {layer} calls {called.id}")
    return sorted(found)


def test_arrows_point_one_way():
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert {"models.py", "gpt.py", "kv_cache.py", "mixed_precision.py", "roofline.py"} <= set(sources)
    assert not offences(sources), "\n".join(["", *offences(sources)])


@pytest.mark.parametrize(
    "path, source, offence",
    [
        ("kv_cache.py", "import matplotlib.pyplot as plt", "concept imports matplotlib.pyplot"),
        ("kv_cache.py", "from scaling_lesson import figures", "concept imports scaling_lesson.figures"),
        ("kv_cache.py", "from scaling_lesson.figures import STYLE", "concept imports scaling_lesson.figures"),
        ("kv_cache.py", "def f():\n    from .site.claims import x", "concept imports scaling_lesson.site.claims"),
        ("kv_cache.py", "import scaling_lesson.site.claims", "concept imports scaling_lesson.site.claims"),
        ("kv_cache.py", "from importlib import import_module", "concept imports importlib"),
        ("kv_cache.py", "__import__('matplotlib')", "concept calls __import__"),
        ("kv_cache.py", "def f(x):\n    print(x)", "concept calls print"),
        ("new_concept.py", "import mkdocs", "concept imports mkdocs"),
        ("gpt.py", "from scaling_lesson.kv_cache import x", "gpt imports scaling_lesson.kv_cache"),
        ("models.py", "from . import gpt", "ground imports scaling_lesson.gpt"),
        ("checks.py", "from scaling_lesson import kv_cache", "ground imports scaling_lesson.kv_cache"),
        ("__init__.py", "from .models import GPT2_SMALL", "package imports scaling_lesson.models"),
        ("figures/kv_cache.py", "from ..site import claims", "figures imports scaling_lesson.site.claims"),
        ("site/claims.py", "from scaling_lesson.kv_cache import x", "site imports scaling_lesson.kv_cache"),
        ("site/claims.py", "from .. import gpt", "site imports scaling_lesson.gpt"),
        ("audit.py", "from scaling_lesson.units import parse_unit", "audit imports scaling_lesson.units"),
        ("audit.py", "import numpy", "audit imports numpy"),
        ("site/gate.py", "from scaling_lesson.audit import wrong", "site imports scaling_lesson.audit"),
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
            "site/__init__.py",
            "site/claims.py",
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
        ("site/claims.py", "import mkdocs, importlib\nfrom scaling_lesson.units import Unit\nprint(1)"),
        ("site/claims.py", "from scaling_lesson.figures import STYLE, svg\nfrom . import claims"),
    ],
)
def test_what_the_rules_allow_is_not_an_offence(path, source):
    house = dict.fromkeys(
        [
            "units.py",
            "models.py",
            "gpt.py",
            "kv_cache.py",
            "figures/__init__.py",
            "figures/svg.py",
            "site/__init__.py",
            "site/claims.py",
        ],
        "",
    )
    assert offences(house | {path: source}) == []
