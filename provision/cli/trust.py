"""``provision trust``: pin a host's SSH key after a person has compared its fingerprint."""

from __future__ import annotations

from pathlib import Path

import click

from provision.cli.desired import choose_hosts
from provision.cli.spec_loading import load_or_exit, spec_options
from provision.errors import ExitCode, Refused, UsageWrong


@click.command("trust")
@spec_options
@click.argument("hosts", nargs=-1, required=True, metavar="HOST...")
@click.option(
    "--fingerprint",
    metavar="SHA256:...",
    help="Pin only if the key has this fingerprint; asks nothing. For one host.",
)
def command(
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    fingerprint: str | None,
) -> int:
    r"""Show HOST's SSH key and, after a yes, pin it in FLEET/known_hosts.

    Compare the fingerprint with what the host itself says on its console:
    ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub

    Exit 5: the host cannot be reached; 6: the key is another one than you named.

    \b
    Examples:
      provision trust mail1
      provision trust mail1 --fingerprint SHA256:WkzYyP2Z...
    """
    from provision.hosts.connection import Connection  # noqa: PLC0415 - start-up time
    from provision.hosts.host_keys import offered_key, pin  # noqa: PLC0415

    if fingerprint and len(hosts) != 1:
        raise UsageWrong("--fingerprint names the key of one host", hint="name one HOST")
    connection = Connection.of_fleet(fleet_dir)
    connection.enter()
    for host in choose_hosts(load_or_exit(fleet_dir, vault_password_file), hosts):
        target = connection.target_of(host)
        key = offered_key(target)
        click.echo(f"{host.name} ({host.address}) offers {key.algorithm} {key.fingerprint}")
        if fingerprint is None:
            click.confirm("Is that its fingerprint?", abort=True)
        elif fingerprint != key.fingerprint:
            raise Refused(
                f"{host.name}: that is not the key you named; nothing was pinned",
                hint="someone may be in between: look on the host's console",
            )
        pin(key, target, connection.known_hosts)
        click.echo(f"Pinned in {connection.known_hosts}.")
    return ExitCode.DONE
