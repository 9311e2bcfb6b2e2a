"""A thousand sites and a hundred thousand mailboxes on one host: what they cost, and a change."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.lab.lab import Lab
from tests.bench.large_fleet import HOST, site_name, write_large_fleet
from tests.bench.stopwatch import Measured, Ran, watch

SITES = int(os.environ.get("BENCH_SITES", "1000"))
MAILBOXES = 100
_ROUNDS = 3
_BARE = """\
import pathlib, sys, yaml
keep = [yaml.load(p.read_bytes(), yaml.CSafeLoader) for p in pathlib.Path(sys.argv[1]).iterdir()]
"""
_SIZE = f"{SITES * MAILBOXES} mailboxes"
_RECEIVED = "cd /sys/class/net/host0/statistics && cat rx_bytes rx_packets"
_SEEN = "/var/lib/provision/seen"
_SETTLED = 3.0
"""Seconds after which a host's files are known by their times (playbooks/.../provision_seen.py)."""
_HEADERS = 14 + 20 + 32
"""Ethernet, IPv4, TCP with timestamps: what every packet has beside what SSH was given."""


def measure() -> Iterator[Measured]:
    """Cold check first, then a host with all of it: plans, and one mailbox more."""
    with tempfile.TemporaryDirectory(prefix="provision-bench-") as scratch:
        folder = Path(scratch) / "fleet"
        write_large_fleet(folder, sites=SITES, mailboxes=MAILBOXES)
        yield _cold_check(folder)
        with _applied(folder) as lab:
            yield from _plans(lab, folder)
            yield from _one_mailbox(lab, folder)


def _cold_check(folder: Path) -> Measured:
    def ours() -> Ran:
        _forget(folder)
        return _provision(folder, "check")

    loader = [sys.executable, "-c", _BARE, str(folder / "sites")]
    pairs = [(ours(), _fine(watch(loader))) for _ in range(_ROUNDS)]
    return Measured(
        f"cold check of {_SIZE}",
        statistics.median(one.seconds for one, _ in pairs),
        statistics.median(other.seconds for _, other in pairs),
        "yaml.CSafeLoader over the same files",
        0.7,
        peak_mib=max(one.peak_mib for one, _ in pairs),
    )


@contextmanager
def _applied(folder: Path) -> Iterator[Lab]:
    lab = Lab.open(folder)
    try:
        lab.up(progress=print)
        print("applying for the first time ...", flush=True)
        first = _provision(folder, "apply", "--yes")
        print(f"{first.seconds:.0f} s, {first.peak_mib:.0f} MiB", flush=True)
        yield lab
    finally:
        lab.down()


def _plans(lab: Lab, folder: Path) -> Iterator[Measured]:
    def cold() -> Ran:
        _forget(folder)
        with _forgotten_on_the_host(lab):
            return _provision(folder, "plan")

    def changed() -> Ran:
        _edit(folder, 3)
        return _provision(folder, "plan")

    slow = _median(cold)
    time.sleep(_SETTLED)
    _provision(folder, "plan")  # the first plan after a change learns by what it knows the host
    against = "the same plan with nothing remembered"
    for name, bound, plan in (
        ("nothing", 0.1, lambda: _provision(folder, "plan")),
        ("one site", None, changed),
    ):
        ran = _median(plan)
        yield Measured(
            f"plan with {name} changed of {_SIZE}",
            ran.seconds,
            slow.seconds,
            against,
            bound,
            peak_mib=max(ran.peak_mib, slow.peak_mib),
        )
    _provision(folder, "apply", "--yes")


@contextmanager
def _forgotten_on_the_host(lab: Lab) -> Iterator[None]:
    """Let the host know nothing of what an apply has read there."""
    lab.run(HOST, ["mv", _SEEN, f"{_SEEN}.away"])
    try:
        yield
    finally:
        lab.run(HOST, ["mv", f"{_SEEN}.away", _SEEN])


def _one_mailbox(lab: Lab, folder: Path) -> Iterator[Measured]:
    def received() -> int:
        octets, packets = map(int, lab.run(HOST, ["sh", "-c", _RECEIVED]).stdout.split())
        return octets - packets * _HEADERS

    _edit(folder, 5)
    before = received()
    ran = _provision(folder, "apply", "--yes")
    sent = (received() - before) / 1024
    words = f"one mailbox more among {_SIZE}, applied"
    yield Measured(words, ran.seconds, 1.0, "limit, seconds", 5.0, peak_mib=ran.peak_mib)
    yield Measured(f"{words}: all that came by SSH", sent, 64.0, "limit", 1.0, unit="KiB")


def _edit(folder: Path, site: int) -> None:
    """Give a site one mailbox more."""
    path = folder / f"sites/{site_name(site)}.yml"
    text = path.read_text()
    number = text.count("\n  more")
    hashed = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$" + "aGFz" * 10 + "aGE"
    line = f"mailboxes:\n  more{number}: {{password_hash: '{hashed}'}}\n"
    path.write_text(text.replace("mailboxes:\n", line, 1))


def _forget(folder: Path) -> None:
    """Forget what earlier runs have remembered of the fleet and of its host."""
    shutil.rmtree(folder / ".provision/cache", ignore_errors=True)
    (folder / ".provision/known.json").unlink(missing_ok=True)


def _median(work: Callable[[], Ran]) -> Ran:
    return sorted((work() for _ in range(_ROUNDS)), key=lambda ran: ran.seconds)[_ROUNDS // 2]


def _provision(folder: Path, *words: str) -> Ran:
    main = "from provision.cli.main import main; main()"
    return _fine(watch([sys.executable, "-c", main, *words, "-i", str(folder)]))


def _fine(ran: Ran) -> Ran:
    if ran.code != 0:
        raise SystemExit(ran.said)
    return ran
