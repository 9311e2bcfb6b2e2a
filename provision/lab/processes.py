"""Which process is which: a process id alone may name another process after a while."""

from __future__ import annotations

import json
from pathlib import Path


def start_time(pid: int) -> int | None:
    """When ``pid`` started, in clock ticks since boot (proc(5)); None when it is not running."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def remember(path: Path, pid: int) -> None:
    """Write down a running process in ``path``, so that ``recall`` finds it, or knows it ended."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps({"pid": pid, "start": start_time(pid), "boot": boot}))
    scratch.rename(path)


def recall(path: Path) -> int | None:
    """The process id that ``path`` remembers, when that very process still runs; else None."""
    try:
        noted = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    same = noted["boot"] == boot and noted["start"] == start_time(noted["pid"])
    return int(noted["pid"]) if same else None
