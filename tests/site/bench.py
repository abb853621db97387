"""`scripts/bench`: what a build and an edit cost, beside what nothing could save, in turn and in one run.

Nothing else should run meanwhile. Times are medians, and only their ratios say something about the code. `--growth` does
the same for sites of several copies of the lesson, and `--peers` for other programs that run the code of the same pages.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import yaml
from mkdocs.utils.yaml import yaml_load

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LESSON = "scaling-and-efficiency"
IMPORTS = "import torch, numpy, matplotlib.pyplot, matplotlib.backends.backend_svg"
MKDOCS = [sys.executable, "-m", "mkdocs"]


def checkout(folder: Path) -> Path:
    """A copy of what a build reads."""
    for name in ("docs", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "mkdocs.yml", folder)
    return folder


def configure(site: Path, plugins: tuple[str, ...] | None = None, outside: tuple[str, ...] = ()) -> None:
    """Write the site's mkdocs.yml anew, with these plugins only, and without these folders or pages.

    What then links to nowhere is told, and no longer an error.
    """

    def kept(nav: list) -> Iterator[dict | str]:
        for entry in nav:
            (name, target) = next(iter(entry.items())) if isinstance(entry, dict) else ("", entry)
            if isinstance(target, list):
                if inside := [*kept(target)]:
                    yield {name: inside}
            elif not target.startswith(outside):
                yield entry

    with (site / "mkdocs.yml").open() as file:
        config = yaml_load(file)
    if plugins is not None:
        named = [(next(iter(plugin)) if isinstance(plugin, dict) else plugin) for plugin in config["plugins"]]
        config["plugins"] = [p for p, name in zip(config["plugins"], named, strict=True) if name in plugins]
    config["nav"] = [*kept(config["nav"])] if outside else config["nav"]
    config |= {"strict": False, "validation": {"omitted_files": "ignore", "anchors": "ignore"}}
    for name in outside:
        path = site / "docs" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (site / "mkdocs.yml").write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), "utf-8")


ASIDE = ("notebook", "reference")


def pages_alone(folder: Path) -> Path:
    """A site without notebook and reference."""
    site = checkout(folder)
    configure(site, ("search", "material/meta", "markdown-exec", "numbers", "web"), ASIDE)
    return site


def settings(site: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(site / "src"), "NO_MKDOCS_2_WARNING": "1", "REFERENCE": "true"}


def seconds(command: list, cwd: Path, **environment: str) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=settings(cwd) | environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - start


def blocks(site: Path) -> dict[str, float]:
    """The seconds of each page's blocks, one after the other in one plain process; its imports come first."""
    plain = [sys.executable, str(HERE / "plain.py")]
    done = subprocess.run(plain, cwd=site, env=settings(site), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def floor(rounds: int) -> None:
    """Print the parts, the whole, and their ratios."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        whole, part, bare = (Path(folder, name) for name in ("whole", "part", "bare"))
        checkout(whole)
        pages_alone(part)
        configure(checkout(bare), ("search",), ASIDE)
        pages: list[dict[str, float]] = []
        steps: dict[str, Callable[[], float]] = {
            "importing torch and matplotlib": lambda: seconds([sys.executable, "-c", IMPORTS], whole),
            "mkdocs on the same pages, nothing run": lambda: seconds([*MKDOCS, "build", "-q"], bare),
            "all blocks in one plain process": lambda: sum((pages.append(blocks(whole)), pages[-1])[1].values()),
            "the whole build": lambda: seconds([*MKDOCS, "build", "-q"], whole),
            "without notebook and reference": lambda: seconds([*MKDOCS, "build", "-q"], part),
        }
        taken = in_turn(steps, rounds)
        for name, times in taken.items():
            show(name, times)
        for page in pages[0]:
            show(f"  blocks of {page}", [times[page] for times in pages])
        least = [sum(times) for times in zip(*list(taken.values())[:3], strict=True)]
        for name in list(taken)[3:]:
            ratios = [time / floor for time, floor in zip(taken[name], least, strict=True)]
            print(f"{statistics.median(ratios):8.2f}    {name}, over the sum of the first three")


def in_turn(steps: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Each step's seconds: all once, then all again, so that a machine that slows down slows them alike."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            taken[name].append(step())
    return taken


def show(name: str, times: list[float]) -> None:
    spread = f" ({min(times):.2f} to {max(times):.2f})" if len(times) > 1 else ""
    print(f"{statistics.median(times):8.2f} s  {name}{spread}", flush=True)


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a server of the site, which has just been started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*MKDOCS, "serve", "--no-strict", "-q", "-a", f"127.0.0.1:{port}"]
    environment = settings(site) | {"REFERENCE": "false"}
    server = subprocess.Popen(command, cwd=site, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(timeout=60)


def get(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=600) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def until(address: str, shown: str) -> float:
    """Seconds until the page shows this."""
    start = time.perf_counter()
    while shown not in get(address):
        if time.perf_counter() - start > 600:
            raise SystemExit(f"{address} never showed {shown!r}")
        time.sleep(0.01)
    return time.perf_counter() - start


def edits(site: Path, times: int, prose_only: bool = False) -> Iterator[tuple[str, list[float]]]:
    """(kind, seconds from writing a file to its being served) for each kind of edit."""
    page, module = site / f"docs/{LESSON}/kv-cache.md", site / "src/scaling_lesson/kv_cache.py"
    text, code = page.read_text("utf-8"), module.read_text("utf-8")
    fence = re.search('```python exec="on" source="above"\n', text).end()
    with served(site) as base:
        address = f"{base}{LESSON}/kv-cache.html"
        yield "serve: the first page", [until(address, "</html>")]
        taken: dict[str, list[float]] = {"prose": [], "snippet": [], "src": []}
        for turn in range(times):
            word, name = (f"{kind}{'xyz' * (turn + 1)}" for kind in ("word", "name"))
            page.write_text(f"{text}\n\nThis is {word}.\n", "utf-8")
            taken["prose"].append(until(address, word))
            if prose_only:
                continue
            page.write_text(f"{text[:fence]}{name} = 1\n{text[fence:]}", "utf-8")
            taken["snippet"].append(until(address, name))
            page.write_text(text, "utf-8")
            while name in get(address):
                time.sleep(0.05)
            before = re.search(r"livereload\((\d+)", get(address))[1]
            module.write_text(f"{code}\n# {word}\n", "utf-8")
            start = time.perf_counter()
            while (found := re.search(r"livereload\((\d+)", get(address))) and found[1] == before:
                time.sleep(0.01)
            taken["src"].append(time.perf_counter() - start)
        yield from ((f"serve: an edit of {kind}", found) for kind, found in taken.items())


def copies(folder: Path, number: int) -> Path:
    """A site of so many copies of the lesson: a folder each, with pages of other names that claim from one another."""
    site = pages_alone(folder)
    docs = site / "docs"
    with (site / "mkdocs.yml").open() as file:
        config = yaml_load(file)
    wrong = docs / "authors/what-the-plan-got-wrong.md"  # it claims what no page of the lesson does
    files = [*sorted((docs / LESSON).iterdir()), wrong, wrong.with_suffix(".record")]
    stems = [LESSON, *(file.stem for file in files if file.suffix == ".md" and file.stem != "index")]
    named = re.compile(rf"(\(calc:|\]\()({'|'.join(stems)})(/|\.md)")
    for copy in range(1, number):
        here = docs / f"{LESSON}-{copy}"
        here.mkdir()
        for source in files:
            name = source.name if source.stem == "index" else f"{source.stem}-{copy}{source.suffix}"
            text = source.read_text("utf-8")
            (here / name).write_text(named.sub(rf"\1\2-{copy}\3", text), "utf-8")
            if source.suffix == ".md":
                config["nav"].append(f"{here.name}/{name}")
    (site / "mkdocs.yml").write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), "utf-8")
    return site


def peak(command: list, cwd: Path) -> tuple[float, int, str]:
    """(seconds, the most bytes that it and all it started held at once, what it printed) of a command."""
    start, most = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+") as out:
        process = psutil.Popen(command, cwd=cwd, env=settings(cwd), stdout=out, stderr=subprocess.STDOUT)
        while process.poll() is None:
            held = 0
            for one in [process, *process.children(recursive=True)]:
                try:
                    held += one.memory_full_info().pss  # shared pages are counted once
                except psutil.Error:
                    continue  # it has ended
            most = max(most, held)
            time.sleep(0.2)
        out.seek(0)
        printed = out.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {printed[-3000:]}")
    return time.perf_counter() - start, most, printed


def growth(sizes: list[int]) -> None:
    print("copies  build s   peak MB  claims  judging a claim, us  a prose edit, s", flush=True)
    for number in sizes:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            site = copies(Path(folder, "site"), number)
            taken, held, printed = peak([sys.executable, str(HERE / "timed_build.py")], site)
            told = json.loads(printed.splitlines()[-1])
            shown = dict(edits(site, 3, prose_only=True))
            judged = told["judge_s"] / told["claims"] * 1e6
            edit = statistics.median(shown["serve: an edit of prose"])
            print(
                f"{number:6} {taken:8.1f} {held / 1e6:9.0f} {told['claims']:7} {judged:20.0f} {edit:16.2f}", flush=True
            )


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="What a build and an edit cost.")
    parser.add_argument(
        "--rounds", type=int, default=3, help="of the build; edits are made so often too, and once more"
    )
    parser.add_argument("--growth", nargs="*", type=int, metavar="COPIES", help="1, 10 and 50 copies, if not named")
    parser.add_argument("--peers", action="store_true", help="other programs, installed beside for it")
    options = parser.parse_args()
    if options.growth is not None:
        growth(options.growth or [1, 10, 50])
    elif options.peers:
        import peers

        peers.compare()
    else:
        floor(options.rounds)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            for name, times in edits(checkout(Path(folder, "site")), options.rounds + 1):
                show(name, times)


if __name__ == "__main__":
    main()
