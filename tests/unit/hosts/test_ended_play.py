"""An Ansible that is ended takes its workers along, and an error in between leaves nothing over."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provision.hosts import playbook as module
from provision.hosts.ansible_process import AnsibleProcess
from provision.hosts.connection import Connection
from provision.hosts.interrupts import Interrupts
from provision.hosts.playbook import Play
from provision.model.address import Domain
from provision.model.fleet import Host, Release

HOST = Host("mail1", "192.0.2.10", Domain("mail1.example.net"), Release.DEBIAN13)
_PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: Work for long
      ansible.builtin.raw: sleep 60
"""
_SSH = """\
#!/bin/sh
echo "$*" >> {log}
ps -o pid= --ppid {ansible} >> {log}
exec sleep 60
"""


@pytest.fixture
def ansible(tmp_path: Path) -> Iterator[AnsibleProcess]:
    folder = tmp_path / "private"
    folder.mkdir()
    process = AnsibleProcess(folder)
    yield process
    process.end()


def _descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended meanwhile
        if parent == pid:
            child = int(path.parent.name)
            found |= {child} | _descendants(child)
    return found


def _still_run(pids: set[int]) -> set[int]:
    """Those that have not ended after a moment; nobody may have asked how they did."""
    deadline = time.monotonic() + 5
    while pids and time.monotonic() < deadline:
        pids = {pid for pid in pids if _state(pid) not in {"", "Z"}}
    return pids


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _playbook(tmp_path: Path) -> Path:
    path = tmp_path / "play.yml"
    path.write_text(_PLAYBOOK)
    return path


def test_one_at_work_ends_with_all_its_workers(ansible: AnsibleProcess, tmp_path: Path) -> None:
    here = {"ansible_connection": "local"}
    ansible.write("hosts.json", json.dumps({"all": {"hosts": {"mail1": here}}}))
    ansible.play(_playbook(tmp_path))
    for line in ansible.events:
        if json.loads(line)["type"] == "task_start":
            break
    deadline = time.monotonic() + 20
    while len(workers := _descendants(ansible.process.pid)) < 2:  # one, and what it runs
        assert time.monotonic() < deadline
    ansible.end()
    assert not _still_run(workers)


def test_one_that_waits_is_gone_at_once(ansible: AnsibleProcess) -> None:
    begun = time.monotonic()
    ansible.end()
    assert time.monotonic() - begun < 0.5
    assert ansible.process.returncode == -signal.SIGKILL


def test_error_in_the_middle_ends_ansible_before_its_connections(
    ansible: AnsibleProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a way to the host, and a master of its connection, that answer nothing."""
    monkeypatch.setattr(module, "_CLOSE_SECONDS", 0.5)
    log = tmp_path / "log"
    way = tmp_path / "ssh"
    way.write_text(_SSH.format(log=log, ansible=ansible.process.pid))
    way.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    play = Play(
        ansible,
        [HOST],
        Connection(tmp_path / "known_hosts"),
        {"mail1": {"ansible_ssh_executable": str(way)}},
        str(_playbook(tmp_path)),
    )

    def fail(event: Any) -> None:
        if event["type"] == "task_start":
            raise KeyError(event["task"])

    with Interrupts(lambda _event: None) as interrupts, pytest.raises(KeyError, match="Work"):
        play.run(fail, interrupts)
    *_, last = log.read_text().splitlines()
    assert last.endswith("-O exit -- mail1")


def test_line_that_was_cut_short_is_left_out() -> None:
    reader, writer = os.pipe()
    os.write(writer, b'{"type": "play_start"}\n{"type": "task_st')
    os.close(writer)
    heard: list[Any] = []
    with os.fdopen(reader) as events:
        module._hand_over(events, heard.append)
    assert heard == [{"type": "play_start"}]
