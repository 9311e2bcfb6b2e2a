"""Which sites a change touches, and their tables: the others keep what was compiled before.

``index.json`` in the store says of every site what it was compiled from, what it asked about the
others, and where its part of each Postfix map stands in the text that the map was built from. A
site is touched when its document or credentials are new, or when another answer would be given to
what it asked. Everything is touched when the index is missing, was written by another compiler, or
does not fit the texts. Standard library only; runs as root on the host.
"""

# ruff: noqa: PTH118 - paths are joined as text, like everywhere in the account modules

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from .provision_account_documents import stored_document
from .provision_account_quotas import add_full, beyond
from .provision_account_store import Layout, digest, dump, load, read, sites_in
from .provision_account_tables import (
    MAPS,
    InvalidAccounts,
    SiteTables,
    compile_site,
    map_text,
)

Inputs = Mapping[str, list[str]]
"""Site to the digests of its document and of its credentials."""


class Work(NamedTuple):
    """What one compile has to do."""

    touched: dict[str, SiteTables]
    left: dict[str, Any]
    """The index of what was compiled of the touched sites before, and of those that are gone."""
    kept: dict[str, Any]
    """The index of the sites that stay as they are."""
    texts: dict[str, bytes]
    """The texts that the maps were built from; only the parts of kept sites are used."""
    is_whole: bool
    """True when every site is touched: then anything else that is found is foreign."""

    def homes(self) -> set[tuple[str, str]]:
        """Site and local part of everything of the touched sites that has a home folder."""
        return {
            (site, address.partition("@")[0])
            for site, tables in self.touched.items()
            for address in (*tables.passwd, *tables.forwarders)
        }

    def map_of(self, name: str) -> tuple[bytes, dict[str, list[int]]]:
        """The text of a map, and where each site's part stands in it."""
        parts, spans, at = [], {}, 0
        for site in sorted({*self.kept, *self.touched}):
            if site in self.touched:
                part = map_text(self.touched[site].maps[name]).encode("ascii")
            else:
                start, length = self.kept[site]["spans"][name]
                part = self.texts[name][start : start + length]
            parts.append(part)
            spans[site] = [at, len(part)]
            at += len(part)
        return b"".join(parts), spans


def source_of(layout: Layout, name: str) -> str:
    """Path of the text that a map was built from."""
    return os.path.join(layout.postfix, ".build", name)


def index_path(layout: Layout) -> str:
    """Path of the index."""
    return os.path.join(layout.store, "index.json")


class Pending:
    """The accounts of a host as they will be after a delta."""

    def __init__(
        self,
        layout: Layout,
        documents: Mapping[str, Any],
        credentials: Mapping[str, Any],
        removed: list[str],
    ) -> None:
        for site, document in documents.items():
            if document["site"] != site:
                raise InvalidAccounts(f"the document of {site} is of {document['site']}")
        self.layout, self.documents, self.credentials = layout, documents, credentials
        self.sites = sorted({*sites_in(layout), *documents} - set(removed))

    def document(self, site: str) -> Any:
        """A site's document; InvalidAccounts for one on the host that cannot be read."""
        if site in self.documents:
            return self.documents[site]
        document = stored_document(self.layout, site)
        if document is None:
            raise InvalidAccounts(f"the document of {site} on this host cannot be read")
        return document

    def hashes(self, site: str) -> dict[str, str]:
        """Address to password hash of a site."""
        stored = self.credentials.get(site)
        entries = stored if stored is not None else load(self.layout.credentials(site)) or {}
        return {address: entry["hash"] for address, entry in entries.items()}


def find_work(layout: Layout, pending: Pending, inputs: Inputs, *, compiler: str) -> Work:
    """What a compile has to do; ``inputs`` are those of the documents that are stored now.

    Without ``compiler``, which names the program that compiles, everything is touched. Raises
    InvalidAccounts, as `compile_site`.
    """
    index, texts = _read_index(layout, inputs, compiler)
    kept = {
        site: entry
        for site, entry in index.items()
        if site in pending.sites
        and site not in pending.documents
        and entry["inputs"] == inputs.get(site)
    }
    spread = _Spread(pending, kept)
    spread.compile([site for site in pending.sites if site not in kept])
    left = {site: entry for site, entry in index.items() if site not in spread.kept}
    return Work(spread.touched, left, spread.kept, texts, is_whole=not spread.kept)


