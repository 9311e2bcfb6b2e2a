"""The power switch of one machine: start, stop, reboot, cut, and whether it runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from provision.errors import ProvisionError
from provision.lab.cgroups import kill_group, members, remove_groups
from provision.lab.disk import Disk
from provision.lab.network import namespace_path
from provision.lab.processes import recall, start_time

# systemd as the first process of a machine understands these (systemd(1), SIGNALS).
_POWER_OFF = signal.SIGRTMIN + 4
_REBOOT = signal.SIGRTMIN + 5

_PACKAGE_PARENT = Path(__file__).resolve().parents[2]


def wait_until(condition: Callable[[], bool], *, within: float, what: str) -> None:
    """Wait for ``condition``; raises ProvisionError naming ``what`` after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise ProvisionError(f"{what} did not happen within {within:g} s")
        time.sleep(0.03)


def is_running(folder: Path) -> bool:
    """True while the machine in ``folder`` has its supervisor."""
    return recall(folder / "supervisor.json") is not None


def start(folder: Path, *, lab: str) -> None:
    """Start the machine's supervisor, which boots it; nothing happens when it runs already."""
    if is_running(folder):
        return
    launch(
        ["provision.lab.supervisor", str(folder)],
        log=folder / "console.log",
        inside=(
            *("nsenter", f"--net={namespace_path(lab)}", "--"),
            *("unshare", "--mount", "--propagation", "private", "--"),
        ),
    )
    wait_until(
        lambda: is_running(folder),
        within=15,
        what=f"the start of {folder.name} (see {folder}/console.log)",
    )


def launch(module: Sequence[str], *, log: Path, inside: Sequence[str] = ()) -> None:
    """Start one of the lab's own programs so that it outlives this process.

    ``module`` is a Python module and its arguments, ``inside`` a command that it is put behind.
    """
    command = ["setsid", "--fork", *inside, sys.executable, "-P", "-m", *module]
    with log.open("ab") as output:
        subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": str(_PACKAGE_PARENT)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=True,
        )


def cut(folder: Path) -> None:
    """Cut the power: every process of the machine is gone at once. Written data survives."""
    if not (folder / "disk.json").exists():
        return
    group = Disk.load(folder).group
    kill_group(group)
    wait_until(lambda: not is_running(folder), within=15, what=f"the end of {folder.name}")
    remove_groups(group)


def stop(folder: Path) -> None:
    """Switch the machine off in good order; after 20 seconds, cut its power. Idempotent."""
    if not is_running(folder):
        return
    asked: set[int] = set()

    def is_off() -> bool:
        leader = leader_of(folder)
        if leader is not None and leader not in asked:  # a new one when it was just rebooting
            asked.add(leader)
            with contextlib.suppress(ProcessLookupError):
                os.kill(leader, _POWER_OFF)
        return not is_running(folder)

    with contextlib.suppress(ProvisionError):
        wait_until(is_off, within=20, what="power-off")
        return
    cut(folder)


def reboot(folder: Path) -> None:
    """Ask the machine to reboot, and wait until its next first process is there."""
    before = leader_of(folder)
    if before is None:
        raise ProvisionError(f"{folder.name} is not running", hint="provision lab up")
    os.kill(before, _REBOOT)
    wait_until(
        lambda: leader_of(folder) not in {before, None},
        within=30,
        what=f"the reboot of {folder.name}",
    )


def console(leader: int, argv: Sequence[str]) -> list[str]:
    """The command that runs ``argv`` as root in the machine whose first process is ``leader``."""
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wdns=/root"]
    environment = ["env", "-i", path, "HOME=/root", "LANG=C.UTF-8", "TERM=linux"]
    return ["nsenter", f"--target={leader}", *spaces, *environment, *argv]


def programs_of(folder: Path) -> set[str]:
    """Names of all processes that run on the machine."""
    names = set()
    for pid in members(Disk.load(folder).group):
        with contextlib.suppress(OSError):  # it has just ended
            names.add(Path(f"/proc/{pid}/comm").read_text().removesuffix("\n"))
    return names


def root_of(folder: Path) -> Path:
    """The running machine's file system as seen from here."""
    return Path(f"/proc/{recall(folder / 'supervisor.json')}/root{folder}/root")


def leader_of(folder: Path) -> int | None:
    """The machine's first process (its process 1) as seen from here; None when there is none."""
    known, started = _leaders.get(folder, (0, None))
    if started is not None and start_time(known) == started:
        return known
    if not (folder / "disk.json").exists():
        return None
    for pid in members(Disk.load(folder).group):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            numbers = next(x for x in status.splitlines() if x.startswith("NSpid:")).split()[1:]
            if len(numbers) > 1 and numbers[-1] == "1":
                _leaders[folder] = pid, start_time(pid)
                return pid
    return None


_leaders: dict[Path, tuple[int, int | None]] = {}
"""Folder of a machine to its first process and when that started: asked for many times a second."""
