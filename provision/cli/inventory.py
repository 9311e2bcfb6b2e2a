"""``provision inventory``: the fleet as an Ansible dynamic inventory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provision.cli.desired import choose_hosts
from provision.cli.spec_loading import load_or_exit, spec_options
from provision.errors import ExitCode, UsageWrong

if TYPE_CHECKING:
    from provision.hosts.connection import Connection
    from provision.hosts.target import Target

FORMAT = "1.0"
"""Version of what we put into Ansible's format, where Ansible lets others speak: in ``_meta``."""


@click.command("inventory")
@spec_options
@click.option("--list", "is_list", is_flag=True, help="Every host and group.")
@click.option("--host", "name", metavar="NAME", help="The variables of one host.")
def command(
    *, fleet_dir: Path, vault_password_file: Path | None, is_list: bool, name: str | None
) -> int:
    r"""Print the fleet for Ansible, so that plain ansible works on the same hosts.

    \b
    Examples:
      provision inventory -i inventories/demo --list
      provision inventory -i inventories/demo --host mail1
      printf '#!/bin/sh\nexec provision inventory -i inventories/demo "$@"\n' > hosts.sh
      chmod +x hosts.sh && ansible -i hosts.sh all -m ping
    """
    from provision.hosts.connection import Connection  # noqa: PLC0415 - start-up time

    if is_list == (name is not None):
        raise UsageWrong("give either --list or --host NAME")
    fleet = load_or_exit(fleet_dir, vault_password_file)
    connection = Connection.of_fleet(fleet_dir)
    variables = {
        host.name: _variables(connection.target_of(host), connection)
        for host in choose_hosts(fleet, (name,) if name else ())
    }
    document: dict[str, Any] = variables[name] if name else {"all": {"hosts": list(variables)}}
    if not name:
        document["_meta"] = {"hostvars": variables, "format_version": FORMAT}
    click.echo(json.dumps(document, indent=2))
    return ExitCode.DONE


def _variables(target: Target, connection: Connection) -> dict[str, Any]:
    """Addresses and names only, all of them checked by the spec: Ansible runs Jinja in values."""
    options = f"-o UserKnownHostsFile={connection.known_hosts.resolve()}"
    values: dict[str, Any] = {
        "ansible_host": target.address,
        "ansible_port": target.port,
        "ansible_user": target.user,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_common_args": f"{options} -o StrictHostKeyChecking=yes",
    }
    if connection.private_key:
        values["ansible_ssh_private_key_file"] = str(connection.private_key)
    return values
