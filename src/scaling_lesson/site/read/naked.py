"""Naked numbers: those of words, of code spans and of formulas that stand as typed, where nothing computes them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from scaling_lesson.site.numbers.claim import find


@dataclass(frozen=True)
class Settings:
    """names: words that hold a digit and are no numbers, such as `GPT-2`. exempt: {page: {text: reason}}, the numbers
    of the prose that nothing computes and nobody needs to. path, text: the file both stand in.
    """

    names: tuple[str, ...]
    exempt: dict[str, dict[str, str]]
    path: str
    text: str

    @cached_property
    def _name(self) -> re.Pattern:
        names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(self.names, key=len, reverse=True))
        return re.compile(rf"(?<![\w.-])(?:{names})(?!\w|[-.]\w)" if names else "(?!)")

    def without_names(self, text: str) -> str:
        """The text with every name blanked."""
        return self._name.sub(lambda name: " " * len(name[0]), text)

    def naked(self, text: str) -> Iterator[tuple[int, str]]:
        """Each word of a text that holds a digit and is no name, and where it begins."""
        if any(map(str.isnumeric, text)):
            for word in re.finditer(r"[^\s|()\[\]*_`\"“”]+", self.without_names(text)):
                if any(map(str.isnumeric, word[0])):
                    yield word.start(), word[0].strip(".,;:!?'’")

    def naked_lines(self, texts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """The same of several texts: its line and the word. texts: the line on which each begins, and itself."""
        for line, text in texts:
            yield from ((line + text.count("\n", 0, at), word) for at, word in self.naked(text))

    def in_code(self, text: str) -> list[str]:
        """The numbers of a code span that are dressed as code: alone, behind a relation, or with a unit among words."""
        text = self.without_names(text)
        if re.search(r"[^\W\d]{4}", text):  # what it quotes is its own
            text = re.sub(r"\"[^\"]*\"|'[^']*'|\[[^\]]*\](?:\([^)]*\))?", " ", text)
        found = list(find(text))
        if glued := re.fullmatch(r"\W*(\d[\d.,_]*[^\W\d_]{1,7})\W*", text):
            return [glued[1]]
        if len(found) == 1 and not re.search(r"[^\W\d_]", text.replace(found[0][0], "")):
            return [found[0][0]]
        results = re.findall(r"\s(?:=|≈|<|>|≤|≥|->|→)\s+([-−]?[\d.,]*\d)(?=\s*[^\W\d]*\W*\Z)", text)
        return [text for text, unit in found if unit] or results

    def in_formula(self, text: str) -> list[str]:
        """The numbers of a formula that are results, and not constants beside a variable."""
        text = self.without_names(text)
        numbers = re.findall(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", text)  # (0, 1) has two
        last = re.findall(r"[=≈∼≤≥<>≲≳⩽⩾]\s*(\d(?:,\d)?)(?:\s+[A-Za-z]{1,3})?\s*\Z", text)  # a unit may follow a space
        return [n for n in numbers if len(n) > 1] + last if re.search(r"[^\W\d_]", text) else numbers
