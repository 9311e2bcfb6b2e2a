"""Kill the account compiler at every step and fill its disk; see what a sender would notice."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .account_estate import (
    AFTER,
    STAYING,
    Outcome,
    State,
    accounts,
    differing,
    dump,
    end_state,
    layout,
    prepare,
    store,
)

CALLS = ("rename", "unlink", "mkdir", "fsync", "fchown", "fchmod")
"""What the compiler does to a disk."""


def faults_in(root: Path) -> list[str]:
    """What a sender or a person would notice right now."""
    maps = {name: dump(root, name) for name in ("aliases", "mailboxes", "domains")}
    faults = [
        f"{address} is refused"
        for address in STAYING
        if not {address, f"@{address.split('@')[1]}"} & maps["aliases"].keys()
    ]
    folder = Path(root, "etc/dovecot/accounts")
    known = {
        line.split(":", 1)[0]
        for pattern in ("*.passwd", "*.forwarders")
        for path in folder.glob(pattern)
        for line in path.read_text().splitlines()
    }
    for address in maps["mailboxes"]:
        local, _, domain = address.partition("@")
        if address not in known:
            faults.append(f"{address} is accepted and Dovecot does not know it")
        if not Path(root, "var/mail/provision", domain, local).is_dir():
            faults.append(f"{address} is accepted and has no folder")
    letters = [path.read_text() for path in Path(root, "var/mail").rglob("mail") if path.is_file()]
    if letters != ["a letter\n"]:
        faults.append(f"mail was lost: {letters}")
    return faults


def heal(root: Path) -> None:
    """What the next apply does: it observes, and sends the delta again or mends."""
    seen = store.observe(layout(root))
    wanted = {name: store.digest(text.encode()) for name, text in AFTER["sites"].items()}
    same = all(seen["sites"].get(name) == digest for name, digest in wanted.items())
    if not same or "gone.example" in seen["sites"]:
        accounts.apply_delta(layout(root), AFTER)
    elif seen["damage"]:
        accounts.compile_all(layout(root))


def killed_at(root: Path, step: int) -> bool:
    """Apply in a child that is killed before its system call number ``step``; False: it ended."""
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
        accounts.apply_delta(layout(root), AFTER)
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def expected(base: Path) -> State:
    root = base / "undisturbed"
    prepare(root)
    shutil.copytree(root, base / "before", symlinks=True)
    copy_owners(root, base / "before")
    accounts.apply_delta(layout(root), AFTER)
    return end_state(root)


def copy_owners(source: Path, target: Path) -> None:
    for path in (source, *source.rglob("*")):
        state = path.lstat()
        os.chown(target / path.relative_to(source), state.st_uid, state.st_gid)


def fresh(base: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(base / "before", root, symlinks=True)
    copy_owners(base / "before", root)


def kill_everywhere(base: Path) -> Outcome:
    wanted = expected(base)
    root, faults, step = base / "trial", [], 0
    while True:
        step += 1
        fresh(base, root)
        killed = killed_at(root, step)
        faults += [f"killed at {step}: {fault}" for fault in faults_in(root)]
        heal(root)
        faults += [f"healed from {step}: {fault}" for fault in faults_in(root)]
        faults += [f"healed from {step}: {name} differs" for name in differing(root, wanted)]
        faults += [f"healed from {step}: {mark}" for mark in store.observe(layout(root))["damage"]]
        if not killed:
            return step - 1, faults


def full_everywhere(base: Path) -> Outcome:
    wanted = expected(base)
    disk, faults, trials = base / "disk", [], 0
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=True)
    try:
        for pages in range(60):
            root = disk / "trial"
            fresh(base, root)
            fill(disk, pages)
            done = True
            try:
                accounts.apply_delta(layout(root), AFTER)
            except OSError:
                done = False
            trials += not done
            faults += [f"{pages} pages left: {fault}" for fault in faults_in(root)]
            (disk / "ballast").unlink()
            heal(root)
            faults += [f"healed from {pages}: {name} differs" for name in differing(root, wanted)]
            if done:
                break
    finally:
        subprocess.run(["umount", disk], check=True)
    return trials, faults


def fill(disk: Path, pages: int) -> None:
    """Leave so many pages of 4096 bytes free."""
    with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(b"x" * 4096)
    with (disk / "ballast").open("r+b") as ballast:
        ballast.truncate(max(0, (disk / "ballast").stat().st_size - pages * 4096))
