"""Ports: what must answer does, and nothing else can be reached from outside."""

from __future__ import annotations

from typing import Any

from provision.model.bundle import Bundle
from provision.verify.outcome import require
from provision.verify.snapshot import Snapshot
from provision.verify.target import ReachedTarget

_PROGRAMS = {"Postfix": "master", "Dovecot": "dovecot", "nginx": "nginx"}


def test_public_ports_are_open(host: Any, bundle: Bundle) -> None:
    """The ports of mail, Sieve and webmail are open to the world."""
    for port in bundle.ports:
        require(
            host.socket(f"tcp://0.0.0.0:{port.number}").is_listening,
            f"nothing listens on port {port.number}, where {port.program} should",
            hint=f"Look at the journal of {port.program}.",
        )


def test_ports_belong_to_their_daemons(bundle: Bundle, snapshot: Snapshot) -> None:
    """Each public port is held by the daemon that it is meant for."""
    public = {port.number: port.program for port in bundle.ports}
    for listener in snapshot.listeners:
        daemon = public.get(listener.port)
        if daemon is None or listener.is_local:
            continue
        require(
            _PROGRAMS[daemon] in listener.programs,
            f"port {listener.port} is held by {', '.join(listener.programs) or 'nobody'}, "
            f"not by {daemon}",
            hint="Another program took the port: stop it and start the daemon.",
        )


def test_nothing_else_listens_to_the_world(target: ReachedTarget, snapshot: Snapshot) -> None:
    """Apart from mail, web and SSH nothing listens to the world."""
    wanted = target.target
    firewall = wanted.host.firewall
    allowed = {wanted.host.ssh_port, *(port.number for port in wanted.bundle.ports)}
    allowed |= {opening.port for opening in firewall.also_open} if firewall else set()
    for listener in snapshot.listeners:
        require(
            listener.is_local or listener.port in allowed,
            f"{', '.join(listener.programs) or 'something'} listens on "
            f"{listener.address}:{listener.port}",
            hint="Stop it, or bind it to the loopback address.",
        )
