"""``provision lab``: rehearse a fleet on this machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from provision.cli.fleet_option import fleet_option
from provision.lab.lab import Lab


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


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Show steps: one live line with a clock on a terminal, else one plain line a step."""
    from rich.console import Console  # noqa: PLC0415 - costs start-up time of lab shell

    console = Console(stderr=True)
    started = time.monotonic()

    if console.is_terminal:
        with console.status("") as status:

            def step(text: str) -> None:
                console.print(f"[dim]{time.monotonic() - started:5.1f} s[/]  {text}")
                status.update(text)

            yield step
        return

    def plain(text: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {text}", err=True)

    yield plain


@command.command("up")
@fleet_option
def up(fleet_dir: Path) -> None:
    r"""Build and boot what is missing, and wait until every host answers.

    The first time builds a Debian image and fetches packages, which are kept for the next time.
    Running it again does no harm: it starts what is off, and follows changes of the fleet.

    \b
    Examples:
      provision lab up -i inventories/demo
      PROVISION_LAB_CACHE=/big/disk provision lab up
    """
    lab = Lab.open(fleet_dir)
    with _steps() as step:
        lab.up(progress=step)
    click.echo(f"The lab {lab.name} is up. Next: provision apply -i {fleet_dir}")


@command.command("down")
@click.option("--keep", is_flag=True, help="Keep the disks: the next up boots the same machines.")
@fleet_option
def down(fleet_dir: Path, *, keep: bool) -> None:
    r"""Switch the lab off and remove its machines.

    \b
    Examples:
      provision lab down -i inventories/demo
      provision lab down --keep
    """
    lab = Lab.open(fleet_dir)
    with _steps() as step:
        lab.down(keep=keep, progress=step)
    click.echo(f"The lab {lab.name} is {'off; its disks are kept' if keep else 'gone'}.")


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
    with _steps() as step:
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
    with _steps() as step:
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
    with _steps() as step:
        step(f"booting {host} as it was at {name}")
        Lab.open(fleet_dir).restore(host, name)
    click.echo(f"{host} is as it was at {name}.")
