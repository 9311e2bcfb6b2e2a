"""Controllers that meet at one host: each has a fleet folder of its own and a person at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.rehearsal import ROOT, Rehearsal, until

_MAIN = "from provision.cli.main import main; main()"
MEET = """
import os, pathlib, time
from provision.hosts.apply_lock import ApplyLock
take = ApplyLock.take
def late(lock, on_wait):
    pathlib.Path({here!r}).touch()
    while not os.path.exists({go!r}):
        time.sleep(0.005)
    return take(lock, on_wait)
ApplyLock.take = late
"""
"""Comes to the lock, says so, and asks for it when it is told to: both at the same instant."""
LINGER = """
import os, pathlib, time
import provision.apply.run as run
batch = run.apply_batch
def late(works, means):
    pathlib.Path({here!r}).touch()
    while not os.path.exists({go!r}):
        time.sleep(0.05)
    return batch(works, means)
run.apply_batch = late
"""
"""Has the lock, says so, and begins when it is told to."""
HASTY = """
import provision.hosts.apply_lock as lock
import zlib
whole = lock.lock_program
quick = lambda text: text.replace(b"SILENCE = 60.0", b"SILENCE = 1.0")
lock.lock_program = lambda *given: zlib.compress(quick(zlib.decompress(whole(*given))))
"""
"""Its host finds one second of silence long."""


@dataclass
class Controller:
    """One fleet folder of its own with one person at it; both lead to the same host."""

    who: str
    folder: Path
    meeting: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *words: str, before: str = "") -> subprocess.Popen[str]:
        """Start a command; ``before`` is one of the hooks above."""
        hook = before.format(here=str(self.here), go=str(self.meeting))
        process = subprocess.Popen(
            [sys.executable, "-c", f"{hook}\n{_MAIN}", *words, "-i", str(self.folder)],
            cwd=ROOT,
            env={**os.environ, "LOGNAME": self.who},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command to its end; all that it said. Fails on another exit code."""
        return end(self.start(*words), code=code)

    @property
    def here(self) -> Path:
        """Exists when this one has come to where it waits."""
        return self.folder / ".provision" / "here"

    def change(self, number: int) -> str:
        """Another colour of a site: a file that a new generation brings. Returns it."""
        path = self.folder / "sites/acme.example.yml"
        text = path.read_text()
        at = text.index('color: "#') + len('color: "#')
        colour = f"{self.who[0]}{number:02d}"
        path.write_text(text[:at] + colour + text[text.index('"', at) :])
        return colour

    def came(self) -> None:
        """Wait until it has come to where it waits."""
        until(lambda: self.here.exists() or self.processes[-1].poll() is not None, self.who)
        assert self.here.exists(), end(self.processes[-1])
        self.here.unlink()


def end(process: subprocess.Popen[str], *, code: int = 0) -> str:
    """Wait for a command to end; all that it said."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, f"{process.returncode}\n{out}\n{err}"
    return out + err


def host_audit(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    """What the mail host has written down of every apply, oldest first."""
    return [
        json.loads(line)
        for line in rehearsal.run("cat /var/lib/provision/audit.log").split("\n")
        if line
    ]
