"""A change of access to this host waits for its confirmation over a new connection.

``unconfirmed.json`` is there from before the switch until somebody who holds the host's lock has
decided: the confirmation keeps the change, the watch (a timer that systemd runs, no child of the
SSH session), the next boot or the next apply take it back. Who removes the file has won.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from .provision_commands import run
from .provision_durable import Attributes, read_json, remove, write, write_json
from .provision_generation import Refused, current_manifest
from .provision_layout import Layout
from .provision_request import Request
from .provision_steps import Steps

FIREWALL = "provision-firewall.service"
_OPTION = "--watch"
_SCRIPT = "etc/provision/recover.py"


def read_unconfirmed(layout: Layout) -> dict[str, Any] | None:
    """What waits for its confirmation; None when nothing does."""
    state: dict[str, Any] | None = read_json(layout.unconfirmed)
    return state


def start_watch(layout: Layout, number: int, request: Request) -> None:
    """Start the watch, before anything changes; raises Refused when it cannot be started."""
    previous = current_manifest(layout)["generation"]
    known = request._asdict()
    for name in ("files", "directories", "blobs"):
        del known[name]  # the manifest of the generation has them
    state = {
        "run": request.meta["holder"]["id"],
        "generation": number,
        "previous": previous,
        "seconds": request.confirm_seconds,
        "boot": boot_id(),
        "deadline": None,
        "arriving": _arriving(layout, number, request),
        "request": known,
        "result": {},
    }
    _put_script(layout, number)
    write_json(layout.unconfirmed, state)
    started = _run_watch(layout, state)
    if started:
        remove(layout.unconfirmed)
        raise Refused(f"the watch over the access to this host cannot be started: {started}")


def wait_for_confirmation(layout: Layout, result: dict[str, Any]) -> None:
    """The change is proved: from now on the time runs until it goes back."""
    state = read_unconfirmed(layout)
    if state is None:
        raise OSError("the watch over the access to this host is gone")
    state.update(deadline=boottime() + state["seconds"], result=result)
    write_json(layout.unconfirmed, state)


def disarm(layout: Layout) -> None:
    """Decide that nothing needs to be taken back any more, then end the watch."""
    state = read_unconfirmed(layout)
    if state is None:
        return
    remove(layout.unconfirmed)
    if watched_run() != state["run"]:  # else this process is the watch, and ends by itself
        unit = _watch(state["run"])
        Steps.before("stop the watch")
        run("systemctl", "stop", "--", f"{unit}.timer", f"{unit}.service")
    remove(layout.watch)


def seconds_left(state: dict[str, Any]) -> float:
    """How long the change may still wait; nothing when it was never proved, or before a reboot.

    For who holds the host's lock: then no apply is at work on it.
    """
    if state["deadline"] is None or state["boot"] != boot_id():
        return 0.0
    return max(0.0, float(state["deadline"]) - boottime())


def may_be_confirmed(layout: Layout) -> bool:
    """True while a change waits and its time is not over."""
    state = read_unconfirmed(layout)
    return state is not None and seconds_left(state) > 0


def why_back(state: dict[str, Any]) -> str:
    """Why it goes back, for people."""
    if state["deadline"] is None:
        return "the apply was cut off before the change was proved"
    if state["boot"] != boot_id():
        return "the host was restarted before the change was confirmed"
    if seconds_left(state) > 0:
        return "another apply came before the change was confirmed"
    return f"not confirmed over a new connection within {state['seconds']} s"


def boottime() -> float:
    """Seconds since this host has started, sleep included; nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Which start of the host this is (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def watched_run() -> str:
    """The run that this process shall watch, from its command line; empty: it is no watch."""
    words = sys.argv[1:]
    return words[1] if len(words) == 2 and words[0] == _OPTION else ""


def _watch(wanted: str) -> str:
    return f"provision-watch-{wanted}"


def _arriving(layout: Layout, number: int, request: Request) -> list[str]:
    """Units of ours that this change brings or starts: they must stop when it goes back."""
    before = current_manifest(layout)
    if number == before["generation"]:
        return [unit for unit, verb in request.unit_actions if (unit, verb) == (FIREWALL, "start")]
    folder = "/etc/systemd/system"
    files = {file.path for file in request.files} - set(before["files"])
    return [unit for unit in request.units if f"{folder}/{unit}" in files]


def _put_script(layout: Layout, number: int) -> None:
    """The watch runs a copy that no switch touches, of the newest script that knows how to."""
    for path in (layout.staged(number) / _SCRIPT, layout.root / _SCRIPT):
        content = path.read_bytes() if path.exists() else b""
        if _OPTION.encode() in content:
            owner = str(os.getuid()), str(os.getgid())
            write(layout.watch, content, Attributes(0o600, *owner))
            return
    raise Refused("no generation on this host can watch over its access; apply once, then again")


def _run_watch(layout: Layout, state: dict[str, Any]) -> str:
    """Why it did not start; empty when it did."""
    Steps.before("start the watch")
    done = run(
        "systemd-run", "--quiet", "--collect", f"--unit={_watch(state['run'])}",
        "--description=Take an unconfirmed change of access back",
        f"--on-active={state['seconds']}s", "--timer-property=AccuracySec=100ms",
        "--property=Restart=on-failure", "--property=RestartSec=2s",
        "/usr/bin/python3", "-I", "-B", str(layout.watch), _OPTION, state["run"],
    )  # fmt: skip
    return "" if done.status == 0 else " ".join(done.lines()) or f"status {done.status}"
