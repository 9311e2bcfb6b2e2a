"""Sites and the fleet together with the files that ask for them, so that rules point at lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provision.model.address import Domain
from provision.model.fleet import Host, Site, Smarthost
from provision.spec.door import FleetFile, SiteFile
from provision.spec.node import Document


@dataclass(frozen=True, slots=True)
class WrittenSite:
    """A resolved site and its file."""

    site: Site
    spec: SiteFile
    document: Document


@dataclass(frozen=True, slots=True)
class WrittenFleet:
    """Everything that could be read; ``spec`` is None when fleet.yml is wrong by itself."""

    spec: FleetFile | None
    document: Document | None
    hosts: tuple[Host, ...]
    smarthosts: tuple[Smarthost, ...]
    sites: tuple[WrittenSite, ...]
    complete: bool
    """False when a site file could not be read: then a name that is not found may be in it."""
    own: Mapping[Domain, Domain]
    """Every mail domain of the fleet to the site that owns it."""
