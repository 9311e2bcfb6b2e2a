"""From account documents to what Dovecot and Postfix look up: pure, standard library only.

Addresses are checked once more here: whatever a document says, nothing but a plain address gets
into a table (a newline would be a second line, ``#`` a comment, an empty local part a catch-all).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .provision_account_quotas import add_full, beyond

_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)
_OWN_LOCAL = re.compile(r"[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_-]+)*")
_ANY_LOCAL = re.compile(r"[A-Za-z0-9_=~&'+][A-Za-z0-9_=~&'+-]*(\.[A-Za-z0-9_=~&'+-]+)*")
_HASH = re.compile(r"\{[A-Z0-9._-]+\}[!-9;-~]+")
_NEXTHOP = re.compile(r"\[[a-z0-9.-]+\]:[0-9]{1,5}")
_SMARTHOST = re.compile(r"[a-z0-9][a-z0-9_-]*")

CATCH_ALL = "provision-catch-all"
"""Local part of the forwarder through which a catch-all leads to another host."""
SPARE_REDIRECTS = 4
"""Redirects that a person's own Sieve script may make besides the forwards of the spec."""


MAPS = ("domains", "mailboxes", "aliases", "senders", "routes")
"""The Postfix maps; main.cf names them all, so all of them always exist."""


class InvalidAccounts(ValueError):
    """A document or credential that no honest controller sends; nothing was changed."""


@dataclass
class SiteTables:
    """What is looked up about one site: login to line, or a set of logins."""

    passwd: dict[str, str] = field(default_factory=dict)
    forwarders: dict[str, str] = field(default_factory=dict)
    full: dict[str, dict[str, str]] = field(default_factory=dict)
    """By domain: addresses that are no login, for the question whether their mailbox is full."""
    quotas: dict[str, int] = field(default_factory=dict)
    no_imap: set[str] = field(default_factory=set)
    no_pop3: set[str] = field(default_factory=set)
    sieve: dict[str, str] = field(default_factory=dict)
    maps: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in MAPS})
    """Its part of each Postfix map."""
    asked_domains: dict[str, bool] = field(default_factory=dict)
    """Domains of others that it names, and whether this host takes their mail."""
    asked_addresses: dict[str, str] = field(default_factory=dict)
    """Addresses of other sites that it leads to, and what was found behind them."""

    def domains(self) -> list[str]:
        """The domains whose mail comes to it."""
        return list(self.maps["domains"])


IsLocal = Callable[[str], bool]


@dataclass
class Tables:
    """All tables of a host: Dovecot's by site, Postfix's by map and key."""

    sites: dict[str, SiteTables]
    maps: dict[str, dict[str, str]]

    def homes(self) -> set[tuple[str, str]]:
        """Site and local part of everything that has a home folder."""
        return {
            (site, address.partition("@")[0])
            for site, tables in self.sites.items()
            for address in (*tables.passwd, *tables.forwarders)
        }


def compile_tables(documents: Iterable[Mapping[str, Any]], hashes: Mapping[str, str]) -> Tables:
    """Make all tables of a host.

    ``hashes`` are the password hashes by address. Raises InvalidAccounts for a document that is
    not well formed, an address claimed twice, or a mailbox without a hash.
    """
    ordered = sorted(documents, key=lambda document: str(document["site"]))
    local = {_domain(name) for document in ordered for name in _domains(document)}
    sites = {
        document["site"]: compile_site(document, hashes, local.__contains__) for document in ordered
    }
    owners = owners_of(sites)
    for own in sites.values():
        add_full(own, lambda address: beyond(address, owners, sites.__getitem__))
    return Tables(sites, {name: _joined(sites, name) for name in MAPS})


def owners_of(sites: Mapping[str, SiteTables]) -> dict[str, str]:
    """Every mail domain to its site; raises InvalidAccounts for one with two."""
    owners: dict[str, str] = {}
    for site, own in sites.items():
        for domain in own.domains():
            if owners.setdefault(domain, site) != site:
                raise InvalidAccounts(f"{domain} is claimed twice in domains")
    return owners


def _joined(sites: Mapping[str, SiteTables], name: str) -> dict[str, str]:
    return {key: value for own in sites.values() for key, value in own.maps[name].items()}


def compile_site(
    document: Mapping[str, Any], hashes: Mapping[str, str] | None, is_local: IsLocal
) -> SiteTables:
    """The tables of one site but for ``full``; without ``hashes`` its logins have none."""
    site = _Site(document, hashes, is_local)
    site.compile()
    return site.own


def _domains(document: Mapping[str, Any]) -> list[str]:
    return [document["site"], *document["domain_aliases"]]


