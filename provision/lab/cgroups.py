"""Control groups of a lab's machines: one subtree a machine, so that power can be cut at once."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from provision.errors import ProvisionError

_ROOT = Path("/sys/fs/cgroup")
_LEGACY = ("systemd", "memory", "pids", "cpuacct")


def hierarchies(root: Path = _ROOT) -> list[Path]:
    """The hierarchies in which a machine gets a group, the unified one first.

    Pure cgroup v2 has one; the hybrid layout has several. Raises ProvisionError on others: without
    the unified hierarchy there is no cgroup.kill (cgroups(7), kernel 5.14).
    """
    if (root / "cgroup.procs").exists():
        return [root]
    if (root / "unified/cgroup.procs").exists():
        return [root / "unified", *(root / n for n in _LEGACY if (root / n).is_dir())]
    raise ProvisionError(
        f"{root} has no unified control-group hierarchy, which the lab needs to cut a host's power",
        hint="mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified",
    )


def make_groups(name: str) -> list[Path]:
    """Make the group ``name`` (LAB/HOST) everywhere; returns the folders. Idempotent."""
    groups = [root / name for root in hierarchies()]
    for group in groups:
        group.mkdir(parents=True, exist_ok=True)
    return groups


def join_groups(groups: list[Path]) -> None:
    """Move this process into ``groups``."""
    for group in groups:
        (group / "cgroup.procs").write_text(str(os.getpid()))


def members(name: str) -> list[int]:
    """Process ids anywhere below the group ``name``; empty when there is no such group."""
    found: list[int] = []
    for folder, _, _ in os.walk(hierarchies()[0] / name):  # passes over groups that are vanishing
        with contextlib.suppress(OSError):
            found += map(int, Path(folder, "cgroup.procs").read_text().split())
    return found


def kill_group(name: str) -> None:
    """End every process of the group at once, as a power cut does (cgroup.kill)."""
    with contextlib.suppress(FileNotFoundError):
        (hierarchies()[0] / name / "cgroup.kill").write_text("1")


def remove_groups(name: str, *, within: float = 10) -> None:
    """Remove the group ``name`` with all below it; waits for its last processes to be gone.

    Left-over groups would make a next boot's services die. Raises ProvisionError after ``within``
    seconds.
    """
    deadline = time.monotonic() + within
    groups = [root / name for root in hierarchies()]
    while any([not _removed(group) for group in groups]):  # noqa: C419 - removes from all of them
        if time.monotonic() > deadline:
            raise ProvisionError(f"the control group {name} still has processes after {within} s")
        time.sleep(0.02)


def _removed(group: Path) -> bool:
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):  # busy: its processes are ending
            os.rmdir(folder)  # noqa: PTH106 - many thousands in a test run
    return not group.exists()
