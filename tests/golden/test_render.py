"""A fleet folder renders to exactly the files beside it; adding a case needs no Python.

A case is ``render/CASE/fleet/`` (a fleet folder) and ``render/CASE/expected/RELEASE/HOST/`` with
each file at its real path. Secret files hold ``(secret)``, and the one that carries modules of ours
says so: its test is that it works. ``make golden`` rewrites the expected.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from provision.model.certificate import CertificatePair, Certificates
from provision.model.fleet import Fleet
from provision.model.secret import MASK, Secret
from provision.render.host import render_host
from provision.render.recovery import SCRIPT
from provision.spec.load import load_fleet

CASES = sorted(path for path in (Path(__file__).parent / "render").iterdir() if path.is_dir())


def _certificates(fleet: Fleet) -> Certificates:
    def pair(name: str) -> CertificatePair:
        return CertificatePair(chain=f"certificate of {name}\n", key=Secret(f"key of {name}\n"))

    return Certificates(
        hosts={host.name: pair(host.fqdn.name) for host in fleet.hosts},
        sites={site.domain.name: pair(site.webmail_name.name) for site in fleet.sites},
        authority="certificate of the fleet's own CA\n",
    )


def _rendered(case: Path) -> dict[str, bytes]:
    fleet = load_fleet(case / "fleet")
    certificates = _certificates(fleet)
    out: dict[str, bytes] = {}
    for host in fleet.hosts:
        bundle = render_host(fleet, host, certificates)
        root = f"{host.release}/{host.name}"
        for file in bundle.files:
            out[root + file.path] = f"{MASK}\n".encode() if file.secret else file.content
        out[root + SCRIPT] = b"# (modules of playbooks/module_utils)\n"
        for site in bundle.accounts:
            out[f"{root}/accounts/{site.site}.json"] = site.document()
    return out


def _expected(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _rewrite(folder: Path, rendered: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in rendered.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fleet_renders_to_exactly_these_files(case: Path) -> None:
    rendered = _rendered(case)
    if os.environ.get("PROVISION_GOLDEN") == "rewrite":
        _rewrite(case / "expected", rendered)
    expected = _expected(case / "expected")
    assert sorted(rendered) == sorted(expected)
    for name, content in rendered.items():
        assert content.decode() == expected[name].decode(), f"{name} differs; see make golden"
