"""The lock of a whole apply: real processes hold it, and the kernel alone says who lives."""

from __future__ import annotations

import os
import signal

import pytest
from ansible.module_utils import provision_apply_lock
from ansible.module_utils.provision_durable import read_json
from ansible.module_utils.provision_generation import Refused
from ansible.module_utils.provision_holder import lock_holder
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_lock import alone, held

from tests.unit.playbooks.lock_session import BY_HAND, Enter, LockSession, enter_and_leave


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
        enter_and_leave(alone(layout, mine))
    enter("bob").hear()
    with pytest.raises(Refused, match="lost its lock ada-1"):
        enter_and_leave(alone(layout, mine))


def test_playbook_run_by_hand_takes_the_same_lock(enter: Enter, layout: Layout) -> None:
    with alone(layout, BY_HAND):
        assert enter().hear()["holder"]["who"] == "eve@desk"
    enter("bob").hear()
    with pytest.raises(Refused, match=r"bob@desk .* is applying"):
        enter_and_leave(alone(layout, BY_HAND))


def test_switch_lock_alone_tells_who_too(layout: Layout) -> None:
    with held(layout, BY_HAND):
        holder = lock_holder(str(layout.root))
        assert holder is not None
        assert holder["who"] == "eve@desk"


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
