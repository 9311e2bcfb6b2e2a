"""Render Roundcube: shared settings, one file a site, its database, and every site's look."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from provision.model.bundle import Activation, ManagedDirectory, ManagedFile, Part, Verb
from provision.model.fleet import Site
from provision.render.brand import logo_name, style_sheet
from provision.render.limits import MESSAGE_SIZE_LIMIT
from provision.render.templates import fill
from provision.render.tls import TRUST
from provision.render.view import HostView
from provision.render.webmail import BRANDS, CONFIG, DATA, DATABASE_UNIT, FPM_UNIT, USER

_SYSTEMD = "/etc/systemd/system"
_CLEANERS = ("roundcube-cleandb.service", "roundcube-gc.service")
_KEY_CHARACTERS = 32  # AES-256 takes 32 bytes; base64 makes them 192 bits of the derived secret


def render_roundcube(view: HostView) -> Part:
    """Roundcube's part of a host. PHP reads its files at each request: nothing is reloaded."""
    return Part(
        files=(
            *_shared(view),
            *(_site_settings(site) for site in view.sites),
            *(file for site in view.sites for file in _look(site)),
            *_unit_files(),
        ),
        directories=_directories(view),
        packages=(
            "php-intl",
            "php-mbstring",
            "php-sqlite3",
            "php-xml",
            "php-zip",
            "roundcube-core",
            "roundcube-plugins",
            "roundcube-sqlite3",
        ),
    )


def _shared(view: HostView) -> tuple[ManagedFile, ...]:
    settings = fill(
        "roundcube/config.inc.php.j2",
        fqdn=view.host.fqdn.name,
        trust=TRUST,
        database=f"sqlite:///{DATA}/roundcube.sqlite?mode=0600",
        temp_dir=f"{DATA}/temp",
        message_bytes=MESSAGE_SIZE_LIMIT,
    )
    return (
        ManagedFile(f"{CONFIG}/config.inc.php", settings),
        ManagedFile(f"{CONFIG}/defaults.inc.php", fill("roundcube/defaults.inc.php.j2")),
        ManagedFile(
            f"{CONFIG}/key.inc.php",
            fill("roundcube/key.inc.php.j2", key=_session_key(view)),
            mode=0o640,
            group=USER,
            secret=True,
        ),
    )


def _session_key(view: HostView) -> str:
    """A secret of this host alone, the same at every render, from the fleet's fingerprint key."""
    key = view.fleet.fingerprint_key.reveal().encode()
    purpose = f"roundcube des_key {view.host.name}".encode()
    derived = hmac.new(key, purpose, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(derived).decode("ascii")[:_KEY_CHARACTERS]


def _site_settings(site: Site) -> ManagedFile:
    domains = "|".join(re.escape(domain.name) for domain in site.domains)
    logo = logo_name(site)
    settings = fill(
        "roundcube/site.inc.php.j2",
        site=site.domain.name,
        host_pattern=f"^{re.escape(site.webmail_name.name)}$",
        login_pattern=rf"/^[^@\s]+(?:@(?:{domains}))?$/Di",
        product_name=site.webmail.name,
        logo=f"brand/{logo}" if logo else None,
    )
    return ManagedFile(f"{CONFIG}/{site.webmail_name}.inc.php", settings)


def _look(site: Site) -> tuple[ManagedFile, ...]:
    folder = f"{BRANDS}/{site.domain}"
    sheet = ManagedFile(f"{folder}/brand.css", style_sheet(site))
    name = logo_name(site)
    if name is None or site.webmail.logo is None:
        return (sheet,)
    return (sheet, ManagedFile(f"{folder}/{name}", site.webmail.logo.content))


def _unit_files() -> tuple[ManagedFile, ...]:
    values = {"user": USER, "config_dir": CONFIG, "data_dir": DATA}
    cleaner = fill("roundcube/timer-service.conf.j2", **values)
    return (
        ManagedFile(
            f"{_SYSTEMD}/{DATABASE_UNIT}",
            fill("roundcube/database.service.j2", **values),
            activations=(Activation(FPM_UNIT, Verb.RESTART),),
        ),
        *(
            ManagedFile(
                f"{_SYSTEMD}/{unit}.d/provision.conf",
                cleaner,
                activations=(Activation(unit, Verb.NONE),),  # its timer starts it anew
            )
            for unit in _CLEANERS
        ),
    )


def _directories(view: HostView) -> tuple[ManagedDirectory, ...]:
    return (
        ManagedDirectory(CONFIG, ours=True),
        ManagedDirectory(BRANDS, ours=True),
        *(ManagedDirectory(f"{BRANDS}/{site.domain}", ours=True) for site in view.sites),
        *(ManagedDirectory(f"{_SYSTEMD}/{unit}.d") for unit in _CLEANERS),
        ManagedDirectory(DATA, mode=0o700, owner=USER, group=USER),
        ManagedDirectory(f"{DATA}/temp", mode=0o700, owner=USER, group=USER),
    )
