"""An Ansible that was started early is used once, or ended without a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provision.apply.ahead import Ahead

_PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: Say where we are
      ansible.builtin.assert:
        that: place == 'here'
"""


def test_one_that_nobody_needs_is_ended_and_its_folder_gone() -> None:
    with Ahead() as ahead:
        ahead.begin()
        ahead.begin()
        ready = ahead._ready
        assert ready is not None
        assert ready.process.poll() is None
    assert ready.process.poll() is not None
    assert not ready.folder.exists()


def test_the_first_taker_gets_the_one_that_waits_and_the_next_another() -> None:
    with Ahead() as ahead:
        ahead.begin()
        ready = ahead._ready
        with ahead.take() as first:
            assert first is ready
        assert first.process.poll() is not None
        assert not first.folder.exists()
        with ahead.take() as second:
            assert second is not first
        assert not second.folder.exists()


def test_it_plays_what_it_is_given_and_tells_it(tmp_path: Path) -> None:
    playbook = tmp_path / "play.yml"
    playbook.write_text(_PLAYBOOK)
    with Ahead() as ahead, ahead.take() as ansible:
        here = {"ansible_connection": "local", "place": "here"}
        ansible.write("hosts.json", json.dumps({"all": {"hosts": {"mail1": here}}}))
        ansible.play(playbook)
        events = [json.loads(line) for line in ansible.events]
        assert ansible.process.wait() == 0, ansible.last_words()
    assert {event["host"] for event in events if "host" in event} == {"mail1"}


def test_modules_of_the_current_folder_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "yaml.py").write_text("raise SystemExit('a file of the fleet was run')\n")
    monkeypatch.chdir(tmp_path)
    test_it_plays_what_it_is_given_and_tells_it(tmp_path)


def test_what_is_written_for_it_is_private() -> None:
    with Ahead() as ahead, ahead.take() as ansible:
        ansible.write("hosts.json", "{}")
        modes = {path.name: path.stat().st_mode & 0o777 for path in ansible.folder.iterdir()}
    assert modes["hosts.json"] == modes["ansible.cfg"] == 0o600
