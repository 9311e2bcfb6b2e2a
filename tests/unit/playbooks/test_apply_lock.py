"""The lock of a whole apply: real processes hold it, and the kernel alone says who lives."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

# isort: split
from ansible.module_utils import provision_apply_lock, provision_unlock
from ansible.module_utils.provision_durable import read_json, write_json
from ansible.module_utils.provision_generation import Refused
from ansible.module_utils.provision_hold import answer
from ansible.module_utils.provision_holder import current_hold, lock_holder
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_lock import alone, held

from tests.unit.playbooks.lock_session import LockSession

Enter = Callable[..., LockSession]
BY_HAND = {"who": "eve@desk", "since": "now", "commit": ""}


@pytest.fixture
def enter(layout: Layout) -> Iterator[Enter]:
    """Starts sessions of controllers; whichever still runs is ended."""
    sessions: list[LockSession] = []

    def start(name: str = "ada", **request: Any) -> LockSession:
        sessions.append(LockSession(layout.root, name, **request))
        return sessions[-1]

    yield start
    for session in sessions:
        with contextlib.suppress(ProcessLookupError):
            session.process.send_signal(signal.SIGCONT)
        session.leave()


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _kill(session: LockSession) -> None:
    session.process.kill()
    session.process.wait()


def test_lock_says_who_from_where_since_when_which_commit_and_its_id(
    enter: Enter, layout: Layout
) -> None:
    assert enter().hear() == {"event": "locked", "generation": 0, "hold_over": ""}
    holder = lock_holder(str(layout.root))
    assert holder is not None
    words = holder["words"]
    assert words.startswith("ada@desk (198.18.0.1) is applying to this host since 2")
    assert words.endswith("commit abc, lock ada-1")
    refused = enter("bob").hear()
    assert (refused["event"], refused["reason"]) == ("refused", "lock")
    assert refused["holder"]["id"] == "ada-1"


def test_lock_is_free_when_its_session_ends(enter: Enter, layout: Layout) -> None:
    first = enter()
    first.hear()
    first.say(b"done\n")
    assert first.leave() == 0
    assert lock_holder(str(layout.root)) is None
    assert not layout.ended.exists(), "that is for those who lose a lock"
    assert enter("bob").hear()["event"] == "locked"


def test_lock_of_a_killed_holder_is_free_at_once(enter: Enter) -> None:
    first = enter()
    first.hear()
    _kill(first)
    assert enter("bob").hear()["event"] == "locked"


def test_waiting_one_is_told_for_whom_and_comes_next(enter: Enter) -> None:
    first = enter()
    first.hear()
    second = enter("bob", wait=60)
    told = second.hear()
    assert (told["event"], told["holder"]["who"]) == ("waiting", "ada@desk")
    first.leave()
    assert second.hear()["event"] == "locked"


def test_stopped_holder_is_never_stolen_from(enter: Enter, layout: Layout) -> None:
    first = enter()
    first.hear()
    first.process.send_signal(signal.SIGSTOP)
    assert enter("bob", wait=2).hear()["event"] == "waiting"
    assert enter("eve").hear()["event"] == "refused"
    first.process.send_signal(signal.SIGCONT)
    holder = lock_holder(str(layout.root))
    assert holder is not None
    assert holder["id"] == "ada-1"


def test_lock_is_kept_while_a_switch_is_at_work_whose_controller_is_gone(
    enter: Enter, layout: Layout
) -> None:
    first = enter()
    first.hear()
    with alone(layout, {**BY_HAND, "id": "ada-1"}):
        assert first.process.stdin is not None
        first.process.stdin.close()
        second = enter("bob")
        told = second.hear()
        assert told["event"] == "waiting"
        assert "without its controller and ends by itself" in told["holder"]["words"]
        assert first.process.poll() is None
    assert second.hear()["event"] == "locked"


def test_switch_of_a_killed_lock_holder_is_waited_for(enter: Enter, layout: Layout) -> None:
    first = enter()
    first.hear()
    with alone(layout, {**BY_HAND, "id": "ada-1"}):
        _kill(first)
        second = enter("bob")
        assert second.hear()["event"] == "waiting"
    assert second.hear()["event"] == "locked"


def test_apply_that_lost_its_lock_changes_nothing(enter: Enter, layout: Layout) -> None:
    first = enter()
    first.hear()
    first.leave()
    mine = {**BY_HAND, "id": "ada-1"}
    with pytest.raises(Refused, match="lost its lock ada-1: its controller is gone"):
        _enter_and_leave(alone(layout, mine))
    enter("bob").hear()
    with pytest.raises(Refused, match="lost its lock ada-1"):
        _enter_and_leave(alone(layout, mine))


def _enter_and_leave(block: AbstractContextManager[None]) -> None:
    with block:
        pass


def test_playbook_run_by_hand_takes_the_same_lock(enter: Enter, layout: Layout) -> None:
    with alone(layout, BY_HAND):
        assert enter().hear()["holder"]["who"] == "eve@desk"
    enter("bob").hear()
    with pytest.raises(Refused, match=r"bob@desk .* is applying"):
        _enter_and_leave(alone(layout, BY_HAND))


def test_unlock_needs_the_id_and_ends_the_holder(enter: Enter, layout: Layout) -> None:
    first = enter()
    first.hear()
    assert provision_unlock.answer(layout, {"id": "bob-1", "who": "eve"})["outcome"] == "other"
    assert first.process.poll() is None
    assert provision_unlock.answer(layout, {"id": "ada-1", "who": "eve"})["outcome"] == "unlocked"
    assert first.process.wait(timeout=30) == -signal.SIGKILL
    assert provision_unlock.answer(layout, {"id": "ada-1", "who": "eve"})["outcome"] == "free"
    with pytest.raises(Refused, match=r"eve has ended its lock \(provision unlock\)"):
        _enter_and_leave(alone(layout, {**BY_HAND, "id": "ada-1"}))
    assert '"event": "unlock"' in layout.audit.read_text()


def test_unlock_notes_the_reason_of_a_controller_that_ends_its_own_lock(
    enter: Enter, layout: Layout
) -> None:
    enter().hear()
    request = {"id": "ada-1", "who": "ada", "reason": "its controller has ended"}
    assert provision_unlock.answer(layout, request)["outcome"] == "unlocked"
    with pytest.raises(Refused, match="lost its lock ada-1: its controller has ended"):
        _enter_and_leave(alone(layout, {**BY_HAND, "id": "ada-1"}))
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


def test_silence_frees_the_lock_of_a_peer_that_is_not_there(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer of no known connection; the seconds of silence are made few for this."""
    monkeypatch.setattr(provision_apply_lock, "SILENCE", 0.0)
    monkeypatch.setattr(provision_apply_lock, "BEAT", 0.05)
    assert "not heard" in _ended(layout, provision_apply_lock.Peer())


