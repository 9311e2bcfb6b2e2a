"""A lab rehearses fleets that fit into it, and says so of others."""

import shutil
from pathlib import Path

import pytest

from provision.assets import demo_fleet_dir
from provision.errors import ProvisionError
from provision.lab.estate import Estate, estate_of
from provision.spec.load import load_fleet


def _demo(folder: Path, *, address: str = "198.18.0.11") -> Estate:
    shutil.copytree(demo_fleet_dir(), folder / "f", ignore=shutil.ignore_patterns(".provision"))
    spec = folder / "f/fleet.yml"
    spec.write_text(spec.read_text().replace("198.18.0.11", address))
    return estate_of(load_fleet(folder / "f"))


def test_smarthost_login_may_send_for_its_sites_and_their_aliases(tmp_path: Path) -> None:
    (login,) = _demo(tmp_path).logins
    assert login.senders == ("acme.example", "acme.test")
    assert login.password not in repr(login)


def test_sites_know_their_machine_and_webmail(tmp_path: Path) -> None:
    sites = {site.domains[0]: site for site in _demo(tmp_path).sites}
    assert sites["blue.example"].webmail == "webmail.blue.example"
    assert sites["blue.example"].machine.fqdn == "mail1.smartmail.example"


def test_host_keeps_its_real_address(tmp_path: Path) -> None:
    assert _demo(tmp_path, address="203.0.113.7").machines[0].address == "203.0.113.7"


@pytest.mark.parametrize(
    "address", ["127.0.0.9", "198.18.0.2", "mail1.smartmail.example", "2001:db8::5"]
)
def test_host_without_a_usable_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(ProvisionError, match="which a lab does not have") as refusal:
        _demo(tmp_path, address=address)
    assert "198.18.0.0/24" in (refusal.value.hint or "")
