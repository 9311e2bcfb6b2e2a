"""Compare a site's account documents: which mailboxes, aliases and routes change, and how."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from provision.model.accounts import GENERATED, AliasAccount, MailboxAccount, SiteAccounts
from provision.model.amounts import Size
from provision.plan.change import Action, Change, Kind, Origin
from provision.plan.kept import KeptMail

_NOTHING_KEPT = KeptMail()
T = TypeVar("T", MailboxAccount, AliasAccount)


def parse_document(document: bytes) -> SiteAccounts | None:
    """Read a document from a host; None when it is not one that this version understands."""
    try:
        values = json.loads(document)
        mailboxes = tuple(_mailbox(entry) for entry in values.pop("mailboxes"))
        aliases = tuple(_alias(entry) for entry in values.pop("aliases"))
        domains = tuple(values.pop("domain_aliases"))
        return SiteAccounts(mailboxes=mailboxes, aliases=aliases, domain_aliases=domains, **values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _mailbox(entry: dict[str, Any]) -> MailboxAccount:
    lists: dict[str, Any] = {name: tuple(entry.pop(name)) for name in ("aliases", "forward_to")}
    return MailboxAccount(**lists, **entry)


def _alias(entry: dict[str, Any]) -> AliasAccount:
    return AliasAccount(entry["address"], tuple(entry["targets"]))


def diff_site(
    desired: SiteAccounts, document: bytes | None, *, kept: KeptMail = _NOTHING_KEPT
) -> Iterator[Change]:
    """Changes of one site that shall exist; ``document`` is what the host has, None: nothing."""
    actual = None if document is None else parse_document(document)
    if actual is None:
        action = Action.CREATE if document is None else Action.UPDATE
        detail = _site_words(desired) if document is None else "unreadable on the host: rebuilt"
        origin = Origin.INTENT if document is None else Origin.DRIFT
        yield Change(Kind.SITE, desired.site, action, detail, origin=origin)
    elif words := _site_differences(desired, actual):
        yield Change(Kind.SITE, desired.site, Action.UPDATE, "; ".join(words))
    elif desired == actual and document != desired.document():
        yield Change(Kind.SITE, desired.site, Action.UPDATE, "written anew, same content")
    base = actual or replace(desired, mailboxes=(), aliases=())
    renames = dict(_renames(desired, base))
    yield from renames.values()
    origins = {move.origin for move in desired.moves if move.address in renames}
    new = tuple(m for m in desired.mailboxes if m.address not in renames)
    old = tuple(m for m in base.mailboxes if m.address not in origins)
    for change in _pairs(Kind.MAILBOX, new, old, mailbox_differences):
        yield replace(change, note=_note(change, desired, kept))
    yield from _pairs(Kind.ALIAS, desired.aliases, base.aliases, _alias_differences)


def _renames(desired: SiteAccounts, base: SiteAccounts) -> Iterator[tuple[str, Change]]:
    """New address to its change, for what the host still has under the old address only."""
    have = {mailbox.address: mailbox for mailbox in base.mailboxes}
    wanted = {mailbox.address: mailbox for mailbox in desired.mailboxes}
    for move in desired.moves:
        if move.origin not in have or move.origin in wanted or move.address in have:
            continue
        old, new = have[move.origin], wanted[move.address]
        is_same = move.fingerprint == old.fingerprint
        old = replace(old, fingerprint=new.fingerprint) if is_same else old
        words = [f"from {move.origin}", *mailbox_differences(new, old)]
        yield new.address, Change(Kind.MAILBOX, new.address, Action.RENAME, "; ".join(words))


def _note(change: Change, desired: SiteAccounts, kept: KeptMail) -> str:
    if change.action is Action.CREATE:
        return kept.of_new(change.name)
    if change.action is not Action.DELETE:
        return ""
    heirs = [move.address for move in desired.moves if move.origin == change.name]
    there = f"; no rename, for {heirs[0]} is there already" if heirs else ""
    return kept.of_leaving(change.name) + there


def diff_removed_site(
    site: str, document: bytes, *, kept: KeptMail = _NOTHING_KEPT
) -> Iterator[Change]:
    """Changes of one site that the host has and the spec has no more."""
    actual = parse_document(document)
    yield Change(Kind.SITE, site, Action.DELETE, _removal_words(actual))
    if actual is not None:
        for change in _pairs(Kind.MAILBOX, (), actual.mailboxes, mailbox_differences):
            yield replace(change, note=kept.of_leaving(change.name))
        yield from _pairs(Kind.ALIAS, (), actual.aliases, _alias_differences)


def _removal_words(actual: SiteAccounts | None) -> str:
    if actual is None:
        return "unreadable on the host: every mailbox of it leaves"
    mailboxes, aliases = len(actual.mailboxes), len(actual.aliases)
    return (
        f"with {mailboxes} mailbox{'es' * (mailboxes != 1)}"
        f" and {aliases} alias{'es' * (aliases != 1)}"
    )


def _pairs(
    kind: Kind,
    desired: Sequence[T],
    actual: Sequence[T],
    differences: Callable[[T, T | None], list[str]],
) -> Iterator[Change]:
    have: Mapping[str, T] = {entry.address: entry for entry in actual}
    for entry in desired:
        old = have.get(entry.address)
        if old is None:
            yield Change(kind, entry.address, Action.CREATE, ", ".join(differences(entry, None)))
        elif words := differences(entry, old):
            yield Change(kind, entry.address, Action.UPDATE, "; ".join(words))
    for address in sorted(set(have) - {entry.address for entry in desired}):
        yield Change(kind, address, Action.DELETE)


def mailbox_differences(new: MailboxAccount, old: MailboxAccount | None) -> list[str]:
    """What is different, in words; for a new mailbox what is worth knowing about it."""
    if old is None:
        words = [f"quota {_quota(new.quota)}"]
        words += ["password will be generated"] if new.fingerprint == GENERATED else []
        words += [] if new.imap else ["no IMAP"]
        words += [] if new.pop3 else ["no POP3"]
        words += [f"also {', '.join(new.aliases)}"] if new.aliases else []
        words += ["protected"] if new.protect else []
        return words + ([_forward(new)] if new.forward_to else [])
    words = []
    if new.name != old.name:
        words.append(f"name {old.name!r} -> {new.name!r}")
    if new.fingerprint != old.fingerprint:
        words.append(_password_words(new))
    if new.quota != old.quota:
        words.append(f"quota {_quota(old.quota)} -> {_quota(new.quota)}")
    for protocol in ("imap", "pop3"):
        if getattr(new, protocol) != getattr(old, protocol):
            words.append(f"{protocol.upper()} {'on' if getattr(new, protocol) else 'off'}")
    if new.aliases != old.aliases:
        words.append(f"aliases {_names(old.aliases)} -> {_names(new.aliases)}")
    if (new.forward_to, new.forward_keep) != (old.forward_to, old.forward_keep):
        words.append(f"{_forward(old)} -> {_forward(new)}")
    return words + _protection(new, old)


def _protection(
    new: MailboxAccount | SiteAccounts, old: MailboxAccount | SiteAccounts
) -> list[str]:
    if new.protect == old.protect:
        return []
    return ["protected" if new.protect else "no longer protected"]


def _password_words(new: MailboxAccount) -> str:
    if new.fingerprint == GENERATED:
        return "password left to its owner"
    return "password (secret changed)"


def _alias_differences(new: AliasAccount, old: AliasAccount | None) -> list[str]:
    if old is None:
        return [f"to {_names(new.targets)}"]
    return [f"to {_names(old.targets)} -> {_names(new.targets)}"] if new != old else []


def _site_words(site: SiteAccounts) -> str:
    words = [f"outgoing {site.route}"]
    words += [f"also {', '.join(site.domain_aliases)}"] if site.domain_aliases else []
    words += [f"catch-all {site.catch_all}"] if site.catch_all else []
    words += ["protected"] if site.protect else []
    return ", ".join(words)


def _site_differences(new: SiteAccounts, old: SiteAccounts) -> list[str]:
    words = []
    if new.route != old.route:
        words.append(f"outgoing {old.route} -> {new.route}")
    if new.nexthop != old.nexthop:
        words.append(f"next hop {old.nexthop or 'none'} -> {new.nexthop or 'none'}")
    if new.domain_aliases != old.domain_aliases:
        words.append(f"aliases {_names(old.domain_aliases)} -> {_names(new.domain_aliases)}")
    if new.catch_all != old.catch_all:
        words.append(f"catch-all {old.catch_all or 'none'} -> {new.catch_all or 'none'}")
    if new.version != old.version:
        words.append(f"document version {old.version} -> {new.version}")
    return words + _protection(new, old)


def _quota(count: int) -> str:
    return str(Size(count)) if count else "unlimited"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"


def _forward(mailbox: MailboxAccount) -> str:
    if not mailbox.forward_to:
        return "no forward"
    kept = "keeping a copy" if mailbox.forward_keep else "keeping none"
    return f"forward to {_names(mailbox.forward_to)} {kept}"
