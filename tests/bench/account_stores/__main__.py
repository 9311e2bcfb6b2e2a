"""Compare passwd-files with cdb maps and one SQLite file (WAL), read by Postfix and Dovecot.

Runs as root on a Debian 12 or 13 host (or chroot) that has postfix-cdb, postfix-sqlite,
dovecot-core and dovecot-sqlite and serves nobody: it starts a Dovecot of
its own. Standard library only; the host needs a copy of this folder and nothing else of ours.
Usage, beside the folder: python3 -m account_stores MAILBOXES; prints JSON. Its numbers are
docs/decisions/0001.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .candidates import DATA, PER_SITE, Files, Sqlite, Store
from .readers import ask_dovecot, ask_postfix, dovecot

SECONDS = 8.0
SAMPLE = 200
FAST = random.Random(1)


def addresses(count: int) -> list[str]:
    return [f"user{n % PER_SITE}@site{n // PER_SITE}.example" for n in range(count)]


def in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        with contextlib.suppress(Exception):
            work()
        os._exit(0)
    return child


def end(child: int, number: int = signal.SIGTERM) -> None:
    os.kill(child, number)
    os.waitpid(child, 0)


def under_writer(store: Store, names: list[str]) -> dict[str, object]:
    """Look up while a writer adds and removes mailboxes as fast as it can."""
    beat = Path("/var/tmp/account-stores.beat")
    beat.write_text("")

    def write() -> None:
        while True:
            store.toggle(f"user{PER_SITE}@site{FAST.randrange(len(names) // PER_SITE)}.example")
            with beat.open("a") as file:
                file.write(".")

    writer = in_child(write)
    asked, wrong, worst = {"postfix": 0, "dovecot": 0}, {"postfix": 0, "dovecot": 0}, 0.0
    stop = time.monotonic() + SECONDS
    while time.monotonic() < stop:
        sample = FAST.sample(names, SAMPLE)
        for who, ask in (("postfix", lambda s: ask_postfix(store, s)), ("dovecot", ask_dovecot)):
            started = time.monotonic()
            wrong[who] += ask(sample)
            asked[who] += len(sample)
            worst = max(worst, time.monotonic() - started)
    end(writer)
    return {
        "asked": asked,
        "failed": wrong,
        "writes": beat.stat().st_size,
        "slowest_200_s": round(worst, 2),
    }


def killed_writer(store: Store, names: list[str]) -> dict[str, int]:
    """Kill a writer at a random moment, twenty times."""
    lost = 0
    for _ in range(20):

        def write() -> None:
            while True:
                store.toggle(f"user{PER_SITE}@site{FAST.randrange(10)}.example")

        writer = in_child(write)
        time.sleep(FAST.uniform(0.05, 0.5))
        end(writer, signal.SIGKILL)
        lost += ask_postfix(store, FAST.sample(names, SAMPLE)) + ask_dovecot(FAST.sample(names, 50))
    return {"kills": 20, "failed": lost}


def full_disk(store: Store, names: list[str]) -> dict[str, object]:
    """Fill the disk, try to write, then ask processes that start only now."""
    ballast = DATA / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    refused = False
    try:
        store.toggle(f"user{PER_SITE}@site0.example")
    except (OSError, sqlite3.Error, subprocess.CalledProcessError):
        refused = True
    sample = FAST.sample(names, SAMPLE)
    found: dict[str, object] = {
        "write_refused": refused,
        "postfix_of_200": ask_postfix(store, sample),
    }
    with dovecot(store):
        found["dovecot_of_10"] = ask_dovecot(sample[:10])  # a failure takes seconds
    ballast.unlink()
    return found


def seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return round(time.monotonic() - started, 4)


def measure(store: Store, names: list[str]) -> dict[str, object]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0777", "tmpfs", DATA], check=True)
    try:
        build = seconds(lambda: store.build(names))
        one = [seconds(lambda: store.toggle(f"user{PER_SITE}@site1.example")) for _ in range(6)]
        used = shutil.disk_usage(DATA).used
        with dovecot(store):
            everything: dict[str, object] = {
                "build_s": build,
                "one_mailbox_s": sorted(one)[3],
                "megabytes": round(used / 1e6, 1),
                "200_lookups_postfix_s": seconds(lambda: ask_postfix(store, names[:SAMPLE])),
                "200_lookups_dovecot_s": seconds(lambda: ask_dovecot(names[:SAMPLE])),
                "under_writer": under_writer(store, names),
                "killed_writer": killed_writer(store, names),
            }
        everything["full_disk_failed"] = full_disk(store, names)
    finally:
        subprocess.run(["umount", "-l", DATA], check=True)
    return everything


def main() -> None:
    DATA.mkdir(exist_ok=True)
    names = addresses(int(sys.argv[1]))
    stores: tuple[Store, ...] = (Files(), Sqlite())
    print(json.dumps({store.name: measure(store, names) for store in stores}, indent=1))


if __name__ == "__main__":
    main()
