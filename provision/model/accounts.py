"""Account documents: what a host is told about one site's mailboxes, aliases and routes.

A document is canonical JSON, so equal documents are equal bytes. It never holds a password nor a
hash, only a fingerprint by which host and controller know whether the password is the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

GENERATED = "generated"
"""Fingerprint of a mailbox whose password is made at its first apply and then owned by the host."""


@dataclass(frozen=True, slots=True)
class MailboxAccount:
    """One mailbox as the host knows it; addresses are texts, sizes bytes (0: no limit)."""

    address: str
    name: str
    fingerprint: str
    """``hmac:HEX``, ``hash:HEX`` or GENERATED."""
    quota: int
    imap: bool
    pop3: bool
    aliases: tuple[str, ...] = ()
    """Further full addresses in the site's own domain that deliver here and may be sent as."""
    forward_to: tuple[str, ...] = ()
    forward_keep: bool = True
    protect: bool = False
    """Remembered here, so that a spec which drops it together with the mailbox is refused."""


@dataclass(frozen=True, slots=True)
class AliasAccount:
    """One alias address of the site's own domain and where it leads."""

    address: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A mailbox that was called otherwise before; both are full addresses."""

    address: str
    origin: str
    fingerprint: str
    """What the fingerprint of the spec's password was at ``origin``: it covers the address."""


@dataclass(frozen=True, slots=True)
class KnownAccounts:
    """What is remembered of a site's document, so that its mailboxes need not be read again."""

    digest: str
    mailboxes: int
    aliases: int
    moves: tuple[Move, ...]


@dataclass(frozen=True)  # no slots: a digest of thousands of mailboxes is worth keeping
class SiteAccounts:
    """All account data of one site. ``route`` is ``direct``, ``none`` or ``smarthost:NAME``."""

    site: str
    domain_aliases: tuple[str, ...]
    route: str
    nexthop: str
    """Where the smarthost is, as Postfix writes it: ``[smtp.isp.example]:587``; else empty."""
    mailboxes: Sequence[MailboxAccount]
    aliases: Sequence[AliasAccount]
    catch_all: str | None
    protect: bool = False
    """As a mailbox's: the site may not leave this host while it is set."""
    version: int = 1
    moves: tuple[Move, ...] = field(default=(), compare=False)
    """How to get there, not what to have: no part of the document."""
    known_digest: str = field(default="", compare=False)
    """The digest, where it is remembered: then nobody need look at the mailboxes."""

    def document(self) -> bytes:
        """The canonical JSON document: sorted keys, no spaces, ASCII, ends in a newline."""
        values: dict[str, Any] = {
            "site": self.site,
            "domain_aliases": self.domain_aliases,
            "route": self.route,
            "nexthop": self.nexthop,
            "mailboxes": [_values(mailbox) for mailbox in self.mailboxes],
            "aliases": [{"address": a.address, "targets": a.targets} for a in self.aliases],
            "catch_all": self.catch_all,
            "protect": self.protect,
            "version": self.version,
        }
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return text.encode("ascii") + b"\n"

    def digest(self) -> str:
        """SHA-256 of the document, hexadecimal."""
        return self.known_digest or self._digest

    def known(self) -> KnownAccounts:
        """What to remember of it."""
        return KnownAccounts(self.digest(), len(self.mailboxes), len(self.aliases), self.moves)

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self.document()).hexdigest()


def _values(mailbox: MailboxAccount) -> dict[str, Any]:
    """The fields of a mailbox; dataclasses.asdict takes ten times as long, for each of many."""
    return {name: getattr(mailbox, name) for name in _MAILBOX_FIELDS}


_MAILBOX_FIELDS = tuple(MailboxAccount.__slots__)