def test_silence_of_a_peer_that_is_there_frees_nothing(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision_apply_lock, "SILENCE", 0.0)
    monkeypatch.setattr(provision_apply_lock, "BEAT", 0.05)

    acknowledged = [True, True, True, False]
    monkeypatch.setattr(provision_apply_lock.Peer, "is_there", lambda _peer: acknowledged.pop(0))
    assert "not heard" in _ended(layout, provision_apply_lock.Peer())
    assert acknowledged == []


def _ended(layout: Layout, peer: provision_apply_lock.Peer) -> str:
    """Why a lock was freed whose controller is silent from the first."""
    listening, controller = os.pipe()
    heard, saying = os.pipe()
    kept = os.dup(0), os.dup(1)
    os.dup2(listening, 0)
    os.dup2(saying, 1)
    try:
        request = {"id": "x", "who": "ada", "wait": 0, "during_my_hold": False}
        provision_apply_lock.Keeper(layout, request, peer).run()
    finally:
        os.dup2(kept[0], 0)
        os.dup2(kept[1], 1)
        for descriptor in (*kept, listening, controller, heard, saying):
            os.close(descriptor)
    return str(dict(read_json(layout.ended))["x"])


def _hold(layout: Layout, who: str = "ada@desk", seconds: int = 3600) -> dict[str, Any]:
    asked = {"id": "h1", "who": who, "reason": "new disk", "seconds": seconds}
    told: dict[str, Any] = answer(layout, {"action": "hold", **asked})
    return told


