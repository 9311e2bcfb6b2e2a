"""One look at a whole host: what the bulk checks compare with what the spec asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provision.verify.remote_shell import RemoteShell, ShellLost, program


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A path that exists: ``kind`` is file, directory or other; ``sha256`` of a file only."""

    kind: str
    mode: int
    owner: str
    group: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket and the programs that hold it."""

    address: str
    port: int
    programs: tuple[str, ...]

    @property
    def is_local(self) -> bool:
        """True when only the host itself can reach it."""
        address = self.address.split("%")[0].removeprefix("::ffff:")
        return address.startswith("127.") or address == "::1"


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed, and its exit status."""

    out: str
    err: str
    status: int


@dataclass(frozen=True, slots=True)
class StaleProcess:
    """A process whose program or libraries were replaced on disk after it had started."""

    pid: int
    program: str
    libraries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one host is at one moment. Fields as ``on_host/snapshot.py`` collects them."""

    files: Mapping[str, FileFacts | None]
    foreign: tuple[str, ...]
    """Paths in folders of ours that nobody asked for."""
    refusals: Mapping[str, str]
    """Unix sockets that were asked about and take no connection, and why."""
    units: Mapping[str, Mapping[str, str]]
    failed_units: tuple[str, ...]
    listeners: tuple[Listener, ...]
    packages: Mapping[str, str]
    stale_processes: tuple[StaleProcess, ...]
    program_counts: Mapping[str, int]
    queues: Mapping[str, int]
    firewall: Mapping[str, str]
    """``live``: the table that filters now; ``wanted``: what our rules on the host give. Both are
    empty where there are none."""
    postconf: Printed
    postconf_services: Printed
    doveconf: Printed
    nginx: Printed
    release: str
    clock: float
    """Seconds since the epoch by the host's clock."""
    cursor: str
    """Where the journal ended."""
    log_sizes: Mapping[str, int]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Snapshot:
        """Read the document that the program on the host printed."""
        files = document["files"].items()
        return cls(
            files={path: FileFacts(**facts) if facts else None for path, facts in files},
            foreign=tuple(document["foreign"]),
            refusals=document["refusals"],
            units=document["units"],
            failed_units=tuple(document["failed_units"]),
            listeners=tuple(
                Listener(item["address"], item["port"], tuple(item["programs"]))
                for item in document["listeners"]
            ),
            packages=document["packages"],
            stale_processes=tuple(
                StaleProcess(item["pid"], item["program"], tuple(item["libraries"]))
                for item in document["stale_processes"]
            ),
            program_counts=document["program_counts"],
            queues=document["queues"],
            firewall=document["firewall"],
            **{
                name: Printed(**document[name])
                for name in ("postconf", "postconf_services", "doveconf", "nginx")
            },
            release=document["release"],
            clock=document["clock"],
            cursor=document["cursor"],
            log_sizes=document["log_sizes"],
        )

    @property
    def postfix_settings(self) -> Mapping[str, str]:
        """Settings of main.cf that differ from the defaults (postconf(1), -nx)."""
        lines = (line.partition("=") for line in self.postconf.out.splitlines() if "=" in line)
        return {name.strip(): value.strip() for name, _, value in lines}


def take_snapshot(shell: RemoteShell, request: Mapping[str, Iterable[str]]) -> Snapshot:
    """Look at a host once, as ``on_host/snapshot.py`` is asked to.

    Raises ShellLost when the host does not answer or cannot.
    """
    request = {name: list(wanted) for name, wanted in request.items()}
    done = shell.run_python(program("snapshot"), request=request)
    if done.status != 0:
        raise ShellLost(f"the snapshot failed: {done.stderr.decode(errors='replace')[-400:]}")
    return Snapshot.of(json.loads(done.stdout))
