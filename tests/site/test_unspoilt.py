"""Nothing spoils the site or an author's file: whatever happens, the last good site is whole, and a line says why."""

import errno
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from drift import SMALL

from scaling_lesson.site import accept
from scaling_lesson.site.web import stage

pytestmark = pytest.mark.slow  # most kill or break a build in a process of its own

GOOD = {"index.html": "the last good site", "assets/style.css": "body {}"}
OTHER = "docs/other.md"


def contents(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of the small site whose last build was another."""
    copy = tmp_path / "small"
    shutil.copytree(SMALL, copy, ignore=shutil.ignore_patterns("figure.*"))
    settings = copy / "mkdocs.yml"
    settings.write_text(settings.read_text("utf-8").replace("  - A drawing: figure.md\n", ""), "utf-8")
    for name, text in GOOD.items():
        (copy / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / "site" / name).write_text(text, "utf-8")
    return copy


def is_last(small: Path) -> bool:
    return contents(small / "site") == {name: text.encode() for name, text in GOOD.items()}


def left(small: Path) -> set[str]:
    return {f.name for f in small.glob(".site-*")} - {".site-lock"}


def added(text: str) -> Callable[[Path], object]:
    return lambda small: (small / OTHER).write_text((small / OTHER).read_text("utf-8") + text, "utf-8")


def page_of(data: bytes) -> Callable[[Path], object]:
    return lambda small: (small / "docs/extra.md").write_bytes(data)


def link(name: str, to: str) -> Callable[[Path], object]:
    return lambda small: (small / "docs" / name).symlink_to(to)


# What is done to a site, and the line that tells of it.
REFUSED = {
    "a link to a page": (link("extra.md", "other.md"), "docs/extra.md:1: a symbolic link"),
    "a link to nothing": (link("gone.png", "nowhere.png"), "docs/gone.png:1: a symbolic link"),
    "a link to its own folder": (link("again", "."), "docs/again:1: a symbolic link"),
    "a folder named like a page": (lambda small: (small / "docs/extra.md").mkdir(), "docs/extra.md:1: this is no file"),
    "a pipe": (lambda small: os.mkfifo(small / "docs/extra.md"), "docs/extra.md:1: this is no file"),
    "a page of 5 MB": (page_of(b"word " * 1_000_000), "docs/extra.md:1: a page this large takes minutes"),
    "invalid UTF-8": (page_of(b"# Extra\n\n\xff\n"), "docs/extra.md:3: this page is not UTF-8"),
    "UTF-16": (page_of("# Extra\n".encode("utf-16")), "docs/extra.md:1: this page is not UTF-8"),
    "front matter of the old kind": (
        lambda small: (small / OTHER).write_bytes(b"Note: it is 37 MB.\n\n" + (small / OTHER).read_bytes()),
        "docs/other.md:1: this reads as front matter",
    ),
    "a glossary in Latin-1": (
        lambda small: (small / "docs/glossary.md").write_bytes("# Wörter\n\nCache\n:   A place.\n".encode("latin-1")),
        "docs/glossary.md:1: this page is not UTF-8",
    ),
    "a record in Latin-1": (
        lambda small: (small / "docs/page.record").write_bytes(b"\xff"),
        "docs/page.record:1: this record is not UTF-8",
    ),
    "stars in stars": (added(f"\n{'*' * 3000}x{'*' * 3000}\n"), "nests quotes, lists or brackets too deeply"),
    "lists in lists": (added("\n" + "".join(f"{'    ' * n}- x\n" for n in range(300))), "too deeply"),
    "settings of no encoding": (lambda small: (small / "mkdocs.yml").write_bytes(b"\xff"), "mkdocs.yml"),
    "a block of too many brackets": (
        added(f'\n```python exec="on"\nx = {"(" * 500}1{")" * 500}\n```\n'),
        "docs/other.md:17: the block",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_line_tells_what_cannot_be_built(small, mkdocs, name):
    spoil, line = REFUSED[name]
    spoil(small)
    status, output = mkdocs(small, "build", "-q")
    assert status == 1 and line in output and "Traceback" not in output, output
    assert len(output.strip().splitlines()) <= 5, output
    assert is_last(small) and not left(small)


BUILT = {
    "CRLF": lambda small: (small / OTHER).write_bytes((small / OTHER).read_bytes().replace(b"\n", b"\r\n")),
    "BOM": lambda small: (small / OTHER).write_bytes(b"\xef\xbb\xbf" + (small / OTHER).read_bytes()),
    "empty lines first": lambda small: (small / OTHER).write_bytes(b"\n\n" + (small / OTHER).read_bytes()),
    "an editor's lock": link(".#other.md", "someone@somewhere.1234"),
    "quotes in quotes": added(f"\n{'>' * 2000} deep\n"),
    "brackets": added(f"\n{'[' * 3000}x{']' * 3000}\n"),
    "folders": lambda small: (small / "docs" / "/".join("d" * 60)).mkdir(parents=True),
    "what killed builds left": lambda small: [(small / f".site-{n}/.x").mkdir(parents=True) for n in ("next", "old")],
}


@pytest.mark.parametrize("name", BUILT)
def test_what_is_only_odd_is_built(small, mkdocs, name):
    BUILT[name](small)
    status, output = mkdocs(small, "build", "-q")
    assert (status, "Traceback" in output) == (0, False), output
    assert "54.6" in (small / "site/other/index.html").read_text("utf-8") and not left(small)


@pytest.mark.parametrize("sent, times", [(signal.SIGKILL, 30), (signal.SIGINT, 5)])
def test_a_build_that_is_ended_at_any_moment_leaves_one_site_or_the_other(small, mkdocs, sent, times):
    documents, last = contents(small / "docs"), small.parent / "last"
    shutil.copytree(small / "site", last)
    mkdocs(small, "build", "-q")  # the first one waits for imports
    begin = time.monotonic()
    status, output = mkdocs(small, "build", "-q")
    assert status == 0, output
    new, taken = contents(small / "site"), time.monotonic() - begin
    chance, seen = random.Random(14), set()
    for _ in range(times):
        shutil.rmtree(small / "site")
        shutil.copytree(last, small / "site")
        (small / ".site-lock").unlink()
        after = chance.uniform(0, taken)
        status, output = mkdocs(small, "build", "-q", signal=sent, once=".site-lock", after=after)
        seen.add(status)
        assert status in (0, -sent) or (sent, status, output.strip()) == (signal.SIGINT, 1, "Aborted!"), output
        assert is_last(small) or contents(small / "site") == new
        assert is_last(small) or (small / "site/numbers.json").exists()
        assert contents(small / "docs") == documents
    assert seen - {0}, "some must have been ended"
    status, output = mkdocs(small, "build", "-q")
    assert status == 0 and contents(small / "site") == new and not left(small), output


@pytest.mark.parametrize("swaps", [True, False], ids=["in one step", "in two"])
def test_a_site_takes_its_place_and_is_found_again_after_a_kill_between_two_names(tmp_path, monkeypatch, swaps):
    site = tmp_path / "site"
    if not swaps:
        monkeypatch.setattr(stage, "_exchanged", lambda one, other: False)

    def publish(text: str) -> None:
        made = stage.Stage(site)
        made.folder.mkdir()
        (made.folder / "index.html").write_text(text)
        made.publish()

    for text in ("one", "two"):
        publish(text)
        assert contents(site) == {"index.html": text.encode()} and not left(tmp_path)
    if not swaps:
        with monkeypatch.context() as patch:
            rename = Path.rename
            patch.setattr(Path, "rename", lambda a, b: rename(a, b) if a == site else 1 / 0)
            broken = stage.Stage(site)
            broken.folder.mkdir()
            with pytest.raises(ZeroDivisionError):
                broken.publish()
            broken.release()
        assert not site.exists()
        stage.Stage(site).release()
        assert contents(site) == {"index.html": b"two"} and not left(tmp_path)


def test_what_is_hidden_in_the_site_stays_with_its_mode(small, mkdocs):
    """It may be a checkout: MkDocs leaves what begins with a dot alone."""
    (small / "site/.git").mkdir()
    (small / "site/.git/HEAD").write_text("ref")
    (small / "site/.nojekyll").touch()
    (small / "site").chmod(0o775)
    for _ in range(2):
        assert mkdocs(small, "build", "-q")[0] == 0
        assert (small / "site/.git/HEAD").read_text() == "ref" and (small / "site/.nojekyll").exists()
        assert (small / "site").stat().st_mode & 0o777 == 0o775 and (small / "site/numbers.json").exists()
    (small / ".site-next").mkdir()  # as if a build were killed when it had put its own in place
    (small / "site/.git").rename(small / ".site-next/.git")
    assert mkdocs(small, "build", "-q")[0] == 0
    assert (small / "site/.git/HEAD").read_text() == "ref" and not left(small)


def test_a_link_to_the_site_stays_a_link(small, mkdocs):
    shutil.move(small / "site", small / "elsewhere")
    (small / "site").symlink_to("elsewhere")
    status, output = mkdocs(small, "build", "-q")
    assert status == 0, output
    assert (small / "site").is_symlink() and (small / "elsewhere/numbers.json").exists()


def test_of_two_builds_at_once_the_first_wins(small, mkdocs):
    first = stage.Stage(small / "site")
    first.folder.mkdir()
    (first.folder / "index.html").write_text("half of it")
    status, output = mkdocs(small, "build", "-q")
    assert status == 1 and "another build is making site/: wait until it has ended" in output
    assert "Traceback" not in output and is_last(small)
    assert contents(first.folder) == {"index.html": b"half of it"}
    first.publish()
    assert contents(small / "site") == {"index.html": b"half of it"}
    assert mkdocs(small, "build", "-q")[0] == 0 and (small / "site/numbers.json").exists()


def test_a_read_only_site_stays(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(stage.os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(stage.PluginError, match="site/ is read-only: make it writable"):
        stage.Stage(site)
    assert [f.name for f in tmp_path.iterdir()] == ["site"]


def test_a_file_that_cannot_be_written_stops_the_build(small, mkdocs):
    status, output = mkdocs(small, "build", "-q", longest=3000)
    assert status == 1 and "File too large. site/ is as it was." in output and "Traceback" not in output, output
    assert is_last(small) and not left(small)


@pytest.fixture
def full(small: Path) -> Path:
    """A copy of the small site on a disk that is almost full."""
    disk = small.parent / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root mounts a small disk; another test limits the size of files")
    try:
        shutil.copytree(small, disk / "small")
        yield disk / "small"
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(folder: Path, spare: int) -> None:
    """Leave so many bytes."""
    data = shutil.disk_usage(folder).free - spare
    (folder / "filler").write_bytes(b"x" * data)


@pytest.mark.parametrize("spare", [0, 8192, 32768])
def test_a_full_disk_stops_the_build(full, mkdocs, spare):
    fill(full, spare)
    status, output = mkdocs(full, "build", "-q")
    assert status == 1 and "No space left on device" in output and "Traceback" not in output, output
    assert is_last(full) and not left(full)


# Records and prose.


@pytest.fixture
def drifted(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small site, where a block computes another number, so that claims on two pages and a record are wrong."""
    page = small / "docs/page.md"
    page.write_text(page.read_text("utf-8").replace("head_dim = 12, 12", "head_dim = 24, 12"), "utf-8")
    monkeypatch.chdir(small)
    monkeypatch.delenv("CI", raising=False)
    return small


def killing(last: int) -> Callable[..., object]:
    """Path.replace, which the last time kills this process instead."""
    calls = iter([Path.replace] * (last - 1))
    return lambda *names: next(calls, lambda *_: os.kill(os.getpid(), signal.SIGKILL))(*names)


def test_scripts_record_killed_at_any_moment_leaves_each_file_whole(drifted, monkeypatch, capfd):
    docs = drifted / "docs"
    old = contents(docs)
    site = accept.compute(Path("mkdocs.yml"))
    chosen = {(page.path, "") for page in site.pages}
    states = []
    for last in range(1, 9):
        for name, data in old.items():
            (docs / name).write_bytes(data)
        child = os.fork()
        if not child:
            monkeypatch.setattr(Path, "replace", killing(last))
            os._exit(accept._accept(site, chosen, yes=True))
        states.append((os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), contents(docs)))
        if states[-1][0] == 0:
            break
    assert [status for status, _ in states] == [-signal.SIGKILL] * 3 + [0]  # two pages and a record
    new = states[-1][1]
    for _, state in states:
        assert state.keys() == old.keys() and all(data in (old[name], new[name]) for name, data in state.items())
    # Begun again, it does what is left.
    for name, data in states[1][1].items():
        (docs / name).write_bytes(data)
    assert accept.main(["--yes"]) == 0 and contents(docs) == new
    capfd.readouterr()


@pytest.mark.parametrize("failing", ["write_bytes", "replace"])
def test_scripts_record_on_a_full_disk_says_so_in_a_line(drifted, monkeypatch, capfd, failing):
    before = contents(drifted / "docs")

    def full(path: Path, *_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, failing, full)
    with pytest.raises(SystemExit, match="No space left on device"):
        accept.main(["--yes"])
    monkeypatch.undo()
    assert contents(drifted / "docs") == before and not list(drifted.glob(".record-*"))


def test_scripts_record_leaves_a_page_that_was_edited_while_it_asked(drifted, monkeypatch, capfd):
    page = drifted / "docs/other.md"

    monkeypatch.setattr(accept, "_agree", lambda *_: page.write_text("# Mine\n", "utf-8"))
    before = contents(drifted / "docs") | {"other.md": b"# Mine\n"}
    with pytest.raises(SystemExit, match="docs/other.md was edited meanwhile: nothing written"):
        accept.main([])
    assert contents(drifted / "docs") == before
