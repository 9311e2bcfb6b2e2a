"""The homes of mailboxes: made, renamed with their mail, and archived; in steps that can be killed.

Standard library only; runs as root on the host.

A rename is a symbolic link first (NEW -> OLD), so that the new address delivers before the old one
has left the maps. When nothing looks the old one up any more, link and folder change places in one
step (renameat2(2)), and the link is removed: no moment has a mailbox without its mail. A site that
gets another domain is the same, from folder to folder.
"""

# Durable work is made of system calls on names, and pathlib has no fsync.
# ruff: noqa: PTH108, PTH112, PTH114, PTH106, PTH118, PTH120, PTH211

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from .provision_account_archive import (
    archived_addresses,
    exchange,
    moment_of,
    put_away,
    sweep_archives,
    sweep_purged,
)
from .provision_account_store import Layout, files_in, make_folder, sync_folder, user_ids
from .provision_account_work import Work
from .provision_steps import Steps


class Homes:
    """The homes of the touched sites on their way from one state of the accounts to the next."""

    def __init__(self, layout: Layout, work: Work, transition: Mapping[str, Any]) -> None:
        self.layout, self.homes = layout, work.homes()
        self.kept = work.kept.keys()
        self.staying = {*work.touched, *self.kept}
        self.sites = None if work.is_whole else {*work.touched, *work.left}
        self.ids = user_ids(layout.mail_user)
        logins = {address for own in work.touched.values() for address in own.passwd}
        # A run that was killed before the documents were stored has moved and archived nothing.
        self.moves = {
            new: old
            for new, old in transition["moves"].items()
            if new in logins and old not in logins
        }
        self.leaving = {a: r for a, r in transition["leaving"].items() if a not in logins}
        self.created: list[str] = []
        self.renamed: list[str] = []
        self.archived: list[str] = []
        self.archives: dict[str, str] = {}
        """Address to the name of the archive that its mail went to."""

    def home(self, address: str) -> str:
        """Path of the home of an address."""
        local, _, site = address.partition("@")
        return os.path.join(self.layout.mail, site, local)

    def begin_moves(self) -> None:
        """Let each new address reach the mail of its old one."""
        sweep_archives(self.layout)
        sweep_purged(self.layout)
        for new, old in sorted(self.moves.items()):
            source, target = self.home(old), self.home(new)
            if not os.path.isdir(source) or os.path.islink(source):
                continue  # done by the run that was killed, but for the link
            if os.path.isdir(target) and not os.path.islink(target):
                self._archive(new)  # what an alias of that name has left
            if not os.path.lexists(target):
                folder = os.path.dirname(target)
                make_folder(folder, uid=self.ids[0], gid=self.ids[1])
                Steps.before(f"link {target}")
                os.symlink(os.path.relpath(source, folder), target)
                sync_folder(folder)

    def make(self) -> None:
        """Make every home that is missing."""
        uid, gid = self.ids
        wanted: dict[str, set[str]] = {}
        for site, local in self.homes:
            wanted.setdefault(site, set()).add(local)
        for site, locals_of_site in sorted(wanted.items()):
            folder = os.path.join(self.layout.mail, site)
            make_folder(folder, uid=uid, gid=gid)
            for local in sorted(locals_of_site - _sound_folders(folder, uid)):
                self._make(f"{local}@{site}")

    def _make(self, address: str) -> None:
        uid, gid = self.ids
        home = self.home(address)
        moving = address in self.moves or address in self.moves.values()
        if moving and os.path.islink(home):
            return
        if make_folder(home, uid=uid, gid=gid):
            self.created.append(address)

    def make_again(self) -> None:
        """Make the homes of aliases that have taken the place of a mailbox."""
        if self.archived or self.renamed:
            self.make()

    def end_moves(self) -> None:
        """Give the folder its new name; call it when nothing looks the old one up any more."""
        for new, old in sorted(self.moves.items()):
            source, target = self.home(old), self.home(new)
            if os.path.islink(target):
                self._end_sessions(old)
                exchange(source, target)
                self.renamed.append(f"{old} to {new}")
            if os.path.islink(source):
                Steps.before(f"remove {source}")
                os.unlink(source)
                sync_folder(os.path.dirname(source))

    def archive(self) -> None:
        """Move the homes of mailboxes that left, and remove what sites that left had them in."""
        for site in files_in(self.layout.mail) if self.sites is None else sorted(self.sites):
            for local in files_in(os.path.join(self.layout.mail, site)):
                if (site, local) not in self.homes or f"{local}@{site}" in self.leaving:
                    self._archive(f"{local}@{site}")
            if site not in self.staying:
                folder = os.path.join(self.layout.mail, site)
                Steps.before(f"remove directory {folder}")
                with contextlib.suppress(OSError):  # somebody may have put something there
                    os.rmdir(folder)

    def archived_before(self) -> dict[str, str]:
        """Who leaves and was archived by the run that was killed: address to archive."""
        sites = {a: a.rpartition("@")[2] for a in self.leaving if a not in self.archives}
        missed = {address: site for address, site in sites.items() if site not in self.kept}
        found = archived_addresses(self.layout, sorted(missed.values())) if missed else {}
        return {
            address: f"{found[address]}-{address}"
            for address in missed.keys() & found.keys()
            # An older archive is that of somebody who had the address before.
            if found[address].partition(".")[0] == moment_of(self.leaving[address]["removed"])
        }

    def _archive(self, address: str) -> None:
        now = int(time.time())
        unknown = {"address": address, "removed": now, "keep_until": now, "account": None}
        self._end_sessions(address)
        record = {**unknown, **self.leaving.get(address, {})}
        self.archives[address] = put_away(self.layout, self.home(address), record)
        self.archived.append(address)

    def _end_sessions(self, address: str) -> None:
        end_sessions(self.layout, address)


def _sound_folders(folder: str, uid: int) -> set[str]:
    """Names of the folders in it that their owner can use."""
    sound = (stat.S_IFDIR | 0o700, uid)
    with os.scandir(folder) as entries:
        states = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    return {n for n, state in states.items() if (state.st_mode & 0o170777, state.st_uid) == sound}


def end_sessions(layout: Layout, address: str) -> None:
    """Disconnect who is still logged in; no session or no daemon is no fault."""
    Steps.before(f"end the sessions of {address}")
    with contextlib.suppress(FileNotFoundError):
        subprocess.run([layout.doveadm, "kick", address], capture_output=True, check=False)
