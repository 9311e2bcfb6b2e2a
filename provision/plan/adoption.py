"""What of a host's drift a spec can ask for, as wishes for site files, and why the rest cannot be.

Accounts can: they are what a spec is about. A configuration file cannot: no key holds its text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provision.model.accounts import AliasAccount, MailboxAccount, SiteAccounts
from provision.model.amounts import Size
from provision.model.probe import PROBE_LOCAL
from provision.plan.accounts import parse_document
from provision.plan.change import Kind
from provision.plan.drift import Drifted, Finding
from provision.plan.governed import governed
from provision.spec.password_hash import parse_password_hash
from provision.spec.rewrite import Wish
from provision.spec.wrong import WrongError

Pair = tuple[str, list[Wish]]


@dataclass(slots=True)
class Adoption:
    """What one site's accounts on a host come to."""

    site: str
    words: list[str] = field(default_factory=list)
    """What the site file will say, without secrets."""
    wishes: list[Wish] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """What cannot be adopted, with the reason."""

    def take(self, found: Iterator[Pair]) -> None:
        """Add what was found; an entry without wishes is one that cannot be adopted."""
        for words, wishes in found:
            (self.words if wishes else self.left).append(words)
            self.wishes += wishes


def adopt_logins(desired: SiteAccounts, edits: Mapping[str, Mapping[str, Any]]) -> Adoption:
    """From lines of a passwd-file that somebody edited; see provision_account_edits."""
    adoption = Adoption(desired.site)
    known = {mailbox.address for mailbox in desired.mailboxes}
    for address, edit in edits.items():
        local, _, site = address.partition("@")
        if site != desired.site or local == str(PROBE_LOCAL):
            adoption.left.append(f"{address}: is no mailbox of the spec")
        elif edit["edit"] == "gone":
            adoption.left.append(
                f"{address}: was taken out by hand; delete it from the spec if it shall leave,"
                " which archives its mail"
            )
        else:
            adoption.take(_login(address, edit, is_new=address not in known))
    return adoption


def _login(address: str, edit: Mapping[str, Any], *, is_new: bool) -> Iterator[Pair]:
    base = ("mailboxes", address.partition("@")[0])
    quota = str(Size(edit["quota"])) if edit.get("quota") else "none"
    hashed = edit.get("hash")
    try:
        parsed = parse_password_hash(hashed) if hashed else None
    except WrongError as error:
        yield f"{address}: its password cannot be adopted: {error}", []
        return
    if is_new:
        entry = {"quota": quota, **({"password_hash": parsed} if parsed else {})}
        yield f"{address}: new, quota {quota}", [Wish(base, entry)]
        return
    if "quota" in edit:
        yield f"{address}: quota {quota}", [Wish((*base, "quota"), quota)]
    if parsed:
        wishes = [Wish((*base, "password_hash"), parsed), Wish((*base, "password"), None)]
        yield f"{address}: password_hash instead of what the spec has", wishes


def adopt_document(desired: SiteAccounts, text: str) -> Adoption:
    """From a site's document that somebody edited on the host."""
    adoption = Adoption(desired.site)
    actual = parse_document(text.encode())
    if actual is None:
        adoption.left.append(f"{desired.site}: its document on the host is unreadable")
        return adoption
    wanted = {mailbox.address: mailbox for mailbox in desired.mailboxes}
    for mailbox in actual.mailboxes:
        adoption.take(_mailbox(mailbox, wanted.get(mailbox.address), desired.site))
    aliases = {alias.address: alias for alias in desired.aliases}
    for alias in actual.aliases:
        if alias != aliases.get(alias.address):
            adoption.take(iter([_alias(alias, desired.site)]))
    if actual.domain_aliases != desired.domain_aliases:
        domains = list(actual.domain_aliases)
        words = f"{desired.site}: domain_aliases {', '.join(domains) or 'none'}"
        adoption.take(iter([(words, [Wish(("domain_aliases",), domains or None)])]))
    if actual.catch_all != desired.catch_all:
        target = _short(actual.catch_all, desired.site) if actual.catch_all else None
        words = f"{desired.site}: catch_all {target or 'none'}"
        adoption.take(iter([(words, [Wish(("catch_all",), target)])]))
    return adoption


def _mailbox(mailbox: MailboxAccount, wanted: MailboxAccount | None, site: str) -> Iterator[Pair]:
    local = mailbox.address.partition("@")[0]
    values = _values(mailbox, site)
    if wanted is None:
        kept = {key: value for key, value in values.items() if value not in ("", [], None)}
        yield f"{mailbox.address}: new", [Wish(("mailboxes", local), kept)]
        return
    before = _values(wanted, site)
    for key, value in values.items():
        if value != before[key]:
            shown = ", ".join(value) if isinstance(value, list) else value
            empty = None if value in ("", []) else value
            words = f"{mailbox.address}: {key} {shown if empty is not None else 'none'}"
            yield words, [Wish(("mailboxes", local, key), empty)]


def _values(mailbox: MailboxAccount, site: str) -> dict[str, Any]:
    """The mailbox as a site file writes it."""
    forward = [_short(target, site) for target in mailbox.forward_to]
    return {
        "name": mailbox.name,
        "quota": str(Size(mailbox.quota)) if mailbox.quota else "none",
        "imap": mailbox.imap,
        "pop3": mailbox.pop3,
        "aliases": [_short(alias, site) for alias in mailbox.aliases],
        "forward": {"to": forward, "keep_copy": mailbox.forward_keep} if forward else None,
    }


def _alias(alias: AliasAccount, site: str) -> Pair:
    targets = [_short(target, site) for target in alias.targets]
    wish = Wish(("aliases", alias.address.partition("@")[0]), targets)
    return f"{alias.address}: alias to {', '.join(targets)}", [wish]


def _short(address: str, site: str) -> str:
    local, _, domain = address.partition("@")
    return local if domain == site else address


def why_not(finding: Finding) -> str:
    """Why drift that is no account cannot be adopted, and what to do about it."""
    if finding.what is Drifted.FOREIGN:
        return "no spec can ask for it, and an apply leaves it alone: move it out of our folder"
    if finding.kind is Kind.FILE and finding.what is Drifted.CHANGED:
        made = governed(finding.name)
        of_spec = f" from the spec's {made.keys}" if made.keys else ""
        source = f"{made.templates} makes it{of_spec}" if made.templates else f"it is{of_spec}"
        return (
            f"{source}; make the change there. The next apply puts the file back and keeps a copy"
            " of the edit in /var/lib/provision/replaced"
        )
    if finding.kind is Kind.ACCOUNTS:
        return "it is compiled; the next apply makes it again and keeps a copy"
    return "the spec has no word for it; the next apply puts it back"
