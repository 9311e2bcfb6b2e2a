"""Measure twenty hosts against one: a plan of no change, on two cores that the hosts share."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.lab.lab import Lab
from tests.bench.stopwatch import Measured, Ran, run, watch
from tests.lab.many_hosts import bring_packages, many_hosts

COUNT = 20
ROUNDS = 7
PROVISION = [sys.executable, "-c", "from provision.cli.main import main; main()"]


def measure() -> Iterator[Measured]:
    """Every measurement, as it is made."""
    with _rehearsal() as fleet_dir:
        command = [*PROVISION, "apply", "--yes", "--batch", "5", "-i", str(fleet_dir)]
        print(f"applying to {COUNT} hosts took {run(command).seconds:.0f} s", flush=True)
        yield _plan(fleet_dir, "plan of no change, twenty hosts")
        yield _plan(fleet_dir, "the same, nothing remembered", is_remembered=False)


@contextmanager
def _rehearsal() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="provision-bench-") as scratch:
        fleet_dir = Path(scratch) / "twenty"
        hosts = many_hosts(fleet_dir, COUNT)
        lab = Lab.open(fleet_dir)
        try:
            lab.up(progress=print)
            bring_packages(lab, hosts)
            yield fleet_dir
        finally:
            lab.down()


def _plan(fleet_dir: Path, promise: str, *, is_remembered: bool = True) -> Measured:
    """Twenty and one in turns, so that a busy moment of the machine hits both."""
    pairs = [
        (
            _ran(fleet_dir, is_remembered=is_remembered),
            _ran(fleet_dir, "--host", "mail7", is_remembered=is_remembered),
        )
        for _ in range(ROUNDS)
    ]
    return Measured(
        promise,
        statistics.median(many.seconds for many, _ in pairs),
        statistics.median(one.seconds for _, one in pairs),
        "the same of one host",
        12.0,
        peak_mib=max(many.peak_mib for many, _ in pairs),
    )


def _ran(fleet_dir: Path, *words: str, is_remembered: bool) -> Ran:
    if not is_remembered:
        (fleet_dir / ".provision/known.json").unlink(missing_ok=True)
    ran = watch([*PROVISION, "plan", *words, "-i", str(fleet_dir)])
    if ran.code != 0 or "No changes." not in ran.said:
        raise SystemExit(f"the plan is not empty, or failed:\n{ran.said}")
    return ran
