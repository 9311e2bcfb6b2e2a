"""``provision history``: the generations that each host keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.host_options import host_option
from provision.cli.printing import print_lines
from provision.cli.spec_loading import spec_options
from provision.plan.show import Line, seen

if TYPE_CHECKING:
    from provision.plan.generations import Generation, Memory

_STYLES = {"applied": "", "unproved": "yellow", "interrupted": "yellow"}


@click.command("history")
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
    r"""Show the generations of each host: when, who, from which commit, what changed, the result.

    A change of accounts alone makes no generation: accounts are data, and never rolled back.

    Exit 0: done; 3: the spec is invalid; 5: a host cannot be reached.

    \b
    Examples:
      provision history -i inventories/demo
      provision history --host mail1 --format json
    """
    from provision.cli.remembering import ask_hosts  # noqa: PLC0415 - start-up time

    told = ask_hosts(fleet_dir, vault_password_file, hosts)
    if form == "json":
        told.print_json(
            [
                {
                    "host": name,
                    "current": memory.state.generation,
                    "generations": [g.as_json() for g in memory.generations],
                }
                for name, memory in told.memories.items()
            ]
        )
    else:
        for name, memory in told.memories.items():
            print_lines(_lines(name, memory))
    return told.exit_code()


def _lines(host: str, memory: Memory) -> Iterator[Line]:
    yield Line(host, "bold")
    if not memory.generations:
        yield Line("  no generation yet; next: provision apply")
    for generation in reversed(memory.generations):
        yield _line(generation, is_current=generation.number == memory.state.generation)
        if generation.message:
            yield Line(f"        {seen(generation.message)}", "dim")
    yield Line("")


def _line(generation: Generation, *, is_current: bool) -> Line:
    mark = "*" if is_current else " "
    commit = generation.commit or "-"
    words = f"{mark} {generation.number:>4}  {generation.when:<20}  {generation.who}  {commit}"
    words += f"  {generation.outcome}: {_what(generation)}"
    return Line(seen(words), "bold" if is_current else _STYLES.get(generation.outcome, "red"))


def _what(generation: Generation) -> str:
    """``rollback to 3: 2 files updated``."""
    counts = [
        f"{len(paths)} {word}"
        for word in ("created", "updated", "removed")
        if (paths := getattr(generation, word))
    ]
    files = f"files {', '.join(counts)}" if counts else "no file differed"
    if generation.rollback_of is None:
        return files
    return f"back to {generation.rollback_of}, {files}"
