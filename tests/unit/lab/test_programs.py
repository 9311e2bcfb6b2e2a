"""A machine that lacks something is told all of it at once, with the command that helps."""

import os
from pathlib import Path

import pytest

from provision.errors import ProvisionError
from provision.lab.cgroups import hierarchies
from provision.lab.programs import missing_packages, require_machine, run


def test_all_missing_packages_are_named_at_once(tmp_path: Path) -> None:
    needed = {"no-such-program-1": "one", "no-such-program-2": "two", "sh": "dash"}
    missing = missing_packages(needed, keyring=tmp_path / "none")
    assert missing == ["debian-archive-keyring", "one", "two"]


def test_person_who_is_not_root_is_told_so_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ProvisionError, match="needs root") as refusal:
        require_machine()
    assert "sudo" in (refusal.value.hint or "")


def test_failed_program_says_what_it_said() -> None:
    with pytest.raises(ProvisionError, match="failed with status 3:\nbroken"):
        run(["sh", "-c", "echo broken >&2; exit 3"])


def test_hybrid_control_groups_are_known(tmp_path: Path) -> None:
    for name in ("unified", "systemd", "memory", "cpuset"):
        (tmp_path / name).mkdir()
    (tmp_path / "unified/cgroup.procs").touch()
    assert [path.name for path in hierarchies(tmp_path)] == ["unified", "systemd", "memory"]


def test_unified_control_groups_are_known(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").touch()
    assert hierarchies(tmp_path) == [tmp_path]


def test_legacy_control_groups_are_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="no unified control-group hierarchy") as refusal:
        hierarchies(tmp_path)
    assert "mount -t cgroup2" in (refusal.value.hint or "")
