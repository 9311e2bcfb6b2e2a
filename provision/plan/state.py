"""The actual state of one host, as it was observed in one round trip."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from provision.model.bundle import Activation, Verb


@dataclass(frozen=True, slots=True)
class FileState:
    """What stands at a path. ``content`` is sent only where it differs and is no secret."""

    kind: str
    """``file``, ``symlink``, ``directory`` or ``other``."""
    sha256: str
    mode: int
    owner: str
    group: str
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DirectoryState:
    """A directory that exists. ``foreign``: paths in it that no generation of ours wrote."""

    mode: int
    owner: str
    group: str
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitState:
    """What systemd says about a unit (systemctl(1), ``show``)."""

    load: str
    active: str
    sub: str
    enabled: str

    @property
    def is_running(self) -> bool:
        """True when it does its work now; a unit that is still starting does not."""
        return self.active == "active"

    @property
    def is_enabled(self) -> bool:
        """True when it comes up after a reboot."""
        return self.enabled in {"enabled", "static", "indirect", "generated", "alias"}


@dataclass(frozen=True, slots=True)
class UserState:
    """A system user."""

    home: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """What the manifest of the current generation says about a path."""

    sha256: str
    mode: int
    owner: str
    group: str
    secret: bool
    activations: tuple[Activation, ...]

    def as_found(self) -> FileState:
        """The state of a file that is as this says."""
        return FileState("file", self.sha256, self.mode, self.owner, self.group)


@dataclass(frozen=True, slots=True)
class Leaving:
    """What earlier applies brought and the spec has no more, as far as it is still there."""

    units: tuple[str, ...] = ()
    """Those of the current generation; their states are among the host's units."""
    packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name to what stands against its removal; nothing: it can go."""
    users: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    """Ours alone, and empty when the files that leave have left."""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Leaving:
        """Read the observer's answer."""
        return cls(
            units=tuple(values["units"]),
            packages={name: tuple(reasons) for name, reasons in values["packages"].items()},
            users=tuple(values["users"]),
            directories=tuple(values["directories"]),
        )


