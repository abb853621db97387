"""A process for each page: whatever its blocks change, leave running, hang or break ends with the page.

Run as a script, this file is the server those processes come from: it has imported what pages need and nothing of the
lesson, so a page starts in milliseconds and reads the lesson's code as it now stands. One page runs at a time.
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

GRACE_S = 3.0
"""How long code that swallows the time-out, or never leaves a native call, may go on before its process is killed."""

_BEGIN, _END = b"b", b"e"
_server: socket.socket | None = None


def start_server() -> socket.socket:
    """The socket on which the server takes requests. The first call starts it, and does not wait for its imports."""
    global _server
    if _server is None:
        _server, theirs = socket.socketpair()
        # Threads do not survive a fork, and add in another order. A fixed seed gives sets one order.
        settings = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, env=os.environ | settings, start_new_session=True,  # Ctrl-C is ours to handle
            )  # fmt: skip
        process.returncode = 0  # nobody waits for it: it ends when it sees that we have
        atexit.register(_server.close)
    return _server


class PageEnded(Exception):
    """The page's process is gone. line: the last line known to have been reached; 0 when none was."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class PageProcess:
    """A new process with this one's folder, environment and import path, which runs a page's blocks one by one."""

    def __init__(self, path: str) -> None:
        global _server
        self._connection, theirs = Pipe()
        with theirs:
            try:
                socket.send_fds(start_server(), [_BEGIN], [theirs.fileno(), 1, 2])
            except BrokenPipeError:  # a block killed it
                _server = None
                socket.send_fds(start_server(), [_BEGIN], [theirs.fileno(), 1, 2])
        self._connection.send((os.getcwd(), dict(os.environ), sys.path, path))

    def run(self, *block: object, limit: float) -> object:
        """What the page's Session answers to a block. Raises PageEnded when the block ends the process, or never ends."""
        line, deadline = 0, None
        with contextlib.suppress(EOFError, OSError):
            self._connection.send((*block, limit))
            # The time runs from the first line: the server may still have to import.
            while self._connection.poll(None if deadline is None else max(0, deadline - time.monotonic())):
                answer = self._connection.recv()
                if not isinstance(answer, int):
                    return answer
                line, deadline = answer, deadline or time.monotonic() + limit + GRACE_S
            self.end()
            raise PageEnded(f"ran longer than {limit:g} s", line)
        status = self.end()
        how = f"status {status}" if status >= 0 else signal.Signals(-status).name
        raise PageEnded(f"ended its process ({how})", line)

    def end(self) -> int:
        """Kill the process and all it started; return the exit status it had before, or minus the signal it ended by."""
        self._connection.close()
        try:
            _server.send(_END)
            return int(_server.recv(8))
        except (OSError, ValueError):  # the server is gone
            return -signal.SIGKILL


def _serve(control: socket.socket) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.backends.backend_svg  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import torch  # noqa: F401

    child = 0
    while True:
        request, fds, _, _ = socket.recv_fds(control, 1, 3)
        status = 0
        if child:
            with contextlib.suppress(OSError):
                os.killpg(child, signal.SIGKILL)
            status, child = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0
        if not request:  # whoever started this is gone
            return
        if request == _END:
            control.send(str(status).encode())
            continue
        child = os.fork()
        if not child:
            control.close()
            _become_page(*fds)
        with contextlib.suppress(OSError):
            os.setpgid(child, child)
        for fd in fds:
            os.close(fd)


def _become_page(session: int, out: int, error: int) -> None:
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)  # its group is killed with it; whichever of the two comes first sets it
    for fd, standard in ((out, 1), (error, 2)):
        os.dup2(fd, standard)
        os.close(fd)
    connection = Connection(session)
    folder, environment, sys.path[:], path = connection.recv()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    from scaling_lesson.site.session import Session

    session = Session(path, connection.send)
    with contextlib.suppress(EOFError):
        while True:
            connection.send(session.execute(*connection.recv()))
    os._exit(0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
