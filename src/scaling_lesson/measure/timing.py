"""Timing one thing: torch's own benchmark timer, and on a CUDA device its events."""

import json
import math
import os
import platform
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import numpy
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils.benchmark import Timer

from scaling_lesson.measure.results import Machine, dtype_name


def describe(device: torch.device) -> Machine:
    """The machine as it presents itself."""
    load = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else None
    versions = {
        "load": load,
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    threads = torch.get_num_threads()
    if device.type == "cuda":
        gpu = torch.cuda.get_device_properties(device)
        cache, memory = gpu.L2_cache_size or None, gpu.total_memory
        return Machine(kind="cuda", name=gpu.name, threads=threads, cache_bytes=cache, memory_bytes=memory, **versions)
    kind = "mps" if device.type == "mps" else "cpu"
    return Machine(kind=kind, name=_cpu_name(), threads=threads, cache_bytes=_last_level_cache(), **versions)


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.split(":")[1] for line in lines if line.startswith("model name")]
    name = (named or [platform.processor() or platform.machine()])[0]
    return " ".join(name.replace("(R)", "").replace("(TM)", "").split()) or "a CPU"


def _last_level_cache() -> int | None:
    """Bytes of the largest cache that Linux lists for the first core."""
    sizes = []
    for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = file.read_text().strip()
        sizes.append(int(text[:-1]) * {"K": 2**10, "M": 2**20, "G": 2**30}[text[-1]])
    return max(sizes, default=None)


def seconds(call: Callable[[], object], budget_s: float, device: torch.device) -> dict:
    """The seconds of one call, as fields of a `Timed`: after a warm-up, until the quartiles lie within a tenth of the
    median, or the budget is spent.

    Runs are timed in groups long enough that reading the clock does not count. The device is waited for before and
    after a group, not between calls; on CUDA a group is timed by events, which the device stamps itself.
    """
    call()
    if device.type == "cuda":
        times = _by_events(call, budget_s)
    else:
        timer = Timer("call()", globals={"call": call}, num_threads=torch.get_num_threads())
        times = timer.adaptive_autorange(min_run_time=budget_s / 4, max_run_time=budget_s).times
    return quartiles(times)


LONGEST_S = 20.0
"""For one call: the whole measurement takes ten minutes."""


def require_fast(flops: float, dtype: torch.dtype, device: torch.device) -> None:
    """Raise RuntimeError if so many FLOPs would take too long at the rate of a small matrix product.

    A CPU without instructions for a dtype may be a thousand times slower in it.
    """
    a = torch.ones(256, 256, dtype=dtype, device=device)
    taken = Timer("(a @ a).sum().item()", globals={"a": a}, num_threads=torch.get_num_threads()).timeit(1).median
    if (least := taken * flops / (2 * 256**3)) > LONGEST_S:
        raise RuntimeError(f"{dtype_name(dtype)} is too slow here: {least:.0f} s a call")


def quartiles(times: list[float]) -> dict:
    """The fields of a `Timed` that say how long it took."""
    lower, median, upper = (float(value) for value in numpy.percentile(times, (25, 50, 75)))
    return {"median_s": median, "lower_s": lower, "upper_s": upper, "repeats": len(times)}


def _by_events(call: Callable[[], object], budget_s: float, groups: int = 20) -> list[float]:
    """The mean seconds of a call in each of `groups` groups, which together take about the budget."""

    def group(runs: int) -> float:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(runs):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / runs  # an event counts in milliseconds

    each = max(group(3), 1e-7)
    return [group(max(1, math.ceil(budget_s / groups / each))) for _ in range(groups)]


def cold(operands: tuple[Tensor, ...], cold_bytes: int) -> Callable[[], tuple[Tensor, ...]]:
    """The next of as many copies of an operation's operands as take cold_bytes together, again and again.

    When that is more than the last-level cache, each run finds its operands in memory, as its bound assumes.
    """
    copies = math.ceil(cold_bytes / sum(tensor.nbytes for tensor in operands))
    return cycle([operands, *(tuple(tensor.clone() for tensor in operands) for _ in range(copies))]).__next__


def peak_bytes(call: Callable[[], object], device: torch.device) -> int:
    """The most bytes that a call held at once, beyond what was held before it; its result counts.

    On CUDA the allocator tells; on a CPU torch's profiler lists what each operation allocates and frees. Raises
    NotImplementedError on MPS, which tells neither.
    """
    if device.type == "mps":
        raise NotImplementedError("MPS does not tell the most memory held")
    call()
    if device.type == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        kept = call()  # noqa: F841 (else it would be freed at once)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "trace.json")
        profiled.export_chrome_trace(file)
        events = json.loads(Path(file).read_text())["traceEvents"]
    held, most = 0, 0
    for event in sorted((e for e in events if e["name"] == "[memory]"), key=lambda e: e["ts"]):
        held += event["args"]["Bytes"]
        most = max(most, held)
    return most
