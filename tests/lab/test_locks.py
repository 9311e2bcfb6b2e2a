"""Locks and holds between two controllers: one runs, the other is told who; nobody steals."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.controllers import HASTY, LINGER, MEET, Controller, end, host_audit
from tests.lab.rehearsal import HOST, Rehearsal, until

pytestmark = pytest.mark.lab

ROUNDS = 50 if os.environ.get("PROVISION_TORTURE") else 6


@pytest.fixture(scope="module")
def pair(
    rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Controller, Controller]]:
    """Ada and Bob. Whatever they did, the host is as the demo fleet asks in the end."""
    place = tmp_path_factory.mktemp("controllers")
    for who in ("ada", "bob"):
        shutil.copytree(rehearsal.fleet_dir, place / who)
    yield (
        Controller("ada", place / "ada", place / "go"),
        Controller("bob", place / "bob", place / "go"),
    )
    rehearsal.provision("hold", HOST, "--release", "--yes")
    rehearsal.provision("apply", "--yes", "--lock-timeout", "2m")


@pytest.fixture
def controllers(
    pair: tuple[Controller, Controller],
) -> Iterator[tuple[Controller, Controller]]:
    """The two; what they have started is ended with the test."""
    yield pair
    for one in pair:
        for process in one.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.communicate()
        one.processes.clear()
        one.here.unlink(missing_ok=True)
        one.meeting.unlink(missing_ok=True)


def _holder(controller: Controller) -> dict[str, str] | None:
    status = json.loads(controller.start("status", "--format", "json").communicate()[0])
    holder: dict[str, str] | None = status["hosts"][0]["holder"]
    return holder


def test_of_two_applies_at_once_one_runs_and_the_other_is_told_who(
    rehearsal: Rehearsal, controllers: tuple[Controller, Controller]
) -> None:
    meeting = controllers[0].meeting
    for number in range(50, 50 + ROUNDS):  # colours that no other test asks for
        before = host_audit(rehearsal)
        colours = {one.who: one.change(number) for one in controllers}
        started = {one.who: one.start("apply", "--yes", before=MEET) for one in controllers}
        for one in controllers:
            one.came()
        meeting.touch()
        said = {who: "".join(process.communicate(timeout=300)) for who, process in started.items()}
        meeting.unlink()

        codes = {who: process.returncode for who, process in started.items()}
        assert sorted(codes.values()) == [0, 6], said
        winner, loser = sorted(codes, key=codes.__getitem__)
        told = said[loser]
        assert f"{HOST}: refused, nothing was changed: {winner}@" in told
        assert "(198.18.0.1) is applying to this host since" in told
        lines = host_audit(rehearsal)[len(before) :]
        assert [(line["who"].split("@")[0], line["outcome"]) for line in lines] == [
            (winner, "applied")
        ]
        assert f"provision unlock {HOST} {lines[0]['lock']}" in told, "the id of the winner's lock"
        earlier = max(int(line.get("generation") or 0) for line in before)
        assert int(lines[0]["generation"]) > earlier
        css = rehearsal.run("cat /etc/provision/webmail/acme.example/brand.css")
        assert "".join(2 * c for c in colours[winner]) in css


def test_lock_of_a_killed_controller_is_free_at_once(
    controllers: tuple[Controller, Controller],
) -> None:
    ada, bob = controllers
    ada.change(1)
    process = ada.start("apply", "--yes", before=LINGER)
    ada.came()
    bob.change(2)
    assert ": ada@" in bob.run("apply", "--yes", code=6)
    process.kill()
    process.wait()
    assert f"{HOST}: applied" in bob.run("apply", "--yes")


def test_holder_killed_on_the_host_ends_nothing_and_its_apply_changes_nothing(
    rehearsal: Rehearsal, controllers: tuple[Controller, Controller]
) -> None:
    ada, bob = controllers
    ada.change(3)
    process = ada.start("apply", "--yes", before=LINGER)
    ada.came()
    pid = json.loads(rehearsal.run("cat /run/provision/apply.json"))["host_pid"]
    rehearsal.run(f"kill -9 {pid}")
    bob.change(4)
    assert f"{HOST}: applied" in bob.run("apply", "--yes")
    ada.meeting.touch()
    assert "this apply has lost its lock" in end(process, code=6)


def test_lock_is_held_while_packages_are_installed(
    rehearsal: Rehearsal, controllers: tuple[Controller, Controller]
) -> None:
    """Somebody else's dpkg keeps apt waiting for as long as this looks."""
    ada, bob = controllers
    rehearsal.run("dpkg --remove --force-depends php-zip 2>&1")
    keep = "import fcntl,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,2)"
    other = rehearsal.run(f'python3 -c "{keep}; time.sleep(300)" >/dev/null 2>&1 & echo $!')
    try:
        process = ada.start("apply", "--yes")
        assert process.stderr is not None
        assert any("make ready for packages: done" in line for line in process.stderr)
        assert ": ada@" in bob.run("apply", "--yes", code=6)
    finally:
        rehearsal.run(f"kill {other}")
    assert f"{HOST}: applied" in end(process)


