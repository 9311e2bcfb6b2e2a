"""Certificates of the fleet's own CA that no apply has brought: of another day, or a second one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from provision.certificates.authority import Authority
from provision.certificates.store import CertificateStore
from tests.lab.rehearsal import HOST, Rehearsal


def bring_certificate(rehearsal: Rehearsal, name: str, days: int) -> None:
    """Issue a certificate of the host ``days`` ago; it lies in /root: NAME.crt, .key and .pem."""
    stored = CertificateStore(rehearsal.fleet_dir / ".provision" / "ca").read_authority()
    assert stored
    then = datetime.now(UTC) - timedelta(days=days)
    pair = Authority.of(stored).issue(rehearsal.fleet.host(HOST).fqdn, then)
    key = pair.key.reveal()
    for end, text in (("crt", pair.chain), ("key", key), ("pem", key + pair.chain)):
        rehearsal.lab.run(HOST, ["sh", "-c", f"cat > /root/{name}.{end}"], stdin=text)
