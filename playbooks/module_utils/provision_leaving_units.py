"""Units that leave with a generation: stopped before their files go, up again when it is undone.

And those that come with it: they come up at no boot any more once it is undone.
"""

from __future__ import annotations

from .provision_commands import Outcome, run
from .provision_steps import Steps


def standing_among(units: list[str]) -> list[list[str]]:
    """Those that run or would come up at boot, each with its states: what stopping them changes."""
    found = []
    for unit in units:
        states = [
            word for word in ("is-enabled", "is-active") if _systemctl(word, unit).status == 0
        ]
        if states:
            found.append([unit, *states])
    return found


def stop(standing: list[list[str]]) -> None:
    """Stop and disable them; raises OSError when one goes on running."""
    for unit, *_states in standing:
        Steps.before(f"disable {unit}")
        _systemctl("disable", unit)
        Steps.before(f"stop {unit}")
        stopped = _systemctl("stop", unit)
        if stopped.status != 0:
            raise OSError(f"{unit} does not stop: {' '.join(stopped.lines())}")


def bring_back(standing: list[list[str]]) -> None:
    """Make them as they were before ``stop``. Starting is not waited for: at boot it cannot be."""
    if not standing:
        return
    Steps.before("read the units that come back")
    run("systemctl", "daemon-reload")
    for unit, *states in standing:
        if "is-enabled" in states:
            Steps.before(f"enable {unit}")
            _systemctl("enable", unit)
        if "is-active" in states:
            Steps.before(f"start {unit}")
            run("systemctl", "start", "--no-block", "--", unit)


def disabled_among(units: list[str]) -> list[str]:
    """Those that would not come up at boot."""
    return [unit for unit in units if _systemctl("is-enabled", unit).status != 0]


def disable(units: list[str]) -> None:
    """Let them come up at no boot; before their files go, which say from where they were wanted."""
    for unit in units:
        Steps.before(f"disable {unit}")
        _systemctl("disable", unit)


def _systemctl(verb: str, unit: str) -> Outcome:
    return run("systemctl", verb, "--", unit, seconds=90)
