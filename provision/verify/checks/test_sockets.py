"""Sockets: each daemon has read its configuration, and Postfix reaches its neighbours.

A reload can fail silently, and a file can be put back after it was read: what is on disk then says
nothing about what runs. Each configuration declares a socket named after its own content.
"""

from __future__ import annotations

from provision.model.bundle import Bundle
from provision.verify.outcome import require_none
from provision.verify.snapshot import Snapshot
from provision.verify.sockets import sockets_of_postfix


def test_daemons_run_their_configuration(bundle: Bundle, snapshot: Snapshot) -> None:
    """Every daemon has read the configuration that the spec asks for, and runs with it."""
    wrong = [
        f"{unit.name} runs with another configuration: {snapshot.refusals[unit.live_socket]}"
        for unit in bundle.units
        if unit.live_socket in snapshot.refusals
    ]
    require_none(wrong, hint="Reload the unit, and look at its journal: a reload can be refused.")


def test_postfix_reaches_its_neighbours(bundle: Bundle, snapshot: Snapshot) -> None:
    """The services that Postfix delivers to and asks take its connections."""
    wrong = [
        f"{path} does not answer: {snapshot.refusals[path]}"
        for path in sockets_of_postfix(bundle)
        if path in snapshot.refusals
    ]
    require_none(wrong, hint="Mail or logins wait: run `systemctl restart dovecot` on the host.")
