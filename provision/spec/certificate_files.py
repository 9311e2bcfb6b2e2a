"""Certificates that the spec gives as files: read, and checked to fit together.

Whether one has expired is not asked here: that needs a clock, and is verify's and plan's business.
"""

from __future__ import annotations

from provision.model.address import Domain
from provision.model.certificate import CertificatePair
from provision.model.secret import Secret
from provision.spec.wrong import WrongError

_PEM = "PEM starts with -----BEGIN; the certificate comes first, then its chain"


def check_pair(chain: bytes, key: bytes, name: Domain) -> CertificatePair:
    """The pair when the key fits the first certificate and that is for ``name``; WrongError."""
    from cryptography import x509  # noqa: PLC0415 - start-up time
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - start-up time

    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise WrongError("the chain holds no PEM certificate", hint=_PEM) from error
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise WrongError("the key is no PEM private key without a passphrase", hint=_PEM) from error
    if private.public_key() != leaf.public_key():
        raise WrongError(
            "the key does not belong to the first certificate of the chain",
            hint="put the host's own certificate first, and give the key it was made with",
        )
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    wildcard = "*." + name.name.partition(".")[2]
    if name.name not in names and wildcard not in names:
        raise WrongError(
            f"the certificate is not for {name}", hint=f"it names {', '.join(names) or 'no host'}"
        )
    return CertificatePair(chain.decode("ascii", "replace"), Secret(key.decode("ascii", "replace")))
