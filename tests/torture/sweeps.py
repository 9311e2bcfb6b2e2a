"""One point of a sweep: stop an apply before a step, let disaster come, and judge what is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from provision.lab.breakpoint import Step, go_on, set_breakpoint, standing_at
from tests.torture.look import HOST, look
from tests.torture.mail import faults_of_mail
from tests.torture.stage import Command, Stage, ended, wait_until


@dataclass(frozen=True)
class Point:
    """What came of one try."""

    sweep: str
    towards: str
    step: int
    name: str
    found: str = ""
    """The state that the host was in afterwards, before the next apply."""
    code: int | None = None
    """Exit code of the disturbed apply; None: it was killed."""
    seconds: float = 0.0
    fault: str = ""

    def as_json(self) -> dict[str, Any]:
        """The point as JSON values."""
        return asdict(self)


def kill_the_controller(stage: Stage, command: Command) -> int | None:
    """SIGKILL for the program, Ansible and ssh. What runs on the host goes on without them."""
    command.kill()
    go_on(stage.lab, HOST)
    stage.wait_for_quiet()
    return None


def cut_the_power(stage: Stage, command: Command) -> int | None:
    """The host is gone at once, and boots again."""
    stage.lab.cut(HOST)
    stage.lab.start(HOST)
    code, _said = command.end()
    wait_until(lambda: _has_booted(stage), what="the end of the boot", every=0.3)
    return code


def drop_the_network(stage: Stage, command: Command) -> int | None:
    """The cable is out while the host goes on, and back when it has done."""
    stage.lab.unplug(HOST)
    try:
        go_on(stage.lab, HOST)
        wait_until(
            lambda: standing_at(stage.lab, HOST) is None or stage.is_quiet(), what="the step"
        )
        time.sleep(1.0)  # work that goes on without a network, if any does
    finally:
        stage.lab.plug(HOST)
    code, _said = command.end()
    stage.wait_for_quiet()
    return code


def _has_booted(stage: Stage) -> bool:
    asked = stage.lab.run(HOST, ["systemctl", "is-system-running"], check=False)
    return asked.stdout.strip() in {"running", "degraded"}


SWEEPS: dict[str, Callable[[Stage, Command], int | None]] = {
    "kill": kill_the_controller,
    "power": cut_the_power,
    "network": drop_the_network,
}
CODES: dict[str, set[int | None]] = {
    "kill": {None},
    "power": {0, 1, 5, 7},
    "network": {0, 5, 7},
}
"""How a disturbed apply may end. An apply to a host that went away is 5; a host that was back
before Ansible had begun with its next task answered, so it may be 1 as well. 0 is said by a host
that had done all of it, and must then be new; 7 by one that has gone back, and must then be old."""


_WENT_BACK = 7


def try_point(stage: Stage, sweep: str, step: Step) -> Point:
    """Go to the other state, disturbed before ``step``, and then undisturbed; never raises."""
    started = time.monotonic()
    towards = stage.other
    point = {"sweep": sweep, "towards": towards, "step": step.number, "name": step.name}
    try:
        found, code, fault = _try(stage, sweep, step)
    except Exception as error:  # noqa: BLE001 - a sweep goes on, and tells at its end
        found, code, fault = "", None, f"{type(error).__name__}: {error}"
    return Point(**point, found=found, code=code, fault=fault,  # type: ignore[arg-type]
                 seconds=round(time.monotonic() - started, 1))  # fmt: skip


def _try(stage: Stage, sweep: str, step: Step) -> tuple[str, int | None, str]:
    before, after = stage.state, stage.other
    stage.ask_for(after)
    set_breakpoint(stage.lab, HOST, step.number)
    with ended(stage.start_apply()) as command:
        wait_until(
            lambda: standing_at(stage.lab, HOST) is not None or command.process.poll() is not None,
            what=f"step {step.number}",
        )
        here = standing_at(stage.lab, HOST)
        if here is None:
            return "", None, f"the apply ended before step {step.number}: {command.end()[1][-300:]}"
        code = SWEEPS[sweep](stage, command)
    faults = [] if code in CODES[sweep] else [f"the disturbed apply ended with {code}"]
    found, more = judge(stage, (before, after))
    faults += more
    if code == 0 and found != after:
        faults.append("the disturbed apply was told as done")
    if code == _WENT_BACK and found != before:
        faults.append("the disturbed apply was told as taken back")
    stage.apply()
    faults += judge_end(stage, after)
    return found, code, "; ".join(faults)


def judge(stage: Stage, states: tuple[str, str]) -> tuple[str, list[str]]:
    """Which state the host is in, and what is wrong with it: mixed, unfinished, not serving."""
    seen = look(stage.lab)
    for state in states:
        if not seen.differences(stage.known[state]):
            faults = [f"left behind: {path}" for path in seen.unfinished()]
            return state, faults + faults_of_mail(stage.rehearsal, state)
    nearest = min((seen.differences(stage.known[state]) for state in states), key=len)
    return "mixed", [f"neither old nor new: {', '.join(nearest[:8])}"]


def judge_end(stage: Stage, state: str) -> list[str]:
    """What differs from an undisturbed run after the next apply, byte by byte."""
    seen = look(stage.lab)
    faults = [f"differs: {path}" for path in seen.differences(stage.known[state], in_all=True)]
    faults += [f"left behind: {path}" for path in seen.left]
    planned = stage.plan()
    return faults + ([planned] if planned else [])
