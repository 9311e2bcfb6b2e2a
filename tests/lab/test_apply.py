"""An apply on a real host: exactly the plan, or nothing, or all of the old again."""

from __future__ import annotations

import imaplib
import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.lab.lab import Lab
from tests.lab.bare_lab import bare_lab
from tests.lab.canaries import assert_no_secret_is_shown
from tests.lab.engine_fleet import HOST, NO_CHANGES, ROOT, EngineFleet, wait_for

pytestmark = pytest.mark.lab

NO_ANSIBLE = "import sys; sys.modules['provision.hosts.playbook'] = None"
ADDRESS = "198.18.0.11"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineFleet]:
    """A bare host, kept as a snapshot, and then applied to while the process lists are watched."""
    with bare_lab(tmp_path_factory.mktemp("engine") / "applied") as lab:
        lab.snapshot(HOST, "bare")
        engine = EngineFleet(lab)
        with engine.watched():
            engine.provision("apply", "--yes")
        yield engine


@pytest.fixture
def applied(fleet: EngineFleet) -> Iterator[EngineFleet]:
    """The applied fleet; a test that changes its folder finds it put back at the end."""
    with fleet.put_back():
        yield fleet


def _daemons(engine: EngineFleet) -> str:
    """Which processes serve, and how often each was reloaded."""
    units = "postfix dovecot nginx php8.4-fpm"
    return engine.on_host(
        f"systemctl show -p Id,MainPID,ActiveEnterTimestampMonotonic {units};"
        "journalctl -q -o cat -u postfix -u dovecot -u nginx | grep -ciE 'reload|SIGHUP' || true"
    )


def test_plan_after_the_first_apply_is_empty_without_ansible(fleet: EngineFleet) -> None:
    assert fleet.provision("plan", "--detailed-exitcode", before=NO_ANSIBLE).out == NO_CHANGES
    assert fleet.provision("apply", "--yes", before=NO_ANSIBLE).out == NO_CHANGES


def test_plan_that_is_made_anew_is_empty_too(fleet: EngineFleet) -> None:
    (fleet.folder / ".provision/known.json").unlink()
    assert fleet.provision("plan", "--detailed-exitcode").out == NO_CHANGES


def test_nothing_serves_with_debians_configuration_at_the_first_apply(fleet: EngineFleet) -> None:
    starts = fleet.on_host(
        "journalctl -q -o cat -u postfix -u dovecot -u nginx | grep -c '^Started'"
    )
    assert int(starts) == 3, "each unit started once, by us"


def test_one_new_mailbox_is_planned_alone_and_reloads_nothing(applied: EngineFleet) -> None:
    before, files = _daemons(applied), applied.on_host("find /etc -newer /etc/postfix/main.cf")
    applied.edit("sites/acme.example.yml", "  carla:", "  nora: {name: Nora New}\n  carla:")
    plan = json.loads(applied.provision("plan", "--format", "json").out)
    (host,) = plan["hosts"]
    assert host["unit_actions"] == []
    (change,) = host["changes"]
    assert (change["kind"], change["name"], change["action"]) == (
        "mailbox",
        "nora@acme.example",
        "create",
    )
    ran = applied.provision("apply", "--yes", "--format", "json", "--show-passwords")
    password = json.loads(ran.out)["generated_passwords"]["nora@acme.example"]
    assert _daemons(applied) == before
    assert files
    _log_in(applied.lab, "nora@acme.example", password)


def _log_in(lab: Lab, address: str, password: str) -> None:
    context = ssl._create_unverified_context()
    with lab.inside():
        client = imaplib.IMAP4_SSL(ADDRESS, 993, ssl_context=context, timeout=20)
    client.login(address, password)
    client.logout()


def test_hand_edited_file_shows_as_drift_and_is_mended(applied: EngineFleet) -> None:
    applied.on_host("echo '# by hand' >> /etc/postfix/main.cf")
    ran = applied.provision("plan", "--detailed-exitcode", code=2)
    assert "~ file /etc/postfix/main.cf: update (changed on the host)" in ran.out
    assert "-# by hand" in ran.out
    assert "> reload postfix.service: /etc/postfix/main.cf" in ran.out
    assert applied.provision("apply", "--yes").out.endswith(NO_CHANGES)
    assert "by hand" not in applied.on_host("cat /etc/postfix/main.cf")


def test_stopped_and_disabled_services_show_and_are_mended(applied: EngineFleet) -> None:
    units = ["dovecot", "nginx", "php8.4-fpm", "postfix"]
    for unit in units:
        applied.on_host(f"systemctl stop {unit}; systemctl disable {unit} 2>&1")
    ran = applied.provision("plan", "--detailed-exitcode", code=2)
    for unit in units:
        assert f"~ unit {unit}.service: update (enable, start (is inactive))" in ran.out
    assert applied.provision("apply", "--yes").out.endswith(NO_CHANGES)
    assert applied.on_host(f"systemctl is-active {' '.join(units)}") == "active\n" * 4
    assert applied.on_host(f"systemctl is-enabled {' '.join(units)}") == "enabled\n" * 4


