"""Check a staged generation at its real paths, before any live file changes.

A child process takes a mount namespace of its own, lays the staged files over the live ones and
lets the programs' own checkers and our linters read them there (unshare(2), mount(8) overlay).
The tree is copied to /run first: an overlay refuses a layer inside another one.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from .provision_check_dovecot import check_dovecot
from .provision_check_postfix import check_postfix
from .provision_check_web import check_nginx, check_php
from .provision_commands import run
from .provision_durable import Attributes
from .provision_journal import removals
from .provision_layout import Layout
from .provision_request import Request

CHECKS: tuple[Callable[[], list[str]], ...] = (
    check_postfix,
    check_dovecot,
    check_php,
    check_nginx,
)
_CLONE_NEWNS = 0x00020000  # <linux/sched.h>
_NEVER_COVERED = {"/", "/run", "/var", "/usr", "/proc", "/sys", "/dev", "/home", "/srv", "/opt"}


def check_staged(layout: Layout, number: int, request: Request) -> list[str]:
    """Everything that is wrong with generation ``number``; empty when it may go live."""
    tree = layout.run / "check"
    shutil.rmtree(tree, ignore_errors=True)
    try:
        _lay_out(layout, number, request, tree)
        return _in_child(lambda: _check(tree, request))
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def _lay_out(layout: Layout, number: int, request: Request, tree: Path) -> None:
    """Copy the staged tree, with a whiteout for what will be deleted (overlayfs, "whiteouts")."""
    tree.mkdir(mode=0o700, parents=True)
    for directory in request.directories:
        _make_folders(tree, Path(directory.path))
        os.chown(tree / directory.path.lstrip("/"), *directory.attributes.ids())
        (tree / directory.path.lstrip("/")).chmod(directory.attributes.mode)
    for file in request.files:
        _make_folders(tree, Path(file.path).parent)
        copy = tree / file.path.lstrip("/")
        shutil.copyfile(layout.staged(number) / file.path.lstrip("/"), copy)
        os.chown(copy, *file.attributes.ids())
        copy.chmod(file.attributes.mode)
    for path in removals(layout, request):
        if layout.live(path).exists():
            _make_folders(tree, Path(path).parent)
            os.mknod(tree / path.lstrip("/"), 0o600 | stat.S_IFCHR, 0)


def _make_folders(tree: Path, folder: Path) -> None:
    """Make ``folder`` below ``tree``; each part looks as the live one, which it will cover."""
    for part in [*reversed(folder.parents), folder]:
        copy = tree / str(part).lstrip("/")
        if copy.exists():
            continue
        copy.mkdir(mode=0o755)
        if part.is_dir():
            attributes = Attributes.of(part.stat())
            os.chown(copy, *attributes.ids())
            copy.chmod(attributes.mode)


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


def _check(tree: Path, request: Request) -> list[str]:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("--make-rprivate", "/")
    for folder in _covered(request):
        layers = f"ro,lowerdir={tree}{folder}:{folder}"
        _mount("-t", "overlay", "overlay", "-o", layers, folder)
    return [finding for check in CHECKS for finding in check()]


def _covered(request: Request) -> list[str]:
    """The folders that an overlay must cover so that every staged path is seen."""
    folders = {_cover_of(file.path) for file in request.files}
    return sorted(f for f in folders if not any(f.startswith(other + "/") for other in folders))


def _cover_of(path: str) -> str:
    folder = Path(path).parent
    while not folder.is_dir():
        folder = folder.parent
    if str(folder).startswith("/etc"):
        return "/etc"
    if str(folder) in _NEVER_COVERED:
        raise OSError(f"{path} has no folder that could be covered for the check")
    return str(folder)


def _mount(*arguments: str) -> None:
    done = run("mount", *arguments)
    if done.status != 0:
        raise OSError(f"mount {' '.join(arguments)}: {done.errors.strip()}")
