"""What is verified: one host with what it should be, and what was seen when it was reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provision.model.bundle import Bundle
from provision.model.certificate import Certificates
from provision.model.fleet import Fleet, Host, Site
from provision.verify.remote_shell import RemoteShell
from provision.verify.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Target:
    """One host and its desired state. ``sites``: those that were asked for, sorted by domain."""

    fleet: Fleet
    host: Host
    sites: tuple[Site, ...]
    bundle: Bundle
    certificates: Certificates


@dataclass(frozen=True, slots=True)
class ReachedTarget:
    """A target with a session to it: what the checks are given."""

    target: Target
    shell: RemoteShell
    testinfra: Any
    """testinfra's ``Host``; it has no type information."""
    snapshot: Snapshot

    @property
    def name(self) -> str:
        """The host's name in the fleet."""
        return self.target.host.name