def test_removed_package_shows_and_is_mended(applied: EngineFleet) -> None:
    """Dovecot then fails to start, and with it dpkg: that is mended as well."""
    removal = "DEBIAN_FRONTEND=noninteractive apt-get remove -y -q dovecot-pop3d"
    applied.on_host(f"{removal} >/dev/null 2>&1 || true")
    ran = applied.provision("plan", "--detailed-exitcode", code=2)
    assert "+ package dovecot-pop3d: create" in ran.out
    assert applied.provision("apply", "--yes").out.endswith(NO_CHANGES)
    assert "installed" in applied.on_host("dpkg -s dovecot-pop3d | grep Status")


def test_account_file_edited_by_hand_is_compiled_again(applied: EngineFleet) -> None:
    applied.on_host("rm /etc/postfix/accounts/aliases.cdb")
    ran = applied.provision("plan", "--detailed-exitcode", code=2)
    assert "~ accounts /etc/postfix/accounts/aliases.cdb: update" in ran.out
    assert applied.provision("apply", "--yes").out.endswith(NO_CHANGES)


def test_host_that_moved_on_since_the_plan_is_refused(applied: EngineFleet, tmp_path: Path) -> None:
    applied.edit("sites/acme.example.yml", '"#0a5"', '"#0a6"')
    meddle = (
        "import provision.apply.run as r; pack = r.pack\n"
        "def late(work, *rest):\n"
        "    import subprocess; from provision.lab.lab import Lab\n"
        f"    Lab.open({str(applied.folder)!r}).run('mail1', ['sh', '-c',"
        " 'echo >> /etc/postfix/main.cf'])\n"
        "    return pack(work, *rest)\n"
        "r.pack = late"
    )
    ran = applied.provision("apply", "--yes", before=meddle, code=6)
    assert "the plan is stale: /etc/postfix/main.cf has changed" in ran.out


def test_unknown_and_changed_host_keys_are_refused_with_what_to_do(
    fleet: EngineFleet, tmp_path: Path
) -> None:
    path = fleet.folder / ".provision/connection.json"
    kept = path.read_text()
    pinned = tmp_path / "known_hosts"
    path.write_text(json.dumps({**json.loads(kept), "known_hosts": str(pinned)}))
    try:
        assert "its host key is not known yet" in fleet.provision("plan", code=5).err
        other = (ROOT / "tests/lab/engine_fleet.py").read_bytes()[:1]  # any other key will do
        key = "AAAAC3NzaC1lZDI1NTE5AAAAIJ" + "A" * 42
        assert other
        pinned.write_text(f"{ADDRESS} ssh-ed25519 {key}\n")
        ran = fleet.provision("plan", code=5)
        assert "its host key is not the pinned one" in ran.err
        assert "provision trust mail1" in ran.err
        pinned.write_text("")
        offered = fleet.provision("trust", "mail1", "--fingerprint", "SHA256:no", code=6)
        fingerprint = re.search(r"SHA256:\S+", offered.out)
        assert fingerprint
        fleet.provision("trust", "mail1", "--fingerprint", fingerprint[0])
        assert fleet.provision("plan").out == NO_CHANGES
    finally:
        path.write_text(kept)


def test_host_without_network_is_not_reached_and_says_so(fleet: EngineFleet) -> None:
    fleet.lab.unplug(HOST)
    try:
        ran = fleet.provision("plan", code=5)
    finally:
        fleet.lab.plug(HOST)
    assert re.search(r"mail1 \(198\.18\.0\.11 port 22\): (no answer|.*[Nn]o route)", ran.err)


def test_no_secret_is_ever_shown(fleet: EngineFleet) -> None:
    assert_no_secret_is_shown(fleet)


def test_power_cut_in_the_middle_of_apt_is_healed(fleet: EngineFleet) -> None:
    lab = fleet.lab
    lab.restore(HOST, "bare")
    process = fleet.start("apply", "--yes")
    wait_for(
        lambda: (
            "half"
            in fleet.on_host("grep -m1 '^Status: install ok half' /var/lib/dpkg/status || true")
            or "unpacked" in fleet.on_host("grep -m1 'ok unpacked' /var/lib/dpkg/status || true")
        )
    )
    lab.cut(HOST)
    assert fleet.end(process).code in {1, 5}
    lab.start(HOST)
    assert "~ repair packages: update" in fleet.provision("plan").out
    assert fleet.provision("apply", "--yes").out.endswith(NO_CHANGES)
