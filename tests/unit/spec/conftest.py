"""A small valid fleet folder that a test changes one thing in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from provision.spec.load import Loaded, read_fleet
from provision.spec.vault import encrypt

PASSWORD = b"opens-the-vault"
SECRETS = f"""\
fingerprint_key: "{"0123456789abcdef" * 4}"
isp: "in side #1 $x: long"
acme: {{anna: "canary-3f9c1e-tweet"}}
"""
FILES = {
    "fleet.yml": """\
fleet: test
hosts:
  mail1: {address: 192.0.2.10, fqdn: mail1.host.example, release: debian13}
smarthosts:
  isp: {host: smtp.isp.example, username: smart, password: !secret isp}
postmaster: anna@acme.example
defaults: {outgoing: isp, mailbox: {quota: 2G}}
""",
    "sites/acme.yml": """\
site: acme.example
host: mail1
mailboxes:
  anna: {password: !secret acme/anna}
""",
}

WriteFleet = Callable[[Mapping[str, str | bytes]], Path]
ReadFleet = Callable[[Mapping[str, str | bytes]], Loaded]


@pytest.fixture
def fleet_yml() -> str:
    """The small fleet's fleet.yml, for tests that change a part of it."""
    return FILES["fleet.yml"]


@pytest.fixture
def write_fleet(tmp_path: Path) -> WriteFleet:
    """Write the small fleet, with ``files`` replaced or added; returns its folder."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        folder = tmp_path / "fleet"
        vault = {
            "secrets.yml": encrypt(SECRETS.encode(), PASSWORD, salt=b"s" * 32),
            ".vault-password": PASSWORD + b"\n",
        }
        whole: dict[str, str | bytes] = {**FILES, **vault, **files}
        for name, content in whole.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = (
                content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
            )
            path.write_bytes(data)
        return folder

    return write


@pytest.fixture
def read(write_fleet: WriteFleet) -> ReadFleet:
    """Write the small fleet with changes and read it."""
    return lambda files: read_fleet(write_fleet(files))
