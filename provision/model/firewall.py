"""A host's firewall as the spec asks for it; what mail and web need is open without being named."""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE = ("0.0.0.0/0", "::/0")
"""Every address there is."""


@dataclass(frozen=True, order=True, slots=True)
class Opening:
    """A port that is open besides those of mail, web and SSH."""

    protocol: str
    """``tcp`` or ``udp``."""
    port: int

    def __str__(self) -> str:
        return f"{self.protocol}/{self.port}"


@dataclass(frozen=True, slots=True)
class Firewall:
    """What may come in. Networks are canonical, sorted, and none lies in another."""

    ssh_from: tuple[str, ...] = EVERYWHERE
    """Networks from where SSH is answered, as in ``198.18.0.0/24``."""
    also_open: tuple[Opening, ...] = ()

    @property
    def ssh_from_ipv4(self) -> tuple[str, ...]:
        """The IPv4 networks among ``ssh_from``."""
        return tuple(network for network in self.ssh_from if ":" not in network)

    @property
    def ssh_from_ipv6(self) -> tuple[str, ...]:
        """The IPv6 networks among ``ssh_from``."""
        return tuple(network for network in self.ssh_from if ":" in network)
