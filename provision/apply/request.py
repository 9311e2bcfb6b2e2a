"""The archive that one host receives: what to become, and only the contents that it lacks."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from provision.apply.passwords import Credentials
from provision.assets import playbooks_dir
from provision.model.access import groups_of_power
from provision.model.accounts import MailboxAccount, Move
from provision.model.amounts import Duration
from provision.model.bundle import Bundle, ManagedFile
from provision.plan.change import Action, HostPlan, Kind
from provision.plan.state import HostState

CONFIRM_TIMEOUT = Duration(60)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who applies, from where, which commit, since when (UTC): for the lock and the audit."""

    who: str
    since: str
    commit: str
    id: str = ""
    """Names this run on every host: its lock, its line in the audit log, what is confirmed."""
    plan: str = ""
    """Digest of the plan of all hosts, as it was shown."""

    def holder(self) -> dict[str, str]:
        """The stamp as a host keeps it."""
        return {"who": self.who, "since": self.since, "commit": self.commit, "id": self.id}


@dataclass(frozen=True, slots=True)
class HostWork:
    """One host with all that an apply needs to know about it."""

    desired: Bundle
    actual: HostState
    plan: HostPlan
    confirm_timeout: Duration = CONFIRM_TIMEOUT
    """How long a change that touches access waits for its confirmation before it goes back."""

    @property
    def confirm_seconds(self) -> int:
        """The same in seconds; 0 when nothing has to be confirmed."""
        return self.confirm_timeout.seconds if self.plan.access else 0

    def changed_sites(self) -> dict[str, Sequence[MailboxAccount]]:
        """The sites whose document the host lacks, with their mailboxes."""
        return {
            site.site: site.mailboxes
            for site in self.desired.accounts
            if self.actual.account_digests.get(site.site) != site.digest()
        }

    def moves(self) -> tuple[Move, ...]:
        """The mailboxes of those sites that were called otherwise before."""
        changed, there = self.changed_sites(), self.actual.fingerprints
        wanted = [m for site in self.desired.accounts if site.site in changed for m in site.moves]
        found: dict[str, Move] = {}
        for move in sorted(wanted, key=lambda move: move.origin not in there):
            found.setdefault(move.address, move)
        return tuple(found.values())

    def variables(self, archive: str, run: str) -> dict[str, Any]:
        """What the playbook is told: names from our renderers, a path, and the run's own id."""
        users = set(self._names(Kind.USER, Action.CREATE, Action.UPDATE))
        return {
            "provision_heal": self.actual.dpkg_interrupted,
            "provision_packages": self._names(Kind.PACKAGE, Action.CREATE),
            "provision_users": [
                {"name": user.name, "home": user.home, "groups": list(user.supplementary_groups)}
                for user in self.desired.users
                if user.name in users
            ],
            "provision_units": self._units_of_packages(),
            "provision_run": run,
            "provision_archive": archive,
            "provision_rehearsed": self.actual.rehearsed,
        }

    def _units_of_packages(self) -> list[str]:
        """Units that come with packages; those that we write ourselves must run at any boot."""
        ours = {file.path for file in self.desired.files}
        names = (unit.name for unit in self.desired.units)
        return [name for name in names if f"/etc/systemd/system/{name}" not in ours]

    def leaving(self) -> dict[str, list[str]]:
        """The packages and users that the host shall drop when all else is done."""
        return {
            "packages": self._names(Kind.PACKAGE, Action.DELETE),
            "users": self._names(Kind.USER, Action.DELETE),
        }

    def joining(self) -> dict[str, list[str]]:
        """Who joins which groups of power by this apply, and leaves them when it goes back."""
        changed = self._names(Kind.USER, Action.CREATE, Action.UPDATE)
        found = {}
        for user in self.desired.users:
            state = self.actual.users.get(user.name)
            new = set(user.supplementary_groups) - set(state.groups if state else ())
            if user.name in changed and (powers := groups_of_power(new)):
                found[user.name] = powers
        return found

    def _names(self, kind: Kind, *actions: Action) -> list[str]:
        return [change.name for change in self.plan.of_kind(kind) if change.action in actions]

    @property
    def installs(self) -> bool:
        """True when packages come, and files with them that nobody has seen yet."""
        return bool(self._names(Kind.PACKAGE, Action.CREATE))


_RECORDED = ("files", "directories", "units", "packages")
"""What a host writes down of a generation, and has already when accounts alone change."""


