"""The command ``verify`` as far as it needs no host."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provision.assets import demo_fleet_dir
from provision.cli.main import run
from provision.errors import ExitCode


def test_list_names_every_check_and_needs_no_fleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["verify", "--list"]) == ExitCode.DONE
    said = capsys.readouterr().out
    assert "checks.units.unit_runs" in said
    assert "probes.relay.no_open_relay" in said
    assert "Unit UNIT runs" in said


def test_site_that_the_fleet_has_not_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
    assert run(["verify", "-i", str(folder), "--site", "nope.example"]) == ExitCode.USAGE
    assert "no site 'nope.example'" in capsys.readouterr().err


def test_invalid_spec_is_told_before_any_host_is_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fleet.yml").write_text("fleet: [\n")
    assert run(["verify", "-i", str(tmp_path)]) == ExitCode.SPEC_INVALID
    assert "fleet.yml" in capsys.readouterr().err
