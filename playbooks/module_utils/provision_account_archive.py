"""What removed mailboxes leave behind: counted, kept with a record, listed, brought back, purged.

Standard library only; runs as root on the host, from Ansible or from ``python3 -I -S -``.

    /var/mail/provision/.archive/           0700 root
        20261123T190700Z-bob@acme.example/  0700 root: when it left (UTC), and its address
            record.json                     who it was, who removed it, until when it is kept
            home/                           the home as it was, renamed into here

An archive without a home is a trace of a killed run: it is swept, and nothing shows it.
"""

# Durable work is made of system calls on names, and pathlib has no fsync.
# ruff: noqa: PTH104, PTH112, PTH114, PTH118, PTH120, PTH208

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import time

from .provision_account_store import (
    dump,
    files_in,
    load,
    make_folder,
    sync_folder,
    write,
)
from .provision_steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .provision_account_store import Layout

ARCHIVE = ".archive"
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z(?:\.[0-9]+)?-[a-z0-9._@-]+")
_SIZE = re.compile(r",S=([0-9]+)")
_RENAME_EXCHANGE = 2
_UNLIMITED = 1 << 62
MOST_COUNTED = 200_000
"""Messages that are counted for a plan at most: a fifth of a second or so."""


def archive_folder(layout: Layout) -> str:
    """Where all archives are."""
    return os.path.join(layout.mail, ARCHIVE)


def count_mail(home: str, most: int = _UNLIMITED) -> tuple[int, int] | None:
    """Messages of a home and their bytes, from names alone; None when there are over ``most``.

    Dovecot writes a message's size into its name (Maildir, ``,S=``). Follows no symbolic link.
    """
    messages = size = 0
    for folder in _folders(os.path.join(home, "mail")):
        for part in ("cur", "new"):
            for name in _names(os.path.join(folder, part)):
                found = _SIZE.search(name)
                size += int(found[1]) if found else _size(os.path.join(folder, part, name))
                messages += 1
            if messages > most:
                return None
    return messages, size


def _folders(mail: str) -> list[str]:
    """The inbox and every other folder (Maildir++: each is a dot folder of the inbox)."""
    below = (os.path.join(mail, name) for name in _names(mail) if name.startswith("."))
    return [mail, *(path for path in below if os.path.isdir(path) and not os.path.islink(path))]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return 0


def archives(layout: Layout) -> list[dict[str, Any]]:
    """Every record with the ``name`` of its archive, newest first."""
    folder = archive_folder(layout)
    found = []
    for name in sorted(files_in(folder), reverse=True):
        path = os.path.join(folder, name)
        if _NAME.fullmatch(name) and os.path.isdir(os.path.join(path, "home")):
            found.append({**(load(os.path.join(path, "record.json")) or {}), "name": name})
    return found


def archived_addresses(layout: Layout, sites: list[str]) -> dict[str, str]:
    """Address to the moment of its newest archive, for addresses of these sites."""
    found = {}
    for name in sorted(files_in(archive_folder(layout))):
        moment, _, address = name.partition("-")
        if _NAME.fullmatch(name) and address.rpartition("@")[2] in sites:
            found[address] = moment
    return found


def mail_of(layout: Layout, sites: list[str], most: int = MOST_COUNTED) -> dict[str, Any]:
    """Address to messages and bytes, of the mailboxes of these sites, as far as ``most`` allows.

    A plan asks for all sites that differ, in one trip, before anybody knows which mailbox leaves.
    """
    found: dict[str, Any] = {}
    for site in sites:
        for address in _addresses(layout, site):
            home = os.path.join(layout.mail, site, address.partition("@")[0])
            counted = count_mail(home, most) if most > 0 else None
            if counted is not None:
                found[address] = counted
                most -= counted[0] + 1
    return found


def _addresses(layout: Layout, site: str) -> list[str]:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return [mailbox["address"] for mailbox in load(layout.document(site))["mailboxes"]]
    return []


