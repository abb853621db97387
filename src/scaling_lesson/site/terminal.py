"""What scripts/record shows in a terminal, and asks there."""

import os
import re
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path

from scaling_lesson.site import records
from scaling_lesson.site.gate import Gate, Page
from scaling_lesson.site.notebook import checked_names


def agreed(what: str) -> bool:
    """Whether the person at the terminal accepts the changes."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(f"{what}, not written: to accept, run it again with --yes", file=sys.stderr)
        return False
    try:
        agreed = input(f"Accept {what}? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        agreed = print()
    print(end="" if agreed else "nothing written\n")
    return bool(agreed)


def differences(path: str, old: str, new: str) -> Iterator[str]:
    """Each line that changes: its place, as it was and as it will be, in a terminal with the changed words in colour."""
    before, after = old.split("\n"), new.split("\n")
    keys = ([line.partition(" = ")[0] for line in lines] for lines in (before, after))  # by these a record's lines pair
    for _, i, j, k, l in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        for number, (was, will) in enumerate(zip_longest(before[i:j], after[k:l]), i + 1):
            if was != will:
                shown = zip("-+", (was, will), _marked(was or "", will or ""), strict=True)
                yield "\n".join([f"{path}:{number}", *(sign + line for sign, side, line in shown if side is not None)])


def _marked(*lines: str) -> list[str]:
    """A line as it was and as it will be: what differs in red and in green, where there are colours."""
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    words, marked = [re.findall(r"[\w.,]+|\W", line) for line in lines], ["", ""]
    for tag, *spans in SequenceMatcher(None, *words, autojunk=False).get_opcodes():
        for side, colour in enumerate((31, 32)):
            text = "".join(words[side][slice(*spans[2 * side : 2 * side + 2])])
            marked[side] += f"\x1b[{colour}m{text}\x1b[0m" if coloured and text and tag != "equal" else text
    return marked


def explained(gate: Gate, page: Page, only: str) -> Iterator[str]:
    """Where a value of a page (each, when none is named) comes from, and all that uses it."""
    for name in [only] if only else page.run.values:
        line, text = records.read(page.record)[0].get(f"value {name}", (0, ""))
        value = page.run.values.get(name)
        yield f"{page.path}:{page.line(value.place)}: {name}" if value else f"{page.path}: {name} is not published now"
        if value:
            yield f"  value       {value.in_full}"
            yield f"  expression  {value.expression}"
            margin = f"± {value.tolerance:g} {value.unit.symbol}".rstrip()
            yield f"  tolerance   {f'{margin}: {value.reason}' if value.tolerance else 'none'}"
            yield f"  source      {value.source}" if value.source else "  source      none: it is computed here"
        yield f"  record      {f'{page.record_path}:{line}: {text}' if line else 'none'}"
        for user in gate.pages.values():
            for link in user.links:
                if gate.look_up(user, link) == (page, value):
                    yield f"  claim       {user.path}:{link.line}: {link.text}"
        for file in sorted(Path(Path(page.path).parts[0]).rglob("*.py")):
            if line := checked_names(file.read_text(encoding="utf-8")).get((page.slug, name)):
                yield f"  recomputed  {file.as_posix()}:{line}"
