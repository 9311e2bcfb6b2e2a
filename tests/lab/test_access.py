"""Changes of the access to a real host: kept when confirmed, else taken back by the host."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.engine_fleet import wait_for
from tests.lab.rehearsal import HOST, ROOT, Rehearsal, until

pytestmark = pytest.mark.lab

ANNA, BOB = "anna@acme.example", "bob@acme.example"
FLEET, OPEN, SHUT = "fleet.yml", "ssh_from: [198.18.0.0/24]", "ssh_from: [192.0.2.0/24]"
ALSO = f"{OPEN}, also_open: [tcp/9999]"
RULES = "nft --stateless list table inet provision"
DIES = (
    "import os, signal, provision.apply.confirm as c;"
    "c.confirm = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
)
"""Python that kills the controller at the moment at which it would confirm."""
DROP_IN = "/etc/ssh/sshd_config.d/provision.conf"
SSH_OURSELVES = """
import provision.render.host as host
from provision.model.bundle import Activation, ManagedFile, Part, Verb
reload = Activation("ssh.service", Verb.RELOAD)
part = Part(files=(ManagedFile({path!r}, {content!r}, activations=(reload,)),))
host.PROGRAMS = (*host.PROGRAMS, lambda view: part)
"""
"""Python by which the program sets up sshd, too: no spec can ask for that."""
SECOND_ROOT = """
import provision.render.host as host
from provision.model.bundle import Part, SystemUser
part = Part(users=(SystemUser("second", "/nonexistent", ("sudo",)),))
host.PROGRAMS = (*host.PROGRAMS, lambda view: part)
"""
"""Python by which it brings a user who may become root; no spec can ask for that either."""
LOCKOUTS = {
    "a user that may not log in": "DenyUsers root",
    "keys that do not count": "PubkeyAuthentication no",
    "another port": "Port 2222",
}


@pytest.fixture
def tended(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """The rehearsed fleet as its spec asks, before and after."""
    rehearsal.provision("apply", "--yes")
    yield rehearsal
    rehearsal.close()
    wait_for(lambda: not _waits(rehearsal))
    rehearsal.provision("apply", "--yes")


def _waits(rehearsal: Rehearsal) -> bool:
    """Whether a change waits for its confirmation, or the watch over one is still there."""
    units = rehearsal.run("systemctl list-units --all --plain --no-legend 'provision-watch*'")
    state = rehearsal.run("ls /var/lib/provision/unconfirmed.json 2>/dev/null || true")
    return bool(units.strip() or state.strip())


def _last(rehearsal: Rehearsal) -> dict[str, Any]:
    document = json.loads(rehearsal.provision("history", "--format", "json"))
    last: dict[str, Any] = document["hosts"][0]["generations"][-1]
    return last


def _provision(rehearsal: Rehearsal, *words: str, before: str = "") -> subprocess.Popen[str]:
    code = f"{before}\nfrom provision.cli.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words, "-i", str(rehearsal.fleet_dir)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _run_to_its_death(rehearsal: Rehearsal, *words: str, before: str = "") -> None:
    process = _provision(rehearsal, *words, before=f"{before}\n{DIES}")
    said = process.communicate(timeout=300)[0]
    assert process.returncode == -signal.SIGKILL, said


def _answers(rehearsal: Rehearsal, port: int) -> bool:
    with rehearsal.lab.inside(), contextlib.suppress(OSError):
        socket.create_connection((rehearsal.address, port), timeout=2).close()
        return True
    return False


def _mail_flows(rehearsal: Rehearsal) -> None:
    with rehearsal.lab.inside():
        rehearsal.received(BOB, rehearsal.send(ANNA, BOB))


@contextlib.contextmanager
def _listening(rehearsal: Rehearsal, port: int) -> Iterator[None]:
    unit = f"listener-{port}"
    rehearsal.run(f"systemd-run --quiet --unit={unit} python3 -m http.server {port}")
    try:
        yield
    finally:
        rehearsal.run(f"systemctl stop {unit}")


def test_confirmed_change_stays_and_leaves_no_watch_behind(tended: Rehearsal) -> None:
    tended.run("nft add table inet foreign")
    before = tended.run(RULES)
    with _listening(tended, 9999), tended.edited(FLEET, lambda t: t.replace(OPEN, ALSO)):
        assert not _answers(tended, 9999)
        assert "touches access" in tended.provision("plan")
        assert "No changes." in tended.provision("apply", "--yes")
        until(lambda: _answers(tended, 9999), "the new port is open")
        assert _last(tended)["outcome"] == "applied"
        assert not _waits(tended)
        tended.provision("rollback", "--yes")
        assert (_answers(tended, 9999), tended.run(RULES)) == (False, before)
        assert not _waits(tended)
    assert "foreign" in tended.run("nft list tables")
    _mail_flows(tended)
    tended.run("nft delete table inet foreign")


def test_change_that_locks_us_out_is_taken_back_and_told_so(tended: Rehearsal) -> None:
    before = tended.run(RULES)
    with tended.edited(FLEET, lambda t: t.replace(OPEN, SHUT)):
        said = tended.provision("apply", "--yes", "--confirm-timeout", "8s", code=7)
        assert "back on its old generation: not confirmed over a new connection within 8 s" in said
        assert "the connection was refused" in said
        assert _last(tended)["outcome"] == "rolled_back"
        assert tended.run(RULES) == before
        assert not _waits(tended)
        assert SHUT[11:-1] in tended.provision("plan", "--detailed-exitcode", code=2)
    _mail_flows(tended)


@pytest.mark.parametrize("mistake", LOCKOUTS)
def test_sshd_that_locks_us_out_goes_back_by_itself(tended: Rehearsal, mistake: str) -> None:
    before = _generation(tended)
    said = _set_up_ssh(tended, LOCKOUTS[mistake])
    assert f"touches access ({DROP_IN}, ssh.service): goes back by itself" in said
    assert "back on its old generation: not confirmed over a new connection within 8 s" in said
    _is_as_before(tended, before)


def test_sshd_that_does_not_take_its_configuration_goes_back_at_once(tended: Rehearsal) -> None:
    before = _generation(tended)
    said = _set_up_ssh(tended, "NoSuchSetting yes")
    assert "ssh.service failed" in said
    _is_as_before(tended, before)


def test_user_who_may_become_root_loses_that_by_itself(tended: Rehearsal) -> None:
    before = _generation(tended)
    _forget_what_is_known(tended)
    _run_to_its_death(tended, "apply", "--yes", "--confirm-timeout", "8s", before=SECOND_ROOT)
    assert "sudo" in _groups_of_second(tended)
    wait_for(lambda: not _waits(tended))
    assert "sudo" not in _groups_of_second(tended)
    assert _generation(tended) == before
    assert _last(tended)["outcome"] == "rolled_back"
    assert "- user second: delete" in tended.provision("apply", "--yes")
    assert _groups_of_second(tended) == []


def _groups_of_second(rehearsal: Rehearsal) -> list[str]:
    return rehearsal.run("id -nG second 2>/dev/null || true").split()


def _forget_what_is_known(rehearsal: Rehearsal) -> None:
    """The program does not know that another one was put in its place."""
    (rehearsal.fleet_dir / ".provision/known.json").unlink(missing_ok=True)


def _set_up_ssh(rehearsal: Rehearsal, setting: str) -> str:
    hook = SSH_OURSELVES.format(path=DROP_IN, content=f"{setting}\n".encode())
    _forget_what_is_known(rehearsal)
    return rehearsal.provision("apply", "--yes", "--confirm-timeout", "8s", before=hook, code=7)


def _generation(rehearsal: Rehearsal) -> int:
    document = json.loads(rehearsal.provision("status", "--format", "json"))
    return int(document["hosts"][0]["generation"])


def _is_as_before(rehearsal: Rehearsal, generation: int) -> None:
    """The host has the old generation, says why, and answers over SSH as ever."""
    assert _generation(rehearsal) == generation
    assert _last(rehearsal)["outcome"] == "rolled_back"
    assert rehearsal.run(f"test -e {DROP_IN} || echo gone") == "gone\n"
    assert not _waits(rehearsal)
    rehearsal.provision("plan", "--detailed-exitcode")
    _mail_flows(rehearsal)


def test_controller_that_dies_before_confirming_loses_the_change(tended: Rehearsal) -> None:
    """Twice: the next apply takes back what the first has left, the host what the second has."""
    before = tended.run(RULES)
    with tended.edited(FLEET, lambda t: t.replace(OPEN, ALSO)):
        _run_to_its_death(tended, "apply", "--yes", "--confirm-timeout", "1h")
        assert "9999" in tended.run(RULES)
        assert _waits(tended)
        _run_to_its_death(tended, "apply", "--yes", "--confirm-timeout", "8s")
        assert "another apply came" in tended.provision("history")
        wait_for(lambda: not _waits(tended))
        assert _last(tended)["outcome"] == "rolled_back"
        assert tended.run(RULES) == before
    tended.provision("plan", "--detailed-exitcode")


def test_host_that_restarts_before_the_confirmation_has_its_old_files(tended: Rehearsal) -> None:
    before = tended.run(RULES)
    with tended.edited(FLEET, lambda t: t.replace(OPEN, ALSO)):
        _run_to_its_death(tended, "apply", "--yes", "--confirm-timeout", "1h")
        assert "9999" in tended.run(RULES)
    tended.close()
    tended.lab.cut(HOST)
    tended.lab.start(HOST)
    until(lambda: _is_started(tended), "the host has started")
    assert tended.run(RULES) == before
    last = _last(tended)
    assert last["outcome"] == "rolled_back"
    assert "restarted before" in last["message"]
    tended.provision("plan", "--detailed-exitcode")
    _mail_flows(tended)


def _is_started(rehearsal: Rehearsal) -> bool:
    state = rehearsal.run("systemctl is-system-running --wait || true").strip()
    return state in {"running", "degraded"}


def test_broken_connection_is_followed_by_the_hosts_own_word(tended: Rehearsal) -> None:
    """Ansible's connection is cut in the middle of the switch; the host ends it alone."""
    number = _last(tended)["number"]
    with tended.edited("sites/acme.example.yml", lambda t: t.replace("Acme Mail", "Acme Cut")):
        process = _provision(tended, "apply", "--yes", "--format", "json")
        wait_for(lambda: tended.run(f"ls /var/lib/provision/generations/{number + 1} || true"))
        os.kill(_master_of(process), signal.SIGKILL)
        said = process.communicate(timeout=120)[0]
        assert process.returncode == 0, said
        assert "asking what came of it" in said
        assert _last(tended)["outcome"] == "applied"
        tended.provision("plan", "--detailed-exitcode")


def _master_of(process: subprocess.Popen[str]) -> int:
    """The ssh that holds the connection of this run: it listens in the run's own folder."""
    folder = _folder_of(process.pid)
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_bytes()
            if words.startswith(b"ssh: " + folder.encode()) and b"[mux]" in words:
                return int(entry.parent.name)
    raise AssertionError(f"no ssh in {folder}")


def _folder_of(pid: int) -> str:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        for entry in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            name, _, value = entry.decode().partition("=")
            if name == "ANSIBLE_CONFIG":
                return str(Path(value).parent)
    raise AssertionError("no Ansible")
