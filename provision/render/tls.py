"""Certificates and keys as files: one pair for the host, one for each site's webmail."""

from __future__ import annotations

from provision.model.bundle import Activation, ManagedDirectory, ManagedFile, Part, Verb
from provision.model.certificate import CertificatePair
from provision.model.fleet import Site
from provision.render.view import HostView

TLS = "/etc/provision/tls"
HOST_PEM = f"{TLS}/host.pem"
"""Key, then chain, as Postfix wants one file (postconf(5), smtpd_tls_chain_files)."""
HOST_CERTIFICATE = f"{TLS}/host.crt"
HOST_KEY = f"{TLS}/host.key"
TRUST = f"{TLS}/trust.crt"
"""What programs of this host trust when they connect to it: the issuer of its certificate."""

_POSTFIX = (Activation("postfix.service", Verb.RELOAD),)
_DOVECOT = (Activation("dovecot.service", Verb.RELOAD),)
_NGINX = (Activation("nginx.service", Verb.RELOAD),)
_END = "-----END CERTIFICATE-----\n"


def site_certificate(site: Site) -> str:
    """Path of the certificate chain that nginx serves for the site's webmail."""
    return f"{TLS}/sites/{site.domain}.crt"


def site_key(site: Site) -> str:
    """Path of its private key."""
    return f"{TLS}/sites/{site.domain}.key"


def render_tls(view: HostView) -> Part:
    """The files below /etc/provision/tls. A site's pair concerns nginx alone."""
    pair = view.host_certificate
    host = (
        ManagedFile(
            HOST_PEM,
            _text(pair.key.reveal()) + _text(pair.chain),
            mode=0o600,
            secret=True,
            activations=_POSTFIX,
        ),
        ManagedFile(HOST_CERTIFICATE, _text(pair.chain), activations=_DOVECOT),
        ManagedFile(
            HOST_KEY, _text(pair.key.reveal()), mode=0o600, secret=True, activations=_DOVECOT
        ),
        ManagedFile(TRUST, _trust(view)),
    )
    sites = tuple(
        file for site in view.sites for file in _site_files(site, view.site_certificate(site))
    )
    return Part(
        files=host + sites,
        directories=(
            ManagedDirectory("/etc/provision"),
            ManagedDirectory(TLS, ours=True),
            ManagedDirectory(f"{TLS}/sites", ours=True),
        ),
        packages=("ca-certificates",),
    )


def _site_files(site: Site, pair: CertificatePair) -> tuple[ManagedFile, ManagedFile]:
    return (
        ManagedFile(site_certificate(site), _text(pair.chain), activations=_NGINX),
        ManagedFile(
            site_key(site),
            _text(pair.key.reveal()),
            mode=0o600,
            secret=True,
            activations=_NGINX,
        ),
    )


def _trust(view: HostView) -> bytes:
    """The fleet's CA; or the last certificate of a given chain, which anchors it when it is a root.

    When it is none, the issuer is public, and the system's own store knows it.
    """
    if view.host.certificate is None and view.certificates.authority:
        return _text(view.certificates.authority)
    *_, last = view.host_certificate.chain.rstrip().removesuffix(_END.rstrip()).split(_END)
    return _text(last.lstrip() + _END)


def _text(pem: str) -> bytes:
    return (pem.rstrip("\n") + "\n").encode("ascii")
