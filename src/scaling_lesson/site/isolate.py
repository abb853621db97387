"""A process for each page: whatever its blocks change, leave running, hang or break ends with the page.

Run as a script, this file is the server those processes come from: it has imported what pages need and nothing of the
lesson, so a page starts in milliseconds and reads the lesson's code as it now stands. One page runs at a time: the next
ends the one before. It forks, so it needs Linux or macOS (on Windows, WSL).
"""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from multiprocessing.connection import Connection, Pipe

GRACE_S = 1.0
"""How long after its limit a block is killed, when it never lets its own process say where it is."""

_BEGIN, _END = b"b", b"e"
_server: socket.socket | None = None


def start_server() -> socket.socket:
    """The socket on which the server takes requests. The first call starts it, and does not wait for its imports."""
    global _server
    if _server is None:
        if os.environ.get("ATEN_CPU_CAPABILITY") in ("default", "avx2"):
            # Held to an older processor, torch fails when its oneDNN goes by the one that is there.
            os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
        _server, theirs = socket.socketpair()
        # Threads do not survive a fork, and add in another order. A fixed seed gives sets one order.
        # The author's own matplotlibrc could set a locale, or name one this machine lacks.
        settings = {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "MATPLOTLIBRC": os.devnull,
        }
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | settings,
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        process.returncode = 0  # nobody waits for it: it ends when it sees that we have
        atexit.register(_server.close)
    return _server


class PageProcess:
    """A new process with this one's folder, environment and import path, which runs a page's blocks one by one."""

    def __init__(self, path: str) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            socket.send_fds(start_server(), [_BEGIN], [theirs.fileno(), 1, 2])
        self._connection.send((os.getcwd(), dict(os.environ), sys.path, path))

    def run(self, index: int, first: int, code: str, limit: float) -> tuple[object, int]:
        """What Session.execute answers, or how the process ended, as a str; and the last line it told of."""
        line, end, wait = first + 1, 0.0, None
        with contextlib.suppress(EOFError, OSError):
            self._connection.send((index, first, code, limit))
            while self._connection.poll(wait):
                answer = self._connection.recv()
                if not isinstance(answer, int):
                    return answer, line
                line, end = answer, end or time.monotonic() + limit + GRACE_S  # not before: the server may be importing
                wait = max(0.0, end - time.monotonic())
            self.end()
            return f"ran longer than {limit:g} s", line
        status = self.end()
        if status == -signal.SIGALRM:
            return f"ran longer than {limit:g} s", line
        return f"ended its process ({f'status {status}' if status >= 0 else signal.Signals(-status).name})", line

    def end(self) -> int:
        """Kill the process and all it started; return the exit status it had before, or minus the signal it ended by."""
        global _server
        self._connection.close()
        try:
            _server.send(_END)
            return int(_server.recv(8))
        except (OSError, ValueError):  # a block killed the server: the next page starts another
            _server = None
            return -signal.SIGKILL


def _serve(control: socket.socket) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.backends.backend_svg
    import matplotlib.pyplot
    import torch._dynamo  # noqa: F401  (optimizers import it at their first step)

    child = 0
    while True:
        request, fds, _, _ = socket.recv_fds(control, 1, 3)
        status = 0
        if child:
            with contextlib.suppress(OSError):
                os.killpg(child, signal.SIGKILL)
            status, child = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0
        if not request:  # whoever started this is gone
            os._exit(0)
        if request == _END:
            control.send(str(status).encode())
            continue
        child = os.fork()
        if not child:
            control.close()
            _become_page(*fds)
        with contextlib.suppress(OSError):
            os.setpgid(child, child)  # what the page starts is killed with it
        for fd in fds:
            os.close(fd)


def _become_page(session: int, out: int, error: int) -> None:
    for fd, standard in ((out, 1), (error, 2)):
        os.dup2(fd, standard)
        os.close(fd)
    connection = Connection(session)
    folder, environment, sys.path[:], path = connection.recv()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    from scaling_lesson.site.session import Session

    session, me = Session(path, connection.send), os.getpid()
    with contextlib.suppress(EOFError, OSError):
        while True:
            answer = session.execute(*connection.recv())
            if os.getpid() != me:  # a block forked, and came here twice
                break
            connection.send(answer)
    os._exit(0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
