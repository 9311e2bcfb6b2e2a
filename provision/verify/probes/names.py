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
        self._exchangers: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()
        self._silent = False

    def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 and IPv6 addresses of ``name``; empty when there is none."""
        with self._lock:
            if name not in self._known:
                self._known[name] = self._ask(name)
            return self._known[name]

    def exchangers(self, name: str) -> tuple[str, ...]:
        """Names of the mail exchangers of ``name``, the preferred one first (RFC 5321 5.1)."""
        with self._lock:
            if name not in self._exchangers:
                records = sorted(self._records(name, "MX"), key=lambda text: int(text.split()[0]))
                hosts = (text.split()[1].rstrip(".").lower() for text in records)
                self._exchangers[name] = tuple(hosts)
            return self._exchangers[name]

    def _ask(self, name: str) -> tuple[str, ...]:
        if self._resolver is None:
            return _system(name)
        return tuple(text for kind in ("A", "AAAA") for text in self._records(name, kind))

    def _records(self, name: str, kind: str) -> list[str]:
        if self._silent:
            return []
        try:
            return [r.to_text() for r in self._asked().resolve(name + ".", kind)]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException:
            self._silent = True  # asked once, not again for every name
            return []

    def _asked(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=self._resolver is None)
        if self._resolver is not None:
            resolver.nameservers = [self._resolver]
        resolver.lifetime = _SECONDS
        return resolver


def _system(name: str) -> tuple[str, ...]:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
