"""What is wrong with units of systemd and their drop-ins, before any daemon meets them.

systemd ignores an unknown setting and refuses a unit with a bad one at the next start, which can be
months later; a sandbox that kills its daemon shows at the next start, too (systemd.exec(5)).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .provision_commands import run
from .provision_request import Request

_FOLDER = "/etc/systemd/system"
_NONE = 0
_NEEDS_NO_START = {
    "Restart", "RestartSec", "RestartSteps", "RestartMaxDelaySec",
    "StartLimitBurst", "StartLimitIntervalSec", "Description", "Documentation",
}  # fmt: skip
"""Settings that systemd follows from daemon-reload on, without a new start of the daemon."""


def check_units() -> list[str]:
    """What systemd-analyze(1) says of our units and of those with a drop-in of ours."""
    if not Path("/usr/bin/systemd-analyze").exists():
        return []
    drop_ins = Path(_FOLDER).glob("*.service.d/provision.conf")
    units = {path.parent.name.removesuffix(".d") for path in drop_ins}
    units |= {path.name for path in Path(_FOLDER).glob("provision-*.service")}
    if not units:
        return []
    done = run("systemd-analyze", "--man=no", "--recursive-errors=no", "verify", *sorted(units))
    return [f"systemd: {line}" for line in done.lines() if "provision" in line or done.status != 0]


def lint_drop_ins(request: Request, read: dict[str, str]) -> Iterator[str]:
    """Drop-ins that take effect at some later start, where nothing proves them or goes back.

    ``read``: the text of each staged file below /etc/systemd/system, by its path.
    """
    for file in request.files:
        unit = Path(file.path).parent.name.removesuffix(".d")
        restarts = any(verb != _NONE for _unit, verb in file.activations)
        if unit in request.units and not restarts:
            for line in read.get(file.path, "").splitlines():
                setting, equals, _value = line.partition("=")
                if equals and line[0] not in "#;" and setting.strip() not in _NEEDS_NO_START:
                    yield (
                        f"systemd: {file.path}: {setting.strip()} counts from the next start of "
                        f"{unit} on, and this change does not restart it"
                    )
