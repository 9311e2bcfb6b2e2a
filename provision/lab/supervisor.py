"""The process beside a machine: boots it, boots it again after a reboot, tidies up after its end.

It runs as ``python -m provision.lab.supervisor FOLDER`` in the lab's network namespace and in a
mount namespace of its own, so that the machine's file system is gone when it is. It stays outside
the machine's control group, and so survives a power cut.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from provision.lab.cgroups import join_groups, make_groups, remove_groups
from provision.lab.disk import Disk
from provision.lab.processes import remember

_REBOOT = 133
"""Exit status of systemd-nspawn when the machine asked for a reboot, not for power-off."""


def main(folder: Path) -> int:
    """Boot the machine in ``folder`` until it is switched off; returns nspawn's last status."""
    disk = Disk.load(folder)
    remember(folder / "supervisor.json", os.getpid())
    root = folder / "root"
    root.mkdir(exist_ok=True)
    mount = ["mount", "-t", "overlay", "overlay", "-o", disk.mount_options(folder), str(root)]
    subprocess.run(mount, check=True)
    while True:
        status = _boot(disk, root)
        remove_groups(disk.group)
        if status != _REBOOT:
            return status


def _boot(disk: Disk, root: Path) -> int:
    remove_groups(disk.group)
    _remove_port(disk.name)
    groups = make_groups(disk.group)
    pid = os.fork()
    if pid == 0:
        _become_machine(disk, root, groups)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _remove_port(name: str) -> None:
    """Take a dead machine's cable out of the bridge: the kernel may do so only a moment later.

    The name is systemd-nspawn's; it starts no machine while an interface has it.
    """
    subprocess.run(
        ["ip", "link", "delete", "dev", f"vb-{name}"], stderr=subprocess.DEVNULL, check=False
    )


def _become_machine(disk: Disk, root: Path, groups: list[Path]) -> None:
    join_groups(groups)
    command = [
        "systemd-nspawn",
        "--quiet",
        f"--directory={root}",
        f"--machine={disk.name}",
        "--register=no",
        "--keep-unit",
        "--network-bridge=br0",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=read-only",
        *(f"--bind-ro={bind}" for bind in disk.binds),
        "--boot",
    ]
    environment = {**os.environ, "UNIFIED_CGROUP_HIERARCHY": "1"}
    os.execvpe(command[0], command, environment)  # noqa: S606 - the child becomes the machine


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
