"""Compare passwd-files with cdb maps and one SQLite file (WAL), read by Postfix and Dovecot.

Runs as root on a Debian 12 or 13 host (or chroot) that has postfix-cdb, postfix-sqlite,
dovecot-core and dovecot-sqlite and serves nobody: it starts a Dovecot of
its own. Standard library only.
Usage: python3 account_stores.py MAILBOXES; prints JSON. Its numbers are docs/decisions/0001.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

DATA = Path("/var/tmp/account-stores")
PER_SITE = 100
SECONDS = 8.0
SAMPLE = 200
HASH = "{PLAIN}x"
FAST = random.Random(1)


def addresses(count: int) -> list[str]:
    return [f"user{n % PER_SITE}@site{n // PER_SITE}.example" for n in range(count)]


def two_three() -> bool:
    return subprocess.check_output(["dovecot", "--version"]).startswith(b"2.3")


class Store(Protocol):
    """One candidate."""

    name: str
    postfix_map: str

    def build(self, names: list[str]) -> None: ...
    def toggle(self, name: str) -> None: ...
    def dovecot(self) -> str: ...


class Files:
    """A passwd-file for each site, one cdb map for the host."""

    name = "files"
    postfix_map = f"cdb:{DATA}/aliases"

    def __init__(self) -> None:
        self.names: set[str] = set()

    def build(self, names: list[str]) -> None:
        self.names = set(names)
        for site in sorted({name.split("@")[1] for name in names}):
            self._site(site, sync=False)
        self._map()

    def toggle(self, name: str) -> None:
        self.names ^= {name}
        self._site(name.split("@")[1], sync=True)
        self._map()

    def _site(self, site: str, *, sync: bool) -> None:
        known = (f"user{n}@{site}" for n in range(PER_SITE + 1))
        lines = (f"{name}:{HASH}::::::" for name in known if name in self.names)
        replace(DATA / f"{site}.passwd", "\n".join(lines) + "\n", sync=sync)

    def _map(self) -> None:
        build = DATA / "build"
        build.mkdir(exist_ok=True)
        source = build / "aliases"
        source.write_text("".join(f"{name} {name}\n" for name in sorted(self.names)))
        subprocess.run(["postmap", f"cdb:{source}"], check=True, capture_output=True)
        built = source.with_suffix(".cdb")
        with built.open("rb") as file:
            os.fsync(file.fileno())
        built.rename(DATA / "aliases.cdb")

    def dovecot(self) -> str:
        path = f"{DATA}/%{'d' if two_three() else '{user | domain}'}.passwd"
        if two_three():
            return f"userdb {{\n driver = passwd-file\n args = {path}\n}}\n"
        return f"userdb passwd-file {{\n passwd_file_path = {path}\n}}\n"


class Sqlite:
    """One database in WAL mode."""

    name = "sqlite"
    postfix_map = f"sqlite:{DATA}/aliases.cf"

    def build(self, names: list[str]) -> None:
        (DATA / "aliases.cf").write_text(
            f"dbpath = {DATA}/accounts.db\nquery = SELECT address FROM a WHERE address = '%s'\n"
        )
        with self.open() as base:
            base.execute("CREATE TABLE a (address TEXT PRIMARY KEY, hash TEXT) WITHOUT ROWID")
            base.execute("BEGIN")
            base.executemany("INSERT INTO a VALUES (?, ?)", ((name, HASH) for name in names))
            base.execute("COMMIT")
        for path in DATA.glob("accounts.db*"):
            path.chmod(0o666)

    def toggle(self, name: str) -> None:
        with self.open() as base:
            base.execute("BEGIN IMMEDIATE")
            if not base.execute("DELETE FROM a WHERE address = ?", (name,)).rowcount:
                base.execute("INSERT INTO a VALUES (?, ?)", (name, HASH))
            base.execute("COMMIT")

    @contextlib.contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        base = sqlite3.connect(DATA / "accounts.db", isolation_level=None, timeout=5)
        try:
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("PRAGMA synchronous = FULL")
            yield base
        finally:
            base.close()

    def dovecot(self) -> str:
        query = "SELECT '/nowhere' AS home, 65534 AS uid, 65534 AS gid FROM a WHERE address = "
        if two_three():
            (DATA / "sql.conf").write_text(
                f"driver = sqlite\nconnect = {DATA}/accounts.db\nuser_query = {query}'%u'\n"
            )
            return f"userdb {{\n driver = sql\n args = {DATA}/sql.conf\n}}\n"
        base = f"sql_driver = sqlite\nsqlite_path = {DATA}/accounts.db\n"
        return base + f"userdb sql {{\n query = {query}'%{{user}}'\n}}\n"


def replace(path: Path, text: str, *, sync: bool) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(text)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    fresh.rename(path)


@contextlib.contextmanager
def dovecot(store: Store) -> Iterator[None]:
    """Dovecot with nothing but its auth service."""
    settings = "protocols =\nssl = no\nlog_path = /var/tmp/account-stores.log\n"
    settings += "default_vsz_limit = 1G\nmail_uid = 65534\nmail_gid = 65534\nmail_home = /nowhere\n"
    settings += "service auth {\n unix_listener auth-userdb {\n mode = 0600\n }\n}\n"
    if two_three():
        settings += "passdb {\n driver = static\n args = password=x\n}\n"
    else:
        settings += "passdb static {\n password = x\n}\n"
        settings = "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n" + settings
    config = Path("/var/tmp/account-stores.conf")
    config.write_text(settings + store.dovecot())
    with subprocess.Popen(["dovecot", "-F", "-c", str(config)]) as master:
        try:
            wait_for(Path("/run/dovecot/auth-userdb"))
            yield
        finally:
            master.terminate()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
            return
        time.sleep(0.05)
    raise TimeoutError(path)


def ask_dovecot(names: list[str]) -> int:
    """How many of the names Dovecot's userdb does not answer with an account."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(30)
        stream.connect("/run/dovecot/auth-userdb")
        stream.sendall(b"VERSION\t1\t0\n")
        wrong = 0
        with stream.makefile("r") as replies:
            for number, name in enumerate(names, 1):
                stream.sendall(f"USER\t{number}\t{name}\tservice=lmtp\n".encode())
                for line in replies:
                    if line.split("\t")[0] in {"USER", "NOTFOUND", "FAIL"}:
                        wrong += not line.startswith("USER")
                        break
                else:
                    return len(names)
    return wrong


def ask_postfix(store: Store, names: list[str]) -> int:
    """How many of the names a Postfix process that starts now does not find."""
    keys = "\n".join(names) + "\n"
    done = subprocess.run(
        ["postmap", "-q", "-", store.postfix_map],
        input=keys,
        capture_output=True,
        text=True,
        check=False,
    )
    return len(names) - len(done.stdout.splitlines())


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
