"""What a machine measured: the schema of a file in docs/measurements/, and how a page reads it.

A file is data like all else on a page: what it says is checked when it is read, and a fault is told at its line. The
reader's own, yours.json, is kept out of git: pages draw it beside the others, and record nothing of it.
"""

import datetime
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import torch
import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)
from pydantic import model_validator as check

from scaling_lesson.models import Source

FOLDER = Path("docs/measurements")
YOURS = "yours"
"""The name of the reader's own file, less .json."""

NOISE = 0.10
"""How far a measured speed may lie above its bound. A bound is measured too, in other seconds than what it bounds, and
a machine that is shared, or warms up, is not equally fast in both."""

BUSY = 0.25
"""Other programs to a core, from which on a machine counts as busy."""

Text = Annotated[str, Field(min_length=1)]
Dtype = Literal["float32", "bfloat16", "float16"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Timed(_Part):
    """One thing that was timed: the seconds of one run, over `repeats` groups of runs, median and quartiles.

    flops, memory_bytes: its work and its least traffic, as `roofline` counts them; 0 where neither is meant.
    batch_size, positions: sequences, and the key positions of each, where it has them.
    """

    name: Text
    dtype: Dtype
    batch_size: PositiveInt | None = None
    positions: PositiveInt | None = None
    flops: NonNegativeInt = 0
    memory_bytes: NonNegativeInt = 0
    median_s: PositiveFloat
    lower_s: PositiveFloat
    upper_s: PositiveFloat
    repeats: PositiveInt

    @check(mode="after")
    def _in_order(self) -> "Timed":
        if not self.lower_s <= self.median_s <= self.upper_s:
            raise ValueError("median_s must lie between lower_s and upper_s")
        return self

    @property
    def flop_per_s(self) -> float:
        """FLOP/s reached, by the median."""
        return self.flops / self.median_s

    @property
    def bytes_per_s(self) -> float:
        """B/s of its least traffic, by the median."""
        return self.memory_bytes / self.median_s

    @property
    def flop_per_byte(self) -> float:
        """Its arithmetic intensity."""
        return self.flops / self.memory_bytes


class PeakMemory(_Part):
    """The most bytes one run of attention held beyond its inputs, the output among them."""

    name: Text
    dtype: Dtype
    heads: PositiveInt
    positions: PositiveInt
    peak_bytes: PositiveInt


class Machine(_Part):
    """What was measured on. cache_bytes: the last-level cache, None where the system does not tell.

    load: how many other programs wanted each core in the minute before; None where the system does not tell.
    """

    kind: Literal["cpu", "cuda", "mps"]
    name: Text
    threads: PositiveInt
    cache_bytes: PositiveInt | None = None
    memory_bytes: PositiveInt | None = None
    load: NonNegativeFloat | None = None
    system: Text
    python: Text
    torch: Text

    @property
    def is_busy(self) -> bool:
        """Whether other programs took so much of it that its bounds and its points speak of different machines."""
        return (self.load or 0) > BUSY

    @property
    def label(self) -> str:
        """How figures and tables name it."""
        cores = f", {self.threads} thread{'s' * (self.threads > 1)}" if self.kind == "cpu" else ""
        return self.name + cores


class Skipped(_Part):
    """What could not be measured, and why."""

    what: Text
    why: Text


class Measurement(_Part):
    """All that one run measured; a list is empty where its step was not reached or is not for this machine."""

    schema_: Literal["scaling-lesson measurement 1"] = Field(alias="schema")
    profile: Literal["full", "quick"]
    date: datetime.date
    ended: Literal["complete", "interrupted", "cut off"]
    machine: Machine
    skipped: Sequence[Skipped] = ()
    bandwidth: Sequence[Timed] = ()
    matmul: Sequence[Timed] = ()
    operations: Sequence[Timed] = ()
    launches: Sequence[Timed] = ()
    tokens: Sequence[Timed] = ()
    steps: Sequence[Timed] = ()
    training: Sequence[Timed] = ()
    generate: Sequence[Timed] = ()
    attention_memory: Sequence[PeakMemory] = ()

    def bytes_per_s(self, working_set: int | None = None) -> float:
        """The most bandwidth measured with operands no smaller than working_set, which may stay in a cache, B/s.

        None for that of memory: of the largest operands, which overflow the last-level cache. Raises ValueError where
        none was measured.
        """
        sizes = sorted({run.memory_bytes for run in self.bandwidth})
        if not sizes:
            raise ValueError("bandwidth was not measured")
        smallest = sizes[-1] if working_set is None else max([sizes[0], *(s for s in sizes if s <= working_set)])
        return max(run.bytes_per_s for run in self.bandwidth if run.memory_bytes >= smallest)

    def peak_flop_per_s(self, dtype: Dtype) -> float:
        """The most FLOP/s a matrix product reached in dtype; raises ValueError where none of squares was measured.

        Most machines reach it with large squares. A small CPU may do better with one of GPT-2's own products.
        """
        squares = [run for run in self.matmul if run.dtype == dtype]
        speeds = [run.flop_per_s for run in (*squares, *self.operations) if squares and run.dtype == dtype]
        if not speeds:
            raise ValueError(f"dtype must be one whose matrix products were measured; got {dtype}")
        return max(speeds)

    def least_s(self, run: Timed) -> float:
        """The roofline's bound for what was timed, by this machine's own two speeds.

        What fits the last-level cache and is used again and again may stay there; then the cache's bandwidth bounds it.
        """
        speed = self.bytes_per_s(run.memory_bytes if self._stays(run) else None)
        return max(run.flops / self.peak_flop_per_s(run.dtype), run.memory_bytes / speed)

    def _stays(self, run: Timed) -> bool:
        warm = run in self.tokens or run in self.steps or run in self.generate
        return warm and run.memory_bytes <= (self.machine.cache_bytes or 0)

    @property
    def source(self) -> Source:
        """Where its numbers come from, as readers see it beside each."""
        return Source(
            f"Measured on {self.machine.label}",
            f"scripts/measure, torch {self.machine.torch}",
            str(self.date),
            "https://pytorch.org/docs/stable/benchmark_utils.html",
        )


def read(path: Path) -> Measurement:
    """The measurement in a file. Raises ValueError with file, line and field for one that is not as it must be."""
    content = path.read_bytes()
    try:
        text = content.decode()
        found = Measurement.model_validate_json(text)
        json.loads(text, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}:{line}: not UTF-8") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{path}:{_line(text, first)}: {field + ': ' if field else ''}{message}") from None
    except KeyError:
        again = next(_again(yaml.compose(text, yaml.CSafeLoader)))
        raise ValueError(f"{path}:{again.start_mark.line + 1}: {again.value}: given twice") from None
    return found


