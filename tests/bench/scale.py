"""A thousand sites and a hundred thousand mailboxes on one host: what they cost, and a change."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.lab.lab import Lab
from tests.bench.large_fleet import HOST, site_name, write_large_fleet
from tests.bench.stopwatch import Measured, Ran, in_turns, median, run

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
_MAILBOXES = "cdb:/etc/postfix/accounts/mailboxes"
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
    own, bare = in_turns(ours, lambda: run(loader), rounds=_ROUNDS)
    against = "yaml.CSafeLoader over the same files"
    words = f"cold check of {_SIZE}"
    return Measured(words, own.seconds, bare.seconds, against, 0.7, peak_mib=own.peak_mib)


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

    address = _edit(folder, 5)
    before, moves = received(), _moves(lab)
    ran = _provision(folder, "apply", "--yes")
    sent = (received() - before) / 1024
    _require_there(lab, address)
    if _moves(lab) != moves:
        raise SystemExit("a mail daemon was reloaded or restarted for one mailbox")
    words = f"one mailbox more among {_SIZE}, applied"
    yield Measured(words, ran.seconds, 1.0, "limit, seconds", 5.0, peak_mib=ran.peak_mib)
    yield Measured(f"{words}: all that came by SSH", sent, 64.0, "limit", 1.0, unit="KiB")


def _require_there(lab: Lab, address: str) -> None:
    """Both daemons must know the new mailbox by now."""
    for asked in (["doveadm", "user", address], ["postmap", "-q", address, _MAILBOXES]):
        lab.run(HOST, asked)


def _moves(lab: Lab) -> str:
    """How often the mail daemons were started or reloaded, by their own words and systemd's."""
    words = "journalctl -q -o cat -u postfix -u dovecot | grep -ciE 'reload|start'"
    return lab.run(HOST, ["sh", "-c", words]).stdout


def _edit(folder: Path, site: int) -> str:
    """Give a site one mailbox more; its address."""
    path = folder / f"sites/{site_name(site)}.yml"
    text = path.read_text()
    number = text.count("\n  more")
    hashed = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$" + "aGFz" * 10 + "aGE"
    line = f"mailboxes:\n  more{number}: {{password_hash: '{hashed}'}}\n"
    path.write_text(text.replace("mailboxes:\n", line, 1))
    return f"more{number}@{site_name(site)}"


def _forget(folder: Path) -> None:
    """Forget what earlier runs have remembered of the fleet and of its host."""
    shutil.rmtree(folder / ".provision/cache", ignore_errors=True)
    (folder / ".provision/known.json").unlink(missing_ok=True)


def _median(work: Callable[[], Ran]) -> Ran:
    return median([work() for _ in range(_ROUNDS)])


def _provision(folder: Path, *words: str) -> Ran:
    main = "from provision.cli.main import main; main()"
    return run([sys.executable, "-c", main, *words, "-i", str(folder)])
