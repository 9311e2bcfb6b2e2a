"""Read a trace of system calls, and find what a power cut could lose: order of fsync and rename.

The rules, of fsync(2) and rename(2):
  - a file is synced after its last write and before it takes its name;
  - the folder of a new name is synced before the same process names anything else, and so is
    that of a name that was taken away.
Programs of others (dpkg, systemd, postmap) keep their own order: only what runs as python3 below
sshd counts, and only below the folders that an apply writes to. But what another program has
written (postmap a map) is synced by somebody, too, before one of ours gives it its name.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provision.lab.cgroups import members
from provision.lab.disk import Disk
from provision.lab.lab import Lab

OURS = ("/etc/", "/var/lib/provision/", "/var/mail/provision/")
_CALLS = (
    "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,"
    "unlinkat,mkdir,mkdirat,symlink,symlinkat,execve"
)
_LINE = re.compile(r"^(?P<pid>\d+)\s+(?P<name>\w+)\((?P<words>.*)\)\s+= (?P<result>-?\d+)")
_PART = re.compile(r'"(?P<text>[^"]*)"|(?:AT_FDCWD|\d+)<(?P<path>[^>]*)>|[A-Za-z0-9_|]+|\.\.\.')
_SYNCS = {"fsync", "fdatasync"}
_TEMPORARY = re.compile(r"/\.provision-[0-9a-f]{16}$|/\.[^/]+\.new$")


@contextmanager
def traced(lab: Lab, host: str, into: Path) -> Iterator[None]:
    """Trace everything that comes in over SSH to a lab's machine, from outside the machine."""
    group = Disk.load(lab.machine_folder(host)).group
    servers = [pid for pid in members(group) if _program(pid) == "sshd"]
    words = [word for pid in servers for word in ("-p", str(pid))]
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-y", "-s", "256", "-e", _CALLS, "-o", str(into), *words],
        stderr=subprocess.DEVNULL,
    )
    try:
        while not all(_is_traced(pid) for pid in servers):
            time.sleep(0.02)
        yield
    finally:
        tracer.terminate()
        tracer.wait()


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _is_traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


@dataclass
class _Process:
    """What one process has written and not yet made durable."""

    is_ours: bool = False
    dirty: set[str] = field(default_factory=set)
    """Files with bytes that were not synced since."""
    owed: dict[str, str] = field(default_factory=dict)
    """Folder to the name in it that its next sync makes durable."""


@dataclass
class Verdict:
    """What a trace shows."""

    renamed: list[str] = field(default_factory=list)
    """Every name below our folders that a file or link took."""
    faults: list[str] = field(default_factory=list)


def judge_trace(lines: Iterable[str]) -> Verdict:
    """Hold a trace against the rules."""
    verdict, processes, others = Verdict(), dict[str, _Process](), set[str]()
    for line in _whole(lines):
        found = _LINE.match(line)
        if not found or int(found["result"]) < 0:
            continue
        process = processes.setdefault(found["pid"], _Process())
        name, words = found["name"], found["words"]
        if name == "execve":
            process.is_ours = "python3" in words.split(",")[0]
            continue
        parts = [_word(part) for part in _PART.finditer(words)]
        if process.is_ours:
            process.dirty |= others & {*parts}
            _take(process, name, parts, verdict)
            others -= {parts[0]} if name in _SYNCS else set()
        else:
            _note(others, name, parts)
    for process in processes.values():
        _settle(process, verdict)
    return verdict


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Join what strace splits when two processes call at once."""
    begun: dict[str, str] = {}
    for line in lines:
        pid = line.split(maxsplit=1)[0] if line.strip() else ""
        if "<unfinished ...>" in line:
            begun[pid] = line.partition("<unfinished ...>")[0]
        elif (resumed := re.search(r"<\.\.\. \w+ resumed>(.*)", line)) and pid in begun:
            yield begun.pop(pid) + resumed[1]
        else:
            yield line


def _word(part: re.Match[str]) -> str:
    return part["text"] if part["text"] is not None else part["path"] or part[0]


def _note(others: set[str], name: str, words: list[str]) -> None:
    """What a program of others has written and not synced, by the names of now."""
    if name in {"write", "pwrite64", "ftruncate"}:
        others.update(path for path in words[:1] if path.startswith(OURS))
    elif name in _SYNCS:
        others.discard(words[0])
    elif name.startswith("rename"):
        gone, came = _names(name, words)
        if gone in others:
            others.remove(gone)
            others.add(came)


def _take(process: _Process, name: str, words: list[str], verdict: Verdict) -> None:
    if name in {"write", "pwrite64", "ftruncate"}:
        process.dirty.add(words[0])
    elif name == "openat":
        process.dirty |= {_at(words[0], words[1])} if "O_CREAT" in words[2] else set()
    elif name in _SYNCS:
        process.dirty.discard(words[0])
        process.owed.pop(words[0], None)
    else:
        _name(process, name, words, verdict)


def _name(process: _Process, call: str, words: list[str], verdict: Verdict) -> None:
    gone, came = _names(call, words)
    if not any(path.startswith(OURS) for path in (gone, came)):
        return
    if _TEMPORARY.search(came) or (call.startswith("unlink") and _TEMPORARY.search(gone)):
        return  # a name that nobody reads
    _settle(process, verdict)
    if came:
        if call.startswith(("rename", "symlink")):
            verdict.renamed.append(came)
        if gone in process.dirty:
            verdict.faults.append(f"{came} takes its name before its bytes are synced")
            process.dirty.discard(gone)
        process.owed[_folder(came)] = came
    if gone and not _TEMPORARY.search(gone):
        process.owed[_folder(gone)] = gone


def _names(call: str, words: list[str]) -> tuple[str, str]:
    """The name that goes and the one that comes; empty where there is none."""
    if call == "rename":
        return words[0], words[1]
    if call.startswith("renameat"):
        return _at(words[0], words[1]), _at(words[2], words[3])
    if call.startswith("unlink"):
        return words[0] if call == "unlink" else _at(words[0], words[1]), ""
    start = 1 if call.startswith("symlink") else 0  # its first word is where it leads
    short = call in {"mkdir", "symlink"}
    return "", words[start] if short else _at(words[start], words[start + 1])


def _at(folder: str, name: str) -> str:
    return name if name.startswith("/") else f"{folder}/{name}"


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _settle(process: _Process, verdict: Verdict) -> None:
    """What is owed when the next name is made, or at the end, will never have been in order."""
    for folder, name in process.owed.items():
        verdict.faults.append(f"{name}: {folder} is not synced after it")
    process.owed.clear()
