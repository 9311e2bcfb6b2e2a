"""A host in a folder that is killed at any system call, and all that it then has."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.provision_account_store import Layout, observe
from ansible.module_utils.provision_accounts import apply_delta, compile_all

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


def each_kill(layout: Layout, work: Callable[[], object]) -> Iterator[int]:
    """Kill it at each of its system calls, each time on the host as it is now; the call's number.

    At the last number it has ended by itself.
    """
    before, step, killed = f"{layout.root}.before", 0, True
    shutil.copytree(layout.root, before, symlinks=True)
    while killed:
        step += 1
        _put_back(layout, before)
        killed = killed_at(step, work)
        yield step
    shutil.rmtree(before)


def faults_of_killed_delta(
    layout: Layout,
    delta: dict[str, Any],
    look: Callable[[Layout], list[str]],
    *,
    is_mended: Callable[[int], bool],
) -> tuple[int, list[str]]:
    """Kill a delta at each call, and send it again: how many calls, and all that was not well.

    ``look`` tells faults of a host at any moment. After the calls that ``is_mended`` names,
    everything is compiled before it is sent again. In the end the host has to be as after a delta
    that nobody disturbed.
    """
    before, faults, step = f"{layout.root}.undisturbed", list[str](), 0
    shutil.copytree(layout.root, before, symlinks=True)
    apply_delta(layout, delta)
    wanted = state_of(layout)
    _put_back(layout, before)
    shutil.rmtree(before)
    for step in each_kill(layout, lambda: apply_delta(layout, delta)):
        faults += [f"killed at {step}: {fault}" for fault in look(layout)]
        if is_mended(step):
            compile_all(layout)
            faults += [f"mended from {step}: {fault}" for fault in look(layout)]
        apply_delta(layout, delta)
        now = state_of(layout)
        differing = [n for n in now.keys() | wanted.keys() if now.get(n) != wanted.get(n)]
        faults += [f"healed from {step}: {name}" for name in differing]
        faults += [f"healed from {step}: {mark}" for mark in observe(layout)["damage"]]
    return step, faults


def _put_back(layout: Layout, before: str) -> None:
    shutil.rmtree(layout.root)
    shutil.copytree(before, layout.root, symlinks=True)


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
