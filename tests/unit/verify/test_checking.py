"""All checks on a machine that is no mail host: this one. Faults are found, none is our own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from provision.assets import demo_fleet_dir
from provision.certificates.load import load_certificates
from provision.errors import UsageWrong
from provision.model.fleet import Fleet
from provision.spec.load import load_fleet
from provision.verify.backend import open_testinfra
from provision.verify.catalogue import catalogue
from provision.verify.check_plugin import CheckPlugin
from provision.verify.checking import run_checks
from provision.verify.outcome import Outcome, Verdict
from provision.verify.remote_shell import RemoteShell
from provision.verify.snapshot import take_snapshot
from provision.verify.target import ReachedTarget, Target
from provision.verify.targets import choose_targets
from provision.verify.verifying import snapshot_request


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(demo_fleet_dir())


@pytest.fixture(scope="module")
def targets(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Target, ...]:
    state = tmp_path_factory.mktemp("state")
    return choose_targets(fleet, load_certificates(fleet, state, datetime.now(UTC)))


@pytest.fixture
def reached(targets: tuple[Target, ...], shell: RemoteShell) -> ReachedTarget:
    target = targets[0]
    snapshot = take_snapshot(shell, {**snapshot_request(target), "units": ["nginx.service"]})
    return ReachedTarget(target, shell, open_testinfra(target.host.name, shell), snapshot)


def _run(reached: list[ReachedTarget]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    run_checks(CheckPlugin(reached, keep=outcomes.append))
    return outcomes


def test_every_check_ends_in_a_verdict_of_its_own(reached: ReachedTarget) -> None:
    outcomes = _run([reached])
    checks = {entry.name for entry in catalogue() if entry.name.startswith("checks.")}
    assert {one.name for one in outcomes} == checks
    assert [one.fault for one in outcomes if "itself failed" in one.fault] == []
    found = {one.name for one in outcomes if one.verdict is Verdict.FAULT}
    assert {"checks.files.files_have_their_content", "checks.ports.public_ports_are_open"} <= found
    assert {one.site for one in outcomes} >= {None, "acme.example", "blue.example"}


def test_pytest_of_the_folder_we_stand_in_takes_no_part(
    reached: ReachedTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('read')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    assert len(_run([reached])) > 40
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conftest.py", "pytest.ini"]


def test_checks_print_nothing(reached: ReachedTarget, capfd: pytest.CaptureFixture[str]) -> None:
    _run([reached])
    assert capfd.readouterr() == ("", "")


def test_no_host_gives_no_outcome() -> None:
    assert _run([]) == []


def test_lost_session_makes_the_host_unreachable(reached: ReachedTarget) -> None:
    reached.shell.close()
    verdicts = {one.verdict for one in _run([reached]) if one.name == "checks.host.disks_have_room"}
    assert verdicts == {Verdict.UNREACHABLE}


def test_site_brings_its_host_and_no_other_site(fleet: Fleet, targets: tuple[Target, ...]) -> None:
    certificates = targets[0].certificates
    chosen = choose_targets(fleet, certificates, sites=["blue.example"])
    assert [(one.host.name, [str(s.domain) for s in one.sites]) for one in chosen] == [
        ("mail1", ["blue.example"])
    ]


def test_unknown_host_and_site_are_named_with_what_there_is(
    fleet: Fleet, targets: tuple[Target, ...]
) -> None:
    certificates = targets[0].certificates
    with pytest.raises(UsageWrong, match="no site 'nope'") as raised:
        choose_targets(fleet, certificates, sites=["nope"])
    assert "acme.example" in (raised.value.hint or "")
    with pytest.raises(UsageWrong, match="no host 'mail9'"):
        choose_targets(fleet, certificates, hosts=["mail9"])
