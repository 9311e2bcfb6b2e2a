"""Look at many site files with every processor: children of this process take a share each.

A child is a copy of this process (fork(2)), so it has the contents and the secrets already, and
sends back outlines only. Few files are looked at here: a child costs more than it saves then.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any, Self

from provision.model.address import Domain
from provision.spec.looking import Claims, Looker, Surroundings, UnclearError
from provision.spec.outline import Outline

WORTH_IT = 1024**2
"""Bytes of site files from which on children pay for themselves."""
_MOST = 8
_UNCLEAR = "unclear"


class Crew:
    """Looks at files as one Looker does; use it as a context manager."""

    def __init__(self, around: Surroundings, contents: Mapping[str, bytes]) -> None:
        self._around = around
        shares = _shares(contents)
        self._own_share = Looker(around)
        self._first = shares[0]
        self._others = [_Child(around, share) for share in shares[1:]]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for child in self._others:
            child.end()

    def read(self) -> Claims:
        """The domains that all files claim; raises UnclearError."""
        claims = dict(self._own_share.read(self._first))
        for child in self._others:
            claims.update(child.answer())
        return claims

    def look(self, own: Mapping[Domain, Domain]) -> dict[str, Outline]:
        """The outline of every file; raises UnclearError."""
        for child in self._others:
            child.tell(own)
        outlines = self._own_share.look(own)
        for child in self._others:
            outlines.update(
                (file, Outline.from_values(values)) for file, values in child.answer().items()
            )
        return outlines


class _Child:
    def __init__(self, around: Surroundings, share: Mapping[str, bytes]) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, around, share), daemon=True)
        self._process.start()
        theirs.close()

    def tell(self, own: Mapping[Domain, Domain]) -> None:
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self._pipe.send(own)

    def answer(self) -> Any:
        try:
            answer = self._pipe.recv()
        except EOFError:
            raise UnclearError from None
        if answer == _UNCLEAR:
            raise UnclearError
        return answer

    def end(self) -> None:
        self._pipe.close()
        self._process.kill()
        self._process.join()


def _work(pipe: Connection, around: Surroundings, share: Mapping[str, bytes]) -> None:
    looker = Looker(around)
    try:
        pipe.send(dict(looker.read(share)))
        outlines = looker.look(pipe.recv())
        pipe.send({file: outline.as_values() for file, outline in outlines.items()})
    except UnclearError:
        pipe.send(_UNCLEAR)
    except (EOFError, KeyboardInterrupt):
        pass  # the parent has gone on without us


def _shares(contents: Mapping[str, bytes]) -> list[dict[str, bytes]]:
    """One share for each processor that is worth it, of about equal size."""
    size = sum(map(len, contents.values()))
    # A copy of a process has one thread only: the locks of the others would never be opened.
    alone = threading.active_count() == 1
    count = min(_MOST, len(os.sched_getaffinity(0)), 1 + size // WORTH_IT) if alone else 1
    names = sorted(contents, key=lambda name: len(contents[name]))
    return [{name: contents[name] for name in names[part::count]} for part in range(count)]
