"""Processes: the daemons are alive, and run the programs that are installed."""

from __future__ import annotations

from pathlib import PurePosixPath

from provision.verify.outcome import require
from provision.verify.snapshot import Snapshot
from provision.verify.target import ReachedTarget

_DAEMONS = {
    "postfix.service": "/usr/lib/postfix/sbin/master",
    "dovecot.service": "/usr/sbin/dovecot",
    "nginx.service": "/usr/sbin/nginx",
}
_PHP = "/usr/sbin/php-fpm"
_OURS = ("/usr/lib/postfix/", "/usr/lib/dovecot/", "/usr/sbin/dovecot", "/usr/sbin/nginx", _PHP)


def test_daemons_are_alive(target: ReachedTarget, snapshot: Snapshot) -> None:
    """Every daemon's own process is alive, whatever systemd believes."""
    for unit in (unit.name for unit in target.target.bundle.units):
        program = _DAEMONS.get(unit) or (_PHP if unit.startswith("php") else None)
        alive = [name for name in snapshot.program_counts if name.startswith(program or "\0")]
        require(
            program is None or alive,
            f"no process of {program} is there",
            hint=f"Run `systemctl restart {unit}` on the host and look at its journal.",
        )


def test_running_programs_are_the_installed_ones(snapshot: Snapshot) -> None:
    """Every mail and web daemon runs the program and libraries that are installed now."""
    for process in snapshot.stale_processes:
        ours = process.program.startswith(_OURS)
        old = process.libraries[0] if process.libraries else process.program
        require(
            not ours,
            f"process {process.pid} ({PurePosixPath(process.program).name}) still runs an old "
            f"{old.removesuffix(' (deleted)')}",
            hint="A package was upgraded and the daemon was not restarted: restart its unit.",
        )
