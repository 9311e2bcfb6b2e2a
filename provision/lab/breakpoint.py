"""Stop an apply on a lab's machine before any of its steps: pull a plug exactly there.

What is written and read here is described in playbooks/module_utils/provision_breakpoint.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from provision.lab.lab import Lab

_FOLDER = "/run/provision"
_SET = (
    f"mkdir -p -m 0700 {_FOLDER} && cd {_FOLDER} && rm -f steps at-step"
    " && cat > breakpoint.new && mv breakpoint.new breakpoint.json"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One side effect of an apply: its number in that apply, from 1, and its name."""

    number: int
    name: str


def set_breakpoint(lab: Lab, host: str, step: str | int | None = None) -> None:
    """Let the next apply stop before a step: its number, its name; without one, list them only.

    It is gone after a reboot. Raises ProvisionError when the machine is not running.
    """
    key = "step" if isinstance(step, int) else "name"
    wanted = {} if step is None else {key: step}
    lab.run(host, ["sh", "-c", _SET], stdin=json.dumps(wanted))


def go_on(lab: Lab, host: str) -> None:
    """Let an apply that stands still go on; nothing happens when none does."""
    lab.run(host, ["rm", "-f", f"{_FOLDER}/breakpoint.json"])


def standing_at(lab: Lab, host: str) -> Step | None:
    """The step before which an apply stands still now; None when none does."""
    told = _read(lab, host, "at-step")
    values = json.loads(told) if told else None
    return Step(values["step"], values["name"]) if values else None


def steps(lab: Lab, host: str) -> tuple[Step, ...]:
    """The steps that were taken since the breakpoint was set, in their order."""
    lines = _read(lab, host, "steps").splitlines()
    return tuple(Step(int(number), name) for number, _, name in (x.partition(" ") for x in lines))


def _read(lab: Lab, host: str, name: str) -> str:
    return lab.read(host, f"{_FOLDER}/{name}")
