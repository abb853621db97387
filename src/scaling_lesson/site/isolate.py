"""A clean room for a page's blocks: nothing one page sets can reach the next, and no block can hang or end the build."""

import contextlib
import decimal
import faulthandler
import logging
import os
import random
import signal
import sys
import warnings
from collections.abc import Iterator

import matplotlib
import numpy
import torch

from scaling_lesson.figures import STYLE

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)

GRACE_S = 5.0
"""How long code that swallows the time-out, or never leaves a native call, may go on before the process is ended."""


class BlockTimeout(BaseException):
    """Raised inside a block that outlives its limit. Not an Exception, so that `except Exception` lets it through."""


class BlockExit(BaseException):
    """Raised in place of ending the process from inside a block."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise BlockTimeout in the main thread after `seconds`, and again every tenth of a second until it gets through.

    Code that never comes back to the interpreter is ended with the whole process, status 1, by a thread that needs no
    interpreter; it prints where each thread was, the page's file and line among them.
    """

    rang = False

    def ring(*_: object) -> None:
        nonlocal rang
        rang = True
        raise BlockTimeout(f"ran longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    faulthandler.dump_traceback_later(seconds + GRACE_S, exit=True, file=sys.__stderr__)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
        if rang:  # the block caught it, and went on with half a result
            raise BlockTimeout(f"ran longer than {seconds:g} s")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)


_exit_for_real = os._exit
_PARENT = os.getpid()


def _refuse_exit(status: int = 0) -> None:
    if os.getpid() != _PARENT:  # a worker process that a block started may end as it likes
        _exit_for_real(status)
    raise BlockExit(f"called os._exit({status})")


@contextlib.contextmanager
def kept_process() -> Iterator[None]:
    """What a block changes of the process itself (folder, environment, warning filters, os._exit) is put back when it ends."""
    cwd, environment = os.getcwd(), dict(os.environ)
    os._exit = _refuse_exit
    try:
        with warnings.catch_warnings():
            yield
    finally:
        os._exit = _exit_for_real
        os.chdir(cwd)
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)


def fresh_start() -> None:
    """Reset what outlives a page: random seeds, torch's defaults, matplotlib's style and figures, modules."""
    random.seed(0)
    numpy.random.seed(0)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_num_threads(1)  # more threads add in another order
    torch.set_grad_enabled(True)
    torch.set_printoptions(profile="default")
    torch.use_deterministic_algorithms(False)
    torch.set_flush_denormal(False)
    torch.set_float32_matmul_precision("highest")
    numpy.seterr(all="warn", under="ignore")
    decimal.setcontext(decimal.Context())
    sys.setrecursionlimit(1000)
    logging.disable(logging.NOTSET)
    numpy.set_printoptions(edgeitems=3, threshold=1000, precision=8, suppress=False, linewidth=75)
    plt.close("all")
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(STYLE)
    forget_lesson()


def forget_lesson() -> None:
    """Drop the lesson's own modules, so that the next import reads their files again. Never torch, never the site."""
    for name in list(sys.modules):
        if name.startswith("scaling_lesson.") and not name.startswith("scaling_lesson.site"):
            del sys.modules[name]
            # "from package import module" looks at the package before it looks for the file.
            package, _, module = name.rpartition(".")
            if hasattr(sys.modules.get(package), module):
                delattr(sys.modules[package], module)
