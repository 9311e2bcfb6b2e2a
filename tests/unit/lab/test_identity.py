"""A machine is the same machine at every boot, and has no way out."""

from pathlib import Path

from provision.lab.estate import Machine
from provision.lab.identity import identity_files, interface_text, known_host_line

MAIL1 = Machine("mail1", "198.18.0.11", "mail1.smart.example", "debian13")


def test_keys_and_machine_id_stay_as_they_were_made(tmp_path: Path) -> None:
    first = identity_files(MAIL1, folder=tmp_path, login_key="k", interface="i")
    assert identity_files(MAIL1, folder=tmp_path, login_key="k", interface="i") == first
    assert first["/etc/ssh/ssh_host_ed25519_key"][1] == 0o600
    assert len(first["/etc/machine-id"][0].strip()) == 32


def test_host_key_is_known_by_address_and_by_name(tmp_path: Path) -> None:
    line = known_host_line(MAIL1, folder=tmp_path)
    names, kind, key = line.split()
    assert names.split(",") == ["198.18.0.11", "mail1.smart.example", "mail1"]
    served = identity_files(MAIL1, folder=tmp_path, login_key="k", interface="i")
    assert served["/etc/ssh/ssh_host_ed25519_key.pub"][0].split()[:2] == [kind, key]


def test_machine_of_the_lab_knows_its_own_network_only() -> None:
    text = interface_text("198.18.0.11", extra=["198.18.0.3"], neighbours=[])
    assert "address 198.18.0.11/24" in text
    assert "ip address add 198.18.0.3/24" in text
    assert "gateway" not in text


def test_machine_at_a_real_address_knows_the_lab_and_its_neighbours_only() -> None:
    text = interface_text("203.0.113.7", extra=[], neighbours=["203.0.113.8"])
    assert "address 203.0.113.7/32" in text
    routes = [line.split()[4] for line in text.splitlines() if "route add" in line]
    assert routes == ["198.18.0.0/24", "203.0.113.8/32"]
