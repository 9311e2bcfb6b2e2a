"""A host in a folder that is killed at any system call, and all that it then has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.provision_account_store import Layout

CALLS = ("rename", "unlink", "mkdir", "rmdir", "symlink", "fsync", "fchown", "fchmod")


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Run it in a child that is killed before its system call number ``step``; False: it ended."""
    child = os.fork()
    if child == 0:
        left = [step]

        def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
            def run(*args: Any, **kwargs: Any) -> Any:
                left[0] -= 1
                if left[0] <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **kwargs)

            return run

        for name in CALLS:
            setattr(os, name, deadly(getattr(os, name)))
        subprocess.run = deadly(subprocess.run)
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def state_of(layout: Layout) -> dict[str, str]:
    """Every file by its path, with archives and records without their moments."""
    found = {}
    for path in sorted(Path(layout.root).rglob("*")):
        head, mark, tail = str(path).partition(".archive/")
        name = f"{head}{mark}{tail.partition('-')[2]}" if mark else head
        if path.name == "record.json":
            record = json.loads(path.read_text())
            del record["removed"], record["keep_until"]
            found[name] = json.dumps(record, sort_keys=True)
        elif path.name not in {".lock", "compiled.json"}:
            found[name] = _content(path)
    return found


def _content(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return path.read_text() if path.is_file() else "folder"
