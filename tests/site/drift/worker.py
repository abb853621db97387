"""The warm process of the corpus: builds the site of the current folder with each defect in turn.

Prints a JSON line for each: its title, and null or what went wrong. Arguments: what a defect's title must hold, and
which of how many parts of them.
"""

import contextlib
import json
import logging
import os
import sys
import time
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort
from mkdocs.plugins import BasePlugin, event_priority

sys.path.append(str(Path(__file__).resolve().parents[1]))
import warm

from drift import Defect, corpus, difference
from scaling_lesson.site import plugin


class Judged(BasePlugin):
    """Ends a build when every page is judged and the notebook has run, where it does: nobody will read them."""

    def __init__(self, notebook: bool) -> None:
        super().__init__()
        self._notebook = notebook

    @event_priority(-50)  # after the gate
    def on_config(self, config: MkDocsConfig) -> None:
        config.plugins["mkdocs-jupyter"].config["execute"] = self._notebook

    @event_priority(-50)  # after the gate
    def on_env(self, env: object, *, config: MkDocsConfig, files: object) -> None:
        raise Abort("judged")


def messages(notebook: bool = False) -> list[str]:
    """What `serve` tells of the folder, which keeps the runs of unchanged pages; and the notebook, if that is to run."""
    config = load_config("mkdocs.yml", site_dir="site")
    config.plugins["numbers"].quiet = True
    config.plugins["numbers"]._loaded = {}  # a changed module of the gate would start this process anew
    config.plugins["judged"] = Judged(notebook)
    config.plugins.on_startup(command="serve", dirty=False)
    with contextlib.suppress(Abort):
        build(config)
    return [str(problem) for problem in config.plugins["numbers"].found]


def messages_of_a_fresh_process() -> list[str]:
    """As a first build has them: no module of the lesson is imported yet."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        warm.share()
        MkDocsConfig.plugins.plugin_cache.clear()
        with os.fdopen(theirs, "w") as pipe:
            json.dump(messages(), pipe)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return json.loads(told)


def problem(defect: Defect, clean: dict, numbers: plugin.NumbersPlugin) -> str | None:
    """Plant, build, and put everything back."""
    touched = [Path(defect.file), *(Path(file) for file, _, _ in defect.also)]
    before = {path: (path.read_bytes(), path.stat()) if path.exists() else None for path in touched}
    numbers._kept._values = dict(clean)
    try:
        expected = defect.plant(Path())
        found = messages_of_a_fresh_process() if defect.fresh else messages(defect.kind == "notebook")
    except Exception as error:
        return repr(error)
    finally:
        for path, kept in before.items():
            if kept is None:
                path.unlink(missing_ok=True)
            else:
                data, stat = kept
                path.write_bytes(data)
                os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # so that what was kept of it is true again
    return difference(found, expected)


def main(only: str, part: str, parts: str) -> None:
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    out = os.dup(1)
    os.dup2(2, 1)  # what blocks write there
    with os.fdopen(out, "w") as results:
        if clean := messages():
            raise SystemExit("the site drifted before anything was planted:\n" + "\n".join(clean))
        numbers = load_config("mkdocs.yml").plugins["numbers"]
        kept = dict(numbers._kept._values)
        for defect in corpus("real")[int(part) :: int(parts)]:
            if only in defect.title:
                start = time.process_time()
                print(json.dumps([defect.title, problem(defect, kept, numbers)]), file=results, flush=True)
                if os.environ.get("DRIFT_TIMES"):
                    print(f"{time.process_time() - start:6.2f} s  {defect.title}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
