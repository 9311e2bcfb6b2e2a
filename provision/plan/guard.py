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
from provision.plan.objection import ALLOW_REMOVALS, ALLOW_UPDATES, TAKE_OVER, Objection, Rule
from provision.plan.site_rename import as_if_called, renamed_from
from provision.plan.state import HostState

LIMIT_PERCENT = 30
FLOOR = 10
"""With fewer accounts than this a share says nothing."""
_COUNTED = {Kind.MAILBOX, Kind.ALIAS}
_ACCOUNTS = {Kind.SITE, *_COUNTED}
_SYSTEM = {Kind.PACKAGE, Kind.UNIT, Kind.USER}


@dataclass(frozen=True, slots=True)
class _Sites:
    """What a host has and what it shall have, by site."""

    before: Mapping[str, SiteAccounts | None]
    """None: the document on the host is unreadable."""
    after: Mapping[str, SiteAccounts]
    renamed: Mapping[str, str]
    """Old domain to the new one of sites that were given another; ``before`` has the new one."""

    @classmethod
    def of(cls, desired: Bundle, actual: HostState) -> _Sites:
        after = {site.site: site for site in desired.accounts}
        equal = {s: site for s, site in after.items() if site.digest() == _held(actual, s)}
        other = {s: parse_document(document) for s, document in actual.accounts.items()}
        renamed: dict[str, str] = {}
        for name, site in after.items():
            if (old := renamed_from(site, actual)) is not None:
                renamed[old.site] = name
                other[name] = as_if_called(old, name)
                del other[old.site]
        return cls({**equal, **other}, after, renamed)

    def leaving(self) -> list[str]:
        """Sites that the host has and the spec has no more."""
        return sorted(set(self.before) - set(self.after))


def _held(actual: HostState, site: str) -> str | None:
    return actual.account_digests.get(site)


def objections(
    desired: Bundle, actual: HostState, changes: Iterable[Change]
) -> tuple[Objection, ...]:
    """All that speaks against these changes of a host; pure."""
    every = list(changes)
    found = [*_other_owner(desired, actual), *_dismantled(desired.host.name, actual, every)]
    changes = [change for change in every if change.kind in _ACCOUNTS]
    if not changes:
        return tuple(found)
    sites = _Sites.of(desired, actual)
    found += [*_protected(sites, changes), *_unreadable(sites)]
    found += [*_emptied(desired.host.name, sites), *_shares(desired.host.name, sites, changes)]
    return tuple(found)


def _other_owner(desired: Bundle, actual: HostState) -> Iterator[Objection]:
    """Two fleets that apply to one host would undo each other's work in turns."""
    if actual.fleet and desired.fleet and actual.fleet != desired.fleet:
        message = f"{desired.host.name} belongs to the fleet {actual.fleet}, not {desired.fleet}"
        yield Objection(Rule.OWNER, desired.host.name, message, TAKE_OVER)


def _dismantled(host: str, actual: HostState, changes: Iterable[Change]) -> Iterator[Objection]:
    """As for accounts, for packages, units and users together."""
    gone = sum(change.kind in _SYSTEM and change.action is Action.DELETE for change in changes)
    if _is_too_much(gone, actual.existing):
        share = f"{100 * gone / actual.existing:.1f} %, the limit is {LIMIT_PERCENT} %"
        message = (
            f"{gone} of {actual.existing} packages, units and users of {host} would be removed"
            f" ({share})"
        )
        yield Objection(Rule.REMOVALS, host, message, ALLOW_REMOVALS)


def _protected(sites: _Sites, changes: Iterable[Change]) -> Iterator[Objection]:
    """By what would really happen: a ``moved_from`` that has no effect keeps nobody."""
    gone = {
        _now_called(change.name, sites)
        for change in changes
        if (change.kind, change.action) == (Kind.MAILBOX, Action.DELETE)
    }
    for name, before in sites.before.items():
        after = sites.after.get(name)
        if before is None or before is after:
            continue
        if after is None and before.protect:
            yield _objection_to_loss("site", name)
        for mailbox in before.mailboxes:
            if mailbox.protect and mailbox.address in gone:
                yield _objection_to_loss("mailbox", mailbox.address)


def _now_called(address: str, sites: _Sites) -> str:
    """The address as ``before`` has it: that of a renamed site is known by its new domain."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{sites.renamed.get(domain, domain)}"


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
            site = sites.renamed.get(site, site)
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
