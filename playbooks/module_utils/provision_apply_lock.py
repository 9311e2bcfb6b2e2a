"""The lock of a whole apply, kept on this host by a session of its controller.

``main`` runs at the far end of that session. It takes the lock, says so, and keeps it for as long
as its controller is there: a line on standard input every few seconds. It says in JSON, a line
each: ``waiting`` and for whom; ``refused`` and why; ``locked``. Empty lines are signs of life.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

from .provision_durable import read_json, write_json
from .provision_ended import note_end
from .provision_hold import forget_expired, moment, standing_hold
from .provision_holder import apply_holder, boottime, switch_holder, words
from .provision_layout import Layout
from .provision_peer import Peer

BEAT = 5.0
"""Seconds between two signs of life, in both directions."""
SILENCE = 60.0
"""Seconds without one, and without the peer's network, after which a controller is gone."""
GRACE = 1.0
"""How long a lock may be in the way of one who does not wait: a look takes it for an instant."""
ENDING = 60.0
"""How long to wait for a switch whose controller is gone: it ends by itself, within seconds."""


DONE = b"done\n"
"""What a controller says that has ended its work in good order."""


class Over(Exception):
    """The controller is gone; the message says how that was seen, nothing of one in good order."""


class Keeper:
    """Takes and keeps the lock for one controller. ``request`` is what the note shall say."""

    def __init__(self, layout: Layout, request: dict[str, Any], peer: Peer) -> None:
        self.layout, self.root = layout, str(layout.root)
        self.wait = float(request.pop("wait"))
        self.passes = bool(request.pop("during_my_hold"))
        self.note = {**request, "address": peer.address or request.get("address", "")}
        self.peer = peer
        self.heard = time.monotonic()
        self.told: str | None = None
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self.lock = os.open(layout.apply_lock, flags, 0o600)

    def run(self) -> None:
        """Take it, keep it, free it; every way out frees it, a kill too."""
        try:
            over = forget_expired(self.layout)
            if self._is_held() or not self._acquire() or self._is_held():
                return
            say({"event": "locked", "generation": self._generation(), "hold_over": over})
            while True:
                self._listen(BEAT)
        except Over as reason:
            self._end(str(reason))

    def _is_held(self) -> bool:
        """Tell of a person's hold; nobody waits for one."""
        hold = standing_hold(self.layout)
        if hold is None or (self.passes and hold["who"] == self.note["who"]):
            return False
        say({"event": "refused", "reason": "hold", "hold": hold})
        return True

    def _generation(self) -> int:
        manifest = read_json(self.layout.current / "manifest.json", {"generation": 0})
        return int(manifest["generation"])

    def _acquire(self) -> bool:
        """Have the lock, with no switch at work any more; False, and told, when it takes long."""
        started, is_ours = time.monotonic(), False
        while True:
            is_ours = is_ours or self._take()
            holder = self._orphan() if is_ours else apply_holder(self.root)
            if is_ours and holder is None:
                return True
            if holder is not None:
                patience = max(self.wait, ENDING if holder.get("ending") else GRACE)
                if time.monotonic() - started > patience:
                    say({"event": "refused", "reason": "lock", "holder": holder})
                    return False
                self._tell(holder)
            self._listen(0.2)
            if self._is_held():
                return False

    def _orphan(self) -> dict[str, Any] | None:
        """A switch that is still at work though its apply has no lock any more."""
        holder = switch_holder(self.root)
        if holder is None:
            return None
        holder["ending"] = True
        return {**holder, "words": words(holder)}

    def _take(self) -> bool:
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        since = {"since": moment(time.time()), "since_boot": boottime(), "host_pid": os.getpid()}
        write_json(self.layout.apply_holder, {**self.note, **since})
        return True

    def _tell(self, holder: dict[str, Any]) -> None:
        """Say once for whom this waits, when that is for longer than an instant."""
        key = f"{holder['id']} {holder.get('ending')}"
        if self.told != key and (self.wait > GRACE or holder.get("ending")):
            self.told = key
            say({"event": "waiting", "holder": holder})

    def _listen(self, seconds: float) -> None:
        """Hear the controller for so long; raises Over when it is gone.

        What is there to be read is read before the silence is judged: this process may have been
        stopped for long, and then its controller has spoken all the while.
        """
        ready, _, _ = select.select([0], [], [], seconds)
        if ready:
            said = os.read(0, 65536)
            if not said or DONE in said:
                raise Over("" if said else "its controller is gone")
            self.heard = time.monotonic()
        elif time.monotonic() - self.heard > SILENCE and not self.peer.is_there():
            raise Over(f"its controller was not heard for {SILENCE:.0f} s")
        say(None)

    def _end(self, reason: str) -> None:
        """Come to an end, which frees the lock; not while a switch is at work.

        The note stays: until this process is gone the lock is held, and by nobody else.
        """
        if (apply_holder(self.root) or {}).get("id") != self.note["id"]:
            return
        with self.layout.lock.open("ab") as switch:
            try:
                fcntl.flock(switch, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                note = read_json(self.layout.apply_holder, self.note)
                write_json(self.layout.apply_holder, {**note, "ending": True})
                fcntl.flock(switch, fcntl.LOCK_EX)
            if reason:
                note_end(self.layout, self.note["id"], reason)


def say(values: dict[str, Any] | None) -> None:
    """One line to the controller; None: a sign of life."""
    line = b"" if values is None else json.dumps(values).encode()
    try:
        os.write(1, line + b"\n")
    except OSError as error:
        raise Over("its connection is closed") from error


def main(request: dict[str, Any], root: str = "/") -> None:
    """Keep the lock for the controller at the other end of standard input and output."""
    layout = Layout(Path(root))
    layout.prepare()
    peer = Peer.of_ssh(" ".join(sys.argv[3:]))
    Keeper(layout, request, peer).run()
