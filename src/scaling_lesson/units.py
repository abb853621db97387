"""Units: what a number counts, and the prefixes it may be shown with.

The lesson computes in base units (bytes, FLOPs, seconds, token positions) and converts only to show.
MB is 10**6 bytes and MiB is 2**20 bytes; they are never mixed. FLOPs is a count and FLOP/s a rate.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

KIB, MIB, GIB = 2**10, 2**20, 2**30
"""Binary multiples, in bytes."""

SI_PREFIXES = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18, "Z": 10**21}
IEC_PREFIXES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
SMALL_PREFIXES = {"m": Fraction(1, 10**3), "µ": Fraction(1, 10**6), "n": Fraction(1, 10**9)}

COUNTED = (
    "bit",
    "token",
    "token position",
    "query-key pair",
    "parameter",
    "weight",
    "step",
    "update",
    "addition",
    "layer",
    "head",
    "integer",
    "sequence",
    "forward pass",
    "value",
    "entry",
)
"""Nouns a count can carry. A claim that names the noun must name the published one."""


SHORT = {
    "position": "token position",
    "positions": "token position",
    "pair": "query-key pair",
    "pairs": "query-key pair",
}
"""What a sentence may call them once it has said what they are."""


@dataclass(frozen=True)
class Unit:
    """A unit of measure.

    symbol: as written, for example `MiB` or `FLOP/s`.
    dimension: what is measured: `data`, `work`, `time`, a quotient such as `work/time`, a counted noun, or `number`.
    factor: how many base units (B, FLOP, s, one) it is, exactly.
    """

    symbol: str
    dimension: str
    factor: Fraction


def plural(symbol: str) -> str:
    """The unit as it stands behind a number that is not one: `tokens/s` for `token/s`. Other units stay as they are."""
    noun, slash, below = symbol.partition("/")
    nouns = {"entry": "entries", "forward pass": "forward passes"}
    return (nouns.get(noun, f"{noun}s") if noun in COUNTED else noun) + slash + below


def _table() -> dict[str, Unit]:
    units = {
        "B": ("data", 1),
        "byte": ("data", 1),
        "bytes": ("data", 1),
        "FLOP": ("work", 1),
        "FLOPs": ("work", 1),
        "s": ("time", 1),
        "second": ("time", 1),
        "seconds": ("time", 1),
        "minute": ("time", 60),
        "minutes": ("time", 60),
        "hour": ("time", 3600),
        "hours": ("time", 3600),
        "day": ("time", 86400),
        "days": ("time", 86400),
        # The Julian year, as astronomers define it.
        "year": ("time", Fraction(36525, 100) * 86400),
        "years": ("time", Fraction(36525, 100) * 86400),
        "": ("number", 1),
        "×": ("number", 1),
        "x": ("number", 1),
        "times": ("number", 1),
        "%": ("number", Fraction(1, 100)),
        "percent": ("number", Fraction(1, 100)),
    }
    for prefix, factor in SI_PREFIXES.items():
        units |= {f"{prefix}B": ("data", factor), f"{prefix}FLOP": ("work", factor), f"{prefix}FLOPs": ("work", factor)}
    for prefix, factor in IEC_PREFIXES.items():
        units[f"{prefix}B"] = ("data", factor)
    for prefix, factor in SMALL_PREFIXES.items():
        units[f"{prefix}s"] = ("time", factor)
    for noun in COUNTED:
        units |= {noun: (noun, 1), plural(noun): (noun, 1)}
    units |= {short: units[noun] for short, noun in SHORT.items()}
    return {symbol: Unit(symbol, dimension, Fraction(factor)) for symbol, (dimension, factor) in units.items()}


UNITS = _table()


def parse_unit(symbol: str) -> Unit:
    """The unit written as `symbol`; quotients such as `FLOP/B` are built from their two sides.

    Raises ValueError, naming the nearest known symbols, when `symbol` is not a unit.
    """
    if symbol in UNITS:
        return UNITS[symbol]
    above, slash, below = symbol.partition("/")
    if slash and above in UNITS and below in UNITS:
        top, bottom = UNITS[above], UNITS[below]
        return Unit(symbol, f"{top.dimension}/{bottom.dimension}", top.factor / bottom.factor)
    near = [nearest(side, UNITS) for side in (above, below) if side]
    hint = did_you_mean("/".join(near) if all(near) else "")
    raise ValueError(f"unit must be one of those in scaling_lesson.units; got {symbol!r}{hint}")


def without_prefix(symbol: str) -> str:
    """The unit without its prefixes, `B/s` for `GB/s`; "" when it has none."""
    prefixes = (*SI_PREFIXES, *IEC_PREFIXES, *SMALL_PREFIXES)
    prefixed = {f"{prefix}{base}": base for base in ("B", "FLOP", "FLOPs", "s") for prefix in prefixes}
    sides = symbol.split("/")
    return "/".join(prefixed.get(side, side) for side in sides) if any(side in prefixed for side in sides) else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like this one, whatever its capitals; "" when none is like it."""
    spelt = {name.lower(): name for name in known}
    return next((spelt[near] for near in difflib.get_close_matches(word.lower(), spelt, n=1)), "")


def did_you_mean(word: str) -> str:
    """The end of a message about a word that is not known, where one like it is."""
    return f"; did you mean {word}?" if word else ""
