"""Apply account changes on a host and compile what Dovecot and Postfix look up.

Standard library only; runs as root on the host. The engine calls three functions:

`apply_delta(layout, delta)` takes::

    {"sites":   {SITE: DOCUMENT, ...},      new or changed, each the whole canonical text
     "removed": [SITE, ...],                sites that leave this host
     "hashes":  {ADDRESS: {"fingerprint": FINGERPRINT, "hash": "{ARGON2ID}$..."}, ...}}

`compile_all(layout)` compiles from what is stored: it makes the folders and empty maps of a new
host, finishes what was interrupted, and mends files that were edited by hand.
`provision_account_store.observe(layout)` says what the host has.

A password is needed for every mailbox whose fingerprint the host does not hold
(`provision_account_store.fingerprints`); for a ``generated`` one only where it holds none at all.

Every step is durable before the next. Credentials and documents are stored first, so after a kill
or a full disk `compile_all` ends where an undisturbed run would have. A mailbox appears as login,
folder, Postfix map, in this order, and leaves in the opposite one, so that no mail is accepted
that cannot be delivered. No daemon is reloaded. Mail is never deleted: the folder of a mailbox that
left moves to the archive, and comes back when the mailbox does.
"""

# Durable writing is made of system calls on descriptors, and pathlib has no fsync.
# ruff: noqa: PTH103, PTH104, PTH112, PTH118, PTH120, PTH123

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.provision_account_store import (
    Layout,
    digest,
    dump,
    files_in,
    group_id,
    inputs,
    load,
    lock,
    make_folder,
    read,
    remove,
    seal,
    sites_in,
    sync_folder,
    user_ids,
    write,
)
from ansible.module_utils.provision_account_tables import (
    MAPS,
    InvalidAccounts,
    SiteTables,
    Tables,
    compile_tables,
    map_text,
)

GENERATED = "generated"
ARCHIVE = ".archive"


def apply_delta(layout: Layout, delta: Mapping[str, Any]) -> dict[str, list[str]]:
    """Store a delta and compile; returns what `compile_all` returns.

    Raises InvalidAccounts before anything is changed when the delta is not whole, OSError when
    the host cannot do it (the old accounts then go on working).
    """
    _make_store(layout)
    with lock(layout):
        documents = {site: json.loads(text) for site, text in delta["sites"].items()}
        credentials = _merged_credentials(layout, documents, delta["hashes"])
        _check(layout, documents, credentials, delta["removed"])
        for site, entries in credentials.items():
            write(layout.credentials(site), dump(entries))
        for site, text in delta["sites"].items():
            write(layout.document(site), text.encode("ascii"))
        for site in delta["removed"]:
            remove(layout.document(site))
        return _compile(layout)


def compile_all(layout: Layout) -> dict[str, list[str]]:
    """Make what the daemons read from what is stored.

    Returns ``{"created", "archived", "restored", "written"}``: mailboxes that got a folder, whose
    folder went to the archive, whose folder came back, and the files that changed.
    """
    _make_store(layout)
    with lock(layout):
        return _compile(layout)


def _make_store(layout: Layout) -> None:
    os.makedirs(layout.store, mode=0o700, exist_ok=True)
    for name in ("sites", "credentials", "maps"):
        make_folder(os.path.join(layout.store, name))


