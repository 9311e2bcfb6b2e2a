"""A lab with one mail host that goes from one state to another and back, and what moves it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from provision.lab.breakpoint import Step, set_breakpoint, steps
from provision.lab.lab import Lab
from tests.lab.rehearsal import ROOT, Rehearsal
from tests.torture.look import HOST, Look, look
from tests.torture.mail import faults_of_mail
from tests.torture.specs import PLAYS, Play, write_spec

BARE = "bare"
"""Snapshot of a host that has only Debian's base system."""
CONFIRM_SECONDS = 30
"""A change of access that nobody confirms goes back so soon: each such point waits for it."""
_UNCONFIRMED = "/var/lib/provision/unconfirmed.json"
NO_CHANGES = "No changes. mail1 is as the spec asks.\n"
_OWN_MAPS = """
set -e
cd /etc/postfix/accounts
for map in *.cdb; do cp -p "$map" .own; mv .own "$map"; done
systemctl restart postfix
"""
_MOMENT = re.compile(r"(/\.archive/)[0-9]{8}T[0-9]{6}Z-")
_MAIN = "from provision.cli.main import main; main()"


class Command:
    """A command of provision in a process group of its own, with all that it starts."""

    def __init__(self, folder: Path, *words: str, before: str = "") -> None:
        """Start it; ``before`` is Python that runs first."""
        self.mark = f"/nonexistent/torture-{uuid.uuid4().hex}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"{before}\n{_MAIN}", *words, "-i", str(folder)],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{os.environ['PATH']}:{self.mark}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def end(self, *, within: float = 1800.0) -> tuple[int, str]:
        """Wait for its end: exit code and what it said."""
        out, _ = self.process.communicate(timeout=within)
        return self.process.returncode, out

    def kill(self) -> None:
        """SIGKILL for the program, its Ansible and its ssh: all at once, nobody can clean up."""
        others = self._others()
        self.process.kill()
        for pid in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in self._others():  # those that were just being started
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def _others(self) -> list[int]:
        """Everything that this command has started, ssh's masters too: the mark is inherited."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != self.process.pid:
                with contextlib.suppress(OSError):
                    if self.mark.encode() in (folder / "environ").read_bytes():
                        found.append(int(folder.name))
        return found


class Stage:
    """The host, what it looks like in both states, and which steps lead from one to the other."""

    def __init__(self, rehearsal: Rehearsal, play: Play = PLAYS["ordinary"]) -> None:
        self.rehearsal, self.lab, self.play = rehearsal, rehearsal.lab, play
        self.known: dict[str, Look] = {}
        self.steps: dict[str, tuple[Step, ...]] = {}
        """State to the steps that lead there from the other one."""
        self.state = play.near

    def learn(self) -> None:
        """Go to and fro undisturbed: both states, the steps in between, and that they repeat.

        The first time does not count: what the other state leaves by design is not there yet.
        Raises AssertionError when the same spec twice gives two hosts: nothing could be proved.
        """
        near, far = self.play.near, self.play.far
        for turn, state in enumerate((near, far, near, far, near)):
            self.ask_for(state)
            set_breakpoint(self.lab, HOST)
            self.apply()
            self.steps[state], seen = self._steps(), look(self.lab)
            assert not seen.left, f"an undisturbed apply leaves {seen.left}"
            if turn > len((near, far)):
                assert not (d := seen.differences(self.known[state], in_all=True)), f"{state}: {d}"
            self.known[state] = seen
        self.lab.run(HOST, ["rm", "-f", "/run/provision/breakpoint.json"])

    @property
    def other(self) -> str:
        """The state that the spec does not ask for now."""
        return self.play.other(self.state)

    def learn_the_first(self) -> None:
        """Apply to the bare host, undisturbed: what it comes to, and the steps that lead there."""
        self.lab.snapshot(HOST, BARE)
        self.ask_for(self.play.near)
        set_breakpoint(self.lab, HOST)
        self.apply()
        self.steps["first"] = self._steps()
        self.known["first"] = look(self.lab, every_hash_is_new=True)

    def _steps(self) -> tuple[Step, ...]:
        """Those that were just taken, without the moment in the name of an archive."""
        return tuple(
            Step(step.number, _MOMENT.sub(r"\1MOMENT-", step.name))
            for step in steps(self.lab, HOST)
        )

    def ask_for(self, state: str) -> None:
        """Let the spec ask for a state."""
        write_spec(self.rehearsal.fleet_dir, state)
        self.state = state

    def start_apply(self) -> Command:
        """Start an apply of what the spec asks for."""
        seconds = f"{CONFIRM_SECONDS}s"
        return Command(self.rehearsal.fleet_dir, "apply", "--yes", "--confirm-timeout", seconds)

    def apply(self) -> None:
        """Apply to the end; raises AssertionError when it does not end well."""
        code, said = end_of(self.start_apply())
        assert code == 0, f"apply ended with {code}: {said[-2000:]}"
        assert said.endswith(NO_CHANGES), said[-2000:]

    def mend(self) -> None:
        """After a fault: bring the host to what the spec asks for, as well as it goes."""
        if not self.lab.is_running(HOST):
            self.lab.start(HOST)
        self.lab.plug(HOST)
        self.lab.run(HOST, ["rm", "-f", "/run/provision/breakpoint.json"])
        self.wait_for_quiet()
        end_of(self.start_apply())

    def plan(self) -> str:
        """What is wrong with a plan that shall be empty."""
        code, said = end_of(Command(self.rehearsal.fleet_dir, "plan", "--detailed-exitcode"))
        is_empty = code == 0 and said.endswith(NO_CHANGES)  # after notes of what stays, if any
        return "" if is_empty else f"plan is not empty: {code}: {said[:600]}"

    def wait_for_quiet(self) -> None:
        """Wait until nothing of an apply runs on the host any more."""
        wait_until(self.is_quiet, what="the end of the work on the host", every=0.1)

    def is_quiet(self) -> bool:
        """True when no module of ours runs on the host, and no change waits to be confirmed."""
        return not self.lab.runs(HOST, "python3") and not self.lab.read(HOST, _UNCONFIRMED)


def wait_until(
    condition: Callable[[], bool], *, what: str, within: float = 600.0, every: float = 0.02
) -> None:
    """Wait for a condition; raises AssertionError naming ``what`` when it does not come."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}"
        time.sleep(every)


