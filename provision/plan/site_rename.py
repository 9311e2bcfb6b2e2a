"""Compare a site that got another domain with what the host has under the old one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from provision.model.accounts import AliasAccount, MailboxAccount, SiteAccounts
from provision.plan.accounts import (
    alias_differences,
    mailbox_differences,
    pairs,
    parse_document,
    site_differences,
)
from provision.plan.change import Action, Change, Kind
from provision.plan.kept import KeptMail
from provision.plan.state import HostState


def renamed_from(site: SiteAccounts, actual: HostState) -> SiteAccounts | None:
    """The site as the host has it under its old domain; None: it is no rename any more."""
    if not site.moved_from or site.site in actual.account_digests:
        return None
    document = actual.accounts.get(site.moved_from)
    return None if document is None else parse_document(document)


def as_if_called(old: SiteAccounts, domain: str) -> SiteAccounts:
    """The same site under another domain."""

    def moved(address: str) -> str:
        local, _, own = address.rpartition("@")
        return f"{local}@{domain}" if own == old.site else address

    return replace(
        old,
        site=domain,
        mailboxes=tuple(
            replace(
                mailbox,
                address=moved(mailbox.address),
                aliases=tuple(map(moved, mailbox.aliases)),
                forward_to=tuple(sorted(map(moved, mailbox.forward_to))),
            )
            for mailbox in old.mailboxes
        ),
        aliases=tuple(
            AliasAccount(moved(alias.address), tuple(sorted(map(moved, alias.targets))))
            for alias in old.aliases
        ),
        catch_all=old.catch_all and moved(old.catch_all),
    )


def diff_renamed_site(
    desired: SiteAccounts, old: SiteAccounts, *, kept: KeptMail
) -> Iterator[Change]:
    """Changes of a site that the host has as ``old``: what comes along, and what is different."""
    there = as_if_called(old, desired.site)
    words = [f"from {old.site}", *site_differences(desired, there)]
    yield Change(Kind.SITE, desired.site, Action.RENAME, "; ".join(words))
    held = {m.address: now for m, now in zip(old.mailboxes, there.mailboxes, strict=True)}
    came = dict(_renames(desired, held))
    yield from (change for change, _ in came.values())
    for mailbox in desired.mailboxes:
        if mailbox.address not in came:
            detail = ", ".join(mailbox_differences(mailbox, None))
            note = kept.of_new(mailbox.address)
            yield Change(Kind.MAILBOX, mailbox.address, Action.CREATE, detail, note=note)
    for address in sorted(set(held) - {origin for _, origin in came.values()}):
        note = kept.of_leaving(address)
        yield Change(Kind.MAILBOX, address, Action.DELETE, note=note)
    yield from pairs(Kind.ALIAS, desired.aliases, there.aliases, alias_differences)


def _renames(
    desired: SiteAccounts, held: dict[str, MailboxAccount]
) -> Iterator[tuple[str, tuple[Change, str]]]:
    """New address to its change and its old address; the first origin that is there counts."""
    wanted = {mailbox.address: mailbox for mailbox in desired.mailboxes}
    seen: set[str] = set()
    for move in desired.moves:
        if move.origin not in held or move.address in seen:
            continue
        seen.add(move.address)
        new, old = wanted[move.address], held[move.origin]
        if move.fingerprint == old.fingerprint:
            old = replace(old, fingerprint=new.fingerprint)
        words = [f"from {move.origin}", *mailbox_differences(new, old)]
        change = Change(Kind.MAILBOX, new.address, Action.RENAME, "; ".join(words))
        yield new.address, (change, move.origin)