def test_hold_refuses_everybody_but_its_own_holder_who_says_so(
    enter: Enter, layout: Layout
) -> None:
    assert _hold(layout)["outcome"] == "held"
    refused = enter("bob", wait=60).hear()
    assert (refused["event"], refused["reason"]) == ("refused", "hold")
    assert refused["hold"]["words"].endswith("new disk")
    assert enter("bob", during_my_hold=True).hear()["reason"] == "hold"
    assert enter("ada").hear()["reason"] == "hold"
    assert enter("ada", during_my_hold=True).hear()["event"] == "locked"
    with pytest.raises(Refused, match="new disk"):
        _enter_and_leave(alone(layout, BY_HAND))


def test_hold_ends_the_waiting_of_those_who_wait_for_a_lock(enter: Enter, layout: Layout) -> None:
    enter().hear()
    second = enter("bob", wait=60)
    second.hear()
    told = _hold(layout, who="eve@desk")
    assert told["holder"]["id"] == "ada-1", "the apply at work goes on, and is told of"
    assert second.hear()["reason"] == "hold"


def test_hold_of_another_is_not_replaced_and_release_tells_whose_it_was(layout: Layout) -> None:
    _hold(layout)
    assert _hold(layout, who="bob@desk")["outcome"] == "taken"
    assert _hold(layout, seconds=7200)["outcome"] == "held"
    told = answer(layout, {"action": "release", "who": "bob@desk"})
    assert (told["outcome"], told["hold"]["who"]) == ("released", "ada@desk")
    assert answer(layout, {"action": "release", "who": "bob@desk"})["outcome"] == "free"
    assert layout.audit.read_text().count('"event"') == 3


def test_hold_that_is_over_is_told_once_and_forgotten(enter: Enter, layout: Layout) -> None:
    _hold(layout)
    hold = read_json(layout.hold)
    write_json(layout.hold, {**hold, "since_boot": hold["since_boot"] - 3601})
    first = enter()
    assert "it is over): new disk" in first.hear()["hold_over"]
    first.leave()
    assert enter().hear()["hold_over"] == ""


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_wall_clock_that_jumps_changes_no_hold_within_a_boot(layout: Layout, jump: int) -> None:
    _hold(layout, seconds=600)
    hold = read_json(layout.hold)
    write_json(layout.hold, {**hold, "since_wall": hold["since_wall"] - jump})
    now = current_hold(str(layout.root))
    assert now is not None
    assert 590 <= now["left"] <= 600


def test_after_a_reboot_the_wall_clock_decides_and_never_makes_a_hold_longer(
    layout: Layout,
) -> None:
    _hold(layout, seconds=600)
    hold = {**read_json(layout.hold), "boot_id": "another"}

    def left(ago: int) -> tuple[bool, int, str]:
        write_json(layout.hold, {**hold, "since_wall": hold["since_wall"] - ago})
        now = current_hold(str(layout.root))
        assert now is not None
        return now["expired"], now["left"], now["doubt"]

    assert left(100)[1] <= 500
    assert left(601)[:2] == (True, 0)
    assert left(-3600) == (False, 600, "the host's clock is behind the beginning of this hold")


def test_switch_lock_alone_tells_who_too(layout: Layout) -> None:
    with held(layout, BY_HAND):
        holder = lock_holder(str(layout.root))
        assert holder is not None
        assert holder["who"] == "eve@desk"
