"""``provision status``: where every host stands now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provision.cli.host_options import host_option
from provision.cli.printing import print_lines
from provision.cli.spec_loading import spec_options
from provision.plan.show import Line, seen

if TYPE_CHECKING:
    from provision.plan.generations import Memory
    from provision.plan.state import HostState


@click.command("status")
@spec_options
@host_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(
    *,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    form: str,
) -> int:
    r"""Show where every host stands: its generation, who holds it, what is unfinished, drift.

    One round trip a host; nothing is changed. What drifted is shown by `provision drift`.

    Exit 0: done; 3: the spec is invalid; 5: a host cannot be reached.

    \b
    Examples:
      provision status -i inventories/demo
      provision status --host mail1 --format json
    """
    from provision.cli.remembering import ask_hosts  # noqa: PLC0415 - start-up time

    told = ask_hosts(fleet_dir, vault_password_file, hosts)
    if form == "json":
        told.print_json([_as_json(name, memory) for name, memory in told.memories.items()])
    else:
        for name, memory in told.memories.items():
            print_lines(_lines(name, memory))
    return told.exit_code()


def _as_json(host: str, memory: Memory) -> dict[str, Any]:
    from provision.plan.drift import find_drift  # noqa: PLC0415 - start-up time

    current, holder, hold = memory.current, memory.state.holder, memory.state.hold
    return {
        "host": host,
        "generation": memory.state.generation,
        "since": current.when if current else None,
        "who": current.who if current else None,
        "commit": current.commit if current else None,
        "rollback_of": current.rollback_of if current else None,
        "last_apply": memory.last,
        "holder": holder.as_json() if holder else None,
        "hold": hold.as_json() if hold else None,
        "switch_interrupted": memory.state.switch_interrupted,
        "pending": [
            {"unit": action.unit, "verb": action.verb.name.lower()}
            for action in memory.state.pending
        ],
        "drift": len(find_drift(memory)),
    }


def _lines(host: str, memory: Memory) -> Iterator[Line]:
    from provision.plan.drift import find_drift  # noqa: PLC0415 - start-up time

    current, state = memory.current, memory.state
    if current is None:
        yield Line(f"{host}: no generation yet; next: provision apply", "yellow")
        yield from _holders(state)
        return
    commit = f" at commit {current.commit}" if current.commit else ""
    back = f", the files of generation {current.rollback_of}" if current.rollback_of else ""
    words = f"{host}: generation {current.number}{back}, since {current.when} by {current.who}"
    yield Line(f"{words}{commit}", "bold")
    last = memory.last
    if last and not (last["staged"] and last["outcome"] == "applied"):
        yield Line(f"  last: {last['when']} by {last['who']}, {last['outcome']}")
    yield from _holders(state)
    if state.switch_interrupted:
        yield Line("  a switch was interrupted; the next apply or reboot ends it", "red")
    for action in state.pending:
        yield Line(f"  pending: {action.verb.name.lower()} {action.unit}", "yellow")
    found = len(find_drift(memory))
    if found:
        things = "thing is" if found == 1 else "things are"
        yield Line(f"  drift: {found} {things} not as it left them; see provision drift", "yellow")
    else:
        yield Line("  no drift", "green")


def _holders(state: HostState) -> Iterator[Line]:
    for held in (state.holder, state.hold):
        if held is not None:
            yield Line(seen(f"  {held.words}"), "yellow")
