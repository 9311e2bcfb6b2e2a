"""The hidden mailbox that every site has, so that `verify` can log in, send and receive.

Its password is derived, not stored: whoever holds the fleet's secrets can compute it, and no other
file has to know it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from provision.model.address import Address, Domain, LocalPart
from provision.model.amounts import Size
from provision.model.fleet import Fleet, GivenPassword, Mailbox
from provision.model.secret import Secret

PROBE_LOCAL = LocalPart("provision-probe")
"""Reserved: no mailbox or alias of a spec has this local part."""

PROBE_QUOTA = Size(20 * 1024**2)
"""Below the largest message, so that a refusal for its size can be tried."""


def probe_address(site: Domain) -> Address:
    """The probe mailbox's address, which is its login too."""
    return Address.of(PROBE_LOCAL, site)


def probe_password(fleet: Fleet, site: Domain) -> Secret:
    """The probe mailbox's password: 32 characters, 192 bits."""
    key = fleet.fingerprint_key.reveal().encode()
    digest = hmac.new(key, f"probe:{site}".encode(), hashlib.sha256).digest()
    return Secret(base64.urlsafe_b64encode(digest).decode("ascii")[:32])


def probe_mailbox(fleet: Fleet, site: Domain) -> Mailbox:
    """The probe as one more mailbox of the site."""
    password = GivenPassword(probe_password(fleet, site))
    return Mailbox(PROBE_LOCAL, "Mail probe", password, PROBE_QUOTA)
