"""Write what Dovecot and Postfix look up: what differs only, in the order that loses no mail.

Standard library only; runs as root on the host. See provision_accounts for what is promised.
"""

# Durable writing is made of system calls on descriptors, and pathlib has no fsync.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
import re
import subprocess

from .provision_account_archive import move
from .provision_account_homes import Homes
from .provision_account_sight import wait_until_seen
from .provision_account_store import (
    Layout,
    digest,
    digest_of,
    dump,
    group_id,
    input_of,
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
from .provision_account_tables import MAPS, SiteTables
from .provision_account_transition import end_transition, pending_transition, write_transition
from .provision_account_webmail import People
from .provision_account_work import Inputs, Work, dump_index, index_path, source_of
from .provision_steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DOVECOT = "/etc/dovecot/accounts"
_POSTFIX = "/etc/postfix/accounts"
_LOGIN = re.compile(r"[a-z0-9_.-]+@[a-z0-9.-]+")


class Compile:
    """One compile: writes what differs, in the order that loses no mail."""

    def __init__(
        self, layout: Layout, work: Work, before: Inputs, *, compiler: str, lock: int
    ) -> None:
        """``lock`` is the descriptor by which the account data are held."""
        self.layout, self.work, self.before, self.compiler = layout, work, before, compiler
        self.lock = lock
        self.dovecot_gid = group_id(layout.dovecot_group)
        self.postfix_gid = group_id(layout.postfix_group)
        self.mail_ids = user_ids(layout.mail_user)
        self.forwards = os.path.join(layout.dovecot, "forwards")
        self.record = load(layout.compiled) or {"maps": {}, "files": {}}
        self.maps: dict[str, dict[str, str]] = {}
        self.spans: dict[str, Any] = {}
        self.seals: dict[str, str] = {} if work.is_whole else dict(self.record["files"])
        self.logins = {address for own in work.touched.values() for address in own.passwd}
        self.files = {site: _names(site, own) for site, own in work.touched.items()}
        self.stale = _stale(layout, work)
        self.transition = pending_transition(layout)
        self.homes = Homes(layout, work, self.transition)
        self.written: list[str] = []
        self.arrivals: list[str] = []
        """A login of each file that has got new ones."""

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
        people = People(self.layout)
        people.catch_up(self.transition["webmail"], self.logins)
        people.rename({old: new for new, old in self.homes.moves.items()}, addresses=True)
        self._prune_credentials()
        self.transition |= {"moves": {}, "webmail": people.waiting}
        write_transition(self.layout, self.transition)
        self.homes.archive()
        archives = {**self.homes.archived_before(), **self.homes.archives}
        people.rename(archives, addresses=False)
        self.homes.make_again()
        end_transition(self.layout, people.waiting)
        self._write_record()
        return {
            "created": self.homes.created,
            "renamed": self.homes.renamed,
            "archived": self.homes.archived,
            "written": self.written,
            "said": people.said,
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
        for site, own in self.work.touched.items():
            for address, script in own.sieve.items():
                path = os.path.join(self.forwards, f"{address}.sieve")
                self._write(path, script, gid=self.mail_ids[1])
            for name, lines in _dovecot_files(site, own).items():
                path = os.path.join(self.layout.dovecot, name)
                before = _lines(path) if keep_leaving else {}
                every = {**before, **lines}
                if every:
                    text = "".join(f"{every[key]}\n" for key in sorted(every))
                    self._write(path, text, gid=self.dovecot_gid)
                arrived = lines.keys() - before.keys()
                if before and arrived and name.endswith((".passwd", ".forwarders")):
                    self.arrivals.append(min(arrived))

    def _write_maps(self) -> None:
        """Build what differs, and let Postfix see it when Dovecot knows the logins behind it."""
        make_folder(os.path.join(self.layout.postfix, ".build"))
        sources: dict[str, str] = {}
        builds: dict[str, subprocess.Popen[str]] = {}
        for name in MAPS:
            self.spans[name] = text, _spans = self.work.map_of(name)
            sources[name] = digest(text)
            if not self._is_built(name, sources[name]):
                builds[name] = self._begin_build(name, text)
        for name, build in builds.items():
            self._end_build(name, build)
        if builds and self.arrivals:
            wait_until_seen(self.layout.doveadm, self.arrivals)
        for name in builds:
            move(f"{source_of(self.layout, name)}.cdb", self._map(name))
            self.written.append(self._map(name))
        for name in MAPS:
            sealed = seal(self._map(name))
            self.maps[name] = {"source": sources[name], "live": sealed}
            self.seals[f"{_POSTFIX}/{name}.cdb"] = sealed

    def _is_built(self, name: str, source: str) -> bool:
        """Whether map and text are those of the last compile, and still what is wanted."""
        wanted = {"source": source, "live": seal(self._map(name))}
        built = self.record["maps"].get(name)
        # The texts that the index belongs to have been looked at.
        is_text_there = self.work.texts or digest_of(source_of(self.layout, name)) == source
        return built == wanted and bool(is_text_there)

    def _map(self, name: str) -> str:
        """Path of the map that Postfix reads."""
        return os.path.join(self.layout.postfix, f"{name}.cdb")

    def _begin_build(self, name: str, text: bytes) -> subprocess.Popen[str]:
        """Build beside, to be renamed over: Postfix sees the old map or the new one, never half.

        All maps are built at the same time: this is most of what a large host has to do.
        """
        source = source_of(self.layout, name)
        remove(f"{source}.cdb")
        write(source, text)
        Steps.before(f"build {source}.cdb")
        return subprocess.Popen(
            [self.layout.postmap, f"cdb:{source}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(self.lock,),  # one that outlives us is waited for by who comes next
        )

    def _end_build(self, name: str, build: subprocess.Popen[str]) -> None:
        said = build.communicate()[1]
        if build.returncode or said:
            raise OSError(f"postmap cannot build {self._map(name)}: {said.strip()}")
        with open(f"{source_of(self.layout, name)}.cdb", "rb") as built:
            os.fchown(built.fileno(), -1, self.postfix_gid)
            os.fchmod(built.fileno(), 0o640)
            os.fsync(built.fileno())

    def _remove_dovecot(self) -> None:
        """Remove the files of sites and forwards that left."""
        wanted = {name for names in self.files.values() for name in names}
        for name in sorted(self.stale - wanted):
            remove(os.path.join(self.layout.dovecot, name))
            self.seals.pop(f"{_DOVECOT}/{name}", None)

    def _prune_credentials(self) -> None:
        """Forget the passwords of those who left: a later mailbox of that name is another's."""
        moves = self.transition["moves"]
        gone = (*self.transition["leaving"], *moves.values(), *moves)
        sites = {address.rpartition("@")[2] for address in gone} - self.work.kept.keys()
        for site in sorted(sites):
            path = self.layout.credentials(site)
            held = load(path) or {}
            kept = {address: held[address] for address in held if address in self.logins}
            if not kept:
                remove(path)
            elif kept != held:
                write(path, dump(kept))

    def _write_record(self) -> None:
        """Say what was read and written; last, so that a run that was killed has not said it."""
        for names in self.files.values():
            for name in names:
                self.seals[f"{_DOVECOT}/{name}"] = seal(os.path.join(self.layout.dovecot, name))
        inputs = {site: self.before[site] for site in self.work.kept}
        inputs |= {site: input_of(self.layout, site) for site in self.work.touched}
        texts = {name: built["source"] for name, built in self.maps.items()}
        spans = {name: spans for name, (_text, spans) in self.spans.items()}
        index = dump_index(
            self.work, inputs, spans, texts, compiler=self.compiler, files=self.files
        )
        write(index_path(self.layout), index)
        record = {"version": 1, "inputs": inputs, "files": self.seals, "maps": self.maps}
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


def _names(site: str, own: SiteTables) -> list[str]:
    """Names, below the folder that Dovecot reads, of all files of a site."""
    files = [name for name, lines in _dovecot_files(site, own).items() if lines]
    return [*files, *(f"forwards/{address}.sieve" for address in own.sieve)]


def _stale(layout: Layout, work: Work) -> set[str]:
    """Names of files that are there now and may have to go; folders are nobody's business."""
    if work.is_whole:
        paths = [path for path in live_files(layout) if path.startswith(f"{_DOVECOT}/")]
        return {path[len(_DOVECOT) + 1 :] for path in paths}
    return {name for entry in work.left.values() for name in entry["files"]}


def _lines(path: str) -> dict[str, str]:
    """Login to line of a passwd-file that is there, of lines that a compile may have written."""
    lines = (read(path) or b"").decode("utf-8", "replace").splitlines()
    found = {line.partition(":")[0]: line for line in lines if line.isascii()}
    return {login: line for login, line in found.items() if _LOGIN.fullmatch(login)}
