"""Object to what nobody is likely to have meant: a mass change, an emptied host, a protected loss.

The thresholds are octoDNS's (Plan.raise_if_unsafe): more than 30 % of what exists, once there are
ten of them. An account is a mailbox or an alias, as a plan lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from provision.model.accounts import MailboxAccount, SiteAccounts
from provision.model.bundle import Bundle
from provision.model.probe import PROBE_LOCAL
from provision.plan.accounts import parse_document
from provision.plan.change import Action, Change, Kind
from provision.plan.objection import ALLOW_REMOVALS, ALLOW_UPDATES, Objection, Rule
from provision.plan.state import HostState

LIMIT_PERCENT = 30
FLOOR = 10
"""With fewer accounts than this a share says nothing."""
_COUNTED = {Kind.MAILBOX, Kind.ALIAS}
_ACCOUNTS = {Kind.SITE, *_COUNTED}


@dataclass(frozen=True, slots=True)
class _Sites:
    """What a host has and what it shall have, by site."""

    before: Mapping[str, SiteAccounts | None]
    """None: the document on the host is unreadable."""
    after: Mapping[str, SiteAccounts]

    @classmethod
    def of(cls, desired: Bundle, actual: HostState) -> _Sites:
        after = {site.site: site for site in desired.accounts}
        equal = {s: site for s, site in after.items() if site.digest() == _held(actual, s)}
        other = {s: parse_document(document) for s, document in actual.accounts.items()}
        return cls({**equal, **other}, after)

    def leaving(self) -> list[str]:
        """Sites that the host has and the spec has no more."""
        return sorted(set(self.before) - set(self.after))


def _held(actual: HostState, site: str) -> str | None:
    return actual.account_digests.get(site)


def objections(
    desired: Bundle, actual: HostState, changes: Iterable[Change]
) -> tuple[Objection, ...]:
    """All that speaks against these changes of a host's accounts; pure."""
    changes = [change for change in changes if change.kind in _ACCOUNTS]
    if not changes:
        return ()
    sites = _Sites.of(desired, actual)
    found = [*_protected(sites), *_unreadable(sites)]
    found += [*_emptied(desired.host.name, sites), *_shares(desired.host.name, sites, changes)]
    return tuple(found)


def _protected(sites: _Sites) -> Iterator[Objection]:
    for name, before in sites.before.items():
        after = sites.after.get(name)
        if before is None or before is after:
            continue
        if after is None and before.protect:
            yield _objection_to_loss("site", name)
        staying = {mailbox.address for mailbox in after.mailboxes} if after else set()
        staying |= {move.origin for move in after.moves} if after else set()
        for mailbox in before.mailboxes:
            if mailbox.protect and mailbox.address not in staying:
                yield _objection_to_loss("mailbox", mailbox.address)


def _objection_to_loss(what: str, name: str) -> Objection:
    message = (
        f"{what} {name} is protected: put it back without `protect: true`, apply that, then"
        " remove it"
    )
    return Objection(Rule.PROTECTED, name, message)


def _unreadable(sites: _Sites) -> Iterator[Objection]:
    for name, before in sites.before.items():
        if before is None:
            message = (
                f"the host's document of {name} is unreadable: what would be removed is unknown"
            )
            yield Objection(Rule.UNREADABLE, name, message, ALLOW_REMOVALS)


def _emptied(host: str, sites: _Sites) -> Iterator[Objection]:
    existing, leaving = len(sites.before), len(sites.leaving())
    if existing and leaving == existing:
        message = f"{host} loses all of its sites ({leaving} of {existing})"
        yield Objection(Rule.EMPTIED, host, message, ALLOW_REMOVALS)
    elif leaving and leaving * 2 >= existing:
        message = f"{host} loses half of its sites or more ({leaving} of {existing})"
        yield Objection(Rule.HALVED, host, message, ALLOW_REMOVALS)
    else:
        mailboxes = 0
        if not any(_has_people(site) for site in sites.after.values()):
            mailboxes = sum(1 for _ in _people(sites.before.values()))
        if mailboxes:
            message = f"{host} loses all of its mailboxes ({mailboxes} of {mailboxes})"
            yield Objection(Rule.EMPTIED, host, message, ALLOW_REMOVALS)


def _has_people(site: SiteAccounts) -> bool:
    """Without a look at every mailbox: more than one are never all for the probes."""
    return len(site.mailboxes) > 1 or any(_people([site]))


def _people(sites: Iterable[SiteAccounts | None]) -> Iterator[MailboxAccount]:
    """The mailboxes of people: every site has one more, for the probes."""
    return (
        mailbox
        for site in sites
        if site is not None
        for mailbox in site.mailboxes
        if mailbox.address != f"{PROBE_LOCAL}@{site.site}"
    )


_SHARES = (
    (Rule.REMOVALS, Action.DELETE, "removed", ALLOW_REMOVALS),
    (Rule.UPDATES, Action.UPDATE, "updated", ALLOW_UPDATES),
)


def _shares(host: str, sites: _Sites, changes: Iterable[Change]) -> Iterator[Objection]:
    """Shares of the whole host; where that is within the limit, of each of its sites."""
    existing = {name: _count(site) for name, site in sites.before.items()}
    for rule, action, verb, flag in _SHARES:
        touched = dict.fromkeys(existing, 0)
        for change in changes:
            site = change.name.rpartition("@")[2]
            if change.action is action and change.kind in _COUNTED and site in touched:
                touched[site] += 1
        scopes = [(host, sum(touched.values()), sum(existing.values()))]
        if not _is_too_much(*scopes[0][1:]):
            scopes = [(name, touched[name], existing[name]) for name in sorted(existing)]
        for scope, part, whole in scopes:
            if _is_too_much(part, whole):
                message = (
                    f"{part} of {whole} accounts of {scope} would be {verb}"
                    f" ({100 * part / whole:.1f} %, the limit is {LIMIT_PERCENT} %)"
                )
                yield Objection(rule, scope, message, flag)


def _count(site: SiteAccounts | None) -> int:
    return len(site.mailboxes) + len(site.aliases) if site else 0


def _is_too_much(part: int, whole: int) -> bool:
    return whole >= FLOOR and part * 100 > whole * LIMIT_PERCENT
