"""Observe hosts: one round trip each, read-only, all at the same time."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar

from provision.assets import playbooks_dir
from provision.errors import HostUnreachable, ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.session import Session
from provision.hosts.target import Target
from provision.plan.request import short_request

A = TypeVar("A")
T = TypeVar("T")

_SCRIPT = Path(__file__).with_name("observer_script.py")
_LEAVING = Path(__file__).with_name("leaving_script.py")
_BASE = Path(__file__).with_name("observer_base.py")
_START = "python3 -I -S -c 'import sys,zlib;exec(zlib.decompress(sys.stdin.buffer.read()))'"
_UNKNOWN_BASE = b'{"unknown_base"'
WIDEST = 256
"""Hosts that are reached at the same time: a session is three open files, and 1024 are usual."""


def observe(target: Target, connection: Connection, request: str, base: str = "") -> bytes:
    """Connect and ask a host once; ``request`` comes from provision.plan.request.

    ``base`` is what it was asked when nothing differed: a long question then says only what is
    another one now, and is asked in full when the host has moved since. The reply is JSON for
    ``HostState.parse``; equal states give equal bytes. Raises as ``ask``.
    """
    short = short_request(request, base)
    with Session.open(target, connection) as session:
        reply = _unpacked(target, _run(session, observer(short)))
        if short != request and reply.startswith(_UNKNOWN_BASE):
            reply = _unpacked(target, _run(session, observer(request)))
    return reply


def _unpacked(target: Target, reply: bytes) -> bytes:
    try:
        return zlib.decompress(reply)
    except zlib.error:
        raise _no_observation(target) from None


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


def observer(request: str) -> bytes:
    """The program that looks at a host: the observer, the modules it reads with, the question."""
    question = f"answer(json.loads({request!r}), store, archive, leaving, short.complete)"
    # Thousands of files and sites answer in megabytes, nearly all of which repeats itself.
    answer = f"zlib.compress(json.dumps({question}).encode(), 1)"
    return f"{looking()}import zlib\nsys.stdout.buffer.write({answer})\n".encode()


def looking() -> str:
    """The observer with ``store``, ``archive`` and ``leaving``: it asks nothing yet.

    What only a difference needs is loaded then.
    """
    return (
        f"{_SCRIPT.read_text()}\n"
        f"short = load_module('observer_base', {_BASE.read_text()!r})\n"
        f"{_loading('provision_steps')}\n"
        f"store = {_loading('provision_account_store')}\n"
        f"{_loading('provision_holder')}\n"
        f"archive = lambda: {_loading('provision_account_archive')}\n"
        f"leaving = load_module('leaving_script', {_LEAVING.read_text()!r})\n"
        f"leaving.load_removal = lambda: ({_loading('provision_commands')},"
        f" {_loading('provision_removal')})[1]\n"
    )


def _loading(name: str) -> str:
    """The expression that makes one of the host's modules there."""
    source = (playbooks_dir() / "module_utils" / f"{name}.py").read_text()
    return f"load_module({name!r}, {source!r})"


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
