"""Log in to a smarthost from this host, as Postfix does, and leave without sending.

Standard input: ``{"host", "port", "verify", "authority", "username", "password"}``; answers
``{"fault": ""}`` or what went wrong.
"""

import json
import smtplib
import ssl
import sys
from pathlib import Path
from typing import Any

SECONDS = 15


def trust(request: dict[str, Any]) -> ssl.SSLContext:
    """The TLS policy of the spec: the certificate must be right, or need only encrypt."""
    context = ssl.create_default_context()
    # Python is stricter than Postfix about how an authority writes its certificates (RFC 5280).
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if Path(request["authority"]).is_file():
        context.load_verify_locations(request["authority"])
    if not request["verify"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def log_in(request: dict[str, Any]) -> str:
    """What went wrong, or an empty text."""
    host, port, context = request["host"], request["port"], trust(request)
    try:
        client: smtplib.SMTP
        if port == 465:
            client = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        else:
            client = smtplib.SMTP(host, port, timeout=SECONDS)
            client.starttls(context=context)
        with client:
            client.login(request["username"], request["password"])
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        return f"{error.smtp_code} {' '.join(words.split())}"
    except (smtplib.SMTPException, OSError) as error:
        return str(error) or type(error).__name__
    return ""


if __name__ == "__main__":
    json.dump({"fault": log_in(json.load(sys.stdin))}, sys.stdout)
