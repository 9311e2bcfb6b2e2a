"""``provision drift``: what on a host is not as its last apply left it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.events_option import events_option
from provision.cli.host_options import host_option
from provision.cli.printing import print_lines
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode
from provision.plan.show import Line, diff_lines, seen

if TYPE_CHECKING:
    from provision.cli.events import Events
    from provision.cli.remembering import Remembered
    from provision.plan.drift import Finding
    from provision.plan.generations import Memory

_STYLES = {"changed": "yellow", "missing": "red", "foreign": "cyan"}


@click.command("drift")
@spec_options
@host_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@events_option
def command(
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    form: str,
    events: Events,
) -> int:
    r"""Compare each host with the generation that was last applied to it. Nothing is changed.

    Finds files that were changed, are missing, or that nobody of ours wrote in folders that are
    ours; units and packages; accounts edited by hand. Secrets are masked.

    Exit 0: no drift; 2: there is drift; 3: the spec is invalid; 5: a host cannot be reached.

    \b
    Examples:
      provision drift -i inventories/demo
      provision drift --host mail1 --format json
    """
    from provision.cli.remembering import ask_hosts  # noqa: PLC0415 - start-up time
    from provision.plan.drift import find_drift  # noqa: PLC0415

    told = ask_hosts(fleet_dir, vault_password_file, hosts, contents=True)
    found = {name: find_drift(memory) for name, memory in told.memories.items()}
    _tell(events, told, found)
    if form == "json":
        told.print_json(
            [
                {
                    "host": name,
                    "generation": told.memories[name].state.generation,
                    "drift": [finding.as_json() for finding in findings],
                }
                for name, findings in found.items()
            ]
        )
    else:
        for name, findings in found.items():
            print_lines(_lines(name, told.memories[name], findings))
    return told.exit_code(ExitCode.CHANGES if any(found.values()) else ExitCode.DONE)


def _tell(events: Events, told: Remembered, found: Mapping[str, Sequence[Finding]]) -> None:
    from provision.cli.plan_events import (  # noqa: PLC0415 - start-up time
        tell_drift,
        tell_observed,
        tell_unreached,
    )

    for name, error in told.failures.items():
        tell_unreached(events, name, error)
    for name, findings in found.items():
        tell_observed(events, name, told.memories[name].state.generation)
        for one in findings:
            tell_drift(events, name, kind=one.kind.word, name=one.name, what=one.what.value)


def _lines(host: str, memory: Memory, findings: Sequence[Finding]) -> Iterator[Line]:
    if memory.base is None:
        yield Line(f"{host}: no generation yet; next: provision apply", "yellow")
    elif not findings:
        yield Line(f"{host}: no drift, all is as generation {memory.base.number} left it", "green")
    else:
        yield Line(f"{host} (generation {memory.base.number})", "bold")
        for finding in findings:
            detail = f" ({finding.detail})" if finding.detail else ""
            words = f"  {finding.kind.word} {finding.name}: {finding.what}{detail}"
            yield Line(seen(words), _STYLES[finding.what])
            yield from diff_lines(finding.diff)
        yield Line("")
