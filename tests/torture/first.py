"""The first apply of a bare host, interrupted where tasks meet, within apt, and within the switch.

Between the first apply and the next there is no old state that serves: what counts is that the next
apply ends as an undisturbed one, and that no daemon served with Debian's configuration meanwhile.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

from provision.lab.breakpoint import Step, set_breakpoint, standing_at
from tests.torture.look import HOST, look
from tests.torture.mail import faults_of_mail
from tests.torture.stage import BARE, Command, Stage, ended, wait_until
from tests.torture.sweeps import SWEEPS, Point

UNPACKING, CONFIGURING = "while apt unpacks", "while apt configures"
_BORDERS = (
    "rename to /usr/sbin/policy-rc.d",
    "install packages",
    "create system users",
    "bring the bundle",
    "start the watch",
    "rename to /var/lib/provision/unconfirmed.json",
    "rename to /var/lib/provision/journal.json",
    "link /var/lib/provision/current",
    "start postfix.service",
    "remove /var/lib/provision/unconfirmed.json",
    "stop the watch",
    "remove /var/lib/provision/journal.json",
    "remove /etc/systemd/system/nginx.service.d/provision-first.conf",
    "remove /var/lib/provision/pending.json",
)
_APT = {
    UNPACKING: "grep -q ' status half-installed postfix:' /var/log/dpkg.log",
    CONFIGURING: "grep -q ' status half-configured dovecot-core:' /var/log/dpkg.log",
}
"""dpkg(1) logs each state as it comes; its status file has them only now and then."""
_PORTS = re.compile(r"[0-9A-F]{8}:(0019|01D1|024B|03E1|03E3|01BB|0050|008F|006E) 00000000:0000 0A")
"""Listening on 25, 465, 587, 993, 995, 443, 80, 143 or 110 (proc_net_tcp)."""


def first_points(sweeps: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every disaster at every border."""
    for name in (*_BORDERS, *_APT):
        for sweep in sweeps:
            yield sweep, name


def try_first(stage: Stage, sweep: str, name: str) -> Point:
    """Make the host bare, apply with a disaster at ``name``, apply again; never raises."""
    started = time.monotonic()
    number = next((s.number for s in stage.steps["first"] if s.name == name), 0)
    try:
        code, faults = _try(stage, sweep, Step(number, name))
    except Exception as error:  # noqa: BLE001 - a sweep goes on, and tells at its end
        code, faults = None, [f"{type(error).__name__}: {error}"]
    seconds = round(time.monotonic() - started, 1)
    return Point(
        sweep, "first", number, name, code=code, seconds=seconds, fault="; ".join(faults)
    )  # fmt: skip


def _try(stage: Stage, sweep: str, step: Step) -> tuple[int | None, list[str]]:
    stage.lab.restore(HOST, BARE)
    stage.ask_for(stage.play.near)
    if step.number:
        set_breakpoint(stage.lab, HOST, step.number)
    with ended(stage.start_apply()) as command:
        wait_until(lambda: _is_there(stage, step, command), what=step.name, within=600)
        if command.process.poll() is not None:
            return None, [f"it ended before {step.name}: {command.end()[1][-300:]}"]
        code = SWEEPS[sweep](stage, command)
    faults = _early_servers(stage)
    stage.apply()
    seen = look(stage.lab, every_hash_is_new=True)
    faults += [f"differs: {path}" for path in seen.differences(stage.known["first"], in_all=True)]
    faults += [f"left behind: {path}" for path in seen.left]
    faults += faults_of_mail(stage.rehearsal, stage.play.near)
    planned = stage.plan()
    return code, faults + ([planned] if planned else [])


def _is_there(stage: Stage, step: Step, command: Command) -> bool:
    if command.process.poll() is not None:
        return True
    if step.number:
        return standing_at(stage.lab, HOST) is not None
    return stage.lab.run(HOST, ["sh", "-c", _APT[step.name]], check=False).returncode == 0


def _early_servers(stage: Stage) -> list[str]:
    """Ports of mail or web that are open although no generation of ours was proved."""
    script = "test -e /var/lib/provision/current || cat /proc/net/tcp"
    table = stage.lab.run(HOST, ["sh", "-c", script]).stdout
    ports = sorted({int(found, 16) for found in _PORTS.findall(table)})
    return [f"port {port} serves without a configuration of ours" for port in ports]
