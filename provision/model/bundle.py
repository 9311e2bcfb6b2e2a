"""A bundle: everything that one host shall have, as values (the desired state)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass, field
from enum import IntEnum
from itertools import pairwise

from provision.model.access import file_touches_access, groups_touch_access, unit_touches_access
from provision.model.accounts import SiteAccounts
from provision.model.amounts import Duration
from provision.model.fleet import KEEP_REMOVED, Host


class Verb(IntEnum):
    """What a unit must do when something it reads has changed; the larger one wins."""

    NONE = 0
    RELOAD = 1
    RESTART = 2


@dataclass(frozen=True, order=True, slots=True)
class Activation:
    """A unit (``postfix.service``) and what it must do."""

    unit: str
    verb: Verb


@dataclass(frozen=True, slots=True)
class ManagedFile:
    """A file of ours at its real path on the host."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    secret: bool = False
    """True: its content appears in no plan, diff, log or rendered output."""
    activations: tuple[Activation, ...] = ()

    @property
    def access(self) -> bool:
        """True when a mistake in it may lock everybody out."""
        return file_touches_access(self.path, (a.unit for a in self.activations))

    def sha256(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, order=True, slots=True)
class ManagedDirectory:
    """A directory that must exist with this mode and owner. ``ours``: no foreign file belongs."""

    path: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"
    ours: bool = False


@dataclass(frozen=True, order=True, slots=True)
class ManagedUnit:
    """A systemd unit that must be enabled and running."""

    name: str
    live_socket: str = ""
    """A unix socket that accepts connections exactly while the running daemon has read this
    bundle's configuration; empty when the unit has none. A reload's exit status proves nothing."""

    @property
    def access(self) -> bool:
        """True when who reaches the host depends on it."""
        return unit_touches_access(self.name)


@dataclass(frozen=True, order=True, slots=True)
class SystemUser:
    """A system user with a group of the same name, no login and no password."""

    name: str
    home: str
    supplementary_groups: tuple[str, ...] = ()

    @property
    def access(self) -> bool:
        """True when its groups make it more than a daemon's user."""
        return groups_touch_access(self.supplementary_groups)


@dataclass(frozen=True, order=True, slots=True)
class PublicPort:
    """A TCP port that a program of this host offers to the world."""

    number: int
    program: str
    """As people call it: ``Postfix``."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one program contributes to a host's bundle."""

    files: tuple[ManagedFile, ...] = ()
    directories: tuple[ManagedDirectory, ...] = ()
    packages: tuple[str, ...] = ()
    units: tuple[ManagedUnit, ...] = ()
    users: tuple[SystemUser, ...] = ()
    ports: tuple[PublicPort, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """The desired state of one host: everything sorted, every path unique."""

    host: Host
    files: tuple[ManagedFile, ...]
    directories: tuple[ManagedDirectory, ...]
    packages: tuple[str, ...]
    units: tuple[ManagedUnit, ...]
    users: tuple[SystemUser, ...]
    accounts: tuple[SiteAccounts, ...]
    keep_removed: Duration = KEEP_REMOVED
    """How long the archive of a mailbox that leaves is kept."""
    ports: tuple[PublicPort, ...] = ()
    """What the world may reach, by number."""

    def digest(self) -> str:
        """SHA-256 over all of it, hexadecimal: equal digests mean the same desired state.

        It covers the digests of secret files, private keys among them, so it allows no guessing.
        """
        values = {
            "files": [
                [f.path, f.sha256(), f.mode, f.owner, f.group, f.secret, _pairs(f.activations)]
                for f in self.files
            ],
            "directories": [astuple(directory) for directory in self.directories],
            "packages": self.packages,
            "units": [astuple(unit) for unit in self.units],
            "users": [astuple(user) for user in self.users],
            "accounts": {site.site: site.digest() for site in self.accounts},
            "moves": [astuple(move) for site in self.accounts for move in site.moves],
            "keep_removed": self.keep_removed.seconds,
        }
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    @classmethod
    def of(
        cls,
        host: Host,
        *,
        parts: tuple[Part, ...],
        accounts: tuple[SiteAccounts, ...],
        keep_removed: Duration = KEEP_REMOVED,
    ) -> Bundle:
        """Join the parts; raises ValueError when two parts claim the same path."""
        files = sorted((file for part in parts for file in part.files), key=lambda file: file.path)
        for one, other in pairwise(files):
            if one.path == other.path:
                raise ValueError(f"two renderers write {one.path}")
        return cls(
            host=host,
            files=tuple(files),
            directories=tuple(sorted({d for part in parts for d in part.directories})),
            packages=tuple(sorted({p for part in parts for p in part.packages})),
            units=tuple(sorted({u for part in parts for u in part.units})),
            users=tuple(sorted({u for part in parts for u in part.users})),
            accounts=tuple(sorted(accounts, key=lambda site: site.site)),
            keep_removed=keep_removed,
            ports=tuple(sorted({p for part in parts for p in part.ports})),
        )


def _pairs(activations: tuple[Activation, ...]) -> list[tuple[str, int]]:
    return [(activation.unit, int(activation.verb)) for activation in activations]
