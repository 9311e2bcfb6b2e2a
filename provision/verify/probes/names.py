"""Find the addresses of names, as a customer's machine would, or through a lab's name server."""

from __future__ import annotations

import socket
import threading

import dns.exception
import dns.resolver

_SECONDS = 4.0


class Names:
    """Look-ups of one run, each name once. Thread-safe."""

    def __init__(self, resolver: str | None = None) -> None:
        self._resolver = resolver
        self._known: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()
        self._silent = False

    def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 and IPv6 addresses of ``name``; empty when there is none."""
        with self._lock:
            if name not in self._known:
                self._known[name] = self._ask(name)
            return self._known[name]

    def _ask(self, name: str) -> tuple[str, ...]:
        if self._resolver is None:
            return _system(name)
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [self._resolver]
        resolver.lifetime = _SECONDS
        found: list[str] = []
        for kind in ("A", "AAAA") if not self._silent else ():
            try:
                found += [record.to_text() for record in resolver.resolve(name + ".", kind)]
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                continue
            except dns.exception.DNSException:
                self._silent = True  # asked once, not again for every name
        return tuple(found)


def _system(name: str) -> tuple[str, ...]:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
