"""Outside facts, as the page of sources lists them: every number that a module holds together with its source."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import ModuleType

from scaling_lesson.units import SI_PREFIXES, UNITS

_UNIT_ENDINGS = {
    "flop_per_s": "FLOP/s",
    "bytes_per_s": "B/s",
    "bytes": "B",
    "flops": "FLOP",
    "tokens": "token",
    "parameters": "parameter",
    "hours": "hour",
    "days": "day",
    "layer": "layer",
    "head": "head",
    "vocab_size": "token",
    "max_seq_len": "token position",
    "speedup": "×",
}
"""How a fact's name ends, and the unit that tells. Other facts are plain numbers."""


def facts_of(*modules: ModuleType) -> Iterator[tuple[str, int | float, str, object]]:
    """Every number of the modules' public objects that have a source, as `cite` takes it: name, value, unit, source."""
    seen = set()
    for module in modules:
        for name, thing in vars(module).items():
            if name.startswith("_") or isinstance(thing, type) or not is_dataclass(thing) or id(thing) in seen:
                continue
            if source := getattr(thing, "source", None):
                seen.add(id(thing))  # a module may also hold what it imports
                for field in fields(thing):
                    value = getattr(thing, field.name)
                    whole = name if field.name == "value" else f"{name}.{field.name}"
                    parts = value.items() if hasattr(value, "items") else [(None, value)]
                    for key, number in parts:
                        if isinstance(number, (int, float)):
                            unit = _unit(whole, number)
                            base = number * int(UNITS[unit].factor) if unit in ("hour", "day") else number
                            yield (whole if key is None else f"{whole}[{key}]"), base, unit, source


def _unit(name: str, value: float) -> str:
    """The unit a fact is shown in, by its name's end; rates and sizes get the largest prefix that leaves 1 or more."""
    unit = next((unit for ending, unit in _UNIT_ENDINGS.items() if name.lower().endswith(ending)), "")
    if unit in ("FLOP/s", "B/s", "B"):
        return next((p + unit for p, factor in reversed(SI_PREFIXES.items()) if value >= factor), unit)
    return unit
