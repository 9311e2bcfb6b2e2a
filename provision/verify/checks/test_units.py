"""Units of systemd: running, enabled, calm. "Active" alone proves little; see processes."""

from __future__ import annotations

from typing import Any

from provision.verify.outcome import require
from provision.verify.snapshot import Snapshot

_RESTARTS = 3


def test_unit_runs(host: Any, snapshot: Snapshot, unit: str) -> None:
    """Unit {unit} runs."""
    require(
        _is_there(snapshot, unit) and host.service(unit).is_running,
        f"{unit} does not run",
        hint=f"Look at `journalctl -u {unit}` on the host; `provision apply` starts it.",
    )


def test_unit_starts_at_boot(host: Any, snapshot: Snapshot, unit: str) -> None:
    """Unit {unit} starts at boot."""
    require(
        _is_there(snapshot, unit) and host.service(unit).is_enabled,
        f"{unit} does not start at boot",
        hint="`provision apply` enables it.",
    )


def test_unit_is_calm(snapshot: Snapshot, unit: str) -> None:
    """Unit {unit} does not crash and restart."""
    restarts = int(snapshot.units.get(unit, {}).get("NRestarts") or 0)
    require(
        restarts <= _RESTARTS,
        f"systemd has restarted {unit} {restarts} times",
        hint=f"Look at `journalctl -u {unit}` on the host.",
    )


def test_nothing_has_failed(snapshot: Snapshot) -> None:
    """No unit of the host has failed."""
    require(
        not snapshot.failed_units,
        f"failed: {', '.join(snapshot.failed_units)}",
        hint="Look at `systemctl --failed` on the host.",
    )


def _is_there(snapshot: Snapshot, unit: str) -> bool:
    return snapshot.units.get(unit, {}).get("LoadState") == "loaded"
