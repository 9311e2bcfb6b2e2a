"""Write what Dovecot and Postfix look up: what differs only, in the order that loses no mail.

Standard library only; runs as root on the host. See provision_accounts for what is promised.
"""

# Durable writing is made of system calls on descriptors, and pathlib has no fsync.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
import subprocess

from .provision_account_archive import move
from .provision_account_homes import Homes
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
    user_ids,
    write,
)
from .provision_account_tables import MAPS, SiteTables, Tables, map_text
from .provision_account_transition import end_transition, pending_transition, write_transition
from .provision_steps import Steps


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
        self.transition = pending_transition(layout)
        self.homes = Homes(layout, tables, self.transition)
        self.written: list[str] = []

    def run(self) -> dict[str, list[str]]:
        """Do every step; each is durable before the next."""
        self._make_folders()
        self.homes.begin_moves()
        self._write_dovecot(keep_leaving=True)
        self.homes.make()
        self._write_maps()
        self._write_dovecot(keep_leaving=False)
        self._remove_dovecot()
        self.homes.end_moves()
        self._prune_credentials()
        write_transition(self.layout, {**self.transition, "moves": {}})
        self.homes.archive()
        self.homes.make_again()
        end_transition(self.layout)
        self._write_record()
        return {
            "created": self.homes.created,
            "renamed": self.homes.renamed,
            "archived": self.homes.archived,
            "written": self.written,
        }

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

    def _write_maps(self) -> None:
        build = os.path.join(self.layout.postfix, ".build")
        make_folder(build)
        for name in MAPS:
            text = map_text(self.tables.maps[name]).encode("ascii")
            live = os.path.join(self.layout.postfix, f"{name}.cdb")
            old = self.record["maps"].get(name)
            if old is None or old["source"] != digest(text) or old["live"] != seal(live):
                self._build_map(os.path.join(build, name), text, live)
                self.written.append(live)
            self.maps[name] = {"source": digest(text), "live": seal(live)}

    def _build_map(self, source: str, text: bytes, live: str) -> None:
        """Build beside and rename over: Postfix sees the old map or the new one, never half."""
        remove(f"{source}.cdb")
        write(source, text)
        Steps.before(f"build {source}.cdb")
        done = subprocess.run(
            [self.layout.postmap, f"cdb:{source}"], capture_output=True, text=True, check=False
        )
        if done.returncode or done.stderr:
            raise OSError(f"postmap cannot build {live}: {done.stderr.strip()}")
        with open(f"{source}.cdb", "rb") as built:
            os.fchown(built.fileno(), -1, self.postfix_gid)
            os.fchmod(built.fileno(), 0o640)
            os.fsync(built.fileno())
        move(f"{source}.cdb", live)

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

    def _prune_credentials(self) -> None:
        """Forget the passwords of those who left: a later mailbox of that name is another's."""
        gone = (*self.transition["leaving"], *self.transition["moves"].values())
        for site in sorted({address.rpartition("@")[2] for address in gone}):
            path, own = self.layout.credentials(site), self.tables.sites.get(site)
            held = load(path) or {}
            kept = {address: held[address] for address in held if own and address in own.passwd}
            if not kept:
                remove(path)
            elif kept != held:
                write(path, dump(kept))

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
            self.written.append(path)


def _dovecot_files(site: str, own: SiteTables) -> dict[str, dict[str, str]]:
    """File name to login to line, in the order of writing: refusals before logins."""
    return {
        f"{site}.no-imap": {login: f"{login}:" for login in own.no_imap},
        f"{site}.no-pop3": {login: f"{login}:" for login in own.no_pop3},
        f"{site}.passwd": own.passwd,
        f"{site}.forwarders": own.forwarders,
        **{f"{domain}.aliases": lines for domain, lines in own.full.items()},
    }


def _lines(path: str) -> dict[str, str]:
    """Login to line of a passwd-file that is there."""
    lines = (read(path) or b"").decode("utf-8", "replace").splitlines()
    return {line.partition(":")[0]: line for line in lines if line}
