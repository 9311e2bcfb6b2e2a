"""``provision mailbox``: the mailboxes that hosts have, and the archives of those that left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.host_options import host_option
from provision.cli.lock_options import lock_options
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode, Refused, UsageWrong

if TYPE_CHECKING:
    from provision.apply.lock_wish import Wish


@click.group("mailbox")
def command() -> None:
    r"""Mailboxes as the hosts have them, and the archives of removed ones.

    A mailbox that leaves the spec is archived with its mail. It comes back with restore, and only
    purge ever deletes it.

    \b
    Examples:
      provision mailbox list
      provision mailbox restore bob@acme.example
      provision mailbox purge --expired
    """


@command.command("list")
@spec_options
@host_option
@click.option("--site", "sites", multiple=True, metavar="DOMAIN", help="Only this site.")
@click.option("--archived", is_flag=True, help="The archives of removed mailboxes instead.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_command(  # noqa: PLR0913 - click hands over every option by name
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    sites: tuple[str, ...],
    archived: bool,
    form: str,
) -> int:
    r"""List the mailboxes on the hosts with their mail, or the archives.

    \b
    Examples:
      provision mailbox list --site acme.example
      provision mailbox list --archived
      provision mailbox list --archived --format json
    """
    from provision.cli.mailbox_hosts import MailboxHosts  # noqa: PLC0415
    from provision.cli.mailbox_lists import show_lists  # noqa: PLC0415 - start-up time

    asked = MailboxHosts(fleet_dir, vault_password_file, hosts)
    show_lists(asked.lists(), sites, archived=archived, is_json=form == "json")
    return asked.exit_code()


@command.command("restore")
@spec_options
@host_option
@click.argument("address")
@click.option("--archive", default="", metavar="NAME", help="This archive; else the newest one.")
@click.option("--yes", is_flag=True, help="Do not ask, even where newer mail goes to the archive.")
@lock_options("restore")
def restore_command(  # noqa: PLR0913 - click hands over every option by name
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    address: str,
    archive: str,
    yes: bool,
    wish: Wish,
) -> int:
    r"""Bring an archived mailbox back: all folders, flags and UIDs, and its password.

    ADDRESS must be in the spec again, and applied. Mail that has come since goes to the archive in
    exchange; that is asked first. The password is the one that it had, unless the spec gives
    another one now.

    Exit 6: refused, nothing was changed.

    \b
    Examples:
      provision mailbox restore bob@acme.example
      provision mailbox restore bob@acme.example --archive 20261123T190700Z-bob@acme.example
    """
    from provision.cli.mailbox_hosts import MailboxHosts  # noqa: PLC0415 - start-up time

    asked = MailboxHosts(fleet_dir, vault_password_file, hosts)
    host = asked.host_with(address, archive)
    with asked.locked([host], wish):
        answer = asked.restore(host, address, archive, replace=yes)
        if answer["outcome"] == "has_mail":
            from provision.plan.kept import amount_words  # noqa: PLC0415

            there = amount_words(answer["messages"], answer["bytes"])
            _require_somebody("--yes puts that mail into the archive")
            click.confirm(f"{address} holds {there} now. Put that into the archive?", abort=True)
            answer = asked.restore(host, address, archive, replace=True)
    _tell_restored(address, host, answer)
    return ExitCode.DONE


def _tell_restored(address: str, host: str, answer: dict[str, object]) -> None:
    from provision.plan.kept import amount_words  # noqa: PLC0415 - start-up time

    if answer["outcome"] == "no_mailbox":
        raise Refused(
            f"{host} has no mailbox {address}; nothing was changed",
            hint="add it to the spec again, provision apply, then restore it",
        )
    if answer["outcome"] != "done":
        raise Refused(f"{host} has no archive of {address}", hint="provision mailbox list")
    amount = amount_words(int(str(answer["messages"])), int(str(answer["bytes"])))
    click.echo(f"{address} is back on {host}: {amount}.")
    click.echo(
        "Its password is the one that it had."
        if answer["password"]
        else "Its password is the one of the spec now."
    )


@command.command("purge")
@spec_options
@host_option
@click.argument("address", required=False)
@click.option("--expired", is_flag=True, help="Every archive whose time is over.")
@click.option("--yes", is_flag=True, help="Do not ask; for timers.")
@lock_options("purge")
def purge_command(  # noqa: PLR0913 - click hands over every option by name
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    address: str | None,
    expired: bool,
    yes: bool,
    wish: Wish,
) -> int:
    r"""Delete archived mail for good: all archives of ADDRESS, or those whose time is over.

    This is the only way in which mail is ever deleted. A mailbox that exists is not touched.

    \b
    Examples:
      provision mailbox purge bob@acme.example
      provision mailbox purge --expired --yes
    """
    from provision.cli.mailbox_hosts import MailboxHosts  # noqa: PLC0415 - start-up time
    from provision.cli.mailbox_lists import archive_lines, doomed  # noqa: PLC0415
    from provision.cli.printing import print_lines  # noqa: PLC0415

    if bool(address) == expired:
        raise UsageWrong("name one ADDRESS, or give --expired", hint="provision mailbox purge -h")
    asked = MailboxHosts(fleet_dir, vault_password_file, hosts)
    chosen = doomed(asked.lists(), address)
    if not chosen:
        click.echo("No archive to purge.")
        return asked.exit_code()
    print_lines(archive_lines(chosen))
    if not yes:
        _require_somebody("look at the list, then add --yes")
        count = len(chosen)
        click.confirm(f"Delete {count} archive{'s' * (count != 1)} for good?", abort=True)
    with asked.locked(sorted({archive["host"] for archive in chosen}), wish):
        for host, names in asked.purge(chosen).items():
            click.echo(f"{host}: {len(names)} deleted.")
    return asked.exit_code()


def _require_somebody(hint: str) -> None:
    import sys  # noqa: PLC0415 - only where somebody must be asked

    if not sys.stdin.isatty():
        raise Refused("nobody can be asked here; nothing was changed", hint=hint)
