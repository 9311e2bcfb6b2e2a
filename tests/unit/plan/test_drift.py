"""Drift is what the current generation does not account for: all of it, and no secret."""

from __future__ import annotations

from typing import Any

import pytest

from provision.plan.change import Kind
from provision.plan.drift import Drifted, Finding, find_drift
from tests.unit.plan.estate import KEY, MAIN, reply
from tests.unit.plan.memories import DIRECTORY, file_state, manifest, memory, text

RUNNING = {"load": "loaded", "active": "active", "sub": "running", "enabled": "enabled"}


def _only(state: dict[str, Any] | None = None, **values: Any) -> Finding:
    (finding,) = find_drift(memory(state, **values))
    return finding


def test_host_as_it_was_left_has_no_drift() -> None:
    assert find_drift(memory()) == ()


def test_host_without_a_generation_cannot_drift() -> None:
    assert find_drift(memory({"generation": 0, "files": {}}, base=None)) == ()


def test_edited_file_shows_what_was_edited() -> None:
    files = file_state(MAIN.path, b"relay = yes\n")
    finding = _only({"files": files}, contents={MAIN.path: text(MAIN.content)})
    assert (finding.kind, finding.name, finding.what) == (Kind.FILE, MAIN.path, Drifted.CHANGED)
    assert finding.diff.splitlines() == [
        f"--- {MAIN.path} (generation)",
        f"+++ {MAIN.path} (host)",
        "@@ -1 +1 @@",
        "-relay = no",
        "+relay = yes",
    ]


def test_edited_secret_is_told_and_not_shown() -> None:
    files = file_state(KEY.path, b"canary-new\n")
    finding = _only({"files": files}, contents={KEY.path: text(KEY.content)})
    assert finding.detail == "secret changed"
    assert "canary" not in repr(finding)


def test_mode_and_owner_count() -> None:
    files = file_state(MAIN.path, None, mode=0o666, owner="bob")
    finding = _only({"files": files})
    assert finding.detail == "0644 root:root -> 0666 bob:root"
    assert finding.diff == ""


def test_symlink_in_place_of_a_file_is_a_change() -> None:
    files = file_state(MAIN.path, None, kind="symlink", sha256="", mode=0o777)
    assert _only({"files": files}).detail == "is a symlink"


def test_large_file_is_told_without_a_diff() -> None:
    files = file_state(MAIN.path, None, sha256="other")
    assert "too large" in _only({"files": files}).diff


def test_missing_file_is_found() -> None:
    files = {KEY.path: reply()["files"][KEY.path]}
    assert _only({"files": files}).what is Drifted.MISSING


def test_foreign_file_in_a_folder_of_ours_is_found() -> None:
    foreign = {DIRECTORY: {**reply()["directories"][DIRECTORY], "foreign": ["/etc/provision/x"]}}
    finding = _only({"directories": foreign})
    assert (finding.name, finding.what) == ("/etc/provision/x", Drifted.FOREIGN)


@pytest.mark.parametrize(
    ("directories", "what"),
    [
        ({}, Drifted.MISSING),
        (
            {DIRECTORY: {"mode": 0o777, "owner": "root", "group": "root", "foreign": []}},
            Drifted.CHANGED,
        ),
    ],
)
def test_directory_is_compared(directories: dict[str, Any], what: Drifted) -> None:
    finding = _only({"directories": directories})
    assert (finding.kind, finding.what) == (Kind.DIRECTORY, what)


@pytest.mark.parametrize(
    ("changes", "what", "detail"),
    [
        ({"active": "inactive"}, Drifted.CHANGED, "is inactive"),
        ({"active": "failed", "enabled": "masked"}, Drifted.CHANGED, "is failed, is masked"),
        ({"enabled": "disabled"}, Drifted.CHANGED, "is disabled"),
        ({"load": "not-found", "enabled": ""}, Drifted.MISSING, ""),
    ],
)
def test_unit_is_compared(changes: dict[str, str], what: Drifted, detail: str) -> None:
    units = {**reply()["units"], "postfix.service": {**RUNNING, **changes}}
    assert _only({"units": units}) == Finding(Kind.UNIT, "postfix.service", what, detail)


def test_unit_that_did_its_work_at_boot_and_exited_is_no_drift() -> None:
    units = {**reply()["units"], "postfix.service": {**RUNNING, "sub": "exited"}}
    assert find_drift(memory({"units": units})) == ()


def test_missing_package_is_found() -> None:
    finding = _only({"packages": {"postfix": "1", "dovecot-imapd": "1"}})
    assert (finding.kind, finding.name) == (Kind.PACKAGE, "postfix-cdb")


def test_accounts_edited_by_hand_are_found() -> None:
    path = "/etc/dovecot/accounts/acme.example.passwd"
    finding = _only(accounts=[[path, "changed"]])
    assert (finding.kind, finding.name, finding.what) == (Kind.ACCOUNTS, path, Drifted.CHANGED)


def test_interrupted_switch_and_dpkg_are_told_first() -> None:
    files = file_state(MAIN.path, None, mode=0o666)
    state = {"files": files, "switch_interrupted": True, "dpkg_interrupted": True}
    names = [finding.name for finding in find_drift(memory(state))]
    assert names == ["dpkg", "generation", MAIN.path]


def test_what_no_generation_asked_for_is_not_drift() -> None:
    bare = manifest(files={}, directories={}, units=[], packages=[])
    assert find_drift(memory({"units": {}, "packages": {}, "files": {}}, base=bare)) == ()


def test_finding_is_a_document() -> None:
    assert Finding(Kind.FILE, "/a", Drifted.MISSING, "gone").as_json() == {
        "kind": "file",
        "name": "/a",
        "what": "missing",
        "detail": "gone",
        "diff": "",
    }
