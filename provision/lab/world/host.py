"""The host ``world`` as a machine: its image, all its files, how a change of them is applied."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from provision.lab.authority import authority, issue
from provision.lab.estate import Estate, Machine
from provision.lab.images import Recipe
from provision.lab.network import NAMESERVER, OUTSIDE, SMARTHOST, WORLD
from provision.lab.packages import WORLD as WORLD_PACKAGES
from provision.lab.world.dns import Files, dns_files
from provision.lab.world.mail import KEPT, mail_files, smarthost_names
from provision.lab.world.proxy import proxy_files
from provision.lab.world.zones import OUTSIDE_NAME, WORLD_NAME

MACHINE = Machine("world", WORLD, WORLD_NAME, "debian13")
EXTRA_ADDRESSES = (SMARTHOST, OUTSIDE, NAMESERVER)

_FINISH = f"""\
chroot "$1" adduser --system --group --no-create-home --home /nonexistent --quiet labmail
chroot "$1" install -d -o labmail -g labmail -m 700 {KEPT} {KEPT}/smarthost {KEPT}/outside
chroot "$1" install -d /var/spool/postfix-isp /etc/postfix-isp
chroot "$1" install -d -o postfix -m 700 /var/lib/postfix-isp
chroot "$1" systemctl enable --quiet postfix@isp.service
chroot "$1" systemctl mask --quiet dovecot.socket
"""

# Longest prefix first: what must be restarted when a file below it has changed.
_UNITS = (
    ("/etc/knot/", ("knot", "unbound")),  # unbound remembers what knot said
    ("/etc/unbound/", ("unbound",)),
    ("/etc/postfix-isp/", ("postfix@isp",)),
    ("/etc/postfix/", ("postfix",)),
    ("/etc/dovecot/", ("dovecot",)),
    ("/etc/nginx/", ("nginx",)),
)


def recipe() -> Recipe:
    """The image of the world."""
    return Recipe(MACHINE.release, authority(), extra=WORLD_PACKAGES, finish=_FINISH)


def world_files(estate: Estate, *, folder: Path, now: dt.datetime) -> Files:
    """Every file of ours on the world; its certificates and keys are kept in ``folder``."""
    return {
        **dns_files(estate, keys=folder / "dnssec", now=now),
        **mail_files(
            estate,
            smarthost_pem=_pem(folder / "smarthost.pem", smarthost_names(estate)),
            outside_pem=_pem(folder / "outside.pem", [OUTSIDE_NAME]),
        ),
        **proxy_files(estate),
    }


def changed_files(files: Files, *, noted: Mapping[str, str]) -> Files:
    """The files whose digest is not the noted one."""
    digests = file_digests(files)
    return {path: file for path, file in files.items() if digests[path] != noted.get(path)}


def file_digests(files: Files) -> dict[str, str]:
    """Path to a digest of text and mode."""
    return {
        path: hashlib.sha256(f"{mode} {text}".encode()).hexdigest()
        for path, (text, mode) in files.items()
    }


def units_of(paths: Iterable[str]) -> list[str]:
    """Units to restart when these files have changed, in the order of ``_UNITS``."""
    paths = list(paths)
    units = [
        unit
        for prefix, names in _UNITS
        if any(path.startswith(prefix) for path in paths)
        for unit in names
    ]
    return list(dict.fromkeys(units))


def tar_of(files: Files) -> bytes:
    """The files as a tar archive to be unpacked at the root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, (text, mode) in sorted(files.items()):
            member = tarfile.TarInfo(path.lstrip("/"))
            content = text.encode()
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _pem(path: Path, names: list[str]) -> str:
    """Key and certificate for ``names``, issued when ``path`` has none for just these names."""
    noted = path.with_suffix(".names")
    if not path.exists() or not noted.exists() or json.loads(noted.read_text()) != names:
        issued = issue(names)
        path.touch(mode=0o600)
        path.write_text(issued.key + issued.certificate)
        noted.write_text(json.dumps(names))
    return path.read_text()
