"""Commands that reach no host: render for review, and the fleet as an Ansible inventory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provision.assets import demo_fleet_dir
from provision.cli.main import run
from provision.errors import ExitCode
from provision.spec.load import load_fleet


@pytest.fixture
def fleet_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
    return folder


def test_render_writes_real_paths_and_no_secret(fleet_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(["render", "-i", str(fleet_dir), "-o", str(out)]) == ExitCode.DONE
    assert (out / "mail1/etc/postfix/main.cf").read_text().startswith("#")
    assert (out / "mail1/etc/provision/tls/host.key").read_text() == "(secret)\n"
    texts = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    fleet = load_fleet(fleet_dir)
    assert b"PRIVATE KEY" not in texts
    assert fleet.smarthost("yourisp").password.reveal().encode() not in texts
    assert fleet.fingerprint_key.reveal().encode() not in texts


def test_render_overwrites_nothing(fleet_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").touch()
    assert run(["render", "-i", str(fleet_dir), "-o", str(tmp_path / "out")]) == ExitCode.USAGE


def test_render_of_an_unknown_host_names_the_known_ones(
    fleet_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["render", "-i", str(fleet_dir), "--host", "mail9", "-o", str(tmp_path / "out")])
    assert code == ExitCode.USAGE
    assert "mail1" in capsys.readouterr().err


def test_ansible_reads_the_inventory(fleet_dir: Path, tmp_path: Path) -> None:
    program = "from provision.cli.main import main; main()"
    script = tmp_path / "hosts.sh"
    words = f'{sys.executable} -c "{program}" inventory -i {fleet_dir}'
    script.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    script.chmod(0o755)
    said = subprocess.run(
        [sys.executable, "-m", "ansible", "inventory", "-i", str(script), "--host", "mail1"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    values = json.loads(said)
    assert values["ansible_host"] == "198.18.0.11"
    assert "StrictHostKeyChecking=yes" in values["ansible_ssh_common_args"]


def test_inventory_wants_one_of_its_two_questions(fleet_dir: Path) -> None:
    assert run(["inventory", "-i", str(fleet_dir)]) == ExitCode.USAGE