@contextlib.contextmanager
def staged(rehearsal: Rehearsal) -> Iterator[Stage]:
    """Put a rehearsed host on the stage; host and fleet folder are as before at the end."""
    rehearsal.close()
    lab, folder = rehearsal.lab, rehearsal.fleet_dir
    names = [path for path in folder.rglob("*.yml") if ".provision" not in path.parts]
    kept = {path: path.read_bytes() for path in names}
    lab.snapshot(HOST, "before-torture")
    _own_maps(lab)
    try:
        yield Stage(rehearsal)
    finally:
        rehearsal.close()
        for path in folder.glob("sites/*.yml"):
            if path not in kept:
                path.unlink()
        for path, content in kept.items():
            path.write_bytes(content)
        lab.restore(HOST, "before-torture")
        _own_maps(lab)
        faults = faults_of_mail(rehearsal, None)  # it has booted, and whoever comes next needs mail
        assert not faults, faults


def _own_maps(lab: Lab) -> None:
    """Let Postfix open maps of the machine's own layer, not of the snapshot's.

    It sees by the link count of an open map that there is another, and overlayfs goes on to count
    a file of a lower layer as linked after a rename over it: such a map would be read for ever.
    """
    lab.run(HOST, ["sh", "-c", _OWN_MAPS])


@contextlib.contextmanager
def ended(command: Command) -> Iterator[Command]:
    """See to it that a command is gone at the end of a block."""
    try:
        yield command
    finally:
        command.kill()


def end_of(command: Command) -> tuple[int, str]:
    """Wait for the end of a command: exit code and what it said; it is gone in any case."""
    with ended(command):
        return command.end()
