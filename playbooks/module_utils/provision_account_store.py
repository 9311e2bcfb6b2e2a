"""Where a host keeps its account data, how it is written durably, and how it is observed.

Standard library only; runs as root on the host, from Ansible or from ``python3 -I -S -``.

    /var/lib/provision/accounts/            0700 root
        sites/SITE.json                     the canonical document of each site, as it was sent
        credentials/SITE.json               {ADDRESS: {"fingerprint": ..., "hash": ...}}
        compiled.json                       what the last finished compile read and wrote
        index.json                          by site: what of that is its, and what it depends on
    /etc/dovecot/accounts/                  read by Dovecot; a change needs no reload
        SITE.passwd                         logins, quota: passdb and userdb
        SITE.forwarders                     aliases that lead elsewhere: userdb only
        DOMAIN.aliases                      the mailbox behind an alias, for its quota: userdb only
        SITE.no-imap  SITE.no-pop3          who may not use that protocol
        forwards/ADDRESS.sieve              where an address passes its mail on to
    /etc/postfix/accounts/NAME.cdb          read by Postfix; a change needs no reload
    /etc/postfix/accounts/.build/NAME       the text from which it was built
    /var/mail/provision/SITE/LOCAL/         home and mail of a mailbox
    /var/mail/provision/.archive/           what mailboxes that left have left behind

The host owns the credentials: a document names a password only by its fingerprint.
"""

# Durable writing is made of system calls on descriptors, and pathlib has no fsync.
# ruff: noqa: PTH102, PTH104, PTH108, PTH112, PTH118, PTH120, PTH208

from __future__ import annotations

import contextlib
import fcntl
import grp
import hashlib
import json
import os
import pwd
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .provision_seen import MEMORY
from .provision_steps import Steps

UNKNOWN = ""


class Layout(NamedTuple):
    """Where things are and who owns them; the defaults are a real host's."""

    root: str = "/"
    mail_user: str = "vmail"
    dovecot_group: str = "dovecot"
    postfix_group: str = "postfix"
    postmap: str = "/usr/sbin/postmap"
    doveadm: str = "/usr/bin/doveadm"

    def at(self, path: str) -> str:
        """The real place of an absolute path of the host."""
        return os.path.join(self.root, path.lstrip("/"))

    @property
    def store(self) -> str:
        """Folder of documents, credentials, map sources and the record of the last compile."""
        return self.at("/var/lib/provision/accounts")

    @property
    def dovecot(self) -> str:
        """Folder that Dovecot reads."""
        return self.at("/etc/dovecot/accounts")

    @property
    def postfix(self) -> str:
        """Folder that Postfix reads."""
        return self.at("/etc/postfix/accounts")

    @property
    def mail(self) -> str:
        """Folder of the mailboxes' homes."""
        return self.at("/var/mail/provision")

    def document(self, site: str) -> str:
        """Path of a site's document."""
        return os.path.join(self.store, "sites", f"{site}.json")

    def credentials(self, site: str) -> str:
        """Path of a site's credentials."""
        return os.path.join(self.store, "credentials", f"{site}.json")

    @property
    def compiled(self) -> str:
        """Path of the record of the last finished compile."""
        return os.path.join(self.store, "compiled.json")


def observe(layout: Layout) -> dict[str, Any]:
    """What the host has: ``{"sites": {SITE: SHA256}, "damage": [PATH or reason, ...]}``.

    ``sites`` are the digests of the stored documents. ``damage`` is empty when the last compile
    finished and all that it wrote is still as it wrote it; otherwise `compile_all` mends it.
    """
    found = inputs(layout)
    sites = {site: document for site, (document, _) in found.items()}
    record = load(layout.compiled)
    if record is None:
        return {"sites": sites, "damage": ["accounts were never compiled"] if sites else []}
    damage = [] if record["inputs"] == found else ["the last compile did not finish"]
    if os.path.lexists(os.path.join(layout.store, "intent.json")):
        damage.append("an account change was interrupted")
    damage += [
        path for path, wanted in sorted(record["files"].items()) if seal(layout.at(path)) != wanted
    ]
    damage += sorted(set(live_files(layout)) - set(record["files"]))
    return {"sites": sites, "damage": damage}


def live_files(layout: Layout) -> list[str]:
    """Paths on the host of all files in the folders that Dovecot and Postfix read."""
    folders = ("/etc/dovecot/accounts", "/etc/dovecot/accounts/forwards", "/etc/postfix/accounts")
    return [
        f"{folder}/{name}"
        for folder in folders
        for name in files_in(layout.at(folder))
        if not os.path.isdir(layout.at(f"{folder}/{name}"))
    ]


