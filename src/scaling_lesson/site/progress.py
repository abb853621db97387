"""What a build is doing and how far it is: one live line in a terminal, a line a step elsewhere, nothing with -q."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future

from rich.console import Console
from rich.text import Text


class Progress:
    """Of one build."""

    def __init__(self) -> None:
        self._log = logging.getLogger("mkdocs.plugins.numbers")
        self._line = Console(stderr=True).status("", spinner="line")

    def tell(self, step: str) -> None:
        """Show what is done now."""
        if not self._log.isEnabledFor(logging.INFO):
            return
        if self._line.console.is_terminal:
            self._line.update(Text(step))
            self._line.start()
        else:
            self._log.info(step)

    def count(self, runs: Sequence[Future]) -> None:
        """Tell of each page that has run, from now on."""
        left = [run for run in runs if not run.done()]
        ran = iter(range(1, len(left) + 1))
        for run in left:
            run.add_done_callback(lambda _: self.tell(f"running pages: {next(ran)} of {len(left)} done"))

    def end(self) -> None:
        """Leave the terminal to others."""
        self._line.stop()
