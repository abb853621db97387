"""`scripts/measure`: measure this machine, and write what it measured, after every step."""

import argparse
import datetime
import os
import re
import signal
import sys

if __name__ == "__main__":
    # What follows imports torch, which takes long enough to be stopped, and would tell of it in its own words.
    signal.signal(signal.SIGINT, lambda *_: os._exit(print("interrupted: nothing was measured", file=sys.stderr) or 1))

from collections.abc import Iterator
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scaling_lesson.measure import model, operations
from scaling_lesson.measure.operations import Bench, Step
from scaling_lesson.measure.results import FOLDER, YOURS, Measurement, Skipped, read, text_of
from scaling_lesson.measure.timing import describe


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0, or 1 when nothing could be measured or written, or 130 when stopped."""
    parser = argparse.ArgumentParser(prog="scripts/measure", description="Measure this machine, in under ten minutes.")
    parser.add_argument("--name", default=YOURS, help="of the file in docs/measurements/, to send it in")
    parser.add_argument("--device", help="cpu, cuda or mps; else the accelerator that torch finds, or the CPU")
    parser.add_argument("--generate", action="store_true", help="only our generate() beside that of transformers")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it works, in seconds; not drawn")
    chosen = parser.parse_args(arguments)
    screen = Console(stderr=True, highlight=False)
    path = FOLDER / f"{chosen.name}.json"
    try:
        if not re.fullmatch("[a-z][a-z0-9-]*", chosen.name):
            raise ValueError(f"--name must be a letter, then letters, digits and hyphens, all small; got {chosen.name}")
        device = find_device(chosen.device)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a").close()  # before minutes are spent
        if not path.stat().st_size:
            path.unlink()
    except (ValueError, OSError) as error:
        what = f"cannot write {path}: {error.strerror}" if isinstance(error, OSError) else error
        screen.print(f"error: {what}", soft_wrap=True, markup=False)
        return 1
    machine = describe(device)
    sizes = operations.quick_sizes() if chosen.quick else operations.full_sizes(device, machine)
    bench = Bench(device, machine, sizes)
    start = Measurement(
        schema="scaling-lesson measurement 1",  # pyright: ignore (by its alias)
        profile="quick" if chosen.quick else "full",
        date=datetime.date.today(),
        ended="cut off",  # what stays in the file when the process is killed
        machine=machine,
    )
    if chosen.generate:
        return compare(bench, start, path, screen)
    return measure(bench, start, path, screen)


def find_device(wanted: str | None) -> torch.device:
    """The device to measure; raises ValueError for one that is not here."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted is None:
        wanted = next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there.get(wanted):
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise ValueError(f"--device must be one that torch finds here: {found}; got {wanted}")
    return torch.device(wanted)


def plan(bench: Bench) -> Iterator[tuple[str, Step]]:
    """Everything to measure, in order, each with the list of a `Measurement` that it goes to."""
    of = model.models(bench)
    parts = {
        "bandwidth": operations.bandwidth(bench),
        "matmul": operations.matmul(bench),
        "launches": model.launches(bench),
        "steps": model.steps(bench, of),
        "tokens": model.tokens(bench, of),
        "attention_memory": operations.attention_memory(bench),
        "operations": operations.operations(bench),
        "training": model.training(bench),
    }
    for part, steps in parts.items():
        for step in steps:
            yield part, step


def measure(bench: Bench, result: Measurement, path: Path, screen: Console) -> int:
    """Go through the plan. A step that fails is left out, with its reason; a signal ends it with what it has."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    ended = "complete"
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    try:
        with Progress(*columns, console=screen, transient=True) as progress:
            steps = list(plan(bench))
            bar = progress.add_task("", total=len(steps))
            for part, (title, run) in steps:
                progress.update(bar, description=title)
                try:
                    with torch.set_grad_enabled(part == "training"):
                        found, skipped = [run()], []
                except (RuntimeError, MemoryError, NotImplementedError) as error:
                    found, skipped = [], [Skipped(what=title, why=reason(error))]
                update = {part: [*getattr(result, part), *found], "skipped": [*result.skipped, *skipped]}
                result = result.model_copy(update=update)
                write(result, path)
                progress.advance(bar)
    except KeyboardInterrupt:
        ended = "interrupted"
    except OSError as error:
        screen.print(f"error: cannot write {path}: {error.strerror}; what was measured follows", soft_wrap=True)
        print(text_of(result), end="")
        return 1
    result = result.model_copy(update={"ended": ended})
    write(result, path)
    without = f", without {len(result.skipped)} that failed: it says why" if result.skipped else ""
    screen.print(f"{ended}: {path} has {count(result)} measurements{without}", soft_wrap=True)
    return 130 if ended == "interrupted" else 0


def reason(error: Exception) -> str:
    """The first line of an error; of one that lacked memory, that."""
    text = str(error).strip().split("\n")[0]
    short = isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in text
    return "out of memory" if short else text or type(error).__name__


def count(result: Measurement) -> int:
    """How many things it measured."""
    lists = (getattr(result, name) for name in type(result).model_fields if name != "skipped")
    return sum(len(part) for part in lists if isinstance(part, list | tuple))


def write(result: Measurement, path: Path) -> None:
    """The file, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(text_of(result), "utf-8")
    part.replace(path)


def compare(bench: Bench, result: Measurement, path: Path, screen: Console) -> int:
    """Our generation beside transformers': printed, and added to the machine's file where there is one."""
    from scaling_lesson.measure.versus import generate

    result = read(path) if path.exists() else result.model_copy(update={"ended": "complete"})
    rows = []
    with torch.no_grad():
        if not result.bandwidth:
            found = [run() for _, run in operations.bandwidth(bench)]
            result = result.model_copy(update={"bandwidth": found})
        for ours, theirs in generate(bench):
            rows += [ours, theirs]
            shares = [f"{run.bytes_per_s / result.bytes_per_s():.0%}" for run in (ours, theirs)]
            print(
                f"{ours.dtype}, batch {ours.batch_size}: {theirs.median_s / ours.median_s:.2f} times as fast; "
                f"{ours.median_s:.2f} s and {theirs.median_s:.2f} s; {shares[0]} and {shares[1]} of the bandwidth",
                flush=True,
            )
    write(result.model_copy(update={"generate": rows}), path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
