"""The warm process of the corpus: builds the site of the current folder with each defect in turn.

Prints a JSON line for each: its title, and null or what went wrong. Argument: what a defect's title must hold.
"""

import contextlib
import json
import logging
import os
import re
import sys
import time
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

sys.path.append(str(Path(__file__).resolve().parents[1]))
import warm

from drift import Defect, corpus, difference
from scaling_lesson.site import plugin


def judged(*_: object) -> None:
    raise Abort("judged")


def messages(command: str) -> list[str]:
    """What a build of the folder tells: `build` as mkdocs does, or `serve`, which keeps the runs of unchanged pages.

    It ends when every page is rendered and judged: nobody will read them, so their claims need not be filled in.
    """
    config = load_config("mkdocs.yml", site_dir="site")
    config.plugins["numbers"].quiet = True
    config.plugins["numbers"]._loaded = {}  # a changed module of the gate would start this process anew
    sys.modules["scaling_lesson.site.plugin"].fill = judged
    config.plugins.on_startup(command=command, dirty=False)
    with contextlib.suppress(Abort):
        build(config)
    return [str(problem) for problem in config.plugins["numbers"].found]


def messages_of_a_fresh_process() -> list[str]:
    """As a first build has them: no module of the lesson is imported yet, and the notebook runs."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        warm.share()
        MkDocsConfig.plugins.plugin_cache.clear()
        with os.fdopen(theirs, "w") as pipe:
            json.dump(messages("build"), pipe)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return json.loads(told)


def imported(text: str) -> set[Path]:
    """The lesson's files that this code imports, told by their names, and those they import in turn."""
    found, texts = set(), [text]
    while texts:
        words = set(re.findall(r"\w+", " ".join(re.findall(r"^ *(?:from|import) .*", texts.pop(), re.M))))
        new = {file for file in Path("src/scaling_lesson").rglob("*.py") if file.stem in words} - found
        found |= new
        texts += [file.read_text(encoding="utf-8") for file in new]
    return found


def stays(page: str, touched: list[Path]) -> bool:
    """Whether a page computes the same although these files changed."""
    if any(path.name == "__init__.py" for path in touched):
        return False
    return not imported(Path(page).read_text(encoding="utf-8")).intersection(touched)


def problem(defect: Defect, clean: dict, numbers: plugin.NumbersPlugin) -> str | None:
    """Plant, build, and put everything back."""
    touched = [Path(defect.file), *(Path(file) for file, _, _ in defect.also)]
    before = {path: path.read_bytes() if path.exists() else None for path in touched}
    numbers._kept = {page: kept for page, kept in clean.items() if stays(page, touched)}
    try:
        expected = defect.plant(Path())
        found = messages_of_a_fresh_process() if defect.fresh else messages("serve")
    except Exception as error:
        return repr(error)
    finally:
        for path, kept in before.items():
            if kept is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(kept)
    return difference(found, expected)


def render_once() -> None:
    """Have a page rendered anew only when its text changed, or its blocks ran again, or what all pages show."""
    render, known = Page.render, {}
    made = ("content", "toc", "_title_from_render", "present_anchor_ids", "links_to_anchors")

    def rendering(self: Page, config: MkDocsConfig, files: Files) -> None:
        numbers = config.plugins["numbers"]
        source = numbers._reading.source
        settings, glossary = (Path(name).read_text(encoding="utf-8") for name in ("mkdocs.yml", "docs/glossary.md"))
        key, results = (source.path, source.text, settings, glossary), numbers._runs[source.path].result()
        ran, reading, attributes = known.get(key, (None, None, None))
        if ran is results:
            numbers._reading = reading
            vars(self).update(attributes)
        else:
            render(self, config, files)
            known[key] = results, numbers._reading, {name: getattr(self, name) for name in made}

    Page.render = rendering


def main(only: str) -> None:
    render_once()
    Files.add_files_from_theme = lambda *_: None  # hundreds of icons, which no page names
    logging.getLogger("mkdocs").setLevel(logging.CRITICAL)
    out = os.dup(1)
    os.dup2(2, 1)  # what blocks write there
    with os.fdopen(out, "w") as results:
        plugin.SOURCE = Path("none")  # `stays` knows better which page a change of the code reaches
        if clean := messages("serve"):
            raise SystemExit("the site drifted before anything was planted:\n" + "\n".join(clean))
        numbers = load_config("mkdocs.yml").plugins["numbers"]
        kept = dict(numbers._kept)
        for defect in corpus("real"):
            if only in defect.title:
                start = time.process_time()
                print(json.dumps([defect.title, problem(defect, kept, numbers)]), file=results, flush=True)
                if os.environ.get("DRIFT_TIMES"):
                    print(f"{time.process_time() - start:6.2f} s  {defect.title}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
