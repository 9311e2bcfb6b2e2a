"""A rehearsal's breakpoint: stop an apply on this host before any one of its steps.

    /run/provision/breakpoint.json   {"step": 42} or {"name": "write /etc/postfix/main.cf"}, and
                                     perhaps {"seconds": 60}; {} stops nowhere and lists the steps
    /run/provision/steps             a line for every step so far: its number and its name
    /run/provision/at-step           there while an apply stands still: {"step": ..., "name": ...}

The apply goes on when breakpoint.json is removed, or after ``seconds``. The folder is readable and
writable by root alone, and in memory: a reboot forgets all of it. Without breakpoint.json an apply
looks once whether it is there, and does nothing else.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from .provision_steps import Steps

LONGEST = 600.0
"""Seconds that an apply stands still at most, unless the breakpoint says otherwise."""


def arm(folder: Path) -> None:
    """Count, list and stop when ``folder`` holds a breakpoint; else do nothing."""
    try:
        wanted = json.loads((folder / "breakpoint.json").read_text())
    except FileNotFoundError:
        return
    Steps.before = Breakpoint(folder, wanted).before


class Breakpoint:
    """Counts steps over all the programs that one apply runs on this host."""

    def __init__(self, folder: Path, wanted: dict[str, Any]) -> None:
        self.folder, self.wanted = folder, wanted
        self.list = folder / "steps"
        self.number = len(self.list.read_text().splitlines()) if self.list.exists() else 0

    def before(self, name: str) -> None:
        """List a step; stand still when it is the one that is waited for."""
        self.number += 1
        with self.list.open("a") as steps:
            steps.write(f"{self.number} {name}\n")
        if self.wanted.get("step") == self.number or self.wanted.get("name") == name:
            self._stand_still(name)

    def _stand_still(self, name: str) -> None:
        here = self.folder / "at-step"
        told = self.folder / "at-step.new"
        told.write_text(json.dumps({"step": self.number, "name": name}))
        told.rename(here)
        deadline = time.monotonic() + float(self.wanted.get("seconds", LONGEST))
        while (self.folder / "breakpoint.json").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        here.unlink(missing_ok=True)
        self.wanted = {}
