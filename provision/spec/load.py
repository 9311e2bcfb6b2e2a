"""From a fleet folder to a Fleet: read, compose, validate, resolve, and hold it to the rules."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provision.model.fleet import KEEP_REMOVED, Fleet
from provision.model.secret import Secret
from provision.spec.characters import shown
from provision.spec.compose import compose
from provision.spec.context import Context
from provision.spec.door import FleetFile, SiteFile
from provision.spec.folder import FLEET_FILE, find_site_files
from provision.spec.looking import Describe, UnclearError
from provision.spec.node import Document
from provision.spec.problem import Place, Problem, Problems, spec_invalid
from provision.spec.quick import read_quickly
from provision.spec.quotes import Quotes
from provision.spec.resolve_fleet import resolve_hosts, resolve_smarthosts
from provision.spec.resolve_site import fleet_view, owners, resolve_site
from provision.spec.rules import check_rules
from provision.spec.secrets import SECRETS_FILE, load_secrets
from provision.spec.source import FleetFolder
from provision.spec.validate import validate
from provision.spec.vault_password import VaultOpener
from provision.spec.written import WrittenFleet


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of reading a fleet folder: the fleet when nothing is wrong, and every problem."""

    fleet: Fleet | None
    problems: tuple[Problem, ...]
    quotes: Quotes
    """Shows lines of the files, without secrets."""


def load_fleet(fleet_dir: Path, vault_password_file: Path | None = None) -> Fleet:
    """The fleet of a folder; raises SpecInvalid, which carries every problem of every file.

    ``vault_password_file`` holds the password of secrets.yml; without it,
    ``.provision/vault-password`` and ``.vault-password`` in the folder are tried.
    """
    loaded = read_fleet(fleet_dir, vault_password_file)
    if loaded.fleet is None:
        raise spec_invalid(loaded.problems)
    return loaded.fleet


def read_fleet(
    fleet_dir: Path, vault_password_file: Path | None = None, *, describe: Describe | None = None
) -> Loaded:
    """Read a fleet folder without raising: for commands that show warnings too.

    ``describe`` makes what is remembered of a site's accounts; without it only what is remembered
    already is used.
    """
    with _collector_paused():
        try:
            return _read_quickly(_context(fleet_dir, vault_password_file), describe)
        except UnclearError:
            return _read(_context(fleet_dir, vault_password_file))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing made while reading is garbage; looking for some takes half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _context(fleet_dir: Path, vault_password_file: Path | None) -> Context:
    problems = Problems()
    folder = FleetFolder(fleet_dir, problems)
    vault = VaultOpener(fleet_dir, vault_password_file, problems)
    return Context(folder, load_secrets(folder, vault, problems), vault, problems)


def _read_quickly(context: Context, describe: Describe | None) -> Loaded:
    """What `_read` would say of a folder without errors; raises UnclearError for others."""
    fleet = read_quickly(context, describe)
    _warn_of_unused_secrets(context)
    for file in sorted(_shown_files(context.problems.sorted())):
        _document(file, context)
    return _loaded(fleet, context)


def _shown_files(problems: Iterable[Problem]) -> set[str]:
    """The site files of which lines will be shown."""
    places = [place for one in problems for place in (one.place, *(n.place for n in one.notes))]
    return {place.file for place in places if place.line and place.file.startswith("sites/")}


def _read(context: Context) -> Loaded:
    """Every file whole: the way that finds everything that is wrong."""
    problems = context.problems
    written = _read_files(context)
    check_rules(written, problems)
    key = context.secrets.fingerprint_key()
    _warn_of_unused_secrets(context)
    fleet = None if problems.has_errors or written.spec is None else _fleet(written, key)
    return _loaded(fleet, context)


def _loaded(fleet: Fleet | None, context: Context) -> Loaded:
    folder = context.folder
    quotes = Quotes(folder.sources, folder.documents, context.secrets.texts())
    return Loaded(fleet, context.problems.sorted(), quotes)


def _warn_of_unused_secrets(context: Context) -> None:
    problems = context.problems
    for name in context.secrets.unused() if not problems.has_errors else ():
        problems.warn(
            "unused-secret",
            Place(SECRETS_FILE),
            f"nothing uses the secret {shown(name)}",
            hint="delete it: ansible-vault edit secrets.yml",
        )


def _read_files(context: Context) -> WrittenFleet:
    """Every file as far as it can be read; what is missing is in ``problems`` already."""
    root, problems = context.folder.root, context.problems
    document = _document(FLEET_FILE, context)
    spec = validate(document, FleetFile, problems) if document else None
    documents = [_document(file, context) for file in find_site_files(root, problems)]
    specs = [
        (site, found)
        for found in documents
        if found and (site := validate(found, SiteFile, problems))
    ]
    own = owners((site.site, site.domain_aliases) for site, _ in specs)
    fleet = fleet_view(spec, own)
    return WrittenFleet(
        spec=spec,
        document=document,
        hosts=resolve_hosts(spec, document, context) if spec and document else (),
        smarthosts=resolve_smarthosts(spec, document, context) if spec and document else (),
        sites=tuple(
            resolve_site(site, found, fleet=fleet, context=context) for site, found in specs
        ),
        complete=len(specs) == len(documents),
        own=fleet.own,
    )


def _document(file: str, context: Context) -> Document | None:
    folder = context.folder
    source = folder.read_yaml(file)
    document = compose(source, context.problems) if source else None
    if document:
        folder.documents[file] = document
    return document


def _fleet(written: WrittenFleet, key: Secret) -> Fleet:
    return Fleet(
        name=written.spec.fleet if written.spec else "",
        hosts=written.hosts,
        smarthosts=written.smarthosts,
        sites=tuple(sorted((one.site for one in written.sites), key=lambda site: site.domain)),
        fingerprint_key=key,
        keep_removed=(written.spec and written.spec.defaults.mailbox.keep_removed) or KEEP_REMOVED,
        postmaster=written.spec.postmaster if written.spec else None,
    )
