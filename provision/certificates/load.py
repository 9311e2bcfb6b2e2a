"""Load every certificate of a fleet: given as files, else issued by the fleet's own CA."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from provision.certificates.authority import Authority, due_for_renewal
from provision.certificates.pair import faults_of, leaf_of
from provision.certificates.store import CertificateStore
from provision.errors import ProvisionError, SpecInvalid
from provision.model.address import Domain
from provision.model.certificate import CertificatePair, Certificates
from provision.model.fleet import Fleet


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A name that some host serves, and the pair that the spec gives for it, if it does."""

    name: Domain
    given: CertificatePair | None
    owner: str


def load_certificates(fleet: Fleet, state_dir: Path, now: datetime) -> Certificates:
    """The certificate of every host's fqdn and of every site's webmail name.

    Names without a pair in the spec get one from the CA in ``state_dir``/ca; it and its leaves
    are made when missing, renewed when due, and otherwise read, so that two loads give the same
    bytes. ``now`` is aware. Raises SpecInvalid when a given pair must not go live, with every
    reason; ProvisionError when the CA cannot be used.
    """
    wanted = _wanted(fleet)
    _refuse_faulty(wanted, now)
    given = {one.name: one.given for one in wanted if one.given}
    missing = sorted({one.name for one in wanted if not one.given})
    authority, issued = _from_local_authority(fleet.name, missing, state_dir / "ca", now)
    pairs = given | issued
    return Certificates(
        hosts={host.name: pairs[host.fqdn] for host in fleet.hosts},
        sites={site.domain.name: pairs[site.webmail_name] for site in fleet.sites},
        authority=authority,
    )


def _wanted(fleet: Fleet) -> tuple[_Wanted, ...]:
    hosts = (_Wanted(host.fqdn, host.certificate, f"host {host.name}") for host in fleet.hosts)
    sites = (
        _Wanted(site.webmail_name, site.certificate, f"site {site.domain}") for site in fleet.sites
    )
    return (*hosts, *sites)


def _refuse_faulty(wanted: Iterable[_Wanted], now: datetime) -> None:
    found = [
        (one, fault) for one in wanted if one.given for fault in faults_of(one.given, one.name, now)
    ]
    if found:
        lines = [f"{one.owner}: {fault.message}\n  {fault.hint}" for one, fault in found]
        raise SpecInvalid(
            "a certificate given in the spec must not go live:\n" + "\n".join(lines),
            hint="give another pair; or leave `certificate` out, and the fleet's CA issues one",
        )


def _from_local_authority(
    fleet: str, names: list[Domain], folder: Path, now: datetime
) -> tuple[str | None, dict[Domain, CertificatePair]]:
    if not names:
        return None, {}
    store = CertificateStore(folder)
    ready = _read_usable(store, names, now)
    if len(ready) < len(names):
        with store.locked():
            authority = _authority(store, fleet, now)
            for name in names:
                if name not in _read_usable(store, [name], now):
                    store.write_issued(name, authority.issue(name, now))
        ready = _read_usable(store, names, now)
    stored = store.read_authority()
    return (stored.chain if stored else None), ready


def _read_usable(
    store: CertificateStore, names: list[Domain], now: datetime
) -> dict[Domain, CertificatePair]:
    """The stored pairs that are sound, of the present CA, and not due for renewal."""
    stored = store.read_authority()
    if stored is None:
        return {}
    authority = _parse_authority(store, stored)
    pairs = {name: store.read_issued(name) for name in names}
    return {
        name: pair for name, pair in pairs.items() if pair and _usable(authority, name, pair, now)
    }


def _usable(authority: Authority, name: Domain, pair: CertificatePair, now: datetime) -> bool:
    if faults_of(pair, name, now):
        return False
    leaf = leaf_of(pair)
    return authority.issued(leaf) and not due_for_renewal(leaf, now)


def _authority(store: CertificateStore, fleet: str, now: datetime) -> Authority:
    stored = store.read_authority()
    if stored is None:
        authority = Authority.create(fleet, now)
        store.write_authority(authority.pair())
        return authority
    authority = _parse_authority(store, stored)
    if not authority.outlives_a_leaf(now):
        raise ProvisionError(
            f"the fleet's CA in {store.folder} is about to expire and can issue nothing more",
            hint="move the folder away, apply anew, and hand out the new ca.crt to who trusts it",
        )
    return authority


def _parse_authority(store: CertificateStore, stored: CertificatePair) -> Authority:
    try:
        return Authority.of(stored)
    except (ValueError, TypeError) as error:
        raise ProvisionError(
            f"the fleet's CA in {store.folder} is damaged: {error}",
            hint="bring it back from a backup; or move the folder away, and a new CA is made",
        ) from error
