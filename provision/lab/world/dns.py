"""Settings of the world's name servers: knot speaks for every zone, unbound asks it for hosts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from provision.lab.estate import Estate
from provision.lab.network import NAMESERVER, WORLD
from provision.lab.world.signing import sign_zones
from provision.lab.world.zones import records, zones

Files = dict[str, tuple[str, int]]
"""Absolute path on the host to text and mode."""

_ROOT_HINTS = f". 3600 NS ns.lab.example.\nns.lab.example. 3600 A {NAMESERVER}\n"

# unbound remembers for a while that a server did not answer.
_AFTER_KNOT = "[Unit]\nAfter=knot.service\n"

# unbound answers some names by itself unless told otherwise (unbound.conf(5), local-zone).
_UNBOUND = f"""\
server:
    interface: {WORLD}
    interface: 127.0.0.1
    access-control: 127.0.0.0/8 allow
    access-control: 0.0.0.0/0 allow
    do-ip6: no
    root-hints: /etc/unbound/lab-root.hints
    infra-host-ttl: 5
    infra-keep-probing: yes
    cache-max-ttl: 30
    cache-max-negative-ttl: 2
    local-zone: "test." nodefault
    local-zone: "invalid." nodefault
    unblock-lan-zones: yes
    module-config: "validator iterator"
    trust-anchor-file: /etc/unbound/lab-root.anchor
    chroot: ""
    use-syslog: yes
remote-control:
    control-enable: no
"""


def dns_files(estate: Estate, *, keys: Path, now: dt.datetime) -> Files:
    """Everything that knot and unbound read; zones are signed with the keys in ``keys``."""
    texts, anchor = sign_zones(zones(records(estate)), keys=keys, now=now)
    files = {f"/etc/knot/zones/{_file(zone)}": (text, 0o644) for zone, text in texts.items()}
    files["/etc/knot/knot.conf"] = (_knot(list(texts)), 0o644)
    files["/etc/unbound/unbound.conf"] = (_UNBOUND, 0o644)
    files["/etc/unbound/lab-root.hints"] = (_ROOT_HINTS, 0o644)
    files["/etc/unbound/lab-root.anchor"] = (anchor, 0o644)
    files["/etc/systemd/system/unbound.service.d/lab.conf"] = (_AFTER_KNOT, 0o644)
    return files


def _file(zone: str) -> str:
    return "root.zone" if zone == "." else f"{zone}.zone"


def _knot(names: list[str]) -> str:
    listed = "".join(f"  - domain: {name}\n    file: {_file(name)}\n" for name in names)
    return f"""\
server:
    listen: {NAMESERVER}@53
    user: knot:knot
    rundir: /run/knot
log:
  - target: syslog
    any: warning
database:
    storage: /var/lib/knot
template:
  - id: default
    storage: /etc/knot/zones
    zonefile-sync: -1
    journal-content: none
zone:
{listed}"""
