"""Look at site files: everything that is right by itself becomes an outline.

Files are read the quick way and never composed, unless somebody asks for a place in one. Whatever
is wrong gives no outline: then the whole folder is read again, the way that shows every problem.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pydantic import ValidationError

from provision.model.accounts import KnownAccounts
from provision.model.address import Domain
from provision.model.fleet import Fleet, Site
from provision.spec.compose import compose
from provision.spec.context import Context
from provision.spec.door import FleetFile, SiteFile
from provision.spec.node import Document, Node
from provision.spec.outline import Outline
from provision.spec.plain import read_plain
from provision.spec.problem import Problems
from provision.spec.resolve_site import FleetView, fleet_view, resolve_alone
from provision.spec.rules_address import machine_names
from provision.spec.rules_alone import Around, check_alone
from provision.spec.source import decode
from provision.spec.written import WrittenSite

Describe = Callable[[Fleet, Site], KnownAccounts]
Claims = Mapping[str, tuple[Domain, tuple[Domain, ...]]]
"""File to the domain of its site and the further ones."""


class UnclearError(Exception):
    """Something may be wrong: read the folder the way that shows every problem."""


class UnreadDocument(Document):
    """A document that is composed when somebody asks for a place in it."""

    def __init__(self, file: str, content: Callable[[], bytes]) -> None:
        self.file = file
        self._content = content

    @cached_property
    def root(self) -> Node:  # type: ignore[override] # made at the first use
        """The nodes of the file; raises UnclearError."""
        problems = Problems()
        source = decode(self.file, self._content(), problems)
        document = compose(source, problems) if source else None
        if document is None:
            raise UnclearError
        return document.root


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What looking at sites takes beside their files."""

    context: Context
    spec: FleetFile
    fleet: Fleet
    """Without sites."""
    describe: Describe | None
    """Makes what is remembered of a site's accounts; None: nobody needs it now."""

    def standpoint(self, own: Mapping[Domain, Domain]) -> Standpoint:
        """What a site sees when the domains of all of them are known."""
        hosts = {host.fqdn for host in self.fleet.hosts}
        return Standpoint(self, fleet_view(self.spec, own), Around(own, machine_names(hosts, own)))


@dataclass(frozen=True, slots=True)
class Standpoint:
    """The surroundings, and the fleet as a site sees it."""

    surroundings: Surroundings
    view: FleetView
    around: Around

    def still_fits(self, outline: Outline) -> bool:
        """True when the domains that it names are to this fleet what they were."""
        said = outline.standing.abroad
        return all(self.around.says(Domain(domain)) == words for domain, words in said.items())


class Looker:
    """Reads files first, then looks at them when the domains of all of them are known."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._read: dict[str, tuple[SiteFile, Document]] = {}

    def read(self, contents: Mapping[str, bytes]) -> Claims:
        """The domains that these files claim; raises UnclearError."""
        for file, content in contents.items():
            self._read[file] = read_site(file, content)
        return {
            file: (spec.site, tuple(spec.domain_aliases)) for file, (spec, _) in self._read.items()
        }

    def look(self, own: Mapping[Domain, Domain]) -> dict[str, Outline]:
        """The outline of every file that was read; raises UnclearError."""
        standpoint = self._around.standpoint(own)
        found = {}
        while self._read:
            file, (spec, document) = self._read.popitem()
            found[file] = look_at(spec, document, standpoint)
        return found


def read_site(file: str, content: bytes) -> tuple[SiteFile, Document]:
    """The file by its model; raises UnclearError when it is not right."""
    problems = Problems()
    source = decode(file, content, problems)
    if source is None:
        raise UnclearError
    data = read_plain(source.text)
    if data is None:
        document = compose(source, problems)
        if document is None or problems.has_any:
            raise UnclearError
        data = document.data
    try:
        return SiteFile.model_validate(data), UnreadDocument(file, lambda: content)
    except ValidationError as error:
        raise UnclearError from error


def look_at(spec: SiteFile, document: Document, standpoint: Standpoint) -> Outline:
    """The outline of one site; raises UnclearError when anything about it is wrong."""
    around, problems = standpoint.surroundings, Problems()
    secrets = around.context.secrets.of_one_site(problems)
    context = replace(around.context, secrets=secrets, problems=problems)
    site = resolve_alone(spec, document, fleet=standpoint.view, context=context)
    standing = check_alone(WrittenSite(site, spec, document), standpoint.around, problems)
    if problems.has_errors:
        raise UnclearError
    postmaster = around.spec.postmaster
    if postmaster is not None:
        heir = {postmaster.domain.name: standpoint.around.says(postmaster.domain)}
        standing = replace(standing, abroad={**standing.abroad, **heir})
    return Outline(
        spec=spec.model_copy(update={"mailboxes": {}, "aliases": {}, "catch_all": None}),
        catch_all=str(site.catch_all) if site.catch_all else None,
        mailboxes=len(site.mailboxes),
        aliases=len(site.aliases),
        standing=standing,
        secrets=tuple(sorted(secrets.used)),
        secrets_digest=secrets.digest(secrets.used, around.fleet.fingerprint_key),
        warnings=problems.sorted(),
        accounts=around.describe(around.fleet, site) if around.describe else None,
    )
