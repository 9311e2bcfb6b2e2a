"""Write what Dovecot and Postfix look up: what differs only, in the order that loses no mail.

Standard library only; runs as root on the host. See provision_accounts for what is promised.
"""

# Durable writing is made of system calls on descriptors, and pathlib has no fsync.
# ruff: noqa: PTH104, PTH112, PTH118, PTH120, PTH123

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import time

from .provision_account_store import (
    Layout,
    digest,
    dump,
    files_in,
    group_id,
    inputs,
    live_files,
    load,
    make_folder,
    read,
    remove,
    seal,
    sweep,
    sync_folder,
    user_ids,
    write,
)
from .provision_account_tables import MAPS, SiteTables, Tables, map_text

ARCHIVE = ".archive"


class Compile:
    """One compile: writes what differs, in the order that loses no mail."""

    def __init__(self, layout: Layout, tables: Tables) -> None:
        self.layout, self.tables = layout, tables
        self.dovecot_gid = group_id(layout.dovecot_group)
        self.postfix_gid = group_id(layout.postfix_group)
        self.mail_ids = user_ids(layout.mail_user)
        self.forwards = os.path.join(layout.dovecot, "forwards")
        self.record = load(layout.compiled) or {"maps": {}}
        self.maps: dict[str, dict[str, str]] = {}
        self.result: dict[str, list[str]] = {
            "created": [],
            "archived": [],
            "restored": [],
            "written": [],
        }

    def run(self) -> dict[str, list[str]]:
        """Do every step; each is durable before the next."""
        self._make_folders()
        self._write_dovecot(keep_leaving=True)
        self._make_homes()
        self._write_maps()
        self._write_dovecot(keep_leaving=False)
        self._remove_dovecot()
        self._archive_homes()
        self._write_record()
        return self.result

    def _make_folders(self) -> None:
        """Make the folders that are missing and sweep what a killed run left in them."""
        make_folder(self.layout.dovecot, mode=0o751, gid=self.dovecot_gid)
        make_folder(self.forwards, mode=0o750, gid=self.mail_ids[1])
        make_folder(self.layout.postfix, mode=0o750, gid=self.postfix_gid)
        store = [os.path.join(self.layout.store, name) for name in ("", "sites", "credentials")]
        for folder in (self.layout.dovecot, self.forwards, *store):
            sweep(folder)

    def _write_dovecot(self, *, keep_leaving: bool) -> None:
        """Write each site's files; first with the lines of those who are about to leave."""
        for site, own in self.tables.sites.items():
            for address, script in own.sieve.items():
                path = os.path.join(self.forwards, f"{address}.sieve")
                self._write(path, script, gid=self.mail_ids[1])
            for name, lines in _dovecot_files(site, own).items():
                path = os.path.join(self.layout.dovecot, name)
                every = {**(_lines(path) if keep_leaving else {}), **lines}
                if every:
                    text = "".join(f"{every[key]}\n" for key in sorted(every))
                    self._write(path, text, gid=self.dovecot_gid)

    def _make_homes(self) -> None:
        uid, gid = self.mail_ids
        wanted: dict[str, set[str]] = {}
        for site, local in self.tables.homes():
            wanted.setdefault(site, set()).add(local)
        for site, locals_of_site in sorted(wanted.items()):
            folder = os.path.join(self.layout.mail, site)
            make_folder(folder, uid=uid, gid=gid)
            for local in sorted(locals_of_site - _sound_folders(folder, uid)):
                self._make_home(site, local)

    def _make_home(self, site: str, local: str) -> None:
        uid, gid = self.mail_ids
        home = os.path.join(self.layout.mail, site, local)
        if not os.path.isdir(home) and self._restore(site, local):
            self.result["restored"].append(f"{local}@{site}")
        elif make_folder(home, uid=uid, gid=gid):
            self.result["created"].append(f"{local}@{site}")

    def _restore(self, site: str, local: str) -> bool:
        archive = os.path.join(self.layout.mail, ARCHIVE)
        for moment in reversed(list(files_in(archive))):
            old = os.path.join(archive, moment, site, local)
            if os.path.isdir(old):
                _move(old, os.path.join(self.layout.mail, site, local))
                return True
        return False

    def _write_maps(self) -> None:
        build = os.path.join(self.layout.postfix, ".build")
        make_folder(build)
        for name in MAPS:
            text = map_text(self.tables.maps[name]).encode("ascii")
            live = os.path.join(self.layout.postfix, f"{name}.cdb")
            old = self.record["maps"].get(name)
            if old is None or old["source"] != digest(text) or old["live"] != seal(live):
                self._build_map(os.path.join(build, name), text, live)
                self.result["written"].append(live)
            self.maps[name] = {"source": digest(text), "live": seal(live)}

    def _build_map(self, source: str, text: bytes, live: str) -> None:
        """Build beside and rename over: Postfix sees the old map or the new one, never half."""
        remove(f"{source}.cdb")
        write(source, text)
        done = subprocess.run(
            [self.layout.postmap, f"cdb:{source}"], capture_output=True, text=True, check=False
        )
        if done.returncode or done.stderr:
            raise OSError(f"postmap cannot build {live}: {done.stderr.strip()}")
        with open(f"{source}.cdb", "rb") as built:
            os.fchown(built.fileno(), -1, self.postfix_gid)
            os.fchmod(built.fileno(), 0o640)
            os.fsync(built.fileno())
        _move(f"{source}.cdb", live)

    def _remove_dovecot(self) -> None:
        """Remove the files of sites and forwards that left."""
        scripts = {f"{a}.sieve" for own in self.tables.sites.values() for a in own.sieve}
        for name in sorted(set(files_in(self.forwards)) - scripts):
            remove(os.path.join(self.forwards, name))
        files = {
            name
            for site, own in self.tables.sites.items()
            for name, lines in _dovecot_files(site, own).items()
            if lines
        }
        for name in sorted(set(files_in(self.layout.dovecot)) - files - {"forwards"}):
            remove(os.path.join(self.layout.dovecot, name))

    def _archive_homes(self) -> None:
        """Move the homes of mailboxes that left; the date is that of this host's clock (UTC)."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        homes = self.tables.homes()
        for site in files_in(self.layout.mail):
            for local in files_in(os.path.join(self.layout.mail, site)):
                if (site, local) not in homes:
                    target = os.path.join(self.layout.mail, ARCHIVE, moment, site)
                    self._make_archive(target)
                    home = os.path.join(self.layout.mail, site, local)
                    self._end_sessions(f"{local}@{site}")
                    _move(home, os.path.join(target, local))
                    self.result["archived"].append(f"{local}@{site}")

    def _end_sessions(self, address: str) -> None:
        """Disconnect who is still logged in; no session or no daemon is no fault."""
        command = [self.layout.doveadm, "kick", address]
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(command, capture_output=True, check=False)

    def _make_archive(self, target: str) -> None:
        moment = os.path.dirname(target)
        for folder in (os.path.dirname(moment), moment, target):
            make_folder(folder)

    def _write_record(self) -> None:
        files = {path: seal(self.layout.at(path)) for path in live_files(self.layout)}
        record = {
            "version": 1,
            "inputs": inputs(self.layout),
            "files": files,
            "maps": self.maps,
        }
        write(self.layout.compiled, dump(record))

    def _write(self, path: str, text: str, *, gid: int) -> None:
        if write(path, text.encode("ascii"), mode=0o640, gid=gid):
            self.result["written"].append(path)


def _dovecot_files(site: str, own: SiteTables) -> dict[str, dict[str, str]]:
    """File name to login to line, in the order of writing: refusals before logins."""
    return {
        f"{site}.no-imap": {login: f"{login}:" for login in own.no_imap},
        f"{site}.no-pop3": {login: f"{login}:" for login in own.no_pop3},
        f"{site}.passwd": own.passwd,
        f"{site}.forwarders": own.forwarders,
        **{f"{domain}.aliases": lines for domain, lines in own.full.items()},
    }


def _sound_folders(folder: str, uid: int) -> set[str]:
    """Names of the folders in it that their owner can use."""
    sound = (stat.S_IFDIR | 0o700, uid)
    with os.scandir(folder) as entries:
        states = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    return {n for n, state in states.items() if (state.st_mode & 0o170777, state.st_uid) == sound}


def _lines(path: str) -> dict[str, str]:
    """Login to line of a passwd-file that is there."""
    lines = (read(path) or b"").decode("utf-8", "replace").splitlines()
    return {line.partition(":")[0]: line for line in lines if line}


def _move(source: str, target: str) -> None:
    """Rename durably."""
    os.rename(source, target)
    sync_folder(os.path.dirname(target))
    sync_folder(os.path.dirname(source))
