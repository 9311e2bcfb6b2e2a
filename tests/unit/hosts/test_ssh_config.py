"""OpenSSH reads the generated file as it was meant."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from provision.hosts.connection import Connection
from provision.hosts.ssh_config import ssh_config
from provision.model.address import Domain
from provision.model.fleet import Host, Release

HOST = Host("mail1", "198.18.0.11", Domain("mail1.example"), Release.DEBIAN13, ssh_port=2222)


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs OpenSSH")
def test_ssh_reaches_the_host_by_pinned_keys_only(tmp_path: Path) -> None:
    connection = Connection(tmp_path / "known_hosts", private_key=tmp_path / "key")
    path = tmp_path / "config"
    path.write_text(ssh_config([HOST], connection, folder=tmp_path))
    said = subprocess.run(
        ["ssh", "-G", "-F", str(path), "mail1"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for line in (
        "hostname 198.18.0.11",
        "port 2222",
        "user root",
        "stricthostkeychecking true",
        f"userknownhostsfile {tmp_path}/known_hosts",
        "globalknownhostsfile /dev/null",
        "identitiesonly yes",
        "batchmode yes",
        "forwardagent no",
        "serveraliveinterval 5",
    ):
        assert line in said
