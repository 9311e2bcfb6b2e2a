"""Let Postfix's resolver see new maps at once: until it does, mail for a new domain is refused.

trivial-rewrite(8) answers which domains are ours and which way mail leaves. It keeps its maps open
and looks every ten seconds whether there are newer ones, and whenever a client connects; then it
ends, and master(8) starts another. So a connection is all that it needs: no reload, no lost mail.
"""

from __future__ import annotations

import math
import os
import socket
import time
from pathlib import Path

READS = ("domains.cdb", "routes.cdb")
"""The account maps among those that it reads (main.cf)."""
_QUEUE = Path("/var/spool/postfix")
_PROGRAM = "trivial-rewrite"
_SECONDS = 12.0
_EVERY = 0.02
_PARENT, _START = 1, 19
"""Places of parent and start time among the fields of proc_pid_stat(5) after the name."""


def renew_resolver(*, queue: Path = _QUEUE, seconds: float = _SECONDS) -> bool:
    """End every resolver that was started before now; False: one stays, busy, after ``seconds``.

    Resolvers that are started from now on read the maps that are there now.
    """
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    old = {pid for pid in _resolvers(queue) if _started(pid) <= now}
    deadline = time.monotonic() + seconds
    while old := {pid for pid in old if _is_resolver(pid)}:
        if time.monotonic() > deadline:
            return False
        _connect(queue / "private/rewrite")
        time.sleep(_EVERY)
    return True


def _resolvers(queue: Path) -> list[int]:
    """Those that the master of this queue has started."""
    try:
        master = (queue / "pid/master.pid").read_text().strip()
    except OSError:
        return []  # it has never run
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return [pid for pid in pids if _is_resolver(pid) and _status(pid)[_PARENT] == master]


def _is_resolver(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == _PROGRAM
    except OSError:
        return False


def _started(pid: int) -> float:
    """Seconds after the boot; those that are gone count as new."""
    return int(_status(pid)[_START]) / os.sysconf("SC_CLK_TCK") if _is_resolver(pid) else math.inf


def _status(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5) from the third on; of a process that is gone, zeros."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * (_START + 1)


def _connect(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except OSError:
            return  # full for the moment, or Postfix is being stopped
