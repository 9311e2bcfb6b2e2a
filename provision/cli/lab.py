"""``provision lab``: rehearse a fleet on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from provision.cli.fleet_option import fleet_option
from provision.cli.lab_output import describe_labs, describe_mail, steps
from provision.cli.spec_loading import load_or_exit, spec_options
from provision.lab.cache import state_dir
from provision.lab.lab import Lab
from provision.lab.network import shut_out_of
from provision.lab.record import all_labs


@click.group("lab")
def command() -> None:
    r"""Rehearse the fleet on this machine: real Debian hosts on a network of their own.

    Nothing in a lab can reach the outside. While a lab is up, the other commands (plan, apply,
    verify ...) work on it instead of on the fleet's real hosts.

    \b
    Examples:
      provision lab up -i inventories/demo
      provision apply -i inventories/demo
      provision lab shell mail1 -i inventories/demo
      provision lab down -i inventories/demo
    """


@command.command("up")
@spec_options
def up(fleet_dir: Path, vault_password_file: Path | None) -> None:
    r"""Build and boot what is missing, and wait until every host answers.

    The first time builds a Debian image and fetches packages, which are kept for the next time.
    Running it again does no harm: it starts what is off, and follows changes of the fleet.

    \b
    Examples:
      provision lab up -i inventories/demo
      PROVISION_LAB_CACHE=/big/disk provision lab up
    """
    lab = Lab.open(fleet_dir)
    fleet = load_or_exit(fleet_dir, vault_password_file)
    with steps() as step:
        lab.up(fleet, progress=step)
    for name in shut_out_of(fleet):
        note = f"Note: the firewall of {name} keeps the lab's commands out; it will go back."
        click.echo(f"{note} For a rehearsal add 198.18.0.0/24 to its ssh_from.", err=True)
    click.echo(f"The lab {lab.name} is up. Next: provision apply -i {fleet_dir}")


@command.command("down")
@click.option("--keep", is_flag=True, help="Keep the disks: the next up boots the same machines.")
@click.option("--all", "every", is_flag=True, help="Every lab of this machine.")
@fleet_option
def down(fleet_dir: Path, *, keep: bool, every: bool) -> None:
    r"""Switch the lab off and remove its machines.

    \b
    Examples:
      provision lab down -i inventories/demo
      provision lab down --keep
      provision lab down --all
    """
    labs = [Path(record.fleet_dir) for _, record in all_labs(state_dir())] if every else [fleet_dir]
    for lab in map(Lab.open, labs):
        with steps() as step:
            lab.down(keep=keep, progress=step)
        click.echo(f"The lab {lab.name} is {'off; its disks are kept' if keep else 'gone'}.")


@command.command("list")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text: for people; json: one document.",
)
def list_labs(output: str) -> None:
    r"""List this machine's labs: hosts, what runs, addresses, and where webmail answers here.

    \b
    Examples:
      provision lab list
      provision lab list --format json | jq -r '.labs[].webmail[]'
    """
    click.echo(describe_labs(output))


@command.command("shell", context_settings={"ignore_unknown_options": True})
@click.argument("host")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option("--console", is_flag=True, help="Past the network: works when SSH does not.")
@fleet_option
def shell(fleet_dir: Path, host: str, argv: tuple[str, ...], *, console: bool) -> None:
    r"""Open a shell as root on HOST over SSH, or run a command there.

    \b
    Examples:
      provision lab shell mail1
      provision lab shell mail1 -- journalctl -u postfix -n 20
      provision lab shell --console mail1
    """
    argv_here = Lab.open(fleet_dir).shell_command(host, argv, console=console)
    sys.stdout.flush()
    os.execvp(argv_here[0], argv_here)  # noqa: S606 - this process becomes the shell


@command.command("cut")
@click.argument("host")
@click.option("--network", is_flag=True, help="Pull the network cable, not the power cord.")
@click.option("--restart", is_flag=True, help="Boot the host again at once.")
@fleet_option
def cut(fleet_dir: Path, host: str, *, network: bool, restart: bool) -> None:
    r"""Cut HOST's power, or its network: nothing in it is told, nothing ends in good order.

    \b
    Examples:
      provision lab cut mail1
      provision lab cut mail1 --restart
      provision lab cut mail1 --network      (provision lab plug mail1 undoes it)
    """
    if network and restart:
        raise click.UsageError("--restart goes with a power cut, not with --network")
    lab = Lab.open(fleet_dir)
    if network:
        lab.unplug(host)
        click.echo(f"{host} is off the network. Back: provision lab plug {host}")
        return
    lab.cut(host)
    if restart:
        lab.start(host)
    click.echo(f"{host} is {'up again' if restart else 'off. Back: provision lab up'}")


@command.command("plug")
@click.argument("host")
@fleet_option
def plug(fleet_dir: Path, host: str) -> None:
    r"""Put HOST's network cable back after ``cut --network``.

    \b
    Examples:
      provision lab plug mail1
    """
    Lab.open(fleet_dir).plug(host)
    click.echo(f"{host} is on the network again.")


@command.command("reboot")
@click.argument("host")
@fleet_option
def reboot(fleet_dir: Path, host: str) -> None:
    r"""Reboot HOST in good order and wait until it answers again.

    \b
    Examples:
      provision lab reboot mail1
    """
    with steps() as step:
        step(f"rebooting {host}")
        Lab.open(fleet_dir).reboot(host)
    click.echo(f"{host} is back.")


@command.command("snapshot")
@click.argument("host")
@click.argument("name")
@fleet_option
def snapshot(fleet_dir: Path, host: str, name: str) -> None:
    r"""Keep HOST's present state under NAME. The host is restarted; no data are copied.

    \b
    Examples:
      provision lab snapshot mail1 before
    """
    with steps() as step:
        step(f"restarting {host} around its snapshot")
        Lab.open(fleet_dir).snapshot(host, name)
    click.echo(f"Kept. To go back: provision lab restore {host} {name}")


@command.command("restore")
@click.argument("host")
@click.argument("name")
@fleet_option
def restore(fleet_dir: Path, host: str, name: str) -> None:
    r"""Make HOST what it was at the snapshot NAME, and boot it. What came after is lost.

    \b
    Examples:
      provision lab restore mail1 before
    """
    with steps() as step:
        step(f"booting {host} as it was at {name}")
        Lab.open(fleet_dir).restore(host, name)
    click.echo(f"{host} is as it was at {name}.")


@command.command("mail")
@click.argument("address", required=False)
@click.option("--login", metavar="NAME", help="Only what this login sent through the smarthost.")
@click.option("--full", is_flag=True, help="Show each message whole.")
@fleet_option
def mail(fleet_dir: Path, address: str | None, login: str | None, *, full: bool) -> None:
    r"""Show the mail that left the fleet: at the ISP's smarthost, or in the mailbox ADDRESS.

    The smarthost tells who had logged in. Every address of home.example and partner.example is
    a mailbox, but for nobody@, which is refused.

    \b
    Examples:
      provision lab mail
      provision lab mail --login smartmail
      provision lab mail bob@home.example --full
    """
    if address and login:
        raise click.UsageError("--login is about the smarthost, ADDRESS about a mailbox outside")
    lab = Lab.open(fleet_dir)
    kept = lab.read_outside(address) if address else lab.read_smarthost(login)
    click.echo(describe_mail(kept, full=full))