def fingerprints(layout: Layout, site: str) -> dict[str, str]:
    """Address to the fingerprint of the password for which the host has a hash."""
    stored = load(layout.credentials(site)) or {}
    return {address: entry["fingerprint"] for address, entry in stored.items()}


def sites_in(layout: Layout) -> list[str]:
    """The sites that the host has a document of, sorted."""
    with contextlib.suppress(FileNotFoundError):
        names = os.listdir(os.path.join(layout.store, "sites"))
        return sorted(name[:-5] for name in names if name.endswith(".json") and name[0] != ".")
    return []


def inputs(layout: Layout) -> dict[str, list[str]]:
    """Digests of all that a compile reads."""
    return {site: input_of(layout, site) for site in sites_in(layout)}


def input_of(layout: Layout, site: str) -> list[str]:
    """Digests of a site's document and credentials."""
    return [digest_of(layout.document(site)), digest_of(layout.credentials(site))]


def digest(content: bytes | None) -> str:
    """SHA-256, hexadecimal; UNKNOWN for a file that is not there."""
    return UNKNOWN if content is None else hashlib.sha256(content).hexdigest()


def digest_of(path: str) -> str:
    """SHA-256 of a file, not read again when it has not changed; UNKNOWN when there is none."""
    return (MEMORY.look(path) or ("", UNKNOWN))[1]


def seal(path: str) -> str:
    """Content, mode and group of a file in one short text; UNKNOWN when there is none."""
    state, content = MEMORY.look(path) or (None, UNKNOWN)
    return f"{content} {state.st_mode & 0o7777:o} {state.st_gid}" if state else UNKNOWN


def read(path: str) -> bytes | None:
    """Content of a file, None when there is none. Follows no symbolic link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def load(path: str) -> Any:
    """A JSON file's value; None when there is none."""
    content = read(path)
    return None if content is None else json.loads(content)


def dump(value: Any) -> bytes:
    """Canonical JSON, as the documents are written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def group_id(name: str) -> int:
    """Number of a group; KeyError when there is none."""
    return grp.getgrnam(name).gr_gid


def user_ids(name: str) -> tuple[int, int]:
    """Number of a user and of its group; KeyError when there is none."""
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


def write(path: str, content: bytes, *, mode: int = 0o600, gid: int = -1) -> bool:
    """Make ``path`` hold ``content``, durably and never half; False when it already does.

    The new file is complete, owned and synced before it takes the name (rename(2), fsync(2)).
    """
    if read(path) == content and _is_like(path, mode, gid):
        return False
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.new")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    Steps.before(f"write {path}")
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fchown(file.fileno(), -1, gid)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Steps.before(f"rename to {path}")
        os.rename(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(folder)
    return True


def _is_like(path: str, mode: int, gid: int) -> bool:
    state = os.lstat(path)
    return state.st_mode & 0o7777 == mode and gid in (-1, state.st_gid)


def remove(path: str) -> bool:
    """Remove a file durably; False when there is none."""
    if not os.path.lexists(path):
        return False
    Steps.before(f"remove {path}")
    os.unlink(path)
    sync_folder(os.path.dirname(path))
    return True


def make_folder(path: str, *, mode: int = 0o700, uid: int = -1, gid: int = -1) -> bool:
    """Make a folder with this mode and owner, durably; False when it was there.

    One that is there gets its mode and owner back: a killed run may have made it and no more. A
    symbolic link in its place is an OSError.
    """
    made = not os.path.lexists(path)
    if made:
        Steps.before(f"make directory {path}")
        os.mkdir(path, 0o700)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        state = os.fstat(descriptor)
        if uid not in {-1, state.st_uid} or gid not in {-1, state.st_gid}:
            os.fchown(descriptor, uid, gid)
        if state.st_mode & 0o777 != mode:
            os.fchmod(descriptor, mode)
        if made:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if made:
        sync_folder(os.path.dirname(path))
    return made


def sync_folder(path: str) -> None:
    """Make renames in a folder durable (fsync(2))."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: str) -> None:
    """Remove half-written files of a run that was killed."""
    for name in os.listdir(folder):
        if name.startswith(".") and name.endswith(".new"):
            remove(os.path.join(folder, name))


def files_in(folder: str) -> Iterable[str]:
    """Names of what is in a folder and is no temporary of ours, sorted."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    return []


@contextlib.contextmanager
def lock(layout: Layout) -> Iterator[int]:
    """Hold the account data, alone (flock(2)), also through a program that gets the descriptor."""
    path = os.path.join(layout.store, ".lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
