"""Rules for addresses: one owner each, every one leads somewhere, none in circles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from provision.model.address import Address, Domain, LocalPart
from provision.model.fleet import Route
from provision.spec.domain import mixed_scripts
from provision.spec.problem import Note, Place, Problem, Problems
from provision.spec.resolve_site import ROLES
from provision.spec.rules_circle import Directory, Entry, bare, check_circles
from provision.spec.written import WrittenFleet, WrittenSite

PlaceOf = Callable[..., Place]


def check_addresses(written: WrittenFleet, problems: Problems) -> None:
    """Report addresses with two owners, targets that do not exist, and mail in circles."""
    directory: Directory = {}
    for one in written.sites:
        for address, entry in entries(one):
            first = directory.setdefault(address, entry)
            if first is not entry:
                twice(address, entry.place(), first.place(), problems)
        if written.spec is not None:
            check_roles(one, problems)
        check_logins(one, problems)
    machines = machine_names((host.fqdn for host in written.hosts), written.own)
    targets = Targets(written.own, machines, directory, problems)
    check_targets(directory, targets, problems)
    for one in written.sites:
        check_catch_all(one, targets, problems)
        if written.complete:
            check_ways_out(one, directory, targets, problems)
    check_postmaster(written, targets)
    check_circles(directory, problems)


def machine_names(hosts: Iterable[Domain], own: Mapping[Domain, Domain]) -> frozenset[Domain]:
    """Names that a host or a webmail answers to, and no site has as its domain."""
    webmail = {Domain(f"webmail.{site}") for site in set(own.values())}
    return frozenset({*hosts, *webmail} - set(own))


def check_targets(directory: Directory, targets: Targets, problems: Problems) -> None:
    """Report targets that do not exist, and those that one list names twice."""
    for entry in directory.values():
        if entry.target_path is None:
            continue
        for index, target in enumerate(entry.targets):
            targets.check(target, entry.one.document.place, *entry.target_path, index)
            if target in entry.targets[:index]:
                problems.error(
                    "target-twice", entry.target_place(index), f"{target} is named twice",
                    hint="keep one of the two",
                )  # fmt: skip


def entries(one: WrittenSite) -> Iterator[tuple[Address, Entry]]:
    """Every address of a site, with where it is written and where its mail goes."""
    domain = one.site.domain
    forwards = {mailbox.local: mailbox.forward for mailbox in one.site.mailboxes}
    for key, spec in one.spec.mailboxes.items():
        local = LocalPart.parse(key)
        forward, path = forwards[local], ("mailboxes", key)
        yield (
            Address.of(local, domain),
            Entry(one, path, forward.to if forward else (), (*path, "forward", "to")),
        )
        for index, further in enumerate(spec.aliases if spec else ()):
            # The mailbox is its only target, which nobody can have written wrongly.
            yield (
                Address.of(further, domain),
                Entry(one, (*path, "aliases", index), (Address.of(local, domain),)),
            )
    written = {LocalPart.parse(key) for key in one.spec.aliases}
    for alias in one.site.aliases:
        if alias.local not in written:
            yield Address.of(alias.local, domain), Entry(one, ("site",), alias.targets)
    for key, targets in _alias_targets(one).items():
        yield (
            Address.of(LocalPart.parse(key), domain),
            Entry(one, ("aliases", key), targets, ("aliases", key)),
        )


def _alias_targets(one: WrittenSite) -> dict[str, tuple[Address, ...]]:
    """Targets by the key as written: two keys may be the same local part, which is reported."""
    found = {alias.local: alias.targets for alias in one.site.aliases}
    return {key: found[LocalPart.parse(key)] for key in one.spec.aliases}


def twice(address: Address, place: Place, first: Place, problems: Problems) -> None:
    """Report an address with two owners."""
    problems.add(
        Problem(
            "address-twice",
            place,
            f"the address {address} has an owner already, in {first}",
            "an address is one mailbox, one mailbox's alias, or one alias",
            notes=(Note(first, "first given here"),),
        )
    )


def check_roles(one: WrittenSite, problems: Problems) -> None:
    """Mail for postmaster and abuse of every domain reach a person (RFC 5321 4.5.1)."""
    taken = {alias.local for alias in one.site.aliases}
    for mailbox in one.site.mailboxes:
        taken |= {mailbox.local, *mailbox.aliases}
    missing = [str(role) for role in ROLES if role not in taken]
    if missing:
        problems.error(
            "no-postmaster", one.document.place("site"),
            f"nobody would receive mail for {' and '.join(missing)} at {one.site.domain}",
            hint="name a postmaster in fleet.yml, or give the site a mailbox",
        )  # fmt: skip


def check_logins(one: WrittenSite, problems: Problems) -> None:
    """Warn of mailboxes that nobody can read."""
    for mailbox in one.site.mailboxes:
        if not mailbox.imap and not mailbox.pop3:
            problems.warn(
                "no-login", one.document.key_place("mailboxes", mailbox.local.text),
                f"nobody can read {one.site.address_of(mailbox)}: imap and pop3 are both off",
                hint="webmail reads it with IMAP; an alias or forward needs no mailbox",
            )  # fmt: skip


def check_catch_all(one: WrittenSite, targets: Targets, problems: Problems) -> None:
    """Report a catch-all that leads nowhere; warn of one that leads outside."""
    target = one.site.catch_all
    if target is None:
        return
    targets.check(target, one.document.place, "catch_all")
    if not targets.is_ours(target):
        problems.warn(
            "catch-all-outside", one.document.place("catch_all"),
            f"everything sent to an unknown address at {one.site.domain}, spam too, leaves for"
            f" {target}",
            hint="big receivers soon refuse mail from a host that does this; a mailbox is better",
        )  # fmt: skip


def check_ways_out(
    one: WrittenSite, directory: Directory, targets: Targets, problems: Problems
) -> None:
    """A site that sends nothing out passes nothing on to the outside either."""
    if one.site.outgoing.route is not Route.NONE:
        return
    ways: list[tuple[Address, Callable[[], Place]]] = [
        (target, partial(entry.target_place, index))
        for entry in directory.values()
        if entry.one is one and entry.target_path is not None
        for index, target in enumerate(entry.targets)
    ]
    if one.site.catch_all is not None:
        ways.append((one.site.catch_all, partial(one.document.place, "catch_all")))
    for target, place in ways:
        if not targets.is_ours(target):
            problems.error(
                "no-way-out", place(),
                f"{one.site.domain} sends nothing out, so nothing can be passed on to {target}",
                hint="give the site `outgoing: direct` or a smarthost, or take this out",
            )  # fmt: skip


def check_postmaster(written: WrittenFleet, targets: Targets) -> None:
    """Report a postmaster of the fleet who does not exist."""
    postmaster = written.spec.postmaster if written.spec else None
    if postmaster and written.document:
        site = written.own.get(postmaster.domain, postmaster.domain)
        address = Address(site, postmaster.local.lower())
        targets.check(address, written.document.place, "postmaster")


class Targets:
    """Knows which addresses of the fleet exist."""

    def __init__(
        self,
        own: Mapping[Domain, Domain],
        machines: frozenset[Domain],
        directory: Directory,
        problems: Problems,
    ) -> None:
        self._own, self._machines = own, machines
        self._directory = directory
        self._problems = problems

    def is_ours(self, target: Address) -> bool:
        """True for an address in a domain of the fleet."""
        return target.domain in self._own

    def is_known(self, target: Address) -> bool:
        """True when something takes its mail, or when that is not ours to know."""
        return not self.is_ours(target) or bare(target) in self._directory

    def check(self, target: Address, place: PlaceOf, *path: str | int) -> None:
        """Report a target in a domain of ours that nothing takes."""
        if target.domain in self._machines:
            self._problems.error(
                "unknown-address", place(*path),
                f"{target.domain} is a machine's name, and takes no mail",
                hint="write an address in the domain of a site",
            )  # fmt: skip
        mixed = mixed_scripts(target.domain)
        if mixed:
            self._problems.warn(
                "mixed-scripts", place(*path), f"{target} mixes scripts: {mixed}",
                hint="make sure that this is the domain you mean",
            )  # fmt: skip
        if self.is_known(target):
            return
        import difflib  # noqa: PLC0415 - only a mistake needs it

        names = [known.local for known in self._directory if known.domain == target.domain]
        near = difflib.get_close_matches(target.local, names, n=1)
        self._problems.error(
            "unknown-address", place(*path),
            f"there is no mailbox or alias {target}",
            hint=f"did you mean {near[0]}?" if near else "make it, or take it out here",
        )  # fmt: skip
