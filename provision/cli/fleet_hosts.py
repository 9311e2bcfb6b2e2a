"""Named hosts of a fleet as ``hold`` and ``unlock`` ask them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision.apply.audit import stamp_now
from provision.cli.desired import choose_hosts
from provision.cli.spec_loading import load_or_exit
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.holds import ask_hold, ask_unlock
from provision.hosts.memory import recall
from provision.hosts.observe import on_each
from provision.hosts.target import Target
from provision.plan.state import Hold

Answers = tuple[dict[str, dict[str, Any]], dict[str, ProvisionError]]
"""What the hosts said, and why others did not, by host name."""


@dataclass(frozen=True, slots=True)
class FleetHosts:
    """The hosts, the way to them, and who asks."""

    targets: tuple[Target, ...]
    connection: Connection
    who: str

    @classmethod
    def of(
        cls, fleet_dir: Path, vault_password_file: Path | None, hosts: tuple[str, ...]
    ) -> FleetHosts:
        """The named hosts; raises UsageWrong for a name that the fleet has not."""
        connection = Connection.of_fleet(fleet_dir)
        connection.enter()
        chosen = choose_hosts(load_or_exit(fleet_dir, vault_password_file), hosts)
        targets = tuple(connection.target_of(host) for host in chosen)
        return cls(targets, connection, stamp_now(fleet_dir).who)

    def ask(self, request: Mapping[str, Any]) -> Answers:
        """Put the same request about a hold to all of them."""
        return on_each(self.targets, lambda target: ask_hold(target, self.connection, request))

    def holds(self) -> Mapping[str, Hold]:
        """The holds that stand, by host name."""
        memories, _failures = recall(self.targets, self.connection)
        return {name: m.state.hold for name, m in memories.items() if m.state.hold is not None}

    def unlock(self, lock: str) -> Answers:
        """End the lock with this id."""
        return on_each(
            self.targets,
            lambda target: ask_unlock(target, self.connection, lock=lock, who=self.who),
        )
