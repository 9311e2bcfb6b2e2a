"""Another's lock is ended by its id: its holder goes, a switch at work never does."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from ansible.module_utils import provision_unlock
from ansible.module_utils.provision_durable import read_json, write_json
from ansible.module_utils.provision_generation import Refused
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_lock import alone

from tests.unit.playbooks.lock_session import BY_HAND, Enter, enter_and_leave


def test_unlock_needs_the_id_and_ends_the_holder(enter: Enter, layout: Layout) -> None:
    first = enter()
    first.hear()
    assert provision_unlock.answer(layout, {"id": "bob-1", "who": "eve"})["outcome"] == "other"
    assert first.process.poll() is None
    assert provision_unlock.answer(layout, {"id": "ada-1", "who": "eve"})["outcome"] == "unlocked"
    assert first.process.wait(timeout=30) == -signal.SIGKILL
    assert provision_unlock.answer(layout, {"id": "ada-1", "who": "eve"})["outcome"] == "free"
    with pytest.raises(Refused, match=r"eve has ended its lock \(provision unlock\)"):
        enter_and_leave(alone(layout, {**BY_HAND, "id": "ada-1"}))
    assert '"event": "unlock"' in layout.audit.read_text()


def test_unlock_notes_the_reason_of_a_controller_that_ends_its_own_lock(
    enter: Enter, layout: Layout
) -> None:
    enter().hear()
    request = {"id": "ada-1", "who": "ada", "reason": "its controller has ended"}
    assert provision_unlock.answer(layout, request)["outcome"] == "unlocked"
    with pytest.raises(Refused, match="lost its lock ada-1: its controller has ended"):
        enter_and_leave(alone(layout, {**BY_HAND, "id": "ada-1"}))
    assert '"message": "its controller has ended"' in layout.audit.read_text()


def test_unlock_ends_a_stopped_holder(enter: Enter, layout: Layout) -> None:
    first = enter()
    first.hear()
    first.process.send_signal(signal.SIGSTOP)
    assert provision_unlock.answer(layout, {"id": "ada-1", "who": "eve"})["outcome"] == "unlocked"
    first.process.wait(timeout=30)
    assert enter("bob").hear()["event"] == "locked"


def test_unlock_never_ends_a_switch(enter: Enter, layout: Layout) -> None:
    first = enter()
    first.hear()
    with alone(layout, {**BY_HAND, "id": "ada-1"}):
        told = provision_unlock.answer(layout, {"id": "ada-1", "who": "eve"})
        assert told["outcome"] == "switching"
    assert first.process.poll() is None


def test_unlock_ends_no_process_that_does_not_hold_the_lock(enter: Enter, layout: Layout) -> None:
    """The note names a process that lives and is another one."""
    enter().hear()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        note = read_json(layout.apply_holder)
        write_json(layout.apply_holder, {**note, "host_pid": innocent.pid})
        told = provision_unlock.answer(layout, {"id": "ada-1", "who": "eve"})
        assert told["outcome"] == "stuck"
        assert innocent.poll() is None
        innocent.communicate(b"\n")
