"""Read a fleet folder by what is remembered of its site files, and look at the changed ones only.

What comes of it is what `provision.spec.load` would say, or nothing: where any file is wrong, or
it is not certain that the sites fit together, the caller reads everything the other way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

from provision.assets import program_state
from provision.errors import ProvisionError
from provision.model.address import Address, Domain
from provision.model.fleet import KEEP_REMOVED, Fleet, Route, Site, Webmail
from provision.model.later import Later
from provision.spec.compose import compose
from provision.spec.context import Context
from provision.spec.crew import Crew
from provision.spec.door import FleetFile
from provision.spec.folder import FLEET_FILE, find_site_files
from provision.spec.looking import (
    Describe,
    Surroundings,
    UnclearError,
    UnreadDocument,
    read_site,
)
from provision.spec.node import Document
from provision.spec.outline import Outline
from provision.spec.problem import Problems
from provision.spec.remembered import Kept, Memory, content_digest, outline_of
from provision.spec.resolve_fleet import resolve_hosts, resolve_outgoing, resolve_smarthosts
from provision.spec.resolve_site import owners, resolve_alone, with_files
from provision.spec.rules import check_between, check_unused
from provision.spec.rules_address import Targets, check_postmaster
from provision.spec.rules_alone import Standing, fits_together
from provision.spec.rules_circle import bare
from provision.spec.source import FleetFolder
from provision.spec.validate import validate
from provision.spec.vault import is_vault
from provision.spec.written import WrittenFleet, WrittenSite

WORTH_REMEMBERING = 64 * 1024
"""Bytes of site files from which on they are remembered: fewer are read as soon."""


def read_quickly(context: Context, describe: Describe | None) -> Fleet:
    """The fleet of a folder; raises UnclearError.

    ``context`` has the secrets; its problems are added to. ``describe`` makes what is remembered of
    a site's accounts; without it a site's accounts are made when somebody looks at them.
    """
    document, spec = _fleet_file(context)
    contents = _contents(context)
    hosts = resolve_hosts(spec, document, context)
    smarthosts = resolve_smarthosts(spec, document, context)
    if context.problems.has_errors:
        raise UnclearError
    key = context.secrets.fingerprint_key()
    fleet = Fleet(spec.fleet, hosts, smarthosts, (), key)
    sites = _Sites(context, spec, fleet, describe)
    outlines = sites.outlines(contents)
    written = WrittenFleet(
        spec=spec,
        document=document,
        hosts=hosts,
        smarthosts=smarthosts,
        sites=tuple(sites.written(file, outlines[file]) for file in sorted(outlines)),
        complete=True,
        own=sites.own,
    )
    _check(written, outlines, sites, context.problems)
    sites.remember(outlines)
    return replace(
        fleet,
        sites=tuple(sorted((one.site for one in written.sites), key=lambda site: site.domain)),
        keep_removed=spec.defaults.mailbox.keep_removed or KEEP_REMOVED,
        postmaster=spec.postmaster,
    )


def _fleet_file(context: Context) -> tuple[Document, FleetFile]:
    source = context.folder.read_yaml(FLEET_FILE)
    document = compose(source, context.problems) if source else None
    spec = validate(document, FleetFile, context.problems) if document else None
    if document is None or spec is None:
        raise UnclearError
    context.folder.documents[FLEET_FILE] = document
    return document, spec


def _contents(context: Context) -> dict[str, bytes]:
    """Every site file's bytes."""
    folder, problems = context.folder, context.problems
    files = find_site_files(folder.root, problems)
    read = {file: folder.read_site(file) for file in files}
    contents = {file: content for file, content in read.items() if content is not None}
    if problems.has_errors or any(map(is_vault, contents.values())):
        raise UnclearError
    return contents


def _about(spec: FleetFile, fleet: Fleet) -> str:
    """All that an outline depends on beside its file, and is not asked of it each time."""
    hops = [(one.name, str(one.host), one.port) for one in fleet.smarthosts]
    hosts = [str(host.fqdn) for host in fleet.hosts]
    parts = [str(spec.postmaster), repr(spec.defaults), repr(hops), repr(hosts)]
    return "\0".join([*parts, *program_state()])


