"""Run `mkdocs` in a fresh process that need not import again: a warm parent forks one child for each request.

All share the server from which pages' processes come, which has imported torch. A build that is killed while it asks for a
process ends the server, sooner or later, so that after each such build it is asked for one, and started again where none
comes.

Started as `python warm.py`; reads one JSON request a line, {"cwd", "argv", "out"}, and answers with the exit status.
With "signal" it is sent that, "after" seconds from when the file "once" is there. "environment" adds to its own, and it
writes no file longer than "longest" bytes.
"""

import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing import forkserver


def preload() -> Callable[[], None]:
    """Import all that a build does. What is returned sees to it that the server runs, and has read all it was asked."""
    import latex2mathml.converter  # noqa: F401
    import markdown_exec  # noqa: F401
    import material.plugins.search.plugin  # noqa: F401
    import mkdocs.__main__
    import mkdocs.commands.build  # noqa: F401
    import pymdownx.superfences  # noqa: F401

    from scaling_lesson.site.run import worker
    from scaling_lesson.site.run.results import Job

    def serve() -> None:
        while True:
            try:
                worker.Runner().run("", [Job(0, 1, "", 20.0)]).result()
                return
            except (OSError, EOFError):  # it was gone, or went
                time.sleep(0.01)

    return serve


def use_server() -> None:
    """Let a forked process use the server that runs: it would wait for a child not its own."""
    forkserver._forkserver.ensure_running = forkserver.ensure_running = lambda: None


def share() -> None:
    """Let processes forked from this one use its server too. The lesson is imported anew: by each from its own folder."""
    use_server()
    for name in [name for name in sys.modules if name.split(".")[0] == "scaling_lesson"]:
        del sys.modules[name]


def end_as(program: Callable[[], None]) -> None:
    """End this process as one that runs the program, which exits."""
    status = 70
    try:
        program()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run(request: dict) -> None:
    share()
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(request["cwd"])
    os.environ.update(request.get("environment", {}))
    time.tzset()
    if "longest" in request:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["longest"], resource.RLIM_INFINITY))
    sys.path.insert(0, os.path.join(request["cwd"], "src"))
    sys.argv = ["mkdocs", *request["argv"]]
    end_as(sys.modules["mkdocs.__main__"].cli)


if __name__ == "__main__":
    serve = preload()
    serve()
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            run(request)
        if "signal" in request:
            while not os.path.exists(os.path.join(request["cwd"], request["once"])):
                time.sleep(0.001)
            time.sleep(request["after"])
            os.kill(child, request["signal"])
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if "signal" in request:
            serve()
        print(status, flush=True)