def _read_index(
    layout: Layout, inputs: Inputs, compiler: str
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The index and the texts that it is about; nothing when they do not belong together."""
    try:
        stored = load(index_path(layout)) if compiler and inputs else None
    except ValueError:
        return {}, {}
    finished = load(layout.compiled)
    if stored is None or finished is None or finished["inputs"] != inputs:
        return {}, {}
    if stored["compiler"] != compiler:
        return {}, {}
    texts = {name: read(source_of(layout, name)) or b"" for name in MAPS}
    if any(digest(texts[name]) != stored["texts"][name] for name in MAPS):
        return {}, {}
    sites: dict[str, Any] = stored["sites"]
    return sites, texts


class _Spread:
    """Compiles sites, and those that would be given other answers because of them."""

    def __init__(self, pending: Pending, kept: dict[str, Any]) -> None:
        self.pending, self.kept = pending, kept
        self.touched: dict[str, SiteTables] = {}
        self.owners: dict[str, str] = {}
        self._facts: Callable[[str], SiteTables] = self._compile_facts
        self._beyond: Callable[[str], str] = self._find_beyond

    def compile(self, sites: list[str]) -> None:
        """Compile these sites, and whatever follows from it."""
        documents = {site: self.pending.document(site) for site in sites}
        self.owners = self._owners(documents)
        self._compile(sites)
        while outdated := [site for site in self.kept if self._is_outdated(self.kept[site])]:
            self._compile(outdated)

    def _compile(self, sites: list[str]) -> None:
        for site in sites:
            self.kept.pop(site, None)
            self.touched[site] = self._tables(site, self.pending.hashes(site))
        self._facts, self._beyond = cache(self._compile_facts), cache(self._find_beyond)
        for own in self.touched.values():
            own.full.clear()
            own.asked_addresses.clear()
            add_full(own, self._beyond)

    def _owners(self, documents: Mapping[str, Any]) -> dict[str, str]:
        claims = {site: entry["domains"] for site, entry in self.kept.items()}
        claims |= {s: [d["site"], *d["domain_aliases"]] for s, d in documents.items()}
        owners: dict[str, str] = {}
        for site, domains in claims.items():
            for domain in domains:
                if owners.setdefault(domain, site) != site:
                    raise InvalidAccounts(f"{domain} is claimed twice in domains")
        return owners

    def _is_outdated(self, entry: Mapping[str, Any]) -> bool:
        """True when a site would be told something else now than it was."""
        domains, addresses = entry["asked_domains"], entry["asked_addresses"]
        return any((name in self.owners) != was for name, was in domains.items()) or any(
            self._beyond(address) != was
            for address, was in addresses.items()
            if was or address.rpartition("@")[2] in self.owners
        )

    def _find_beyond(self, address: str) -> str:
        return beyond(address, self.owners, self._facts)

    def _compile_facts(self, site: str) -> SiteTables:
        if site in self.touched:
            return self.touched[site]
        return self._tables(site, None)

    def _tables(self, site: str, hashes: dict[str, str] | None) -> SiteTables:
        try:
            return compile_site(self.pending.document(site), hashes, self.owners.__contains__)
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidAccounts(f"the document of {site} is not whole: {error!r}") from error


def dump_index(  # noqa: PLR0913 - all that a compile has found out
    work: Work,
    inputs: Inputs,
    spans: Mapping[str, Mapping[str, list[int]]],
    texts: Mapping[str, str],
    *,
    compiler: str,
    files: Mapping[str, Any],
) -> bytes:
    """The index after a compile.

    ``spans`` and ``texts`` say of each map where the sites' parts stand in its text, and the digest
    of that; ``files`` are the names of what Dovecot reads of each site.
    """
    sites = {
        site: {
            "inputs": inputs[site],
            "domains": own.domains(),
            "asked_domains": own.asked_domains,
            "asked_addresses": own.asked_addresses,
            "files": files[site],
        }
        for site, own in work.touched.items()
    }
    sites.update(work.kept)
    for site, entry in sites.items():
        entry["spans"] = {name: spans[name][site] for name in MAPS}
    return dump({"compiler": compiler, "texts": texts, "sites": sites})