def test_waiting_names_the_holder_and_then_applies_what_is_left(
    rehearsal: Rehearsal, controllers: tuple[Controller, Controller], tmp_path: Path
) -> None:
    ada, bob = controllers
    ada.change(5)
    colour = bob.change(6)
    bob.run("plan", "-o", str(tmp_path / "reviewed.plan"))
    first = ada.start("apply", "--yes", before=LINGER)
    ada.came()
    waiting = [
        bob.start("apply", "--yes", "--lock-timeout", "5m"),
        bob.start("apply", str(tmp_path / "reviewed.plan"), "--lock-timeout", "5m"),
        bob.start("apply", "--yes", "--lock-timeout", "5m"),
    ]
    for process in waiting:
        assert process.stderr is not None
        assert any(f"{HOST}: waiting: ada@" in line for line in process.stderr)
    interrupted = waiting.pop()
    interrupted.send_signal(signal.SIGINT)
    end(interrupted, code=130)
    ada.meeting.touch()
    end(first)
    unreviewed, reviewed = (process.communicate(timeout=300)[0] for process in waiting)
    assert [process.returncode for process in waiting] == [0, 6]
    assert f"{HOST}: applied" in unreviewed
    assert "the plan is stale: another apply came first" in reviewed
    css = rehearsal.run("cat /etc/provision/webmail/acme.example/brand.css")
    assert "".join(2 * c for c in colour) in css


def test_stopped_controller_keeps_its_lock_and_a_cut_cable_frees_it(
    rehearsal: Rehearsal, controllers: tuple[Controller, Controller]
) -> None:
    ada, bob = controllers
    ada.change(7)
    process = ada.start("apply", "--yes", before=HASTY + LINGER)
    ada.came()
    process.send_signal(signal.SIGSTOP)
    bob.change(8)
    assert "ada@" in bob.run("apply", "--yes", "--lock-timeout", "12s", code=6)
    rehearsal.lab.unplug(HOST)
    until(
        lambda: "was not heard" in rehearsal.run("cat /run/provision/ended.json"), "it is given up"
    )
    rehearsal.lab.plug(HOST)
    assert f"{HOST}: applied" in bob.run("apply", "--yes")
    process.send_signal(signal.SIGCONT)
    ada.meeting.touch()
    assert "this apply has lost its lock" in end(process, code=6)


def test_lock_whose_connection_has_gone_dead_is_free_when_its_apply_has_ended(
    rehearsal: Rehearsal, controllers: tuple[Controller, Controller]
) -> None:
    """Nothing of that one connection arrives any more, as behind a box that has forgotten it."""
    ada, bob = controllers
    ada.change(15)
    process = ada.start("apply", "--yes", before=LINGER)
    ada.came()
    with _deaf(rehearsal):
        ada.meeting.touch()
        assert f"{HOST}: applied" in end(process)
        bob.change(16)
        assert f"{HOST}: applied" in bob.run("apply", "--yes")
    last = [line for line in host_audit(rehearsal) if line.get("event") == "unlock"][-1]
    assert last["who"].startswith("ada@")
    assert "connection had gone dead" in last["message"]


