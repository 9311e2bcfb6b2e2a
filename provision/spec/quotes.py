"""Quote the person's own YAML line with a caret under it: escaped, cut, and without secrets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from provision.spec.characters import sounds_secret, visible
from provision.spec.node import Document
from provision.spec.problem import Place
from provision.spec.source import Source

MASK = "********"
Span = tuple[int, int, int]
"""Line, first column and column after the last, all from 0, of text to hide."""
_WIDTH = 120
_BEFORE = 60
# A password that starts with # is a comment to YAML.
_COMMENT = re.compile(r"(?:^|\s)(#.*)")
_SHORTEST_SECRET = 6
"""Texts that are shorter are not searched for: hiding "anna" everywhere would tell the secret."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One line as shown, and the columns (from 0) of the caret below it."""

    text: str
    caret: int
    caret_end: int


@dataclass
class Quotes:
    """Quotes lines of the files that were read."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)
    secret_texts: tuple[str, ...] = ()
    _spans: dict[str, list[Span]] = field(default_factory=dict)

    def quote(self, place: Place) -> Quote | None:
        """The line at ``place``; None when the place is a whole file, or no text is known."""
        source = self.sources.get(place.file)
        if source is None or not 0 < place.line <= len(source.lines):
            return None
        line = source.lines[place.line - 1]
        cells = [visible(char) for char in line]
        for start, end in self._hidden(source, place.line - 1):
            for column in range(start, min(end, len(cells))):
                cells[column] = MASK if column == start else ""
        return _cut(cells, place.column - 1, place.end_column - 1)

    def mask(self, text: str) -> str:
        """``text`` without any text of secrets.yml."""
        for secret in self.secret_texts:
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, MASK)
        return text

    def _hidden(self, source: Source, number: int) -> list[tuple[int, int]]:
        line = source.lines[number]
        comment = _COMMENT.search(line) if sounds_secret(line) else None
        spans = [(comment.start(1), len(line))] if comment else []
        spans += [(start, end) for at, start, end in self._spans_of(source, number) if at == number]
        for secret in self.secret_texts:
            at = line.find(secret) if len(secret) >= _SHORTEST_SECRET else -1
            while at >= 0:
                spans.append((at, at + len(secret)))
                at = line.find(secret, at + 1)
        return _joined(spans)

    def _spans_of(self, source: Source, number: int) -> list[Span]:
        from provision.spec.masking import (  # noqa: PLC0415 - only a mistake needs it
            hidden_in_broken,
            hidden_spans,
        )

        document = self.documents.get(source.file)
        if document is None:
            return hidden_in_broken(source.lines, number)
        if source.file not in self._spans:
            self._spans[source.file] = hidden_spans(document)
        return self._spans[source.file]


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _cut(cells: list[str], caret: int, caret_end: int) -> Quote:
    """Join cells to at most _WIDTH columns around the caret."""
    caret = min(caret, len(cells))
    caret_end = min(max(caret_end, caret + 1), max(len(cells), caret + 1))
    first = 0
    while _width(cells[first:caret]) > _BEFORE + 20:
        first += max(1, (caret - first) - _BEFORE)
    last = first
    shown = 0
    while last < len(cells) and shown < _WIDTH:
        shown += _width(cells[last : last + 1])
        last += 1
    before = "…" if first else ""
    text = before + "".join(cells[first:last]) + ("…" if last < len(cells) else "")
    start = len(before) + _width(cells[first:caret])
    marked = _width(cells[caret : min(caret_end, last)])
    return Quote(text.rstrip(), start, start + max(marked, 1))


def _width(cells: list[str]) -> int:
    """Terminal columns: wide East Asian characters take two, combining ones none (UAX #11)."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for cell in cells
        for char in cell
    )
