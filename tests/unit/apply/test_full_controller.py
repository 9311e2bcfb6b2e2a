"""A full disk on the controller: what was there stays whole, and somebody is told."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.apply.audit import stamp_now, write_audit
from provision.apply.inputs import Basis
from provision.apply.known import remember
from provision.apply.outcome import HostOutcome
from provision.apply.plan_file import bind, read_plan_file, write_plan_file
from provision.certificates.store import CertificateStore
from provision.errors import ProvisionError
from provision.model.address import Domain
from provision.model.certificate import CertificatePair
from provision.model.secret import Secret
from provision.plan.change import Plan

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
PLAN = Plan(())
DONE = [HostOutcome("mail1", "applied")]
KEY = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Path]:
    """A fleet folder on a disk of its own, with some state, about to be full."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "small", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _fill(folder: Path) -> None:
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)


def test_audit_log_has_whole_lines_only_and_the_loss_is_told(fleet: Path) -> None:
    stamp = stamp_now(fleet)
    assert write_audit(fleet, stamp, PLAN, DONE) == ""
    _fill(fleet)
    told = [write_audit(fleet, stamp, PLAN, DONE) for _ in range(40)]  # a page's rest, then none
    assert "this apply is not in" in told[-1]
    assert "No space left on device" in told[-1]
    lines = (fleet / ".provision/audit.log").read_text().splitlines()
    assert len(lines) == 1 + told.count("")
    assert all(json.loads(line)["hosts"] == {"mail1": "applied"} for line in lines)
    (fleet / "filler").unlink()
    assert write_audit(fleet, stamp, PLAN, DONE) == ""


def test_saved_plan_stays_as_it_was(fleet: Path) -> None:
    path = fleet / "plan.json"
    write_plan_file(bind(PLAN, fleet, []), path)
    before = path.read_bytes()
    _fill(fleet)
    with pytest.raises(ProvisionError, match=r"cannot be saved to .*No space left on device"):
        write_plan_file(bind(PLAN, fleet, ["mail1"]), path)
    assert path.read_bytes() == before
    assert read_plan_file(path).unreached == ()
    assert sorted(entry.name for entry in fleet.iterdir()) == ["filler", "plan.json"]


def test_certificate_stays_as_it_was(fleet: Path) -> None:
    name, store = Domain.parse("mail.example"), CertificateStore(fleet / ".provision/ca")
    old, new = (CertificatePair(chain=chain, key=Secret(KEY)) for chain in ("old\n", "new\n" * 9))
    with store.locked():
        store.write_issued(name, old)
    _fill(fleet)
    with (
        pytest.raises(ProvisionError, match=r"mail\.example\.pem: No space left on device"),
        store.locked(),
    ):
        store.write_issued(name, new)
    assert store.read_issued(name) == old


def test_what_is_remembered_only_for_speed_is_left_alone(fleet: Path) -> None:
    remember(Basis("inputs", ""), fleet, [], complete=True)
    before = (fleet / ".provision/known.json").read_bytes()
    _fill(fleet)
    remember(Basis("other inputs", ""), fleet, [], complete=True)
    assert (fleet / ".provision/known.json").read_bytes() == before
    assert [entry.name for entry in (fleet / ".provision").iterdir()] == ["known.json"]
