"""Verify a fleet: reach its hosts, run checks and probes side by side, and report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from provision.errors import HostUnreachable
from provision.hosts.connection import Connection
from provision.hosts.session import Session
from provision.verify.backend import open_testinfra
from provision.verify.check_plugin import CheckPlugin
from provision.verify.checking import run_checks
from provision.verify.outcome import Outcome, Verdict
from provision.verify.places import place_of
from provision.verify.probes.names import Names
from provision.verify.probing import run_probes
from provision.verify.remote_shell import LOOP, RemoteShell, ShellLost
from provision.verify.report import Report
from provision.verify.snapshot import take_snapshot
from provision.verify.sockets import sockets_of_postfix
from provision.verify.target import ReachedTarget, Target

_HOSTS_AT_ONCE = 16

Progress = Callable[[Outcome], None]
"""Told of each outcome as it comes, one at a time."""


def verify(targets: Sequence[Target], connection: Connection, progress: Progress) -> Report:
    """Check and probe every target; a fault is in the report, never raised.

    The process must already be where the hosts can be reached (`Connection.enter`).
    """
    began = time.monotonic()
    outcomes = _Outcomes(progress)
    with ExitStack() as stack:
        reached = _reach_all(targets, connection, stack=stack, outcomes=outcomes)
        if reached:
            _try_all(reached, Names(connection.resolver), outcomes)
    fleet = targets[0].fleet.name if targets else ""
    return Report.of(fleet, outcomes.kept, seconds=time.monotonic() - began)


class _Outcomes:
    """Gathers outcomes from several threads."""

    def __init__(self, progress: Progress) -> None:
        self.kept: list[Outcome] = []
        self._progress = progress
        self._lock = threading.Lock()

    def keep(self, outcome: Outcome) -> None:
        """Add one and tell of it."""
        with self._lock:
            self.kept.append(outcome)
            self._progress(outcome)


def _try_all(reached: Sequence[ReachedTarget], names: Names, outcomes: _Outcomes) -> None:
    """Probes run in threads of their own while pytest runs the checks in this one."""
    with ThreadPoolExecutor(1) as background:
        places = [place_of(one.target, names) for one in reached]
        probes = background.submit(run_probes, places, outcomes.keep)
        run_checks(CheckPlugin(reached, keep=outcomes.keep, probes=probes))
        probes.result()


def _reach_all(
    targets: Sequence[Target], connection: Connection, *, stack: ExitStack, outcomes: _Outcomes
) -> list[ReachedTarget]:
    with ThreadPoolExecutor(_HOSTS_AT_ONCE) as pool:
        tried = list(pool.map(lambda target: _reach(target, connection), targets))
    reached: list[ReachedTarget] = []
    for target, (session, found) in zip(targets, tried, strict=True):
        if session is not None:
            stack.callback(session.close)
        if isinstance(found, Outcome):
            outcomes.keep(found)
        else:
            reached.append(found)
            outcomes.keep(_reachability(target, Verdict.PROVED))
    return reached


def _reach(
    target: Target, connection: Connection
) -> tuple[Session | None, ReachedTarget | Outcome]:
    try:
        session = Session.open(connection.target_of(target.host), connection)
    except HostUnreachable as error:
        return None, _reachability(
            target, Verdict.UNREACHABLE, fault=error.message, hint=error.hint or ""
        )
    try:
        shell = RemoteShell(session.start(LOOP))
        snapshot = take_snapshot(shell, snapshot_request(target))
    except (ShellLost, HostUnreachable) as error:
        return session, _reachability(target, Verdict.UNREACHABLE, fault=str(error))
    return session, ReachedTarget(target, shell, open_testinfra(target.host.name, shell), snapshot)


def snapshot_request(target: Target) -> dict[str, list[str]]:
    """What the snapshot of a host shall look at (``on_host/snapshot.py``)."""
    directories, units = target.bundle.directories, target.bundle.units
    return {
        "paths": [*(file.path for file in target.bundle.files), *(d.path for d in directories)],
        "folders": [directory.path for directory in directories if directory.ours],
        "units": [unit.name for unit in units],
        "sockets": [
            *(unit.live_socket for unit in units if unit.live_socket),
            *sockets_of_postfix(target.bundle),
        ],
    }


def _reachability(target: Target, verdict: Verdict, *, fault: str = "", hint: str = "") -> Outcome:
    return Outcome(
        name="reach.ssh",
        promise="The host can be reached by SSH with its pinned key",
        host=target.host.name,
        site=None,
        verdict=verdict,
        seconds=0.0,
        fault=fault,
        hint=hint,
    )
