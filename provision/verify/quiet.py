"""What a quiet log is: lines that mean a fault of ours, told from what strangers can cause."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_DAEMON = re.compile(r"^(postfix(/|$)|dovecot|doveadm|nginx|php|roundcube|systemd$)")
_ERROR_PRIORITY = 3
"""syslog(3): emerg, alert, crit, err."""

_COMPLAINT = re.compile(
    r"^(warning|error|fatal|panic):"  # Postfix (postlogd and friends write the level first)
    r"|\b(Error|Fatal|Panic):"  # Dovecot
    r"|\bPHP (Warning|Fatal error|Parse error)"
    r"|: (Failed with result|Main process exited|Start request repeated)"  # systemd
)

_STRANGERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"SASL \S+ authentication (failed|aborted)",  # anyone may guess a password
        r"TLS library problem|SSL_accept error|SSL_accept:",  # anyone may offer old TLS
        r"(hostname|address) .* (does not resolve|not listed)",  # anyone's reverse DNS
        r"non-SMTP command|Illegal address syntax|too many errors after",
        r"^warning: dict_nis_init|^warning: (numeric|valid_hostname)",
        r"Connection (rate|concurrency) limit exceeded|(rate|count) \d+ .*from unknown",
        r"improper command pipelining",
        r"Login failed for .* from|Failed login for",  # Roundcube, a wrong password
        r"(Disconnected|Login aborted|Connection closed).*(auth failed|no auth|TLS)",
    )
)
"""What any client in the world can write into our logs is no fault of the host."""


def complaints(journal: str, files: str) -> list[str]:
    """The lines that mean a fault, each once: ``journal`` as journalctl's JSON lines."""
    found = (*_from_journal(journal), *_from_files(files))
    return list(dict.fromkeys(line for line in found if not _is_strangers(line)))


def _from_journal(journal: str) -> Iterator[str]:
    for line in journal.splitlines():
        entry = json.loads(line)
        program = str(entry.get("SYSLOG_IDENTIFIER", ""))
        message = str(entry.get("MESSAGE", ""))
        if not _DAEMON.search(program):
            continue
        severe = int(entry.get("PRIORITY", 6)) <= _ERROR_PRIORITY
        if severe or _COMPLAINT.search(message):
            yield f"{program}: {message}"


def _from_files(files: str) -> Iterator[str]:
    for line in files.splitlines():
        if re.search(r"\[(error|crit|alert|emerg)\]|PHP (Warning|Fatal)|Error:", line):
            yield line


def _is_strangers(line: str) -> bool:
    return any(pattern.search(line) for pattern in _STRANGERS)
