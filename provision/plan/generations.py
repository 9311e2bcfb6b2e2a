"""What a host remembers: its generations, who holds it, and one of them beside what is live."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from provision.plan.state import HostState, RecordedFile, recorded_file


@dataclass(frozen=True, slots=True)
class Generation:
    """One applied state of a host, as it is remembered there."""

    number: int
    when: str
    """UTC by the host's clock, ``2026-11-23T18:00:00Z``; empty when it is not known."""
    who: str
    commit: str
    """Of the fleet folder; with ``+`` when that had changes; empty outside of git."""
    previous: int
    """The generation that was current before; 0: none."""
    rollback_of: int | None
    """The generation whose files came back, when this one is a rollback."""
    outcome: str
    """applied, unconfirmed, refused, rolled_back, needs_person, failed, interrupted, unproved."""
    message: str = ""
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The generation as JSON values."""
        return {
            "number": self.number,
            "when": self.when,
            "who": self.who,
            "commit": self.commit,
            "previous": self.previous,
            "rollback_of": self.rollback_of,
            "outcome": self.outcome,
            "message": self.message,
            "changes": {
                "created": list(self.created),
                "updated": list(self.updated),
                "removed": list(self.removed),
            },
        }


@dataclass(frozen=True, slots=True)
class RecordedDirectory:
    """What a manifest says about a directory."""

    mode: int
    owner: str
    group: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one generation consists of."""

    number: int
    files: Mapping[str, RecordedFile]
    directories: Mapping[str, RecordedDirectory]
    units: tuple[str, ...]
    packages: tuple[str, ...]
    users: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """System users with home and groups; manifests of older versions name none."""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Manifest:
        """Read a manifest.json that has been JSON-decoded."""
        return cls(
            number=values["generation"],
            files={path: recorded_file(entry) for path, entry in values["files"].items()},
            directories={
                path: RecordedDirectory(*entry) for path, entry in values["directories"].items()
            },
            units=tuple(values["units"]),
            packages=tuple(values["packages"]),
            users={
                name: (home, tuple(groups))
                for name, (home, groups) in values.get("users", {}).items()
            },
        )

    def digest(self) -> str:
        """SHA-256 of all that it says, hexadecimal."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that a host says about itself in one round trip."""

    state: HostState
    generations: tuple[Generation, ...]
    """Those that are kept, oldest first; not all of them were ever live."""
    base: Manifest | None
    """The generation that was asked for; None: it is not kept, or the host has none."""
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Of the base's files that differ from the live ones and are no secret."""
    accounts: tuple[tuple[str, str], ...] = ()
    """Compiled account files that are changed, missing or foreign."""
    last: Mapping[str, Any] | None = None
    """The last line of the host's audit log: ``when``, ``who``, ``commit``, ``outcome``."""

    @classmethod
    def parse(cls, reply: Mapping[str, Any]) -> Memory:
        """Read the reply, already JSON-decoded. Raises KeyError when it is not one."""
        state = HostState.parse(reply["state"])
        return cls(
            state=state,
            generations=tuple(_generation(e, state.generation) for e in reply["generations"]),
            base=Manifest.parse(reply["base"]) if reply["base"] else None,
            contents={path: base64.b64decode(text) for path, text in reply["contents"].items()},
            accounts=tuple((path, what) for path, what in reply["accounts"]),
            last=reply["last"],
        )

    @property
    def current(self) -> Generation | None:
        """The generation that is live; None on a host that has none."""
        return self.find(self.state.generation)

    def find(self, number: int) -> Generation | None:
        """One of the kept generations."""
        return next((g for g in self.generations if g.number == number), None)


def _generation(entry: Mapping[str, Any], current: int) -> Generation:
    changes = entry["changes"]
    return Generation(
        number=entry["number"],
        when=entry["when"],
        who=entry["who"],
        commit=entry["commit"],
        previous=entry["previous"],
        rollback_of=entry["rollback_of"],
        outcome=entry["outcome"] or ("unproved" if entry["number"] == current else "interrupted"),
        message=entry["message"],
        created=tuple(changes.get("created", ())),
        updated=tuple(changes.get("updated", ())),
        removed=tuple(changes.get("removed", ())),
    )