def pack_short(work: HostWork, credentials: Credentials, stamp: Stamp) -> bytes | None:
    """The archive as ``provision_entry.py`` reads it; None when more than accounts may change.

    What the host has recorded is named by its digest. Holds secrets.
    """
    if not work.plan.is_accounts_only or not work.plan.generation:
        return None
    if work.actual.switch_interrupted or work.actual.pending:
        return None
    request = _request(work, credentials, stamp)
    recorded = json.dumps({key: request.pop(key) for key in _RECORDED}, sort_keys=True)
    digest = hashlib.sha256(recorded.encode()).hexdigest()
    del request["observed"]
    request["unchanged"] = {"keys": _RECORDED, "digest": digest}
    return _tar({"request.json": json.dumps(request).encode()})


def pack(work: HostWork, credentials: Credentials, stamp: Stamp) -> bytes:
    """The archive, as ``playbooks/module_utils/provision_request.py`` reads it. Holds secrets."""
    members = {"request.json": json.dumps(_request(work, credentials, stamp)).encode()}
    changed = {change.name for change in work.plan.of_kind(Kind.FILE)}
    for file in work.desired.files:
        if file.path in changed or work.actual.switch_interrupted:
            members[f"blobs/{file.sha256()}"] = file.content
    return _tar(members)


def _tar(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _request(work: HostWork, credentials: Credentials, stamp: Stamp) -> dict[str, Any]:
    desired, plan = work.desired, work.plan
    return {
        "expected_generation": plan.generation,
        "observed": _observed(work),
        "files": {file.path: _record(file) for file in desired.files},
        "directories": {d.path: [d.mode, d.owner, d.group, d.ours] for d in desired.directories},
        "units": [unit.name for unit in desired.units],
        "packages": list(desired.packages),
        "users": {
            user.name: [user.home, list(user.supplementary_groups)] for user in desired.users
        },
        "fleet": desired.fleet,
        "leaving": work.leaving(),
        "joining": work.joining(),
        "unit_actions": [[action.unit, action.verb] for action in plan.unit_actions],
        "confirm_seconds": work.confirm_seconds,
        "accounts": {
            **_accounts(work, credentials),
            "removal": {
                "who": stamp.who,
                "commit": stamp.commit,
                "keep_seconds": desired.keep_removed.seconds,
            },
        },
        "meta": {"holder": stamp.holder(), "plan": stamp.plan},
    }


def _observed(work: HostWork) -> dict[str, str | None] | None:
    """What the plan saw, by path; None where files will move before they can be compared.

    Packages bring files, and an interrupted switch is rolled back first.
    """
    actual = work.actual
    if actual.dpkg_interrupted or actual.switch_interrupted or work.installs:
        return None
    paths = {file.path for file in work.desired.files} | set(work.actual.recorded)
    states = ((path, work.actual.files.get(path)) for path in sorted(paths))
    return {path: (state.sha256 or None) if state else None for path, state in states}


def _record(file: ManagedFile) -> dict[str, Any]:
    return {
        "sha256": file.sha256(),
        "mode": file.mode,
        "owner": file.owner,
        "group": file.group,
        "secret": file.secret,
        "activations": [[a.unit, int(a.verb)] for a in file.activations],
    }


def _accounts(work: HostWork, credentials: Credentials) -> Mapping[str, Any]:
    changed = work.changed_sites()
    documents = {
        site.site: site.document().decode("ascii")
        for site in work.desired.accounts
        if site.site in changed
    }
    wanted = {site.site for site in work.desired.accounts}
    digests = work.actual.account_digests
    removed = sorted(set(digests) - wanted)
    return {
        "expected": {site: digests.get(site) for site in [*changed, *removed]},
        "sites": documents,
        "removed": removed,
        "hashes": {
            address: {"fingerprint": fingerprint, "hash": hashed.reveal()}
            for address, (fingerprint, hashed) in credentials.hashes.items()
        },
        "moves": {
            move.address: {"from": move.origin, "fingerprint": move.fingerprint}
            for move in work.moves()
        },
        "mend": bool(work.actual.account_damage),
        "compiler": _compiler(),
    }


@cache
def _compiler() -> str:
    """Digest of the program that compiles accounts on hosts: another one's work is not built on."""
    digest = hashlib.sha256()
    for path in sorted((playbooks_dir() / "module_utils").glob("provision_account_*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
