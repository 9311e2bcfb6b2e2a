"""Render nginx: one server for each site's webmail, and nothing for any other name."""

from __future__ import annotations

from provision.model.bundle import (
    Activation,
    ManagedDirectory,
    ManagedFile,
    ManagedUnit,
    Part,
    PublicPort,
    Verb,
)
from provision.model.fleet import Site
from provision.render.brand import logo_name
from provision.render.limits import MESSAGE_SIZE_LIMIT
from provision.render.marker import marker
from provision.render.templates import fill
from provision.render.tls import site_certificate, site_key
from provision.render.view import HostView
from provision.render.webmail import BRANDS, SOCKET

_UNIT = "nginx.service"
_RELOAD = (Activation(_UNIT, Verb.RELOAD),)
_FOLDER = "/etc/nginx/provision"
_LIVE_SOCKETS = "nginx-"
_PORTS = {"http": 80, "https": 443}

_CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    # Roundcube writes scripts into its pages and evaluates what its own server answers.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    # Pictures that a message names, which Roundcube shows after its reader has asked for them.
    "img-src": "'self' data: blob: https: http:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "frame-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
"""https://www.w3.org/TR/CSP3/: nothing but a picture is ever loaded from another server."""


def render_nginx(view: HostView) -> Part:
    """nginx.conf, the shared pieces, and one file a site."""
    configuration = fill("nginx/nginx.conf.j2", message_bytes=MESSAGE_SIZE_LIMIT)
    files = (
        ManagedFile("/etc/nginx/nginx.conf", configuration, activations=_RELOAD),
        _file("unknown.conf", fill("nginx/unknown.conf.j2", ports=_PORTS)),
        *(_file(f"webmail-{site.domain}.conf", _server(site)) for site in view.sites),
        *_shared(),
    )
    live = f"/run/{_LIVE_SOCKETS}{_marker(view, files)}.sock"
    return Part(
        files=(*files, _file("live.conf", fill("nginx/live.conf.j2", socket=live)), _confinement()),
        directories=(
            ManagedDirectory(_FOLDER, ours=True),
            ManagedDirectory(f"{_FOLDER}/shared", ours=True),
            ManagedDirectory(f"/etc/systemd/system/{_UNIT}.d"),
        ),
        packages=("nginx",),
        units=(ManagedUnit(_UNIT, live_socket=live),),
        ports=tuple(PublicPort(number, "nginx") for number in _PORTS.values()),
    )


def _marker(view: HostView, files: tuple[ManagedFile, ...]) -> str:
    chains = (view.site_certificate(site).chain.encode() for site in view.sites)
    return marker(view, (*(file.content for file in files), *chains))


def _confinement() -> ManagedFile:
    return ManagedFile(
        f"/etc/systemd/system/{_UNIT}.d/provision.conf",
        fill("nginx/service.conf.j2", live_sockets=_LIVE_SOCKETS),
        activations=(Activation(_UNIT, Verb.RESTART),),
    )


def _file(name: str, content: bytes) -> ManagedFile:
    return ManagedFile(f"{_FOLDER}/{name}", content, activations=_RELOAD)


def _shared() -> tuple[ManagedFile, ...]:
    policy = "; ".join(f"{name} {sources}" for name, sources in _CONTENT_SECURITY_POLICY.items())
    values = {"content_security_policy": policy, "socket": SOCKET}
    return tuple(
        _file(f"shared/{name}", fill(f"nginx/{name}.j2", **values))
        for name in ("acme.inc", "headers.inc", "php.inc", "roundcube.inc")
    )


def _server(site: Site) -> bytes:
    return fill(
        "nginx/webmail.conf.j2",
        ports=_PORTS,
        site=site.domain.name,
        name=site.webmail_name.name,
        certificate=site_certificate(site),
        key=site_key(site),
        brand=f"{BRANDS}/{site.domain}",
        logo=logo_name(site),
    )
