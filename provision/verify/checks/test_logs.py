"""Logs: while all of this was tried, no daemon complained of itself."""

from __future__ import annotations

from typing import Any

from provision.verify.backend import output
from provision.verify.outcome import require_none
from provision.verify.quiet import complaints
from provision.verify.snapshot import Snapshot


def test_logs_are_quiet(host: Any, snapshot: Snapshot, probes_done: None) -> None:  # noqa: ARG001 - it waits
    """No mail or web daemon logged an error while it was tried."""
    journal = output(
        host,
        "journalctl --quiet --no-pager --output=json --after-cursor=%s"
        " --output-fields=SYSLOG_IDENTIFIER,PRIORITY,MESSAGE",
        snapshot.cursor,
    )
    new = [
        host.run("[ ! -f %s ] || tail -c +%s %s", path, str(_size(snapshot, path) + 1), path).stdout
        for path in ("/var/log/nginx/error.log", "/var/log/roundcube/errors.log")
    ]
    require_none(complaints(journal, "".join(new)), hint="Look at `journalctl` on the host.")


def _size(snapshot: Snapshot, path: str) -> int:
    return snapshot.log_sizes.get(path, 0)
