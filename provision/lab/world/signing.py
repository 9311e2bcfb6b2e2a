"""Sign the lab's zones with DNSSEC (RFC 4035), from the root down, as the real ones are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdtypes.ANY.DNSKEY
import dns.zone
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

_PERIOD = dt.timedelta(days=30)
_LIFE = dt.timedelta(days=90)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_SigningKey = tuple[ec.EllipticCurvePrivateKey, dns.rdtypes.ANY.DNSKEY.DNSKEY]


def sign_zones(
    texts: Mapping[str, str], *, keys: Path, now: dt.datetime
) -> tuple[dict[str, str], str]:
    """Signed texts of the zones, and the root's DS record as a resolver's trust anchor.

    Each zone has one key, made once in the folder ``keys``. The same zones give the same texts for
    a month, so that nothing changes without need; signatures last two months beyond it.
    """
    start = now - (now - _EPOCH) % _PERIOD
    pairs = {zone: _key(keys, zone) for zone in texts}
    anchors = {zone: _ds(zone, dnskey) for zone, (_, dnskey) in pairs.items()}
    signed = {
        zone: _signed(zone, text + _delegated(zone, text, anchors), key=pairs[zone], start=start)
        for zone, text in texts.items()
    }
    return signed, anchors["."]


def _delegated(zone: str, text: str, anchors: Mapping[str, str]) -> str:
    """The DS records of the zones to which ``zone`` delegates."""
    names = [line.split()[0] for line in text.splitlines() if " NS " in line]
    children = [name.rstrip(".") for name in names if name.rstrip(".") not in {"", zone}]
    return "".join(anchors[child] for child in children)


def _signed(zone: str, text: str, *, key: _SigningKey, start: dt.datetime) -> str:
    origin = dns.name.from_text(zone)
    content = dns.zone.from_text(text, origin=origin, relativize=False)
    dns.dnssec.sign_zone(
        content,
        keys=[key],
        inception=start - dt.timedelta(days=1),
        expiration=start + _LIFE,
    )
    return str(content.to_text(sorted=True, relativize=False))


def _ds(zone: str, dnskey: dns.rdtypes.ANY.DNSKEY.DNSKEY) -> str:
    name = dns.name.from_text(zone)
    return f"{name} 30 IN DS {dns.dnssec.make_ds(name, dnskey, 'SHA256')}\n"


def _key(folder: Path, zone: str) -> _SigningKey:
    path = folder / f"{'root' if zone == '.' else zone}.pem"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = ec.generate_private_key(ec.SECP256R1())
        path.touch(mode=0o600)
        path.write_bytes(
            made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} is not an elliptic-curve key")
    # One key for everything: zone key and secure entry point at once (RFC 4034 2.1.1).
    dnskey = dns.dnssec.make_dnskey(key.public_key(), "ECDSAP256SHA256", flags=257)
    return key, dnskey
