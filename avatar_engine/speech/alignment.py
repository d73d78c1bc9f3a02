"""Text that is rewritten step by step and still knows where each character came from."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class AlignedText:
    """Rewritten text; character i stands for ``original[starts[i]:ends[i]]``.

    Attributes:
        text: As it stands now.
        starts, ends: One entry per character of ``text``, both non-decreasing.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, original: str) -> "AlignedText":
        """The original, not yet rewritten."""
        n = len(original)
        return cls(original, tuple(range(n)), tuple(range(1, n + 1)))

    def sub(
        self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str | None]
    ) -> "AlignedText":
        """Replace every match, as ``re.sub`` would; a replacement of None leaves the match alone.

        What replaces a match stands for everything the match stood for.
        """
        spans = []
        for match in pattern.finditer(self.text):
            begin, end = match.span()
            if begin == end:
                continue
            new = replacement if isinstance(replacement, str) else replacement(match)
            if new is not None and new != match.group():
                spans.append((begin, end, new))
        return self.replaced(spans)

    def replaced(self, spans: Iterable[tuple[int, int, str]]) -> "AlignedText":
        """Other words for stretches (begin, end, new) of the text, in order and apart."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for begin, end, new in spans:
            pieces += (self.text[at:begin], new)
            starts += self.starts[at:begin] + (self.starts[begin],) * len(new)
            ends += self.ends[at:begin] + (self.ends[end - 1],) * len(new)
            at = end
        if not pieces:
            return self
        pieces.append(self.text[at:])
        starts += self.starts[at:]
        ends += self.ends[at:]
        return AlignedText("".join(pieces), tuple(starts), tuple(ends))

    def __getitem__(self, part: slice) -> "AlignedText":
        return AlignedText(self.text[part], self.starts[part], self.ends[part])

    def __len__(self) -> int:
        return len(self.text)

    def strip(self) -> "AlignedText":
        """Without white space at both ends."""
        begin = len(self.text) - len(self.text.lstrip())
        return self[begin : len(self.text.rstrip())]

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """The part of the original that ``text[begin:end]`` stands for; clipped to the text."""
        if not self.text:
            return 0, 0
        begin = min(max(begin, 0), len(self.text) - 1)
        end = min(max(end, begin + 1), len(self.text))
        return self.starts[begin], self.ends[end - 1]


def split_after(text: AlignedText, cuts: Sequence[int]) -> list[AlignedText]:
    """Pieces of the text, cut after the given characters, stripped, without empty ones."""
    edges = [0, *cuts, len(text)]
    pieces = (text[a:b].strip() for a, b in pairwise(edges))
    return [piece for piece in pieces if len(piece)]
