"""How to reach the hosts of a fleet: through its pinned keys, or through the lab it runs in."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import HostUnreachable
from provision.hosts.target import Target

if TYPE_CHECKING:
    from provision.model.fleet import Host


@dataclass(frozen=True, slots=True)
class Connection:
    """What every host of a fleet is reached with. None of it is a secret."""

    known_hosts: Path
    user: str | None = None
    """Login that overrides the spec's; None: each host's own."""
    private_key: Path | None = None
    """None: the person's agent and default keys."""
    namespace: Path | None = None
    """Network namespace of a lab that the whole process enters."""
    resolver: str | None = None
    """Address of the name server that knows the lab's names."""
    authority: Path | None = None
    """PEM of extra trust, the lab's outside world."""

    @classmethod
    def of_fleet(cls, fleet_dir: Path) -> Connection:
        """The lab's connection when one is up for this fleet, otherwise FLEET/known_hosts."""
        path = fleet_dir / ".provision" / "connection.json"
        try:
            values = json.loads(path.read_text())
        except FileNotFoundError:
            return cls(known_hosts=fleet_dir / "known_hosts")
        if values.get("version") != 1:
            raise HostUnreachable(
                f"{path} was written by another version of provision",
                hint="provision lab down, then provision lab up",
            )
        return cls(
            known_hosts=Path(values["known_hosts"]),
            user=values.get("user"),
            private_key=Path(values["private_key"]),
            namespace=Path(values["netns"]),
            resolver=values.get("resolver"),
            authority=Path(values["ca"]) if values.get("ca") else None,
        )

    @property
    def is_lab(self) -> bool:
        """True when the hosts are machines of a lab."""
        return self.namespace is not None

    def target_of(self, host: Host) -> Target:
        """Where a session to a host goes."""
        return Target(host.name, host.address, host.ssh_port, self.user or host.ssh_user)

    def enter(self) -> None:
        """Go where the hosts can be reached; call it before any thread is started.

        Raises HostUnreachable when the lab's network is gone.
        """
        if self.namespace is None:
            return
        from provision.hosts.namespace import enter_namespace  # noqa: PLC0415 - only labs need it

        try:
            enter_namespace(self.namespace)
        except PermissionError as error:
            raise HostUnreachable("entering the lab's network needs root", hint="sudo") from error
        except FileNotFoundError as error:
            raise HostUnreachable(
                "the lab of this fleet is not running",
                hint=f"provision lab up -i {os.path.relpath(self.known_hosts.parent)}",
            ) from error
