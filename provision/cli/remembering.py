"""What history, status, drift and rollback begin with: the hosts, and what they remember."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provision.cli.desired import choose_hosts
from provision.cli.printing import print_failures
from provision.cli.spec_loading import load_or_exit
from provision.errors import ExitCode, ProvisionError

if TYPE_CHECKING:
    from provision.hosts.connection import Connection
    from provision.model.fleet import Host
    from provision.plan.generations import Memory

FORMAT = "1.0"
"""Version of the JSON documents: a new minor only adds keys, a new major may change them."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the hosts said, by host name, and why the others did not."""

    hosts: tuple[Host, ...]
    connection: Connection
    memories: Mapping[str, Memory]
    failures: Mapping[str, ProvisionError]

    def exit_code(self, code: int = ExitCode.DONE) -> int:
        """``code``, or that of a host that was not reached; those are told on stderr."""
        print_failures(self.failures)
        if self.failures:
            return max(error.exit_code for error in self.failures.values())
        return code

    def print_json(self, hosts: list[dict[str, Any]], **more: Any) -> None:
        """The versioned document on standard output; ``more`` are further keys of it."""
        unreached = {name: error.message for name, error in self.failures.items()}
        document = {"format_version": FORMAT, "hosts": hosts, "unreached": unreached, **more}
        click.echo(json.dumps(document, indent=2))


def ask_hosts(
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    *,
    contents: bool = False,
) -> Remembered:
    """Ask the chosen hosts what they remember, one round trip each."""
    from provision.hosts.connection import Connection  # noqa: PLC0415 - start-up time
    from provision.hosts.memory import recall  # noqa: PLC0415

    connection = Connection.of_fleet(fleet_dir)
    connection.enter()
    chosen = choose_hosts(load_or_exit(fleet_dir, vault_password_file), hosts)
    targets = [connection.target_of(host) for host in chosen]
    memories, failures = recall(targets, connection, contents=contents)
    return Remembered(chosen, connection, memories, failures)