def _once(pairs: list[tuple[str, object]]) -> None:
    """Raises KeyError for an object that has a name twice; else the last would be taken, and nobody told."""
    if len(dict(pairs)) < len(pairs):
        raise KeyError


def _again(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Each name that an object has had already."""
    if isinstance(node, yaml.MappingNode):
        names = [name.value for name, _ in node.value]
        yield from (name for at, (name, _) in enumerate(node.value) if name.value in names[:at])
    if isinstance(node, yaml.CollectionNode):
        for child in node.value:
            yield from _again(child[1] if isinstance(node, yaml.MappingNode) else child)


def _line(text: str, error) -> int:
    """The line of what an error is about; that of the part around it when it is missing."""
    if error["type"] == "json_invalid":
        return int(error["ctx"]["error"].split(" line ")[1].split()[0])
    node = yaml.compose(text, yaml.CSafeLoader)  # JSON is YAML, and YAML's reader tells where each part stands
    for key in error["loc"]:
        children = dict(enumerate(node.value)) if isinstance(node, yaml.SequenceNode) else {}
        if isinstance(node, yaml.MappingNode):
            children = {name.value: value for name, value in node.value}
        if key not in children:
            break
        node = children[key]
    return node.start_mark.line + 1


def measured(*parts: str, dtype: Dtype | None = None, folder: Path = FOLDER) -> list[tuple[str, Measurement, bool]]:
    """(name, measurement, whether it is the reader's) of every machine that has all these parts; the reader's last.

    dtype: one in which matrix products must have been measured. A file of the quick profile is of no model: it is read,
    and left out.
    """
    found = [(name, measurement, False) for name, measurement in committed(folder).items()]
    if mine := yours(folder):
        found.append((YOURS, mine, True))

    def has_all(measurement: Measurement) -> bool:
        dtypes = [None, *(run.dtype for run in measurement.matmul)]
        whole = all(getattr(measurement, part) for part in parts) and dtype in dtypes
        return whole and measurement.profile == "full"

    return [one for one in found if has_all(one[1])]


def committed(folder: Path = FOLDER) -> dict[str, Measurement]:
    """Every machine's measurement but the reader's, by the name of its file, in order of names."""
    return {path.stem: read(path) for path in sorted(folder.glob("*.json")) if path.stem != YOURS}


def yours(folder: Path = FOLDER) -> Measurement | None:
    """The reader's own measurement, or None."""
    path = folder / f"{YOURS}.json"
    try:
        path.open().close()  # asked for by name, so that a page knows that it depends on it, there or not
    except FileNotFoundError:
        return None
    return read(path)


def text_of(measurement: Measurement) -> str:
    """The file's text: one line a row, so that a difference, and a fault, is a line."""
    fields = measurement.model_dump(mode="json", by_alias=True, exclude_none=True)
    lines = []
    for name, value in fields.items():
        rows = ",\n".join(f"  {json.dumps(row)}" for row in value) if isinstance(value, list) else ""
        lines.append(f' "{name}": ' + (f"[\n{rows}\n ]" if rows else json.dumps(value)))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def dtype_name(dtype: torch.dtype) -> Dtype:
    """As files write it: "float32"."""
    return str(dtype).removeprefix("torch.")  # pyright: ignore
