"""Networks and ports as a spec writes them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from provision.model.firewall import Opening
from provision.spec.characters import shown
from provision.spec.values import plain_text
from provision.spec.wrong import WrongError

_NETWORKS = "as in 198.18.0.0/24, 2001:db8::/32 or 192.0.2.10"
_OPENINGS = "as in tcp/8080 or udp/51820"
_OPENING = re.compile(r"(tcp|udp)/([1-9][0-9]{0,4})")
_LARGEST_PORT = 65535


def parse_network(value: Any) -> str:
    """A network, or one address, in its canonical text."""
    import ipaddress  # noqa: PLC0415 - start-up time

    text = plain_text(value)
    if "%" in text:
        raise WrongError(f"{shown(text)} is not a network", hint=_NETWORKS)
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise WrongError(f"{shown(text)} is not a network", hint=_NETWORKS) from error
    address = ipaddress.ip_address(text.partition("/")[0])
    if address != network.network_address:
        raise WrongError(
            f"{shown(text)} names one address and a network around it",
            hint=f"write {network} or {address}",
        )
    if network.is_multicast:
        raise WrongError(f"nobody comes from {network}, it is multicast", hint=_NETWORKS)
    return str(network)


def parse_opening(value: Any) -> Opening:
    """``tcp/8080``, ``udp/51820``."""
    if type(value) is int:
        raise WrongError("a port needs its protocol", hint=_OPENINGS)
    text = plain_text(value)
    match = _OPENING.fullmatch(text)
    if not match or int(match[2]) > _LARGEST_PORT:
        raise WrongError(f"{shown(text)} is not a protocol with a port", hint=_OPENINGS)
    return Opening(match[1], int(match[2]))


NetworkValue = Annotated[
    str,
    PlainValidator(parse_network),
    WithJsonSchema({"type": "string", "description": "A network, or one address."}),
]
OpeningValue = Annotated[
    Opening,
    PlainValidator(parse_opening),
    WithJsonSchema({"type": "string", "pattern": "^(?:tcp|udp)/[1-9][0-9]{0,4}$"}),
]