class _Sites:
    """The site files of one fleet on their way to sites."""

    def __init__(
        self, context: Context, spec: FleetFile, fleet: Fleet, describe: Describe | None
    ) -> None:
        self._around = Surroundings(context, spec, fleet, describe)
        self._memory: Memory | None = Memory(
            context.folder.root, fleet.fingerprint_key, _about(spec, fleet)
        )
        self._digests: dict[str, str] = {}
        self._recalled: Mapping[str, Kept] = {}
        self._is_new = False
        self.own: dict[Domain, Domain] = {}
        self.standpoint = self._around.standpoint({})

    def outlines(self, contents: Mapping[str, bytes]) -> dict[str, Outline]:
        """The outline of every file, recalled or made; raises UnclearError."""
        self._digests = {file: content_digest(content) for file, content in contents.items()}
        if sum(map(len, contents.values())) < WORTH_REMEMBERING:
            self._memory = None
        self._recalled = self._memory.recall() if self._memory else {}
        known = dict(self._known())
        with Crew(self._around, _only(contents, set(contents) - set(known))) as crew:
            self.own = owners([*crew.read().values(), *map(_claim, known.values())])
            made = crew.look(self.own)
        self.standpoint = self._around.standpoint(self.own)
        moved = {file for file, one in known.items() if not self.standpoint.still_fits(one)}
        with Crew(self._around, _only(contents, moved)) as crew:
            crew.read()
            made |= crew.look(self.own)
        self._is_new = bool(made) or set(self._recalled) != set(contents)
        return known | made

    def _known(self) -> Iterator[tuple[str, Outline]]:
        """What is remembered of files that have not changed, with secrets that have not."""
        secrets, key = self._around.context.secrets, self._around.fleet.fingerprint_key
        for file, digest in self._digests.items():
            kept = self._recalled.get(file)
            if kept is None or kept.digest != digest:
                continue
            outline = outline_of(kept)
            says_all = outline.accounts is not None or not self._around.describe
            if says_all and secrets.digest(outline.secrets, key) == outline.secrets_digest:
                yield file, outline

    def written(self, file: str, outline: Outline) -> WrittenSite:
        """The site with its file; its mailboxes are read when somebody looks at them."""
        context, spec = self._around.context, outline.spec
        context.secrets.also_used(outline.secrets)
        for warning in outline.warnings:
            context.problems.add(warning)
        whole = cache(partial(self._whole, file))
        site = Site(
            domain=spec.site,
            host=spec.host,
            domain_aliases=tuple(sorted(spec.domain_aliases)),
            outgoing=resolve_outgoing(spec.outgoing or self._outgoing),
            webmail=Webmail(spec.webmail.name or spec.site.name, None, spec.webmail.color),
            mailboxes=Later(outline.mailboxes, lambda: tuple(whole().mailboxes)),
            aliases=Later(outline.aliases, lambda: tuple(whole().aliases)),
            catch_all=outline.catch_all_address(),
            protect=spec.protect,
            accounts=outline.accounts,
        )
        document = UnreadDocument(file, partial(self._content, file))
        return WrittenSite(with_files(site, spec, document, context), spec, document)

    @property
    def _outgoing(self) -> str:
        return self._around.spec.defaults.outgoing or Route.NONE.value

    def _content(self, file: str) -> bytes:
        """The content of a file once more; raises ProvisionError when it is another by now."""
        folder = FleetFolder(self._around.context.folder.root, Problems())
        content = folder.read_site(file)
        if content is None or content_digest(content) != self._digests[file]:
            raise ProvisionError(f"{file} was changed meanwhile", hint="run the command again")
        return content

    def _whole(self, file: str) -> Site:
        spec, document = read_site(file, self._content(file))
        problems = Problems()
        secrets = self._around.context.secrets.of_one_site(problems)
        context = replace(self._around.context, secrets=secrets, problems=problems)
        return resolve_alone(spec, document, fleet=self.standpoint.view, context=context)

    def remember(self, outlines: Mapping[str, Outline]) -> None:
        """Keep the outlines, if any is new."""
        if self._is_new and self._memory:
            self._memory.keep(
                {
                    file: Kept(self._digests[file], outline.as_values())
                    for file, outline in outlines.items()
                }
            )


def _only(contents: Mapping[str, bytes], files: set[str]) -> dict[str, bytes]:
    return {file: contents[file] for file in sorted(files)}


def _claim(outline: Outline) -> tuple[Domain, tuple[Domain, ...]]:
    return outline.spec.site, tuple(outline.spec.domain_aliases)


class _Everybody(Targets):
    """Knows which addresses exist from the outlines of all sites."""

    def __init__(
        self, sites: _Sites, standings: Mapping[str, Standing], problems: Problems
    ) -> None:
        around = sites.standpoint.around
        super().__init__(around.own, around.machines, {}, problems)
        self._standings = standings

    def is_known(self, target: Address) -> bool:
        if not self.is_ours(target):
            return True
        standing = self._standings.get(target.domain.name)
        return standing is not None and bare(target).local in standing.locals


def _check(
    written: WrittenFleet, outlines: Mapping[str, Outline], sites: _Sites, problems: Problems
) -> None:
    """Hold the sites to the rules between them; raises UnclearError when one may be broken."""
    check_between(written, problems)
    standings = {one.spec.site.name: one.standing for one in outlines.values()}
    everybody = _Everybody(sites, standings, problems)
    check_postmaster(written, everybody)
    if problems.has_errors or not fits_together(standings, sites.own):
        raise UnclearError
    check_unused(written, problems)
