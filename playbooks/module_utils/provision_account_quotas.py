"""The mailbox behind an alias, across the sites of a host, so that its quota is known by that name.

Standard library only; pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .provision_account_tables import SiteTables

Beyond = Callable[[str], str]
"""The login behind an address of another site and its quota, ``LOGIN BYTES``; empty for none."""
LONGEST_CHAIN = 10
"""Aliases that may stand between an address and its mailbox for its quota to be known."""


def add_full(own: SiteTables, ask: Beyond) -> None:
    """Let Dovecot know the mailbox behind an alias that leads to one alone.

    Postfix asks about the address that the sender named; without this a full mailbox would be
    refused by its own name only, and bounce what is sent to its aliases.
    """
    for address in own.maps["aliases"]:
        if address in own.quotas or address.startswith("@"):
            continue
        login, quota = _end_of(own, address, ask)
        if quota:
            domain = address.rpartition("@")[2]
            fields = f"userdb_user={login} userdb_quota_storage_size={quota}B"
            own.full.setdefault(domain, {})[address] = f"{address}:::::::{fields}"


def _end_of(own: SiteTables, address: str, ask: Beyond) -> tuple[str, str]:
    """Login and quota where a chain of single targets ends; empty when there is no such end."""
    aliases = own.maps["aliases"]
    for _ in range(LONGEST_CHAIN):
        if not address:
            break
        if address not in aliases:
            found = own.asked_addresses[address] = ask(address)
            login, _, quota = found.partition(" ")
            return login, quota
        target = aliases[address]
        if target == address:
            return address, str(own.quotas.get(address, ""))
        address = "" if "," in target else target
    return "", ""


def beyond(
    address: str, owners: Mapping[str, str], tables: Callable[[str], SiteTables], hops: int = 0
) -> str:
    """What `Beyond` says of an address, by the tables of the site that it belongs to."""
    site = owners.get(address.rpartition("@")[2])
    if site is None or hops > LONGEST_CHAIN:
        return ""
    own = tables(site)
    if address not in own.maps["aliases"]:
        return ""
    before = dict(own.asked_addresses)
    login, quota = _end_of(own, address, lambda far: beyond(far, owners, tables, hops + 1))
    own.asked_addresses = before  # what is asked on behalf of others is not its own question
    return f"{login} {quota}" if quota else ""
