"""Ports: what must answer does, and nothing else can be reached from outside."""

from __future__ import annotations

from typing import Any

from provision.verify.outcome import require
from provision.verify.snapshot import Snapshot
from provision.verify.target import ReachedTarget

PUBLIC = {
    25: "Postfix",
    465: "Postfix",
    587: "Postfix",
    993: "Dovecot",
    995: "Dovecot",
    4190: "Dovecot",
    80: "nginx",
    443: "nginx",
}
"""What a mail host offers to the world (RFC 5321, 8314, 5804, 9110)."""

_PROGRAMS = {"Postfix": "master", "Dovecot": "dovecot", "nginx": "nginx"}


def test_public_ports_are_open(host: Any) -> None:
    """The ports of mail, Sieve and webmail are open to the world."""
    for port, daemon in PUBLIC.items():
        require(
            host.socket(f"tcp://0.0.0.0:{port}").is_listening,
            f"nothing listens on port {port}, where {daemon} should",
            hint=f"Look at the journal of {daemon}.",
        )


def test_ports_belong_to_their_daemons(snapshot: Snapshot) -> None:
    """Each public port is held by the daemon that it is meant for."""
    for listener in snapshot.listeners:
        daemon = PUBLIC.get(listener.port)
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
    allowed = {*PUBLIC, target.target.host.ssh_port}
    for listener in snapshot.listeners:
        require(
            listener.is_local or listener.port in allowed,
            f"{', '.join(listener.programs) or 'something'} listens on "
            f"{listener.address}:{listener.port}",
            hint="Stop it, or bind it to the loopback address.",
        )
