"""A process for each page, from the standard forkserver: what its blocks change, leave running or break ends with it.

The server has imported torch and other libraries, and nothing of the lesson, so a page starts in milliseconds and reads
the lesson's code as it now stands. Pages run on all cores. The processes fork: Linux or macOS (on Windows, WSL).
"""

import atexit
import contextlib
import gc
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from multiprocessing import Pipe, forkserver, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from scaling_lesson.site.run.results import BlockResult, Job, Results

GRACE_S = 1.0
"""How long after its limit a block is killed, when it never lets its own process say where it is."""

PRELOAD = ["torch", "jaxtyping", "yaml", "matplotlib.pyplot", "matplotlib.backends.backend_svg", "pydantic.root_model"]
PRELOAD += ["numpy.random", "matplotlib.style.core", "xml.etree.ElementTree"]  # torch and matplotlib load these late

# Threads do not survive a fork, and add in another order. A fixed seed gives sets one order. The author's own
# matplotlibrc could set a locale, or name one this machine lacks.
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "MATPLOTLIBRC": os.devnull,
    "MPLBACKEND": "agg",
}
if os.environ.get("ATEN_CPU_CAPABILITY") in ("default", "avx2"):
    # Held to an older processor, torch fails when its oneDNN goes by the one that is there.
    SETTINGS["ONEDNN_MAX_CPU_ISA"] = "AVX2"


@contextlib.contextmanager
def _no_main() -> Iterator[None]:
    """Else each process would import the module this program was started as."""
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@atexit.register
def _leave() -> None:
    """End without a last search for garbage, here and in the server, which would hold the output open meanwhile."""
    gc.freeze()
    with contextlib.suppress(OSError, TypeError, AttributeError):  # it is gone, or was never there
        os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)  # pyright: ignore (no other way to name it)


class Runner:
    """Runs pages, as many at a time as there are cores, until the program ends."""

    def __init__(self) -> None:
        """Starts the server; it imports while the caller goes on."""
        forkserver.set_forkserver_preload(PRELOAD)
        with patch.dict(os.environ, SETTINGS), _no_main():
            forkserver.ensure_running()
        self._free = threading.Semaphore(os.cpu_count() or 1)
        self._starting = threading.Lock()
        self._processes: set[BaseProcess] = set()
        atexit.register(self.close)

    def run(self, path: str, jobs: Sequence[Job]) -> Future[Results]:
        """The results of a page's blocks, when they are there. path: as messages name the page."""
        return _later(lambda: self._page(path, jobs))

    def beside(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """What the call gives, or its error, from a process of its own with this one's folder and environment."""

        def work() -> Any:
            ours, theirs = Pipe()
            process = self._start(_call, theirs, call, args)
            theirs.close()
            try:
                result = ours.recv()
            finally:
                ours.close()
                self._processes.discard(process)
            if isinstance(result, Exception):
                raise result
            return result

        return _later(work)

    def close(self) -> None:
        """End what still runs."""
        for process in set(self._processes):
            _kill(process)

    def _start(self, target: Callable[..., None], theirs: Connection, *args: Any) -> BaseProcess:
        context: Any = get_context("forkserver")
        process = context.Process(target=target, args=(theirs, {**os.environ, **SETTINGS}, *args))
        with self._starting, _no_main():
            process.start()
        self._processes.add(process)
        return process

    def _page(self, path: str, jobs: Sequence[Job]) -> Results:
        """Run the blocks of a page, one after the other, in a new process with this one's folder and environment."""
        lost = {word for job in jobs if not job.runs for word in re.findall(r"\w+", job.code)}
        blocks: dict[int, BlockResult] = {}
        if not (to_run := [job for job in jobs if job.runs]):
            return Results()
        ours, theirs = Pipe(duplex=False)
        with self._free, ours:
            process = self._start(_serve, theirs, path, to_run)
            theirs.close()
            for job in (job for job in to_run if not ours.closed):
                blocks[job.index] = result = _run(ours, process, job)
                if result.failed:
                    if result.missing in lost:  # an earlier block failed that may have defined it
                        blocks[job.index] = replace(result, problems=(), failed=False)
                    lost.update(re.findall(r"\w+", job.code))
            _kill(process)
        self._processes.discard(process)
        return Results(blocks)


def _later(work: Callable[[], Any]) -> Future[Any]:
    """The result of the work, which a thread does."""
    future: Future[Any] = Future()

    def thread() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # told where the result is waited for
            future.set_exception(error)

    threading.Thread(target=thread, daemon=True).start()
    return future


def _run(connection: Connection, process: BaseProcess, job: Job) -> BlockResult:
    """What a block left behind. One that ends its process, or must be ended, has failed at the last line it told of."""
    line, end, left, late = job.line + 1, 0.0, None, False
    with contextlib.suppress(EOFError, OSError):
        while connection.poll(left):
            answer = connection.recv()
            if not isinstance(answer, int):
                return answer
            line = answer
            end = end or time.monotonic() + job.limit_s + GRACE_S  # not before: the server may be importing
            left = max(0.0, end - time.monotonic())
        late = True
        _kill(process)
    process.join()
    connection.close()  # no other block will run
    status = process.exitcode
    how = f"ended its process ({f'status {status}' if status >= 0 else signal.Signals(-status).name})"
    if late or status == -signal.SIGALRM:
        how = f"ran longer than {job.limit_s:g} s"
    return BlockResult(problems=[((job.index, line - job.line - 1), f"the block {how}")], failed=True)


def _kill(process: BaseProcess) -> None:
    """End the process and all it started, which are of its group."""
    if process.pid:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()


def _settle(connection: Connection, environment: dict[str, str]) -> None:
    """Make a new process the caller's: it has its environment, and ends with it."""
    os.setpgid(0, 0)
    # A watcher, for when the build is killed while a block holds its interpreter; to fork one would take far longer.
    parent = parent_process().sentinel
    files = [(os.POSIX_SPAWN_DUP2, parent, 0), (os.POSIX_SPAWN_CLOSE, connection.fileno())]
    os.posix_spawn("/bin/sh", ["sh", "-c", "read _; kill -9 0"], {}, file_actions=files)
    os.environ.clear()
    os.environ.update(environment)


def _call(connection: Connection, environment: dict[str, str], call: Callable[..., Any], args: tuple) -> None:
    """What a process beside the pages does."""
    _settle(connection, environment)
    try:
        result = call(*args)
    except Exception as error:
        result = error
    connection.send(result)
    os.killpg(0, signal.SIGKILL)  # and the watcher with it


def _serve(connection: Connection, environment: dict[str, str], path: str, jobs: Sequence[Job]) -> None:
    """What a page's process does: run its blocks, one by one."""
    _settle(connection, environment)
    files = Path(__file__).parents[2].rglob("*.py")  # bytecode could not tell two saves of one second apart
    sys.dont_write_bytecode |= max(file.stat().st_mtime for file in files) > time.time() - 2
    gc.freeze()  # else each search for garbage would go through all that the server imported
    from scaling_lesson.site.run.block import Session

    os.nice(5)  # so that the notebook, which takes longest, goes first
    session, me = Session(path, connection.send), os.getpid()
    with contextlib.suppress(EOFError, OSError):
        for job in jobs:
            answer = session.execute(job)
            if os.getpid() != me:  # a block forked, and came here twice
                break
            connection.send(answer)
    os._exit(0)
