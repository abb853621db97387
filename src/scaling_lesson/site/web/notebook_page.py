"""The notebook's page in the lesson's own markup, and the notebook to download."""

import contextlib
import gc
import os
import runpy
import sys
from multiprocessing import Pipe
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any
from unittest.mock import patch

_UNRUN = (
    '<div class="admonition note"><p class="admonition-title">Not run</p><p>A kernel takes seconds to start, so '
    "<code>serve</code> shows the notebook without its outputs. <code>scripts/build</code> runs it.</p></div>"
)


class _Unparsed(str):
    """A text in the place of a parsed one."""

    def __new__(cls, html: str, features: str) -> "_Unparsed":
        return super().__new__(cls, html)

    def select(self, selector: str) -> tuple:
        return ()


class _Kernel(ForkProcess):
    """A notebook's kernel, forked here, where torch is imported; jupyter_client uses it as one that Popen started."""

    stdin = stdout = stderr = None

    def __init__(self) -> None:
        """Imports while the caller goes on. To be called before there are threads."""
        super().__init__()
        self._given, self._giving = Pipe(duplex=False)
        self.start()
        os.setpgid(self.pid, 0)  # pyright: ignore (it has started); jupyter_client signals its whole group
        self._given.close()

    def run(self) -> None:
        self._giving.close()
        gc.freeze()
        os.environ["JPY_PARENT_PID"] = str(os.getppid())  # read at the import: what the kernel ends with
        import ipykernel.kernelapp  # noqa: F401

        with contextlib.suppress(EOFError):  # there is none to run for
            command, environment, folder = self._given.recv()
            os.environ.update(environment)
            os.chdir(folder)
            sys.argv = [*command[command.index("ipykernel_launcher") :], "--quiet"]  # also when the build is ended
            runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)

    def launch(self, command: list[str], env: dict[str, str], cwd: str = ".", **_: Any) -> "_Kernel":
        """What jupyter_client calls to start a kernel."""
        self._giving.send((command, env, cwd))
        return self

    def poll(self) -> int | None:
        return self.exitcode

    def wait(self) -> int | None:
        self.join()
        return self.exitcode


def make(environment: dict[str, str], source: str, shown_as: tuple, args: tuple, options: dict) -> tuple[str, str]:
    """Run the notebook; its page, and the script as a notebook without outputs.

    args, options: of mkdocs-jupyter's nb2html. shown_as: its name, the address of the numbers, and whether it runs.
    """
    os.environ.update(environment)
    # nbconvert would parse it all to mark boxes that scroll, which takes most of a second.
    ours: dict[str, Any] = {"nbconvert.exporters.html.BeautifulSoup": _Unparsed}
    if shown_as[-1]:
        ours["jupyter_client.provisioning.local_provisioner.launch_kernel"] = _Kernel().launch
    from mkdocs_jupyter import convert  # a second, which the kernel has for its own imports
    from mkdocs_jupyter.config import settings

    settings.templates_dir = str(Path(__file__).parent)
    with contextlib.ExitStack() as replaced:
        for place, new in ours.items():
            replaced.enter_context(patch(place, new))
        body = convert.nb2html(*args, **options)
    return _with_downloads(body, *shown_as), to_ipynb(source)


def _with_downloads(body: str, stem: str, numbers: str, executed: bool) -> str:
    downloads = (
        f'<p>Download it: <a href="{stem}.ipynb" download>notebook</a>, <a href="{stem}.py" download>script</a>, '
        f'<a href="{numbers}" download>the published numbers</a>.</p>'
    )
    return body.replace("</h1>", f"</h1>{downloads}{'' if executed else _UNRUN}", 1)


def to_ipynb(source: str) -> str:
    """The script as a notebook without outputs, the same text at every build."""
    import jupytext

    notebook = jupytext.reads(source, fmt="py:percent")
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number}"
    return jupytext.writes(notebook, fmt="ipynb")
