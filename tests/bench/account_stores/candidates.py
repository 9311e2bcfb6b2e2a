"""The candidates: passwd-files with a cdb map, and one SQLite file in WAL mode."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

DATA = Path("/var/tmp/account-stores")
PER_SITE = 100
HASH = "{PLAIN}x"


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
