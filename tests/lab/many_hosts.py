"""A fleet of many small hosts, each with one site, on machines that have the packages already."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from provision.assets import demo_fleet_dir
from provision.certificates.load import load_certificates
from provision.lab.cache import cache_dir, locked
from provision.lab.lab import Lab
from provision.render.host import render_host
from provision.spec.load import load_fleet

_FLEET = """\
fleet: smartmail
postmaster: first@site1.example
defaults: {outgoing: none}
hosts:
"""
_HOST = "  mail{0}: {{address: 198.18.0.{1}, fqdn: mail{0}.smartmail.example, release: debian13}}\n"
_SITE = """\
site: site{0}.example
host: mail{0}
webmail: {{name: Site {0}}}
mailboxes:
  first: {{name: First of {0}}}
"""
_INSTALL = """\
set -e
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get -qq update
apt-get -qq -y install --no-install-recommends {packages}
rm /usr/sbin/policy-rc.d
systemctl --quiet disable postfix dovecot nginx
"""


def many_hosts(folder: Path, count: int) -> tuple[str, ...]:
    """Write a fleet folder of ``count`` hosts, mail1 to mailN; their names."""
    demo = demo_fleet_dir()
    (folder / "sites").mkdir(parents=True)
    for name in ("secrets.yml", ".vault-password"):
        shutil.copy(demo / name, folder / name)
    numbers = range(1, count + 1)
    hosts = (_HOST.format(number, 10 + number) for number in numbers)
    (folder / "fleet.yml").write_text(_FLEET + "".join(hosts))
    for number in numbers:
        (folder / f"sites/site{number}.yml").write_text(_SITE.format(number))
    return tuple(f"mail{number}" for number in numbers)


def bring_packages(lab: Lab, hosts: Sequence[str]) -> None:
    """Make bare machines ones with the packages installed, by a snapshot that they share.

    It is made once for a set of packages, on the first of them, and kept in the lab's cache.
    """
    packages = _packages(lab.fleet_dir)
    snapshot = f"packages-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}"
    with locked(cache_dir() / "packages-snapshot.lock"):
        if not lab.has_snapshot(hosts[0], snapshot):
            lab.run(hosts[0], ["sh", "-c", _INSTALL.format(packages=" ".join(packages))])
            lab.snapshot(hosts[0], snapshot, shared=True)
    for host in hosts:
        lab.restore(host, snapshot)


def _packages(fleet_dir: Path) -> tuple[str, ...]:
    fleet = load_fleet(fleet_dir)
    certificates = load_certificates(fleet, fleet_dir / ".provision", datetime.now(UTC))
    return render_host(fleet, fleet.hosts[0], certificates).packages
