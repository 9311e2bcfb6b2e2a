"""Whether the machine at the other end of an SSH connection is still there, as the kernel sees it.

A controller that was stopped (SIGSTOP, a debugger, a swapping machine) says nothing, and yet it is
there: its kernel goes on to acknowledge what we send. One whose network was cut does not.
"""

from __future__ import annotations

import socket
from typing import NamedTuple

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


class Peer(NamedTuple):
    """The two ends of the connection, as in $SSH_CONNECTION (ssh(1)); empty: not known."""

    address: str = ""
    port: int = 0
    own_port: int = 0

    @classmethod
    def of_ssh(cls, words: str) -> Peer:
        """Read ``CLIENT-ADDRESS PORT SERVER-ADDRESS PORT``; anything else: not known."""
        match words.split():
            case [address, port, _own, own_port] if port.isdigit() and own_port.isdigit():
                return cls(address, int(port), int(own_port))
        return cls()

    def is_there(self) -> bool:
        """True when all that was sent has been acknowledged; False too where that is not known.

        Ask some seconds after something was sent (proc_pid_net(5), ``tx_queue``).
        """
        waiting = [bytes_left for table in _TABLES for bytes_left in self._unacknowledged(table)]
        return waiting != [] and not any(waiting)

    def _unacknowledged(self, table: str) -> list[int]:
        if not self.address:
            return []
        far = f"{_hexadecimal(self.address)}:{self.port:04X}"
        try:
            with open(table, encoding="ascii") as lines:  # noqa: PTH123 - a path of /proc
                rows = [line.split() for line in lines][1:]
        except OSError:
            return []
        near = f":{self.own_port:04X}"
        mine = (row for row in rows if row[2].endswith(far) and row[1].endswith(near))
        return [int(row[4].partition(":")[0], 16) for row in mine]


def _hexadecimal(address: str) -> str:
    """The address as these tables write it: words of four bytes, each the wrong way round.

    An IPv4 address in the table of IPv6 ends as it does in its own.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        packed = socket.inet_pton(family, address.partition("%")[0])
    except OSError:
        return "?"
    words = (packed[at : at + 4][::-1] for at in range(0, len(packed), 4))
    return b"".join(words).hex().upper()
