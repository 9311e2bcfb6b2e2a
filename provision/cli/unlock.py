"""``provision unlock``: end the lock of an apply that is lost."""

from __future__ import annotations

from pathlib import Path

import click

from provision.cli.printing import print_failures
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode, Refused
from provision.plan.show import seen


@click.command("unlock")
@click.argument("host")
@click.argument("lock", metavar="ID")
@spec_options
def command(*, host: str, lock: str, fleet_dir: Path, vault_password_file: Path | None) -> int:
    r"""End the lock ID on HOST: that of an apply whose controller is lost.

    You hardly need it. A lock is free by itself as soon as its controller has ended, and within a
    minute when the network to it is cut. What remains is one that was stopped or hangs. ID is what
    status and the refused command say; it is refused when another holds the lock by then, and while
    a switch is at work, which ends whole by itself within seconds.

    The apply that loses its lock changes nothing any more, and says so.

    Exit 0: the host is free; 5: it cannot be reached; 6: refused, nothing was changed.

    \b
    Examples:
      provision unlock mail1 9f86d081
    """
    from provision.cli.fleet_hosts import FleetHosts  # noqa: PLC0415 - start-up time

    asked = FleetHosts.of(fleet_dir, vault_password_file, (host,))
    answers, failures = asked.unlock(lock)
    print_failures(failures)
    for error in failures.values():
        return error.exit_code
    answer = answers[host]
    words = seen(answer["holder"]["words"]) if answer["holder"] else ""
    if answer["outcome"] == "free":
        click.echo(f"{host}: nobody has locked it.")
    elif answer["outcome"] == "unlocked":
        click.echo(f"{host}: unlocked. It was: {words}")
    else:
        _refuse(host, answer["outcome"], words)
    return ExitCode.DONE


def _refuse(host: str, outcome: str, words: str) -> None:
    reasons = {
        "other": ("that is not the id of its lock", "look again who it is"),
        "switching": ("a switch is at work", "it ends whole by itself; try again in a minute"),
        "stuck": ("its holder is no process that could be ended", "look at the host itself"),
    }
    reason, hint = reasons[outcome]
    raise Refused(f"{host}: {reason}; nothing was changed. {words}", hint=hint)
