"""Observe hosts: one round trip each, read-only, all at the same time."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, TypeVar

from provision.errors import HostUnreachable, ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.observer_program import glance, observer
from provision.hosts.session import Session
from provision.hosts.target import Target
from provision.plan.request import short_request

A = TypeVar("A")
T = TypeVar("T")

_START = "python3 -I -S -c 'import sys,zlib;exec(zlib.decompress(sys.stdin.buffer.read()))'"
_UNKNOWN_BASE = b'{"unknown_base"'
WIDEST = 256
"""Hosts that are reached at the same time: a session is three open files, and 1024 are usual."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host answered."""

    content: bytes
    """JSON for ``HostState.parse``; equal states give equal bytes."""
    glance: str
    """By which the host is known to be as it was then; empty where that cannot be said."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a host was asked when nothing differed, and by what it is known to be the same."""

    request: str
    glance: str
    units: Sequence[str]


def observe(
    target: Target, connection: Connection, request: str, base: str = "", *, thorough: bool = False
) -> Reply:
    """Connect and ask a host once; ``request`` comes from provision.plan.request.

    ``base`` is what it was asked when nothing differed: a long question then says only what is
    another one now, and is asked in full when the host has moved since. ``thorough``: every file
    is read, also those that have not changed since an apply read them. Raises as ``ask``.
    """
    with Session.open(target, connection) as session:
        return _observe(session, request, base, thorough=thorough)


def observe_again(target: Target, connection: Connection, known: Known) -> Reply | None:
    """Glance at a host; None when it is as it was, else what ``observe`` gives."""
    with Session.open(target, connection) as session:
        if known.glance and _run(session, glance(known.units)).decode() == known.glance:
            return None
        return _observe(session, known.request, "", thorough=False)


def _observe(session: Session, request: str, base: str, *, thorough: bool) -> Reply:
    short = short_request(request, base)
    reply = _unpacked(session.target, _run(session, observer(short, thorough=thorough)))
    if short != request and reply.content.startswith(_UNKNOWN_BASE):
        whole = observer(request, thorough=thorough)
        reply = _unpacked(session.target, _run(session, whole))
    return reply


def _unpacked(target: Target, reply: bytes) -> Reply:
    try:
        glance, _, content = zlib.decompress(reply).partition(b"\n")
    except zlib.error:
        raise _no_observation(target) from None
    return Reply(content, glance.decode())


def ask(target: Target, connection: Connection, program: bytes) -> bytes:
    """Connect, run a Python program on the host and return what it prints: one round trip.

    Raises HostUnreachable, or ProvisionError when the host answered with something else.
    """
    with Session.open(target, connection) as session:
        return _run(session, program)


def _run(session: Session, program: bytes) -> bytes:
    answer = session.run(_START, stdin=zlib.compress(program, 9))
    if answer.status != 0:
        raise _failed(session.target, answer.errors)
    return answer.output


def parse_reply(target: Target, reply: bytes) -> dict[str, Any]:
    """The reply's JSON; raises ProvisionError when it is none."""
    try:
        values: dict[str, Any] = json.loads(reply)
    except ValueError:
        raise _no_observation(target) from None
    return values


def _no_observation(target: Target) -> ProvisionError:
    return ProvisionError(
        f"{target.name} answered something that is no observation",
        hint="does its shell print text at login? ssh to it and run: true",
    )


def _failed(target: Target, errors: bytes) -> ProvisionError:
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    last = lines[-1] if lines else "no message"
    if "sudo" in last or "python3" in last:
        return HostUnreachable(
            f"{target.name}: {last}", hint="the login needs python3, and sudo without a password"
        )
    return ProvisionError(f"{target.name} answered, but could not be observed: {last}")


def on_each(
    targets: Sequence[Target], reach: Callable[[Target], A], read: Callable[[Target, A], T]
) -> tuple[dict[str, T], dict[str, ProvisionError]]:
    """Reach every target at the same time, and read what each gives: results and failures by name.

    ``reach`` runs in threads, as many as there are targets, so that those that never answer cost
    one timeout together. ``read`` works here, one at a time: reading is work for a processor.
    """
    results: dict[str, T] = {}
    failures: dict[str, ProvisionError] = {}
    with ThreadPoolExecutor(max_workers=min(WIDEST, max(1, len(targets)))) as pool:
        asked = {pool.submit(reach, target): target for target in targets}
        for answer in as_completed(asked):
            target = asked[answer]
            try:
                results[target.name] = read(target, answer.result())
            except ProvisionError as error:
                failures[target.name] = error
    return _in_order(targets, results), _in_order(targets, failures)


def _in_order(targets: Sequence[Target], values: Mapping[str, T]) -> dict[str, T]:
    return {target.name: values[target.name] for target in targets if target.name in values}
