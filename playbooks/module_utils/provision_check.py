"""Check a staged generation at its real paths, before any live file changes.

A child process takes a mount namespace of its own (unshare(2)), copies /etc into memory, lays the
staged files into the copy and mounts it over /etc, read-only. The programs' own checkers and our
linters read it there. Nobody else sees the copy, and it is gone when the child ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from .provision_check_dovecot import check_dovecot
from .provision_check_postfix import check_postfix
from .provision_check_units import check_units, lint_drop_ins
from .provision_check_web import check_nginx, check_php
from .provision_commands import run
from .provision_firewall import check_firewall
from .provision_journal import removals
from .provision_layout import Layout
from .provision_request import Request

CHECKS: tuple[Callable[[], list[str]], ...] = (
    check_postfix,
    check_dovecot,
    check_php,
    check_nginx,
    check_firewall,
    check_units,
)
_CLONE_NEWNS = 0x00020000  # <linux/sched.h>
_NEVER_COVERED = {"/", "/run", "/var", "/var/lib", "/usr", "/home", "/srv", "/opt"}


def check_staged(layout: Layout, number: int, request: Request) -> list[str]:
    """Everything that is wrong with generation ``number``; empty when it may go live."""
    gone = removals(layout, request)
    return _in_child(lambda: _check(layout, number, request, gone))


def _in_child(work: Callable[[], list[str]]) -> list[str]:
    """Run ``work`` in a child with a mount namespace of its own; its findings come by a pipe."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            findings = work()
        except Exception as error:  # noqa: BLE001 - the parent must hear of anything
            findings = [f"the check itself failed: {error!r}"]
        with os.fdopen(writer, "w") as pipe:
            json.dump(findings, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return list(json.loads(text)) if text else ["the check was killed"]


def _check(layout: Layout, number: int, request: Request, gone: list[str]) -> list[str]:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("--make-rprivate", "/")
    tree = layout.run / "check"
    tree.mkdir(mode=0o700, exist_ok=True)
    _mount("-t", "tmpfs", "-o", "mode=0700", "tmpfs", str(tree))
    folders = _covered(request)
    for folder in folders:
        _copy(folder, tree)
    _lay_in(layout, number, request, tree)
    for path in gone:
        (tree / path.lstrip("/")).unlink(missing_ok=True)
    for folder in folders:
        _mount("--bind", f"{tree}{folder}", folder)
        _mount("-o", "remount,bind,ro", folder)
    units = (file.path for file in request.files if file.path.startswith("/etc/systemd/"))
    drop_ins = {path: Path(path).read_text("utf-8") for path in units}
    return [*(found for check in CHECKS for found in check()), *lint_drop_ins(request, drop_ins)]


def _copy(folder: str, tree: Path) -> None:
    target = Path(f"{tree}{folder}")
    target.parent.mkdir(parents=True, exist_ok=True)
    done = run("cp", "-a", "--", folder, str(target.parent))
    if done.status != 0:
        raise OSError(f"{folder} cannot be copied: {done.errors.strip()}")


def _lay_in(layout: Layout, number: int, request: Request, tree: Path) -> None:
    for directory in request.directories:
        copy = tree / directory.path.lstrip("/")
        copy.mkdir(parents=True, exist_ok=True)
        os.chown(copy, *directory.attributes.ids())
        copy.chmod(directory.attributes.mode)
    for file in request.files:
        copy = tree / file.path.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
        copy.touch(mode=0o600)
        shutil.copyfile(layout.staged(number) / file.path.lstrip("/"), copy)
        os.chown(copy, *file.attributes.ids())
        copy.chmod(file.attributes.mode)
        os.utime(copy, (0, 0))  # Postfix waits until a file has been quiet for two seconds


def _covered(request: Request) -> list[str]:
    """The folders whose copies must be mounted so that every staged path is seen."""
    folders = {_cover_of(file.path) for file in request.files}
    return sorted(f for f in folders if not any(f.startswith(other + "/") for other in folders))


def _cover_of(path: str) -> str:
    if path.startswith("/etc/"):
        return "/etc"
    folder = Path(path).parent
    while not folder.is_dir():
        folder = folder.parent
    if str(folder) in _NEVER_COVERED:
        raise OSError(f"{path} has no folder that could be copied for the check")
    return str(folder)


def _mount(*arguments: str) -> None:
    done = run("mount", *arguments)
    if done.status != 0:
        raise OSError(f"mount {' '.join(arguments)}: {done.errors.strip()}")