@contextlib.contextmanager
def _deaf(rehearsal: Rehearsal) -> Iterator[None]:
    """Nothing that is sent over the connection of the lock that is held now leaves for the host."""
    pid = json.loads(rehearsal.run("cat /run/provision/apply.json"))["host_pid"]
    arguments = rehearsal.run(f"tr '\\0' '\\n' < /proc/{pid}/cmdline").split("\n")
    ours, port, address, _ = next(line for line in arguments if line.endswith(" 22")).split()
    flow = f"pref 1 from {ours} to {address} ipproto tcp sport {port} blackhole".split()
    with rehearsal.lab.inside():
        subprocess.run(["ip", "rule", "add", *flow], check=True)
    try:
        yield
    finally:
        with rehearsal.lab.inside():
            subprocess.run(["ip", "rule", "del", *flow], check=True)


def test_unlock_ends_the_lock_with_this_id_and_no_other(
    rehearsal: Rehearsal, controllers: tuple[Controller, Controller]
) -> None:
    ada, bob = controllers
    ada.change(9)
    process = ada.start("apply", "--yes", before=LINGER)
    ada.came()
    process.send_signal(signal.SIGSTOP)
    holder = _holder(bob)
    assert holder is not None
    assert (holder["who"].split("@")[0], holder["address"]) == ("ada", "198.18.0.1")
    assert "is not the id of its lock" in bob.run("unlock", HOST, "00000000", code=6)
    assert "unlocked. It was: ada@" in bob.run("unlock", HOST, holder["id"])
    assert "nobody has locked it" in bob.run("unlock", HOST, holder["id"])
    bob.change(10)
    assert f"{HOST}: applied" in bob.run("apply", "--yes")
    process.send_signal(signal.SIGCONT)
    ada.meeting.touch()
    lost = end(process, code=6)
    assert f"lost its lock {holder['id']}: bob@" in lost
    assert [line["lock"] for line in host_audit(rehearsal) if line.get("event") == "unlock"][
        -1:
    ] == [holder["id"]]


def test_hold_keeps_everybody_but_its_holder_and_outlives_a_reboot(
    rehearsal: Rehearsal, controllers: tuple[Controller, Controller]
) -> None:
    ada, bob = controllers
    bob.change(11)
    assert "new disk" in ada.run("hold", HOST, "--for", "2h", "-m", "new disk")
    rehearsal.lab.reboot(HOST)
    for words in (["status"], ["plan"]):
        assert ": new disk" in bob.run(*words)
    for words in (["apply"], ["apply", "--during-my-hold", "--lock-timeout", "5m"], ["rollback"]):
        refused = bob.run(*words, "--yes", code=6)
        assert f"{HOST}: refused, nothing was changed: ada@" in refused
        assert "left): new disk" in refused
    assert bob.run("hold", HOST, "--for", "1h", "-m", "mine", code=6).count("new disk") == 1
    assert "somebody else holds it" in bob.run("hold", HOST, "--release", code=6)

    ada.change(12)
    assert f"{HOST}: applied" in ada.run("apply", "--yes", "--during-my-hold")
    assert "released: ada@" in ada.run("hold", HOST, "--release")
    assert f"{HOST}: applied" in bob.run("apply", "--yes")


def test_hold_that_is_over_is_told_once(controllers: tuple[Controller, Controller]) -> None:
    ada, bob = controllers
    ada.run("hold", HOST, "--for", "1s", "-m", "a moment")
    until(lambda: "a moment" not in bob.run("status"), "the hold is over")
    bob.change(13)
    assert "it is over): a moment" in bob.run("apply", "--yes")
    bob.change(14)
    assert "a moment" not in bob.run("apply", "--yes")
