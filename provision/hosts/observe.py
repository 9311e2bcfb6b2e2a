"""Observe hosts: one round trip each, read-only, all at the same time."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from provision.assets import playbooks_dir
from provision.errors import HostUnreachable, ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.session import Session
from provision.hosts.target import Target
from provision.plan.request import short_request

T = TypeVar("T")

_SCRIPT = Path(__file__).with_name("observer_script.py")
_BASE = Path(__file__).with_name("observer_base.py")
_LARGEST_POOL = 32
_START = "python3 -I -S -c 'import sys,zlib;exec(zlib.decompress(sys.stdin.buffer.read()))'"
_UNKNOWN_BASE = b'{"unknown_base"'


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
    question = f"answer(json.loads({request!r}), store, archive, short.complete)"
    # Thousands of files and sites answer in megabytes, nearly all of which repeats itself.
    answer = f"zlib.compress(json.dumps({question}).encode(), 1)"
    return f"{looking()}import zlib\nsys.stdout.buffer.write({answer})\n".encode()


def looking() -> str:
    """The observer with ``store`` and ``archive``, account data's modules: it asks nothing yet."""
    modules = playbooks_dir() / "module_utils"
    store = (modules / "provision_account_store.py").read_text()
    archive = (modules / "provision_account_archive.py").read_text()
    holder = (modules / "provision_holder.py").read_text()
    return (
        f"{_SCRIPT.read_text()}\n"
        f"short = load_module('observer_base', {_BASE.read_text()!r})\n"
        f"store = load_module('provision_account_store', {store!r})\n"
        f"load_module('provision_holder', {holder!r})\n"
        f"archive = lambda: load_module('provision_account_archive', {archive!r})\n"
    )


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
    targets: Sequence[Target], work: Callable[[Target], T]
) -> tuple[dict[str, T], dict[str, ProvisionError]]:
    """Run ``work`` for every target in threads: results and failures, both by host name."""
    results: dict[str, T] = {}
    failures: dict[str, ProvisionError] = {}

    def attempt(target: Target) -> None:
        try:
            results[target.name] = work(target)
        except ProvisionError as error:
            failures[target.name] = error

    with ThreadPoolExecutor(max_workers=min(_LARGEST_POOL, max(1, len(targets)))) as pool:
        list(pool.map(attempt, targets))
    return _in_order(targets, results), _in_order(targets, failures)


def _in_order(targets: Sequence[Target], values: Mapping[str, T]) -> dict[str, T]:
    return {target.name: values[target.name] for target in targets if target.name in values}
