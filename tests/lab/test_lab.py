"""The lab's machines keep their promises, and nothing leaves their network."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.errors import ProvisionError
from provision.lab.cache import cache_dir
from provision.lab.lab import Lab
from provision.lab.network import WORLD
from tests.lab.bare_lab import bare_lab, demo_copy

pytestmark = pytest.mark.lab

# Addresses of networks that are no one's (RFC 5737) and of a public resolver.
ELSEWHERE = ("192.0.2.1", "203.0.113.9", "9.9.9.9")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with bare_lab(tmp_path_factory.mktemp("lab") / "machines") as up:
        yield up


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nothing_leaves_the_network(lab: Lab, address: str) -> None:
    with lab.inside(), pytest.raises(OSError, match="unreachable") as failure:
        socket.create_connection((address, 80), timeout=5)
    assert failure.value.errno == errno.ENETUNREACH


@pytest.mark.parametrize("host", ["mail1", "world"])
def test_nothing_leaves_a_host(lab: Lab, host: str) -> None:
    for address in ELSEWHERE:
        said = lab.run(host, ["ip", "route", "get", address], check=False)
        assert said.returncode != 0
        assert "Network is unreachable" in said.stderr


def test_the_network_has_no_link_to_this_machine(lab: Lab) -> None:
    links = subprocess.run(
        ["ip", "-netns", lab.name, "-oneline", "link"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    leaders = {
        lab.run(name, ["cat", "/sys/class/net/host0/iflink"]).stdout.strip()
        for name in ("mail1", "world")
    }
    numbers = {line.split(":")[0] for line in links if "@" in line}
    assert numbers == leaders, "every link of the network but its bridge ends in one of its hosts"


def test_up_again_boots_nothing_anew(lab: Lab) -> None:
    boots = {
        name: lab.run(name, ["stat", "-c", "%Y", "/run/systemd"]).stdout
        for name in ("mail1", "world")
    }
    lab.up()
    for name, boot in boots.items():
        assert lab.run(name, ["stat", "-c", "%Y", "/run/systemd"]).stdout == boot


def test_packages_install_offline_in_the_usual_way(lab: Lab) -> None:
    lab.run("mail1", ["apt-get", "update", "--error-on=any"])
    lab.run("mail1", ["apt-get", "install", "--yes", "--no-install-recommends", "postfix-cdb"])
    assert "cdb" in lab.run("mail1", ["postconf", "-m"]).stdout.split()


def test_shell_runs_a_command_over_ssh_and_keeps_its_words(lab: Lab) -> None:
    command = lab.shell_command("mail1", ["printf", "%s|", "two words", "$HOME;*"])
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "two words|$HOME;*|"


def test_what_was_written_survives_a_power_cut(lab: Lab) -> None:
    lab.run("mail1", ["sh", "-c", "echo kept > /root/survivor; echo '# mine' >> /etc/hosts"])
    lab.cut("mail1")
    assert not lab.is_running("mail1")
    with pytest.raises(ProvisionError, match="not running"):
        lab.run("mail1", ["true"])
    lab.up()
    assert lab.run("mail1", ["cat", "/root/survivor"]).stdout == "kept\n"
    assert "# mine" in lab.run("mail1", ["cat", "/etc/hosts"]).stdout
    assert lab.run("mail1", ["systemctl", "is-system-running", "--wait"]).stdout == "running\n"


def test_host_comes_back_by_itself_after_its_own_reboot(lab: Lab) -> None:
    lab.run("mail1", ["touch", "/run/before-the-reboot"])
    lab.reboot("mail1")
    assert lab.run("mail1", ["test", "-e", "/run/before-the-reboot"], check=False).returncode == 1


def test_snapshot_brings_a_removed_file_back_and_forgets_a_later_one(lab: Lab) -> None:
    lab.run("mail1", ["sh", "-c", "mkdir -p /srv/d && echo one > /srv/d/file"])
    lab.snapshot("mail1", "before")
    lab.run("mail1", ["sh", "-c", "rm -r /srv/d && echo two > /srv/later"])
    lab.restore("mail1", "before")
    assert lab.run("mail1", ["cat", "/srv/d/file"]).stdout == "one\n"
    assert lab.run("mail1", ["test", "-e", "/srv/later"], check=False).returncode == 1
    assert lab.has_snapshot("mail1", "before")
    assert not lab.has_snapshot("mail1", "never")


def test_shared_snapshot_serves_another_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for part in cache_dir().iterdir():
        if part.name != "snapshots":
            (cache / part.name).symlink_to(part)
    monkeypatch.setenv("PROVISION_LAB_CACHE", str(cache))
    for turn in ("maker", "user"):
        lab = Lab.open(demo_copy(tmp_path / turn))
        try:
            lab.up()
            if turn == "maker":
                assert not lab.has_snapshot("mail1", "prepared")
                lab.run("mail1", ["sh", "-c", "echo prepared > /root/state"])
                lab.snapshot("mail1", "prepared", shared=True)
            else:
                lab.restore("mail1", "prepared")
                assert lab.run("mail1", ["cat", "/root/state"]).stdout == "prepared\n"
        finally:
            lab.down()


def test_fleet_that_loses_a_host_loses_its_machine(tmp_path: Path) -> None:
    lab = Lab.open(demo_copy(tmp_path / "shrinking"))
    spec = lab.fleet_dir / "fleet.yml"
    alone = spec.read_text()
    second = "  mail2: {address: 198.18.0.12, fqdn: mail2.smartmail.example, release: debian13}\n"
    try:
        spec.write_text(alone.replace("\nhosts:\n", f"\nhosts:\n{second}"))
        lab.up()
        assert [machine.name for machine in lab.machines] == ["world", "mail1", "mail2"]
        assert lab.run("mail2", ["hostname", "--fqdn"]).stdout == "mail2.smartmail.example\n"
        folder = lab.machine_folder("mail2")
        spec.write_text(alone)
        lab.up()
        assert [machine.name for machine in lab.machines] == ["world", "mail1"]
        assert not folder.exists()
    finally:
        lab.down()


def test_host_with_an_address_of_the_real_world_is_rehearsed_at_it(tmp_path: Path) -> None:
    lab = Lab.open(demo_copy(tmp_path / "real"))
    spec = lab.fleet_dir / "fleet.yml"
    second = "  mail2: {address: 198.18.0.12, fqdn: mail2.smartmail.example, release: debian13}\n"
    text = spec.read_text().replace("198.18.0.11", "203.0.113.7")
    spec.write_text(text.replace("\nhosts:\n", f"\nhosts:\n{second}"))
    try:
        lab.up()
        for asker, asked in (("mail2", "203.0.113.7"), ("mail1", "198.18.0.12"), ("mail1", WORLD)):
            greet = f"exec 3<>/dev/tcp/{asked}/22; head -c 4 <&3"
            assert lab.run(asker, ["bash", "-c", greet]).stdout == "SSH-"
        said = lab.run("mail2", ["getent", "hosts", "mail1.smartmail.example"]).stdout
        assert said.split() == ["203.0.113.7", "mail1.smartmail.example"]
        said = lab.run("mail2", ["getent", "hosts", "203.0.113.7"]).stdout
        assert said.split() == ["203.0.113.7", "mail1.smartmail.example"]
        said = lab.run("mail1", ["ip", "route", "get", "203.0.113.8"], check=False).stderr
        assert "Network is unreachable" in said
    finally:
        lab.down()


def test_nothing_of_a_lab_remains_after_down(tmp_path: Path) -> None:
    lab = Lab.open(demo_copy(tmp_path / "leaving"))
    lab.up()
    assert _traces(lab)
    assert (lab.fleet_dir / ".provision/connection.json").exists()
    lab.down()
    assert _traces(lab) == []
    assert not (lab.fleet_dir / ".provision/connection.json").exists()
    lab.down()


def _traces(lab: Lab) -> list[str]:
    found = [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{lab.name}")]
    found += [str(path) for path in (lab.folder, lab.namespace) if path.exists()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if lab.name in command:
            found.append(command.replace("\0", " "))
    return found + [
        line for line in Path("/proc/mounts").read_text().splitlines() if lab.name in line
    ]


def test_commands_say_what_is_there_and_pass_exit_codes_on(lab: Lab) -> None:
    def provision(*words: str) -> subprocess.CompletedProcess[str]:
        code = "import sys; from provision.cli.main import main; main(sys.argv[1:])"
        command = [sys.executable, "-c", code, "lab", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    here = ["-i", str(lab.fleet_dir)]
    labs = json.loads(provision("list", "--format", "json").stdout)["labs"]
    (mine,) = [one for one in labs if one["name"] == lab.name]
    assert {host["name"]: host["state"] for host in mine["hosts"]} == {"world": "up", "mail1": "up"}
    assert mine["webmail"] == lab.urls
    assert f"{WORLD}      debian13" in provision("list").stdout
    assert provision("shell", *here, "mail1", "--", "sh", "-c", "exit 7").returncode == 7
    assert (
        provision("shell", *here, "--console", "mail1", "--", "sh", "-c", "exit 9").returncode == 9
    )
    unknown = provision("reboot", *here, "mail9")
    assert unknown.returncode == 1
    assert "it has world, mail1" in unknown.stderr
    assert provision("cut", *here, "mail1", "--network", "--restart").returncode == 64


def test_pulled_cable_cuts_the_network_and_nothing_else(lab: Lab) -> None:
    lab.unplug("mail1")
    try:
        with lab.inside(), pytest.raises(OSError, match=r"timed out|No route"):
            socket.create_connection(("198.18.0.11", 22), timeout=2)
        assert lab.run("mail1", ["echo", "console"]).stdout == "console\n"
    finally:
        lab.plug("mail1")
    with lab.inside():
        socket.create_connection(("198.18.0.11", 22), timeout=10).close()


def test_two_labs_with_the_same_addresses_run_at_once(lab: Lab, tmp_path: Path) -> None:
    other = Lab.open(demo_copy(tmp_path / "second"))
    other.up()
    try:
        lab.run("mail1", ["sh", "-c", "echo first > /root/whose"])
        other.run("mail1", ["sh", "-c", "echo second > /root/whose"])
        for rehearsal, whose in ((lab, "first"), (other, "second")):
            command = rehearsal.shell_command("mail1", ["cat", "/root/whose"])
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            assert said == f"{whose}\n"
        assert not set(lab.urls.values()) & set(other.urls.values())
    finally:
        other.down()
    assert not other.folder.exists()
    assert not other.namespace.exists()
    assert lab.is_running("mail1")
