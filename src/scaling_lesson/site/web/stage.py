"""Where a site is built, and how it takes the place of the last good one: whole and at once, or not at all."""

import ctypes
import fcntl
import os
import shutil
import stat
from pathlib import Path

from mkdocs.exceptions import Abort, PluginError

_EXCHANGE = 2
"""Linux's flag for swapping two names in one step, of renameat2(2)."""
_HERE = -100
"""AT_FDCWD: paths are seen from the current folder."""
LARGEST = 1_000_000
"""Bytes of a page: more than ten times the longest of the lesson."""


class Stage:
    """A folder beside the site, `.site-next`, which one build at a time has."""

    def __init__(self, site: Path) -> None:
        """Take the folder, and empty it of what a killed build left.

        Raises PluginError where another build has it, or the site may not be replaced, and OSError.
        """
        self.site = site.resolve()  # if it is a link, what it leads to
        self.folder, self._old = (self.site.with_name(f".{site.name}-{state}") for state in ("next", "old"))
        if self.site.exists() and not os.access(self.site, os.W_OK):
            raise PluginError(f"{site.name}/ is read-only: make it writable, or build elsewhere with --site-dir")
        self.site.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self.site.with_name(f".{site.name}-lock").open("w")  # stays there; the lock ends with the process
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise PluginError(f"another build is making {site.name}/: wait until it has ended") from None
        if self._old.exists() and not self.site.exists():  # that build was killed between two names
            self._old.rename(self.site)
        self._clear()

    def publish(self) -> None:
        """Give the site's place to what was built, and end."""
        if self.site.exists():
            shutil.copymode(self.site, self.folder)
        if not self.site.exists():
            self.folder.rename(self.site)
        elif not _exchanged(self.folder, self.site):
            self.site.rename(self._old)
            self.folder.rename(self.site)
        self.discard()

    def discard(self) -> None:
        """Leave the site as it was, and end."""
        self._clear()
        self.release()

    def release(self) -> None:
        """Leave what was built for someone to look at, and end."""
        self._lock.close()

    def failure(self, error: OSError | RecursionError) -> Abort:
        """What stops a build that cannot read or write a file, or follow a page, in one line."""
        said = "a page nests quotes, lists or brackets too deeply"
        if isinstance(error, OSError):
            said = f"{error.filename or self.folder}: {error.strerror or error}"
        return Abort(f"{said}. {self.site.name}/ is as it was.")

    def _clear(self) -> None:
        for folder in (self.folder, self._old):
            for hidden in folder.glob(".*"):  # such as .git: MkDocs makes none, so it was the last site's, and stays
                if self.site.exists() and not os.path.lexists(self.site / hidden.name):
                    hidden.rename(self.site / hidden.name)
            shutil.rmtree(folder, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap the names of two folders in one step, where system and disk can."""
    swap = getattr(ctypes.CDLL(None), "renameat2", None)
    return swap is not None and swap(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


def check(docs: Path) -> None:
    """Raise PluginError for what MkDocs cannot read, or reads without end, in a line each."""
    told = []
    for path in sorted(docs.rglob("*")):
        state, name = path.lstat(), path.relative_to(docs.parent).as_posix()
        if "/." in name:
            continue  # nor does MkDocs read it: an editor's own, say
        if stat.S_ISLNK(state.st_mode):
            told.append(f"{name}:1: a symbolic link may lead anywhere: put the file itself here")
        elif not stat.S_ISREG(state.st_mode) and not (
            stat.S_ISDIR(state.st_mode) and path.suffix not in (".md", ".record")
        ):
            told.append(f"{name}:1: this is no file")
        elif path.suffix == ".md" and state.st_size > LARGEST:
            told.append(f"{name}:1: a page this large takes minutes: split it")
    if told:
        raise PluginError("\n".join(told))