class _Site:
    """One site's document on its way into the tables."""

    def __init__(
        self, document: Mapping[str, Any], hashes: Mapping[str, str] | None, is_local: IsLocal
    ) -> None:
        self.document, self.hashes, self.ask_local = document, hashes, is_local
        self.site = _domain(document["site"])
        self.own = SiteTables()
        self.redirects = 0 if document["route"] == "none" else SPARE_REDIRECTS

    def compile(self) -> None:
        """Fill the tables; the order of the steps does not matter."""
        logins = {self._own(mailbox["address"]) for mailbox in self.document["mailboxes"]}
        for mailbox in self.document["mailboxes"]:
            self._mailbox(mailbox)
        for alias in self.document["aliases"]:
            self._alias(self._own(alias["address"]), [_address(t) for t in alias["targets"]])
            senders = sorted(logins.intersection(alias["targets"]))
            if senders:
                self._put("senders", alias["address"], ", ".join(senders))
        if self.document["catch_all"]:
            self._catch_all(_address(self.document["catch_all"]))
        self._route()
        self._domain_aliases()

    def _mailbox(self, mailbox: Mapping[str, Any]) -> None:
        address = self._own(mailbox["address"])
        self._put("aliases", address, address)
        self._put("mailboxes", address, "mailbox")
        self._put("senders", address, address)
        for alias in mailbox["aliases"]:
            self._put("aliases", self._own(alias), address)
            self._put("senders", alias, address)
        wanted = [_address(target) for target in mailbox["forward_to"]]
        targets = [target for target in wanted if self.redirects or self._is_local(target)]
        if targets:
            keep = bool(mailbox["forward_keep"]) or targets != wanted
            self.own.sieve[address] = sieve_forward(targets, keep=keep)
        quota = int(mailbox["quota"])
        if quota:
            self.own.quotas[address] = quota
        fields = self._fields(len(targets), quota)
        self.own.passwd[address] = f"{address}:{self._hash(address)}::::::{fields}"
        if not mailbox["imap"]:
            self.own.no_imap.add(address)
        if not mailbox["pop3"]:
            self.own.no_pop3.add(address)

    def _alias(self, address: str, targets: list[str]) -> None:
        """Local targets are Postfix's; the others get a forwarder that rewrites the sender.

        The forwarder has the alias's own address, so what it sends leaves by the site's route and
        passes the site's SPF; the alias maps to itself to reach it (virtual(5)).
        """
        inside = [target for target in targets if self._is_local(target)]
        outside = [target for target in targets if target not in inside]
        if outside:
            self._put("mailboxes", address, "forwarder")
            self.own.sieve[address] = sieve_forward(outside, keep=False)
            fields = self._fields(len(outside) if self.redirects else 0, 0)
            self.own.forwarders[address] = f"{address}:::::::{fields}"
            inside.append(address)
        self._put("aliases", address, ", ".join(inside))

    def _catch_all(self, target: str) -> None:
        if not self._is_local(target):
            forwarder = f"{CATCH_ALL}@{self.site}"
            self._alias(forwarder, [target])
            target = forwarder
        for domain in _domains(self.document):
            self._put("aliases", f"@{domain}", target)

    def _route(self) -> None:
        route = self.document["route"]
        for domain in _domains(self.document):
            self._put("domains", _domain(domain), self.site)
            self._put("routes", f"@{domain}", self._transport(route))

    def _transport(self, route: str) -> str:
        kind, _, name = route.partition(":")
        if kind == "smarthost":
            hop = self.document["nexthop"]
            if not _SMARTHOST.fullmatch(name) or not _NEXTHOP.fullmatch(hop):
                raise InvalidAccounts(f"{self.site}: {route!r} {hop!r} is no smarthost")
            return f"smarthost-{name}:{hop}"
        if route == "none":
            return f"error:5.7.1 {self.site} sends no mail to other hosts"
        if route == "direct":
            return "smtp:"
        raise InvalidAccounts(f"{self.site}: unknown route {route!r}")

    def _domain_aliases(self) -> None:
        """The same addresses in each further domain, one by one: a wildcard would accept all."""
        for domain in self.document["domain_aliases"]:
            for name in ("aliases", "senders"):
                for address, value in list(self.own.maps[name].items()):
                    local, _, home = address.partition("@")
                    if local and home == self.site:
                        self._put(
                            name, f"{local}@{domain}", address if name == "aliases" else value
                        )

    def _fields(self, forwards: int, quota: int) -> str:
        fields = [f"userdb_sieve_max_redirects={forwards + self.redirects}"]
        if quota:
            fields.append(f"userdb_quota_storage_size={quota}B")
        return " ".join(fields)

    def _hash(self, address: str) -> str:
        if self.hashes is None:
            return ""
        found = self.hashes.get(address)
        if found is None:
            raise InvalidAccounts(f"{address}: the host has no password hash")
        if not _HASH.fullmatch(found):
            raise InvalidAccounts(f"{address}: that is no password hash")
        return found

    def _is_local(self, address: str) -> bool:
        domain = address.rpartition("@")[2]
        if domain not in self.own.asked_domains:
            self.own.asked_domains[domain] = self.ask_local(domain)
        return self.own.asked_domains[domain]

    def _own(self, address: str) -> str:
        local, _, domain = address.rpartition("@")
        if domain != self.site or len(local) > 64 or not _OWN_LOCAL.fullmatch(local):
            raise InvalidAccounts(f"{address!r} is no address of {self.site}")
        return address

    def _put(self, name: str, key: str, value: str) -> None:
        if self.own.maps[name].setdefault(key, value) != value:
            raise InvalidAccounts(f"{key} is claimed twice in {name}")


def sieve_forward(targets: list[str], *, keep: bool) -> str:
    """A Sieve script that passes mail on (RFC 5228 4.2); ``:copy`` keeps it too (RFC 3894)."""
    verb = "redirect :copy" if keep else "redirect"
    lines = ['require ["copy"];', *(f'{verb} "{_address(target)}";' for target in targets)]
    return "\n".join(lines) + "\n"


def map_text(table: Mapping[str, str]) -> str:
    """A table as postmap(1) reads it, sorted."""
    return "".join(f"{key} {value}\n" for key, value in sorted(table.items()))


def _domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise InvalidAccounts(f"{text!r} is no domain")
    return text


def _address(text: str) -> str:
    local, _, domain = text.rpartition("@")
    _domain(domain)
    if len(local) > 64 or not _ANY_LOCAL.fullmatch(local):
        raise InvalidAccounts(f"{text!r} is no address")
    return text
