"""Six hosts: a canary first, batches behind it, dead hosts, Ctrl-C; and running it again."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator

import pytest

from provision.lab.lab import Lab
from tests.lab.engine_fleet import EngineFleet, Ran, is_at_work, is_playing, wait_for
from tests.lab.many_hosts import bring_packages, many_hosts

pytestmark = pytest.mark.lab

HOSTS = tuple(f"mail{number}" for number in range(1, 7))
ALIVE, DEAD = HOSTS[:3], HOSTS[3:]
NO_CHANGES = f"No changes. {', '.join(HOSTS)} are as the spec asks.\n"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineFleet]:
    folder = tmp_path_factory.mktemp("fleet") / "six"
    hosts = many_hosts(folder, len(HOSTS))
    lab = Lab.open(folder)
    try:
        lab.up()
        bring_packages(lab, hosts)
        yield EngineFleet(lab)
    finally:
        lab.down()


def _change(fleet: EngineFleet, old: str, new: str) -> None:
    for number in range(1, len(HOSTS) + 1):
        fleet.edit(f"sites/site{number}.yml", old, new)


def _words(ran: Ran) -> dict[str, str]:
    """Host to the word of its outcome."""
    return {entry["host"]: entry["outcome"] for entry in json.loads(ran.out)["outcomes"]}


def test_failed_canary_leaves_the_others_untouched_and_says_so(fleet: EngineFleet) -> None:
    taken = ["systemd-run", "--quiet", "--unit=taken", "python3", "-m", "http.server", "25"]
    fleet.lab.run("mail1", taken)
    ran = fleet.provision("apply", "--yes", code=7)
    fleet.lab.run("mail1", ["systemctl", "stop", "taken"])
    assert "starting Ansible for mail1 (batch 1 of 2, the canary)" in ran.err
    assert "mail1: failed, and is back on its old generation" in ran.out
    for host in HOSTS[1:]:
        assert f"{host}: not started: the canary mail1 failed" in ran.out
        left_alone = "test ! -e /etc/provision && test ! -e /var/lib/provision/current"
        fleet.lab.run(host, ["sh", "-c", left_alone])
    _, _, passwords = ran.out.partition("First passwords, shown this once:")
    stored = fleet.lab.run("mail1", ["sh", "-c", "cat /var/lib/provision/accounts/sites/*"]).stdout
    assert "first@site1.example" in stored, "a bare host has its accounts before its first switch"
    assert "  first@site1.example  " in passwords, "or nobody could ever know the password"
    assert "@site2" not in passwords, "those of the others are made with their batch"


def test_dead_half_is_reported_and_the_other_half_is_done(fleet: EngineFleet) -> None:
    for host in DEAD:
        fleet.lab.unplug(host)
    ran = fleet.provision("apply", "--yes", "--format", "json", "--show-passwords", code=5)
    assert _words(ran) == dict.fromkeys(ALIVE, "applied") | dict.fromkeys(DEAD, "unreachable")
    made = json.loads(ran.out)["generated_passwords"]
    assert sorted(made) == ["first@site2.example", "first@site3.example"], "mail1 has its own"
    for host in DEAD:
        assert ran.err.count(f"Error: {host} ") == 1


def test_every_command_tells_of_the_dead_half(fleet: EngineFleet) -> None:
    commands = ("plan", "drift", "status", "history", "mailbox list")
    started = [fleet.start(*words.split()) for words in commands]
    for words, ran in zip(commands, map(fleet.end, started), strict=True):
        assert ran.code == 5, words
        for host in DEAD:
            assert f"Error: {host} " in ran.err, words


def test_named_canary_that_is_dead_holds_everybody_up(fleet: EngineFleet) -> None:
    fleet.edit("sites/site1.yml", "First of 1", "First and foremost")
    ran = fleet.provision("apply", "--yes", "--canary", "mail4", code=5)
    assert "mail1: not started: the canary mail4 was not reached" in ran.out
    fleet.edit("sites/site1.yml", "First and foremost", "First of 1")


def test_running_it_again_finishes_the_rest(fleet: EngineFleet) -> None:
    for host in DEAD:
        fleet.lab.plug(host)
    ran = fleet.provision("apply", "--yes")
    assert "starting Ansible for mail4 (batch 1 of 2, the canary)" in ran.err
    assert "starting Ansible for mail5, mail6 (batch 2 of 2)" in ran.err
    assert "mail1: nothing to do" in ran.out
    assert "first@site6.example" in ran.out
    assert fleet.provision("plan").out == NO_CHANGES


def test_second_host_that_fails_leaves_the_third_alone(fleet: EngineFleet) -> None:
    _change(fleet, "First of", "First at")
    place = "/var/lib/provision/accounts"
    spoil = f"mount --bind {place} {place} && mount -o remount,bind,ro {place}"
    fleet.lab.run("mail2", ["sh", "-c", spoil])
    try:
        ran = fleet.provision("apply", "--yes", "--batch", "1", "--format", "json", code=1)
    finally:
        fleet.lab.run("mail2", ["umount", place])
    expected = {"mail1": "applied", "mail2": "failed"}
    assert _words(ran) == expected | dict.fromkeys(HOSTS[2:], "not_started")
    assert "the file system is read-only" in ran.out
    plan = fleet.provision("plan", "--format", "json").out
    changing = [host["host"] for host in json.loads(plan)["hosts"] if host["changes"]]
    assert changing == list(HOSTS[1:])


def test_ctrl_c_ends_the_batch_and_starts_no_other(fleet: EngineFleet) -> None:
    process = fleet.start("apply", "--yes", "--no-canary", "--batch", "2", "--format", "json")
    wait_for(lambda: is_playing(process.pid))
    process.send_signal(signal.SIGINT)
    ran = fleet.end(process)
    assert ran.code == 130
    expected = {"mail1": "unchanged", "mail2": "applied", "mail3": "applied"}
    assert _words(ran) == expected | dict.fromkeys(DEAD, "not_started")
    assert "interrupted before its turn" in ran.out
    fleet.provision("apply", "--yes")
    assert fleet.provision("plan").out == NO_CHANGES


def test_ctrl_c_twice_aborts_and_every_host_ends_whole(fleet: EngineFleet) -> None:
    _change(fleet, "name: Site", "name: House")
    process = fleet.start("apply", "--yes", "--no-canary", "--batch", "50%", "--format", "json")
    wait_for(lambda: is_at_work(fleet.lab, "mail1"))
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)  # two that come at once are one to the kernel (signal(7))
    ran = fleet.end(process)
    assert ran.code == 130
    words = _words(ran)
    assert [words[host] for host in DEAD] == ["not_started"] * 3
    assert set(words.values()) <= {"failed", "applied", "not_started", "unreachable"}
    wait_for(lambda: not any(is_at_work(fleet.lab, host) for host in ALIVE))
    assert fleet.provision("apply", "--yes").out.endswith("are as the spec asks.\n")
    assert fleet.provision("plan").out == NO_CHANGES


def test_verify_tells_of_dead_hosts_and_proves_the_others(fleet: EngineFleet) -> None:
    for host in HOSTS[1:]:
        fleet.lab.unplug(host)
    document = json.loads(fleet.provision("verify", "--format", "json", code=5).out)
    for host in HOSTS[1:]:
        fleet.lab.plug(host)
    dead = [one["host"] for one in document["outcomes"] if one["verdict"] == "unreachable"]
    assert sorted(dead) == list(HOSTS[1:])
    others = {one["verdict"] for one in document["outcomes"] if one["host"] == "mail1"}
    assert others == {"proved"}


def test_host_that_cannot_go_back_needs_a_person(fleet: EngineFleet) -> None:
    """Neither the new configuration nor the old one can be made live: exit 8, and it says so."""
    drop_in = "/run/systemd/system/postfix.service.d/broken.conf"
    broken = "[Service]\\nExecReload=\\nExecReload=/bin/false\\nExecStartPre=/bin/false\\n"
    spoil = f"mkdir -p $(dirname {drop_in}) && printf '{broken}' > {drop_in}"
    fleet.edit("fleet.yml", "mail6.smartmail", "mx6.smartmail")
    fleet.lab.run("mail6", ["sh", "-c", f"{spoil} && systemctl daemon-reload"])
    try:
        ran = fleet.provision("apply", "--yes", code=8)
    finally:
        fleet.lab.run("mail6", ["sh", "-c", f"rm {drop_in} && systemctl daemon-reload"])
    assert "mail6: needs a person" in ran.out
    fleet.provision("apply", "--yes")
    assert fleet.provision("plan").out == NO_CHANGES
