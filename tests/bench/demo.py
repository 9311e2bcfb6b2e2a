"""Measure a lab of the demo fleet, with a twin host that Debian's own tools work on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from provision.certificates.load import load_certificates
from provision.lab.lab import Lab
from provision.render.host import render_host
from provision.spec.load import load_fleet
from tests.bench.stopwatch import Measured, Ran, in_turns, run

ROOT = Path(__file__).resolve().parents[2]
TWIN = "  twin: {address: 198.18.0.12, fqdn: twin.smartmail.example, release: debian13}\n"
APT = "DEBIAN_FRONTEND=noninteractive apt-get"


def measure() -> Iterator[Measured]:
    """Every measurement, as it is made."""
    with rehearsal() as (lab, fleet_dir):
        for subject in (_first_apply, _second_plan, _one_mailbox, _verify):
            yield subject(lab, fleet_dir)


@contextmanager
def rehearsal() -> Iterator[tuple[Lab, Path]]:
    """A lab of the demo fleet with one host more, taken down at the end."""
    with tempfile.TemporaryDirectory(prefix="provision-bench-") as scratch:
        fleet_dir = Path(scratch) / "fleet"
        shutil.copytree(
            ROOT / "inventories/demo", fleet_dir, ignore=shutil.ignore_patterns(".provision")
        )
        spec = fleet_dir / "fleet.yml"
        spec.write_text(spec.read_text().replace("\nsmarthosts:", f"{TWIN}\nsmarthosts:", 1))
        lab = Lab.open(fleet_dir)
        try:
            lab.up(progress=print)
            yield lab, fleet_dir
        finally:
            lab.down()


def _provision(fleet_dir: Path, *words: str) -> Ran:
    return run(["provision", *words, "-i", str(fleet_dir)])


def _packages(fleet_dir: Path) -> tuple[str, ...]:
    fleet = load_fleet(fleet_dir)
    certificates = load_certificates(fleet, fleet_dir / ".provision", datetime.now(UTC))
    return render_host(fleet, fleet.host("mail1"), certificates).packages


def _first_apply(lab: Lab, fleet_dir: Path) -> Measured:
    """The same packages by apt-get on the twin, then everything by apply on mail1."""
    packages = " ".join(_packages(fleet_dir))
    install = f"{APT} update && {APT} install -y --no-install-recommends {packages}"
    print("installing the packages on the twin with apt-get ...")
    theirs = run(lab.shell_command("twin", ["sh", "-c", install]))
    print(f"{theirs.seconds:.1f} s; applying on mail1 ...")
    ours = _provision(fleet_dir, "apply", "--yes", "--host", "mail1")
    against = "apt-get of the same packages"
    return _row("first apply on a bare host", ours, theirs.seconds, against, 1.3)


def _row(promise: str, ours: Ran, theirs: float, against: str, bound: float) -> Measured:
    return Measured(promise, ours.seconds, theirs, against, bound, peak_mib=ours.peak_mib)


def _second_plan(lab: Lab, fleet_dir: Path) -> Measured:
    ours, theirs = in_turns(
        lambda: _provision(fleet_dir, "plan", "--host", "mail1"),
        lambda: run(lab.shell_command("mail1", ["python3", "-c", "pass"])),
        rounds=9,
    )
    return _row("plan of no change", ours, theirs.seconds, "ssh host python3 -c pass", 2.0)


def _one_mailbox(_lab: Lab, fleet_dir: Path) -> Measured:
    site = fleet_dir / "sites/blue.example.yml"
    site.write_text(site.read_text().replace("mailboxes:\n", "mailboxes:\n  gina: {}\n", 1))
    ours = _provision(fleet_dir, "apply", "--yes", "--host", "mail1")
    return _row("one mailbox more, applied", ours, 1.0, "limit, seconds", 10.0)


def _verify(_lab: Lab, fleet_dir: Path) -> Measured:
    ours = _provision(fleet_dir, "verify", "--host", "mail1")
    return _row("verify one host with three sites", ours, 1.0, "limit, seconds", 10.0)
