"""How ``provision lab`` shows progress, labs and mail."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from provision.lab.breakpoint import Step
from provision.lab.cache import state_dir
from provision.lab.power import is_running
from provision.lab.record import LabRecord, all_labs, loopback_urls
from provision.lab.world.kept import KeptMessage


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Show steps: one live line with a clock on a terminal, else one plain line a step."""
    from rich.console import Console  # noqa: PLC0415 - costs start-up time of lab shell
    from rich.markup import escape  # noqa: PLC0415 - the same

    console = Console(stderr=True)
    started = time.monotonic()

    if console.is_terminal and not console.is_dumb_terminal:
        with console.status("") as status:

            def step(text: str) -> None:
                console.print(f"{time.monotonic() - started:5.1f} s  {text}", markup=False)
                status.update(escape(text))

            yield step
        return

    def plain(text: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {text}", err=True)

    yield plain


def describe_labs(output: str) -> str:
    """Every lab of this machine as ``text`` or ``json``."""
    labs = [_lab(name, record) for name, record in all_labs(state_dir())]
    if output == "json":
        return json.dumps({"format_version": "1.0", "labs": labs}, indent=1)
    if not labs:
        return "There is no lab on this machine. Start one: provision lab up -i DIR"
    return "\n\n".join(_text(lab) for lab in labs)


def describe_steps(taken: Sequence[Step], standing: Step | None) -> str:
    """The steps of an apply, one a line, and before which it stands."""
    lines = [f"{step.number:4}  {step.name}" for step in taken] or ["No step was taken yet."]
    if standing:
        lines.append(f"It stands still before step {standing.number}: {standing.name}")
    return "\n".join(lines)


def describe_mail(kept: Sequence[KeptMessage], *, full: bool) -> str:
    """One line a message, or each message whole below its line."""
    if not kept:
        return "No mail has come by."
    return "\n".join(_mail(message, full=full) for message in kept)


def _lab(name: str, record: LabRecord) -> dict[str, Any]:
    folder = state_dir() / name
    return {
        "name": name,
        "fleet": record.fleet_dir,
        "hosts": [
            {
                "name": machine.name,
                "state": "up" if is_running(folder / "hosts" / machine.name) else "off",
                "address": machine.address,
                "fqdn": machine.fqdn,
                "release": machine.release,
            }
            for machine in record.machines
        ],
        "webmail": dict(loopback_urls(folder)),
    }


def _text(lab: dict[str, Any]) -> str:
    lines = [f"{lab['name']}   {Path(lab['fleet'])}"]
    lines += [
        f"  {h['name']:12} {h['state']:4} {h['address']:15} {h['release']:10} {h['fqdn']}"
        for h in lab["hosts"]
    ]
    lines += [f"  {url:27} {name}" for name, url in lab["webmail"].items()]
    return "\n".join(lines)


def _mail(kept: KeptMessage, *, full: bool) -> str:
    moment = time.strftime("%H:%M:%S", time.localtime(kept.time))
    who = f"login {kept.login}" if kept.login else f"from {kept.client_name}"
    line = f"{moment}  {who}  <{kept.sender}> to {', '.join(kept.recipients)}: {kept.subject}"
    return f"{line}\n\n{kept.message.as_string()}" if full else line
