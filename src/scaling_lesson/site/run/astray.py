"""What a block does outside its main thread, where nobody would hear of it: errors, output, threads that go on."""

import contextlib
import gc
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any


class Astray:
    """Watches a page's process, from its beginning."""

    def __init__(self) -> None:
        self._errors: dict[Any, Any] = {}
        """By what raised them: a thread, a task, or a future whose error nobody asked for."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (the process keeps it)
        sys.__stdout__.flush()
        os.dup2(self._output.fileno(), 1)
        threading.excepthook = lambda said: self._errors.setdefault(said.thread, said.exc_value)
        handler: Any = logging.Handler(logging.ERROR)
        handler.emit = lambda said: said.exc_info and self._errors.setdefault(said, said.exc_info[1])
        logging.getLogger("asyncio").addHandler(handler)
        futures: Any = Future
        raised = futures.set_exception
        futures.set_exception = lambda future, error: self._noted(raised, future, error)
        futures.result, futures.exception = self._asking(futures.result), self._asking(futures.exception)

    def _noted(self, raised: Callable, future: Future, error: BaseException) -> None:
        self._errors[future] = error
        raised(future, error)

    def _asking(self, ask: Callable) -> Callable:
        def asked(future: Future, timeout: float | None = None) -> object:
            try:
                return ask(future, timeout)
            finally:
                self._errors.pop(future, None)

        return asked

    @contextlib.contextmanager
    def watching(self, tasks: bool) -> Iterator[None]:
        """Raises the first error of a thread, task or pool that nobody caught, or tells what else went astray."""
        before, size = set(threading.enumerate()), os.fstat(1).st_size
        self._errors.clear()
        yield
        if tasks:
            gc.collect()  # a task tells of its error when it goes
        for error in self._errors.values():
            raise error
        if left := set(threading.enumerate()) - before:
            raise RuntimeError(f"thread {next(iter(left)).name} outlasts its block: join it")
        if os.fstat(1).st_size > size:
            text = os.pread(1, 60, size).decode(errors="replace")
            raise RuntimeError(f"another process, or a library, wrote {text!r}: catch its output, and print it")
