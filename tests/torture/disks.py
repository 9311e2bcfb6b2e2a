"""Bad disks of a lab host: small, full or read-only ones, mounted over what an apply uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from provision.lab.lab import Lab
from tests.torture.look import HOST

_MOUNT = """
set -e
keep=/run/torture-disk; rm -rf $keep; cp -a "$1" $keep
owner=$(stat -c mode=%a,uid=%u,gid=%g "$1")
mount -t tmpfs -o "size=1g,nr_inodes=1000000,$owner" small "$1"
cp -a $keep/. "$1"; rm -rf $keep
size=$(($(df --output=used -k "$1" | tail -n 1) + $2))k
inodes=$(($(df --output=iused "$1" | tail -n 1) + $3))
mount -o "remount,size=$size,nr_inodes=$inodes" "$1"; systemctl reload postfix
"""
_UNMOUNT = """
set -e
keep=/run/torture-disk; rm -rf $keep
mount -o remount,rw "$1"; rm -f "$1"/.torture-filler; cp -a "$1" $keep
umount --lazy "$1"; find "$1" -mindepth 1 -delete; cp -a $keep/. "$1"; rm -rf $keep
systemctl reload postfix
"""


@contextmanager
def disk_at(lab: Lab, place: str, *, spare: int, inodes: int = 100_000) -> Iterator[None]:
    """A disk of its own for a folder, with so many KiB and inodes free; its content is kept.

    Postfix keeps its maps open, so it is reloaded where a map's disk changes under it.
    """
    lab.run(HOST, ["sh", "-c", _MOUNT, "sh", place, str(spare), str(inodes)])
    try:
        yield
    finally:
        lab.run(HOST, ["sh", "-c", _UNMOUNT, "sh", place])


def fill(lab: Lab, place: str) -> None:
    """Take all room that is left."""
    lab.run(HOST, ["sh", "-c", f"cat /dev/zero > {place}/.torture-filler 2>/dev/null || true"])


def make_read_only(lab: Lab, place: str) -> None:
    """What the kernel does to a disk that fails."""
    lab.run(HOST, ["mount", "-o", "remount,ro", place])


def heal(lab: Lab, place: str) -> None:
    """Make room, and let it be written to again."""
    grow = "remount,rw,size=64m,nr_inodes=100000"
    lab.run(HOST, ["sh", "-c", f"mount -o {grow} {place}; rm -f {place}/.torture-filler"])


HARMS = {"full": fill, "read-only": make_read_only}
