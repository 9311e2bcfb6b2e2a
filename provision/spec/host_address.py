"""Where SSH goes: an IP address that can be one machine's, or a host name."""

from __future__ import annotations

from provision.spec.characters import shown
from provision.spec.domain import parse_domain
from provision.spec.wrong import WrongError

_IP_CHARACTERS = frozenset("0123456789.")


def parse_host_address(text: str) -> str:
    """The address in its canonical text; raises WrongError."""
    if ":" in text or (text and _IP_CHARACTERS.issuperset(text)):
        return _parse_ip(text)
    try:
        return parse_domain(text).name
    except ValueError as error:
        raise WrongError(
            f"{shown(text)} is neither an IP address nor a host name",
            hint="as in 192.0.2.10, 2001:db8::10 or mail1.example.net",
        ) from error


def _parse_ip(text: str) -> str:
    import ipaddress  # noqa: PLC0415 - start-up time

    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise WrongError(f"{shown(text)} is not an IP address", hint="as in 192.0.2.10") from error
    scoped = isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None
    if address.is_unspecified or address.is_multicast or address.is_link_local or scoped:
        raise WrongError(f"{address} is not the address of one host", hint="as in 192.0.2.10")
    if address == ipaddress.ip_address("255.255.255.255"):
        raise WrongError(f"{address} is not the address of one host", hint="as in 192.0.2.10")
    return str(address)
