"""Who did what, when and from which commit: a fleet folder under git, a host, and what both say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.lab.controllers import LINGER, Controller, end, host_audit
from tests.lab.rehearsal import HOST, Rehearsal

pytestmark = pytest.mark.lab

ADA, BEA = "Ada Author", "Bea Builder"
SITE = "sites/acme.example.yml"
_AT_MOST = timedelta(minutes=5)


@dataclass
class Desk:
    """A controller whose fleet folder is part of a repository that holds other things, too."""

    controller: Controller
    name: str

    def commit(self, about: str) -> str:
        """Commit what has changed; the hash."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", about)
        return self.head

    def tag(self, name: str) -> None:
        """Name this commit, as a release."""
        self._git("tag", "--annotate", "--message", name, name)

    @property
    def head(self) -> str:
        """The hash of the commit that is checked out."""
        return self._git("rev-parse", "HEAD")

    def audit(self) -> list[dict[str, Any]]:
        """What this controller has written down of its applies, oldest first."""
        log = self.controller.folder / ".provision/audit.log"
        return [json.loads(line) for line in log.read_text().splitlines()]

    def digest(self) -> str:
        """Digest of the plan as it is now."""
        shown: str = json.loads(self._printed("plan", "--format", "json"))["digest"]
        return shown

    def tells(self, command: str) -> dict[str, Any]:
        """What ``history`` or ``status`` says about the host."""
        told: dict[str, Any] = json.loads(self._printed(command, "--format", "json"))["hosts"][0]
        return told

    def _printed(self, *words: str) -> str:
        return self.controller.start(*words).communicate(timeout=300)[0]

    def _git(self, *words: str) -> str:
        who = ["-c", f"user.name={self.name}", "-c", "user.email=desk@smartmail.example"]
        argv = ["git", "-C", str(self.controller.folder), *who, *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def desks(
    rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, Desk]]:
    """Ada and Bea, with a copy of one repository each; the host is put back at the end."""
    place = tmp_path_factory.mktemp("desks")
    first = place / "ada" / "mail"
    shutil.copytree(rehearsal.fleet_dir, first)
    (first.parent / ".gitignore").write_text(".provision/\n.vault-password\n")
    subprocess.run(["git", "init", "--quiet", str(first.parent)], check=True)
    ada = Desk(Controller("ada", first, place / "go"), ADA)
    ada.commit("Begin")
    ada.tag("v1.0")
    shutil.copytree(place / "ada", place / "bea")
    yield ada, Desk(Controller("bea", place / "bea" / "mail", place / "go"), BEA)
    rehearsal.provision("apply", "--yes", "--lock-timeout", "2m")


def test_host_and_controller_write_down_the_same_apply(
    rehearsal: Rehearsal, desks: tuple[Desk, Desk]
) -> None:
    ada, _ = desks
    ada.controller.change(1)
    commit, planned = ada.commit("Change a colour"), ada.digest()
    ada.controller.run("apply", "--yes")

    ours, hosts = ada.audit()[-1], host_audit(rehearsal)[-1]
    assert ours["who"].startswith("ada@")
    for key, value in {"who": ours["who"], "commit": commit[:12], "plan": planned}.items():
        assert (ours[key], hosts[key]) == (value, value), key
    assert ours["lock"] == hosts["lock"]
    assert (ours["hosts"], hosts["outcome"]) == ({HOST: "applied"}, "applied")
    _require_soon_after(ours["when"], hosts["when"])

    for told in (ada.tells("history")["generations"][-1], ada.tells("status")):
        assert (told["who"], told["commit"]) == (ours["who"], commit[:12])
    assert ada.tells("status")["generation"] == hosts["generation"]
    for command in ("history", "status"):
        assert commit[:12] in ada.controller.run(command)


def _require_soon_after(first: str, second: str) -> None:
    begun, then = datetime.fromisoformat(first), datetime.fromisoformat(second)
    assert begun <= then <= begun + _AT_MOST


def test_rollback_is_written_down_by_both_with_its_plan(
    rehearsal: Rehearsal, desks: tuple[Desk, Desk]
) -> None:
    ada, _ = desks
    back = ada.controller.start("rollback", "--yes", "--format", "json").communicate(timeout=300)
    planned = json.loads(back[0])["plan"]["digest"]
    ours, hosts = ada.audit()[-1], host_audit(rehearsal)[-1]
    for key, value in {"who": ours["who"], "commit": ada.head[:12], "plan": planned}.items():
        assert (ours[key], hosts[key]) == (value, value), key
    assert (ours["hosts"], hosts["outcome"]) == ({HOST: "applied"}, "applied")
    assert hosts["rollback_of"] is not None


def test_second_apply_is_told_who_from_where_since_when_and_which_commit(
    rehearsal: Rehearsal, desks: tuple[Desk, Desk]
) -> None:
    ada, bea = desks
    ada.controller.change(2)
    commit = ada.commit("Change it again")
    bea.controller.change(3)
    bea.commit("Have another taste")
    process = ada.controller.start("apply", "--yes", before=LINGER)
    ada.controller.came()
    told = bea.controller.run("apply", "--yes", code=6)
    ada.controller.meeting.touch()
    end(process)
    ada.controller.meeting.unlink()

    words = rf"{HOST}: refused, nothing was changed: (ada@\S+) \(198\.18\.0\.1\) is applying to "
    words += (
        r"this host since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) \(\d+ s\), commit (\w+), lock (\w+)"
    )
    found = re.search(words, told)
    assert found, told
    who, since, *what = found.groups()
    ours = ada.audit()[-1]
    assert (who, what) == (ours["who"], [commit[:12], ours["lock"]])
    _require_soon_after(ours["when"], since)
    assert bea.audit()[-1]["hosts"] == {HOST: "refused"}
    assert host_audit(rehearsal)[-1]["lock"] == ours["lock"]


def test_plan_from_another_commit_is_stale_and_says_which_whose_and_what(
    rehearsal: Rehearsal, desks: tuple[Desk, Desk], tmp_path: Path
) -> None:
    _, bea = desks
    saved, before = tmp_path / "tonight.plan", host_audit(rehearsal)
    bea.controller.run("plan", "-o", str(saved))
    planned = bea.head
    bea.controller.change(4)
    moved = bea.commit("Think better of it")
    told = bea.controller.run("apply", str(saved), code=6)
    assert "the plan is stale" in told
    assert f"planned from commit {planned[:12]}, now commit {moved[:12]}" in told
    assert f"commit {moved[:7]} of {BEA}: Think better of it" in told
    assert f"M {SITE}" in told
    assert host_audit(rehearsal) == before
