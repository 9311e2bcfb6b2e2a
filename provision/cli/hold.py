"""``provision hold``: leave a host alone for a while, and say why."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from provision.cli.lock_options import DurationType
from provision.cli.printing import print_failures
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode, ProvisionError, Refused, UsageWrong
from provision.plan.show import seen

_LONGEST = 90 * 86400
_REASON = 200


@click.command("hold")
@click.argument("hosts", nargs=-1, required=True, metavar="HOST...")
@spec_options
@click.option("--for", "seconds", type=DurationType(), metavar="DURATION", help="How long: 2h, 3d.")
@click.option("-m", "--message", metavar="REASON", help="Why; everybody who is refused reads it.")
@click.option("--release", is_flag=True, help="End the hold now.")
@click.option("--yes", is_flag=True, help="With --release: do not ask, even for another's hold.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(  # noqa: PLR0913 - click hands over every option by name
    *,
    hosts: tuple[str, ...],
    fleet_dir: Path,
    vault_password_file: Path | None,
    seconds: int | None,
    message: str | None,
    release: bool,
    yes: bool,
    form: str,
) -> int:
    r"""Keep everybody, pipelines too, from changing a host for a while.

    Until the hold ends, apply, rollback, mailbox restore and mailbox purge refuse that host (exit
    6) and say who holds it, until when and why. Who placed it may go on with --during-my-hold. It
    outlives a reboot. An apply that is at work already goes on to its end.

    Exit 0: done; 5: a host cannot be reached; 6: refused, somebody else holds it.

    \b
    Examples:
      provision hold mail1 --for 2h -m "new disk"
      provision hold mail1 mail2 --for 1d -m "moving racks, ask Ada"
      provision hold mail1 --release
    """
    from provision.cli.fleet_hosts import FleetHosts  # noqa: PLC0415 - start-up time

    asked = FleetHosts.of(fleet_dir, vault_password_file, hosts)
    if release:
        if seconds is not None or message is not None:
            raise UsageWrong("--release takes neither --for nor -m")
        _require_consent(asked, yes=yes)
        request: dict[str, Any] = {"action": "release", "who": asked.who}
    else:
        request = {"action": "hold", "who": asked.who, **_checked(seconds, message)}
    answers, failures = asked.ask(request)
    if form == "json":
        _print_json(answers, failures)
    else:
        for host, answer in answers.items():
            click.echo(f"{host}: {_words(answer)}")
    print_failures(failures)
    return _exit_code(answers, failures)


def _checked(seconds: int | None, message: str | None) -> dict[str, Any]:
    reason = " ".join((message or "").split())
    if seconds is None or not reason:
        raise UsageWrong("say how long and why", hint='--for 2h -m "new disk"')
    if seconds > _LONGEST:
        raise UsageWrong("a hold is at most 90 days long", hint="place a new one then")
    if len(reason) > _REASON or not reason.isprintable():
        raise UsageWrong(f"a reason is one line of at most {_REASON} characters")
    return {"id": secrets.token_hex(4), "reason": reason, "seconds": seconds}


def _require_consent(asked: Any, *, yes: bool) -> None:
    """Ask before the hold of somebody else is ended."""
    others = {host: hold for host, hold in asked.holds().items() if hold.who != asked.who}
    if not others or yes:
        return
    for host, hold in others.items():
        click.echo(f"{host}: {seen(hold.words)}", err=True)
    if not sys.stdin.isatty():
        raise Refused("somebody else holds it; nothing was changed", hint="--yes ends it")
    click.confirm("End this hold?", abort=True)


def _words(answer: Mapping[str, Any]) -> str:
    hold = seen(answer["hold"]["words"]) if answer["hold"] else ""
    if answer["outcome"] == "held" and answer["holder"]:
        return f"{hold}\n  until then: {seen(answer['holder']['words'])}; it goes on to its end"
    table = {
        "held": hold,
        "taken": f"refused: {hold}",
        "released": f"released: {hold}",
        "free": "nobody holds it",
    }
    return table[answer["outcome"]]


def _print_json(
    answers: Mapping[str, Mapping[str, Any]], failures: Mapping[str, ProvisionError]
) -> None:
    hosts = [
        {"host": host, "outcome": answer["outcome"], "hold": _part(answer["hold"])}
        for host, answer in answers.items()
    ]
    unreached = {name: error.message for name, error in failures.items()}
    document = {"format_version": "1.0", "hosts": hosts, "unreached": unreached}
    click.echo(json.dumps(document, indent=2))


def _part(hold: Mapping[str, Any] | None) -> dict[str, Any] | None:
    from provision.plan.state import Hold  # noqa: PLC0415 - start-up time

    return None if hold is None else Hold.parse(hold).as_json()


def _exit_code(
    answers: Mapping[str, Mapping[str, Any]], failures: Mapping[str, ProvisionError]
) -> int:
    if failures:
        return max(error.exit_code for error in failures.values())
    is_taken = any(answer["outcome"] == "taken" for answer in answers.values())
    return ExitCode.REFUSED if is_taken else ExitCode.DONE