def _merged_credentials(
    layout: Layout, documents: Mapping[str, Any], hashes: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Credentials after the delta of each site in it; those of mailboxes that left are kept."""
    merged: dict[str, dict[str, Any]] = {}
    for site, document in documents.items():
        entries = dict(load(layout.credentials(site)) or {})
        for mailbox in document["mailboxes"]:
            address, wanted = mailbox["address"], mailbox["fingerprint"]
            if address in hashes and hashes[address]["fingerprint"] == wanted:
                entries[address] = dict(hashes[address])
            elif address not in entries:
                raise InvalidAccounts(f"{address}: the delta has no password hash for it")
            elif wanted == GENERATED:
                entries[address] = {**entries[address], "fingerprint": GENERATED}
            elif entries[address]["fingerprint"] != wanted:
                raise InvalidAccounts(f"{address}: the delta has no hash of its new password")
        merged[site] = entries
    return merged


def _check(
    layout: Layout,
    documents: Mapping[str, Any],
    credentials: Mapping[str, Any],
    removed: list[str],
) -> None:
    """Compile the state after the delta in memory: what cannot be compiled is not stored."""
    staying = [site for site in sites_in(layout) if site not in documents and site not in removed]
    every = [*documents.values(), *(load(layout.document(site)) for site in staying)]
    for site, document in documents.items():
        if document["site"] != site:
            raise InvalidAccounts(f"the document of {site} is of {document['site']}")
    entries = [*credentials.values(), *(load(layout.credentials(site)) or {} for site in staying)]
    compile_tables(every, _hashes(entries))


def _hashes(entries: list[Mapping[str, Any]]) -> dict[str, str]:
    return {address: entry["hash"] for site in entries for address, entry in site.items()}


def _compile(layout: Layout) -> dict[str, list[str]]:
    sites = sites_in(layout)
    tables = compile_tables(
        [load(layout.document(site)) for site in sites],
        _hashes([load(layout.credentials(site)) or {} for site in sites]),
    )
    return _Compile(layout, tables).run()


class _Compile:
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
        make_folder(self.layout.dovecot, mode=0o751, gid=self.dovecot_gid)
        make_folder(self.forwards, mode=0o750, gid=self.mail_ids[1])
        make_folder(self.layout.postfix, mode=0o750, gid=self.postfix_gid)

    def _write_dovecot(self, *, keep_leaving: bool) -> None:
        """Write each site's files; first with the lines of those who are about to leave."""
        for site, own in self.tables.sites.items():
            for address, script in own.sieve.items():
                path = os.path.join(self.forwards, f"{address}.sieve")
                self._write(path, script, gid=self.mail_ids[1])
            for suffix, lines in _dovecot_files(own).items():
                path = os.path.join(self.layout.dovecot, f"{site}.{suffix}")
                every = {**(_lines(path) if keep_leaving else {}), **lines}
                if every:
                    text = "".join(f"{every[key]}\n" for key in sorted(every))
                    self._write(path, text, gid=self.dovecot_gid)

    def _make_homes(self) -> None:
        uid, gid = self.mail_ids
        for site, local in sorted(self.tables.homes()):
            folder = os.path.join(self.layout.mail, site)
            make_folder(folder, uid=uid, gid=gid)
            home = os.path.join(folder, local)
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
            f"{site}.{suffix}"
            for site, own in self.tables.sites.items()
            for suffix, lines in _dovecot_files(own).items()
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
                    _move(home, os.path.join(target, local))
                    self.result["archived"].append(f"{local}@{site}")

    def _make_archive(self, target: str) -> None:
        moment = os.path.dirname(target)
        for folder in (os.path.dirname(moment), moment, target):
            make_folder(folder)

    def _write_record(self) -> None:
        files = {
            os.path.join(folder, name): seal(os.path.join(folder, name))
            for folder in (self.layout.dovecot, self.forwards, self.layout.postfix)
            for name in files_in(folder)
            if name != "forwards"
        }
        root = os.path.join(self.layout.root, "")
        record = {
            "version": 1,
            "inputs": inputs(self.layout),
            "files": {f"/{path.removeprefix(root)}": found for path, found in files.items()},
            "maps": self.maps,
        }
        write(self.layout.compiled, dump(record))

    def _write(self, path: str, text: str, *, gid: int) -> None:
        if write(path, text.encode("ascii"), mode=0o640, gid=gid):
            self.result["written"].append(path)


def _dovecot_files(own: SiteTables) -> dict[str, dict[str, str]]:
    """Suffix to login to line; the order is the order of writing: refusals before logins."""
    return {
        "no-imap": {login: f"{login}:" for login in own.no_imap},
        "no-pop3": {login: f"{login}:" for login in own.no_pop3},
        "passwd": own.passwd,
        "forwarders": own.forwarders,
    }


def _lines(path: str) -> dict[str, str]:
    """Login to line of a passwd-file that is there."""
    lines = (read(path) or b"").decode("utf-8", "replace").splitlines()
    return {line.partition(":")[0]: line for line in lines if line}


def _move(source: str, target: str) -> None:
    """Rename durably."""
    os.rename(source, target)
    sync_folder(os.path.dirname(target))
    sync_folder(os.path.dirname(source))
