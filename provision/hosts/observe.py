"""Observe hosts: one round trip each, read-only, all at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from provision.assets import playbooks_dir
from provision.errors import HostUnreachable, ProvisionError
from provision.hosts.session import Session
from provision.model.fleet import Host
from provision.plan.state import HostState

T = TypeVar("T")

_SCRIPT = Path(__file__).with_name("observer_script.py")
_LARGEST_POOL = 32


def observe_host(session: Session, request: str) -> HostState:
    """Ask a host once; ``request`` comes from provision.plan.request."""
    answer = session.run("python3 -I -S -", stdin=observer(request))
    if answer.status != 0:
        raise _failed(session.host, answer.errors)
    state = HostState.parse(json.loads(answer.output))
    if state.release != session.host.release:
        raise ProvisionError(
            f"{session.host.name}: the spec says {session.host.release},"
            f" but the host runs {state.release}",
            hint="correct `release` in fleet.yml",
        )
    return state


def observer(request: str) -> bytes:
    """The program that looks at a host: the observer, the module on account data, the question."""
    store = (playbooks_dir() / "module_utils" / "provision_account_store.py").read_text()
    return (
        f"{_SCRIPT.read_text()}\n"
        f"store = load_module('provision_account_store', {store!r})\n"
        f"print(json.dumps(answer(json.loads({request!r}), store)))\n"
    ).encode()


def _failed(host: Host, errors: bytes) -> ProvisionError:
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    last = lines[-1] if lines else "no message"
    if "sudo" in last or "python3" in last:
        return HostUnreachable(
            f"{host.name}: {last}", hint="the login needs python3 and sudo without a password"
        )
    return ProvisionError(f"{host.name} answered, but could not be observed: {last}")


def on_each(
    hosts: Sequence[Host], work: Callable[[Host], T]
) -> tuple[dict[str, T], dict[str, ProvisionError]]:
    """Run ``work`` for every host in threads: results and failures, both by host name."""
    results: dict[str, T] = {}
    failures: dict[str, ProvisionError] = {}

    def attempt(host: Host) -> None:
        try:
            results[host.name] = work(host)
        except ProvisionError as error:
            failures[host.name] = error

    with ThreadPoolExecutor(max_workers=min(_LARGEST_POOL, max(1, len(hosts)))) as pool:
        list(pool.map(attempt, hosts))
    return _in_order(hosts, results), _in_order(hosts, failures)


def _in_order(hosts: Sequence[Host], values: Mapping[str, T]) -> dict[str, T]:
    return {host.name: values[host.name] for host in hosts if host.name in values}
