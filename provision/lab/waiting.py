"""Wait until a machine has come up, without leaving complaints in its logs."""

from __future__ import annotations

import socket
import subprocess
from functools import partial
from pathlib import Path

from provision.lab.estate import Machine
from provision.lab.network import OUTSIDE, SMARTHOST, WORLD
from provision.lab.power import leader_of, wait_until

_DEADLINE = 60
_LISTENING = "0A"  # proc(5), /proc/net/tcp


def wait_for(machine: Machine, *, folder: Path) -> None:
    """Wait until the machine lets us log in, and until the world's DNS and mail answer, too.

    Call it from inside the lab's network; ``folder`` is the lab's. Raises ProvisionError after a
    minute.
    """
    own = folder / "hosts" / machine.name
    for port in (22, 53, 587, 25) if machine.address == WORLD else (22,):
        what = f"port {port} of {machine.name} (see {own}/console.log)"
        wait_until(partial(_listens, own, port), within=_DEADLINE, what=what)
    login = f"a login on {machine.name}"
    wait_until(partial(_lets_log_in, machine, folder), within=_DEADLINE, what=login)
    if machine.address == WORLD:
        for address, port in ((SMARTHOST, 587), (OUTSIDE, 25)):
            greeting = f"a greeting of {address}"
            wait_until(partial(_greets, address, port), within=_DEADLINE, what=greeting)


def _listens(folder: Path, port: int) -> bool:
    # A connection that is closed at once would be logged there as an error: look, do not touch.
    leader = leader_of(folder)
    try:
        tables = [Path(f"/proc/{leader}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    except OSError:
        return False
    sockets = [line.split() for table in tables for line in table.splitlines()[1:]]
    return any(s[1].endswith(f":{port:04X}") and s[3] == _LISTENING for s in sockets)


def _lets_log_in(machine: Machine, folder: Path) -> bool:
    ssh = ["ssh", "-F", str(folder / "ssh_config"), machine.name, "true"]
    return subprocess.run(ssh, capture_output=True, check=False).returncode == 0


def _greets(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=5) as connection:
            greeting = connection.recv(200)
            connection.sendall(b"QUIT\r\n")
            connection.recv(200)
    except OSError:
        return False
    return greeting.startswith(b"220 ")
