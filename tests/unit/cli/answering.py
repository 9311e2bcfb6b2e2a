"""Hosts of the demo fleet as stand-ins: they answer as if an apply had just left them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provision.apply.locking import Locks
from provision.assets import demo_fleet_dir
from provision.cli.desired import load_desired
from provision.hosts.observe import Reply
from provision.hosts.target import Target
from provision.model.bundle import Bundle
from tests.unit.plan.estate import reply

RUNNING = {"load": "loaded", "active": "active", "sub": "running", "enabled": "enabled"}


def settled(bundle: Bundle, **changes: Any) -> dict[str, Any]:
    """What a host says that is exactly as the bundle asks, but for ``changes``."""
    files, recorded = {}, {}
    for file in bundle.files:
        entry = {"sha256": file.sha256(), "mode": file.mode}
        entry |= {"owner": file.owner, "group": file.group}
        files[file.path] = {"kind": "file", **entry}
        activations = [[each.unit, int(each.verb)] for each in file.activations]
        recorded[file.path] = {**entry, "secret": file.secret, "activations": activations}
    directories = {
        each.path: {"mode": each.mode, "owner": each.owner, "group": each.group, "foreign": []}
        for each in bundle.directories
    }
    users = {u.name: {"home": u.home, "groups": u.supplementary_groups} for u in bundle.users}
    return reply(
        files=files,
        recorded=recorded,
        directories=directories,
        packages=dict.fromkeys(bundle.packages, "1"),
        units={unit.name: dict(RUNNING) for unit in bundle.units},
        users=users,
        account_digests={site.site: site.digest() for site in bundle.accounts},
        fleet=bundle.fleet,
        **changes,
    )


@dataclass
class Answering:
    """A fleet folder, and what its hosts say: one answer after the other, the last one for ever."""

    fleet: Path
    bundles: dict[str, Bundle]
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: int = 0
    """How many times a host was looked at properly."""

    @classmethod
    def demo(cls, folder: Path) -> Answering:
        shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
        bundles = dict(load_desired(folder, vault_password_file=None, hosts=()).bundles)
        return cls(folder, bundles, {name: [settled(each)] for name, each in bundles.items()})

    def observe(self, target: Target, *_others: object, **_options: object) -> Reply:
        self.asked += 1
        answers = self.answers[target.name]
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        return Reply(json.dumps(said).encode(), "glance")

    @contextmanager
    def locked(self, targets: Sequence[Target], *_others: object) -> Iterator[Locks]:
        yield Locks(generations={t.name: self.answers[t.name][0]["generation"] for t in targets})

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Answer instead of machines, from now on."""
        monkeypatch.setattr("provision.apply.survey.observe", self.observe)
        monkeypatch.setattr("provision.apply.known.observe_again", lambda *_: None)
        monkeypatch.setattr("provision.cli.turn.locked", self.locked)