def moment_of(seconds: float) -> str:
    """A moment as archives are named by it: UTC, ISO 8601 basic form, sorts by time."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def put_away(layout: Layout, home: str, record: dict[str, Any]) -> str:
    """Rename a home into a new archive, durably; returns the archive's name.

    ``record`` has at least ``address`` and ``removed`` (seconds); what the home holds is added.
    """
    name = _new_archive(layout, record)
    path = os.path.join(archive_folder(layout), name)
    messages, size = count_mail(home) or (0, 0)
    counted = {"version": 1, **record, "messages": messages, "bytes": size}
    write(os.path.join(path, "record.json"), dump(counted))
    move(home, os.path.join(path, "home"))
    return name


def _new_archive(layout: Layout, record: dict[str, Any]) -> str:
    folder, moment = archive_folder(layout), moment_of(record["removed"])
    make_folder(folder)
    for number in range(1000):
        name = f"{moment}{f'.{number}' if number else ''}-{record['address']}"
        if make_folder(os.path.join(folder, name)) or not _names(os.path.join(folder, name)):
            return name
    raise OSError(f"too many archives of {record['address']} in one second")


def sweep_archives(layout: Layout) -> None:
    """Remove what a killed run has left: archives that hold no home."""
    folder = archive_folder(layout)
    for name in files_in(folder):
        path = os.path.join(folder, name)
        if _NAME.fullmatch(name) and not os.path.lexists(os.path.join(path, "home")):
            Steps.before(f"sweep {path}")
            shutil.rmtree(path)
            sync_folder(folder)


def bring_back(layout: Layout, name: str, home: str, now: dict[str, Any]) -> dict[str, int]:
    """Exchange an archive's home with the live one, in one step (renameat2(2)).

    What was live stays in the archive under the record ``now``, unless it held no message.
    Returns what the archive keeps: ``{"messages", "bytes"}``.
    """
    path = os.path.join(archive_folder(layout), name)
    kept = os.path.join(path, "home")
    exchange(kept, home)
    messages, size = count_mail(kept) or (0, 0)
    if messages:
        record = {"version": 1, **now, "messages": messages, "bytes": size}
        write(os.path.join(path, "record.json"), dump(record))
        Steps.before(f"rename {path}")
        os.rename(path, os.path.join(archive_folder(layout), _new_archive(layout, now)))
        sync_folder(archive_folder(layout))
    else:
        purge(layout, name)
    return {"messages": messages, "bytes": size}


def purge(layout: Layout, name: str) -> None:
    """Delete an archive with its mail. Nothing else ever deletes mail.

    The home gets a name that no list shows first, so a killed purge leaves nothing half shown.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no archive")
    path = os.path.join(archive_folder(layout), name)
    doomed = os.path.join(archive_folder(layout), f".purged-{name}")
    with contextlib.suppress(FileNotFoundError):
        move(path, doomed)
    sweep_purged(layout)


def sweep_purged(layout: Layout) -> None:
    """Finish purges that were killed."""
    folder = archive_folder(layout)
    for name in _names(folder):
        if name.startswith(".purged-"):
            Steps.before(f"purge {name}")
            shutil.rmtree(os.path.join(folder, name))
            sync_folder(folder)


def move(source: str, target: str) -> None:
    """Rename durably."""
    Steps.before(f"rename {source} to {target}")
    os.rename(source, target)
    sync_folder(os.path.dirname(target))
    sync_folder(os.path.dirname(source))


def exchange(one: str, other: str) -> None:
    """Let two names change places at once and durably: nobody ever finds either of them missing."""
    Steps.before(f"exchange {one} and {other}")
    libc = ctypes.CDLL(None, use_errno=True)
    at = -100  # AT_FDCWD: paths are absolute
    if libc.renameat2(at, os.fsencode(one), at, os.fsencode(other), _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, f"cannot exchange with {other}: {os.strerror(number)}", one)
    sync_folder(os.path.dirname(one))
    sync_folder(os.path.dirname(other))