class _Noted:
    """What a host has noted of somebody: texts, of which ``words`` say all of it to people."""

    __slots__: tuple[str, ...] = ()

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """Read the host's note of it."""
        return cls(**{name: str(entry.get(name, "")) for name in cls.__slots__})

    def as_json(self) -> dict[str, str]:
        """Its parts, without the words for people."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "words"}


@dataclass(frozen=True, slots=True)
class Holder(_Noted):
    """Who is at work on a host."""

    who: str
    since: str
    commit: str
    id: str
    address: str
    command: str
    words: str
    """All of it for people, as the host says it."""


@dataclass(frozen=True, slots=True)
class Hold(_Noted):
    """A person wants the host left alone for a while."""

    who: str
    since: str
    until: str
    reason: str
    id: str
    words: str
    """All of it for people, as the host says it."""


@dataclass(frozen=True, slots=True)
class HostState:
    """Everything that the comparison needs to know about a host."""

    release: str
    generation: int
    """Number of the current generation; 0: this host has none of ours."""
    recorded: Mapping[str, RecordedFile]
    """The current generation's files by path."""
    files: Mapping[str, FileState]
    directories: Mapping[str, DirectoryState]
    packages: Mapping[str, str]
    """Installed ones among those asked for, with their versions."""
    units: Mapping[str, UnitState]
    users: Mapping[str, UserState]
    accounts: Mapping[str, bytes]
    """Site to its document; documents equal to the desired ones are left out of the answer."""
    account_digests: Mapping[str, str]
    fingerprints: Mapping[str, str]
    """Address to the fingerprint of the password that the host holds; of sites that differ."""
    mail: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Address to messages and bytes, of mailboxes in sites that differ; not of all when it would
    take long to count them."""
    archived: Mapping[str, str] = field(default_factory=dict)
    """Address to the moment (``20261123T190700Z``) of its newest archive; of sites that differ."""
    account_damage: tuple[str, ...] = ()
    """Compiled account files that are not as the host's last compile left them."""
    dpkg_interrupted: bool = False
    switch_interrupted: bool = False
    pending: tuple[Activation, ...] = ()
    """Activations of an earlier apply that were never proved."""
    holder: Holder | None = None
    fleet: str = ""
    """Name of the fleet whose spec was applied last; empty where that is not known."""
    leaving: Leaving = Leaving()
    existing: int = 0
    """How many packages, units and users the current generation has."""
    hold: Hold | None = None
    rehearsed: bool = False
    """True when a rehearsal has put a breakpoint on this host."""

    def manifest_digest(self) -> str:
        """SHA-256 of what the last apply left: generation, its files, account documents."""
        recorded = {
            path: [entry.sha256, entry.mode, entry.owner, entry.group]
            for path, entry in self.recorded.items()
        }
        return _digest([self.generation, recorded, dict(self.account_digests)])

    def observed_digest(self) -> str:
        """SHA-256 of the managed files as they were found, whoever wrote them."""
        found = {
            path: [state.kind, state.sha256, state.mode, state.owner, state.group]
            for path, state in self.files.items()
        }
        return _digest(found)

    @classmethod
    def parse(cls, reply: Mapping[str, Any]) -> HostState:
        """Read the observer's reply (already JSON-decoded). Raises KeyError when it is not one."""
        recorded = {path: recorded_file(entry) for path, entry in reply["recorded"].items()}
        return cls(
            release=reply["release"],
            generation=reply["generation"],
            recorded=recorded,
            files={
                path: recorded[path].as_found() if entry is True else _file(entry)
                for path, entry in reply["files"].items()
            },
            directories={
                path: DirectoryState(e["mode"], e["owner"], e["group"], tuple(e["foreign"]))
                for path, e in reply["directories"].items()
            },
            packages=reply["packages"],
            units={name: UnitState(**entry) for name, entry in reply["units"].items()},
            users={
                name: UserState(entry["home"], tuple(entry["groups"]))
                for name, entry in reply["users"].items()
            },
            accounts={s: base64.b64decode(text) for s, text in reply["accounts"].items()},
            account_digests=reply["account_digests"],
            fingerprints=reply["fingerprints"],
            mail={address: (held[0], held[1]) for address, held in reply["mail"].items()},
            archived=reply["archived"],
            account_damage=tuple(reply["account_damage"]),
            dpkg_interrupted=reply["dpkg_interrupted"],
            switch_interrupted=reply["switch_interrupted"],
            pending=tuple(Activation(unit, _pending(word)) for unit, word in reply["pending"]),
            holder=Holder.parse(reply["holder"]) if reply["holder"] else None,
            hold=Hold.parse(reply["hold"]) if reply["hold"] else None,
            fleet=reply["fleet"],
            leaving=Leaving.parse(reply["leaving"]),
            existing=reply["existing"],
            rehearsed=reply["rehearsed"],
        )


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _file(entry: Mapping[str, Any]) -> FileState:
    content = entry.get("content")
    return FileState(
        kind=entry["kind"],
        sha256=entry["sha256"],
        mode=entry["mode"],
        owner=entry["owner"],
        group=entry["group"],
        content=None if content is None else base64.b64decode(content),
    )


def recorded_file(entry: Mapping[str, Any]) -> RecordedFile:
    """Read a manifest's entry for a file."""
    return RecordedFile(
        sha256=entry["sha256"],
        mode=entry["mode"],
        owner=entry["owner"],
        group=entry["group"],
        secret=entry["secret"],
        activations=_activations(entry["activations"]),
    )


def _pending(word: str) -> Verb:
    """A unit that was to be started has to read its files just the same."""
    return Verb.RESTART if word == "restart" else Verb.RELOAD


def _activations(pairs: list[list[Any]]) -> tuple[Activation, ...]:
    return tuple(Activation(unit, Verb(verb)) for unit, verb in pairs)
