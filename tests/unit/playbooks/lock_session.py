"""One controller's session with a host in a folder: the real program, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from provision.hosts.apply_lock import lock_command, lock_program

BY_HAND = {"who": "eve@desk", "since": "now", "commit": ""}
"""What the lock says of a playbook that somebody runs by hand."""


class LockSession:
    """Starts to ask for the lock at once; ``hear`` waits for what the host says next."""

    def __init__(self, root: Path, name: str = "ada", **request: Any) -> None:
        asked = {"wait": 0, "during_my_hold": False, "command": "apply", "commit": "abc", **request}
        text = lock_program({"id": f"{name}-1", "who": f"{name}@desk", **asked}, root=str(root))
        self.process = subprocess.Popen(
            [sys.executable, *lock_command(len(text))[1:], "198.18.0.1 50000 198.18.0.11 22"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.say(text)

    def say(self, text: bytes = b"\n") -> None:
        """Send something: a sign of life."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """What the host says next; {} when it has ended."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip():
                values: dict[str, Any] = json.loads(line)
                return values
        return {}

    def leave(self) -> int:
        """Close the connection and wait until the far end has ended; its status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        return status


Enter = Callable[..., LockSession]


def enter_and_leave(block: AbstractContextManager[None]) -> None:
    """For a block that is refused at its beginning."""
    with block:
        pass
