"""What is wrong with Postfix's configuration, most of which ``postfix check`` does not see.

Postfix takes a misspelt restriction, a bad TLS level, a missing map or certificate and a dangling
-o without a word, and then answers 451 to all mail. Names are those of postconf(5).
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

from .provision_commands import run
from .provision_expiry import has_expired

MAIN = Path("/etc/postfix/main.cf")
MASTER = Path("/etc/postfix/master.cf")

_PLAIN_RESTRICTIONS = frozenset(
    """
    permit reject defer defer_if_permit defer_if_reject warn_if_reject permit_inet_interfaces
    permit_mynetworks permit_sasl_authenticated permit_tls_all_clientcerts permit_tls_clientcerts
    permit_auth_destination permit_mx_backup permit_naked_ip_address reject_unauth_pipelining
    reject_unauth_destination defer_unauth_destination reject_plaintext_session
    reject_multi_recipient_bounce reject_invalid_helo_hostname reject_non_fqdn_helo_hostname
    reject_unknown_helo_hostname reject_unknown_client_hostname
    reject_unknown_forward_client_hostname reject_unknown_reverse_client_hostname
    reject_non_fqdn_sender reject_non_fqdn_recipient
    reject_unknown_sender_domain reject_unknown_recipient_domain reject_unlisted_sender
    reject_unlisted_recipient reject_unverified_sender reject_unverified_recipient
    reject_sender_login_mismatch reject_authenticated_sender_login_mismatch
    reject_known_sender_login_mismatch reject_unauthenticated_sender_login_mismatch
    """.split()  # noqa: SIM905 - a page of names reads better as one
)
_RESTRICTIONS_WITH_ARGUMENT = frozenset(
    """
    check_client_access check_reverse_client_hostname_access check_helo_access check_sender_access
    check_recipient_access check_etrn_access check_ccert_access check_sasl_access
    check_policy_service check_client_a_access check_client_mx_access check_client_ns_access
    check_helo_a_access check_helo_mx_access check_helo_ns_access check_sender_a_access
    check_sender_mx_access check_sender_ns_access check_recipient_a_access
    check_recipient_mx_access check_recipient_ns_access check_reverse_client_hostname_a_access
    check_reverse_client_hostname_mx_access check_reverse_client_hostname_ns_access
    reject_rbl_client permit_dnswl_client reject_rhsbl_client permit_rhswl_client
    reject_rhsbl_reverse_client reject_rhsbl_helo reject_rhsbl_sender reject_rhsbl_recipient sleep
    """.split()  # noqa: SIM905 - a page of names reads better as one
)
_RESTRICTION_LISTS = re.compile(
    r"smtpd_(client|helo|sender|relay|recipient|data|end_of_data|etrn)_restrictions"
)
_ENDS_RELAY = {
    "reject",
    "defer",
    "defer_if_permit",
    "reject_unauth_destination",
    "defer_unauth_destination",
}
_SERVER_LEVELS = {"", "none", "may", "encrypt"}
_CLIENT_LEVELS = _SERVER_LEVELS | {"dane", "dane-only", "fingerprint", "verify", "secure"}
_MAP = re.compile(r"\b(?:proxy:)?(cdb|hash|btree|lmdb|texthash|regexp|pcre|cidr):(/[^\s,{}]+)")
_ANY_MAP = re.compile(r"(?:^|[\s,{])(?:proxy:)?([a-z]+):[/{]")
_NO_MAPS = {"unix", "inet", "lmtp", "smtp", "relay", "error", "discard", "local", "pipe"}
_DOVECOT_SOCKET = re.compile(r"(?:^|unix:)/run/dovecot/([\w./-]+)")
_FILE_SETTINGS = re.compile(r"(smtpd?|lmtp|tlsproxy)_tls_(chain_files|CAfile|cert_file|key_file)")
_NUMBER, _TIME, _CHOICE = (
    re.compile(r"-?\d+"),
    re.compile(r"\d+[smhdw]?"),
    re.compile("yes|no", re.IGNORECASE),
)
_KINDS = (
    (_NUMBER, _NUMBER, "is no number"),
    (re.compile(r"\d+[smhdw]"), _TIME, "is no time"),
    (_CHOICE, _CHOICE, "is neither yes nor no"),
)
"""What a default looks like, what every value must then look like, and what is wrong otherwise."""
_OTHER_VALUES = re.compile(r"compatibility_level|\w+_feedback")
"""Their default is a number, and they take more than numbers."""
_FIELDS = 8


def check_postfix() -> list[str]:
    """Everything wrong with /etc/postfix as this process sees it; empty without Postfix."""
    if not Path("/usr/sbin/postconf").exists():
        return []
    problems = [*_native()]
    if problems:
        return problems
    settings = _settings()
    dovecot = run("doveconf", "-n")
    return [
        *lint(settings),
        *lint_values(settings, _read_settings("-dx")),
        *_main_is_open(),
        *lint_types(settings, set(run("postconf", "-m").output.split())),
        *lint_transports(settings, run("postconf", "-M").output),
        *lint_sockets(settings, dovecot.output if dovecot.status == 0 else ""),
        *lint_master(MASTER.read_text()),
        *_maps_answer(settings),
    ]


def _native() -> Iterator[str]:
    if not [line for line in MAIN.read_text().splitlines() if line and line[0] not in "# \t"]:
        yield f"{MAIN}: holds no setting at all"
    for option in ("-n", "-M", "-P"):
        done = run("postconf", option)
        if done.status != 0 or done.errors.strip():
            yield from (f"postconf {option}: {line}" for line in done.errors.splitlines())
    done = run("postfix", "-c", "/etc/postfix", "check")
    if done.status != 0:
        yield from (f"postfix check: {line}" for line in done.lines() or ["failed, silently"])


def _settings() -> dict[str, str]:
    """Every setting that is set: ``name`` of main.cf, ``service/type/name`` of master.cf."""
    return {**_read_settings("-nx"), **_read_settings("-Px")}


def _read_settings(option: str) -> dict[str, str]:
    lines = run("postconf", option).output.splitlines()
    parted = (line.partition("=") for line in lines)
    return {name.strip(): value.strip() for name, _, value in parted}


def _main_is_open() -> Iterator[str]:
    """Who sends by sendmail(1), as a forward does, reads it as its own user."""
    for path in (MAIN.parent, MAIN):
        if not path.stat().st_mode & 0o004:
            yield f"{path}: not everybody can read it, so nobody but root can send with sendmail"


def lint(settings: dict[str, str]) -> Iterator[str]:
    """Problems of settings as postconf(1) prints them; the last part of a name is the setting."""
    classes = set(re.split(r"[\s,]+", settings.get("smtpd_restriction_classes", "")))
    for name, value in settings.items():
        setting = name.rpartition("/")[2]
        if _RESTRICTION_LISTS.fullmatch(setting) or setting in classes:
            yield from _lint_restrictions(name, value, classes)
        if setting.endswith("_tls_security_level"):
            levels = _SERVER_LEVELS if setting.startswith("smtpd_") else _CLIENT_LEVELS
            if value not in levels:
                yield f"{name}: {value!r} is no TLS security level"
        if setting == "smtpd_relay_restrictions" and not _ENDS_RELAY & set(_words(value)):
            yield f"{name}: nothing in it rejects: an open relay"
        if _FILE_SETTINGS.fullmatch(setting):
            yield from _lint_files(name, value)
        if setting == "smtpd_tls_chain_files":
            yield from _lint_chain(name, _words(value))


def lint_values(settings: dict[str, str], defaults: dict[str, str]) -> Iterator[str]:
    """Values of another kind than the default: the daemon that asks for one dies (postconf(5))."""
    for name, value in settings.items():
        setting = name.rpartition("/")[2]
        if setting not in defaults or "$" in value or _OTHER_VALUES.fullmatch(setting):
            continue
        for default, good, wrong in _KINDS:
            if default.fullmatch(defaults[setting]) and not good.fullmatch(value):
                yield f"{name}: {value!r} {wrong}"


def _words(value: str) -> list[str]:
    """Split at blanks and commas, but not inside braces."""
    words, depth = [""], 0
    for character in value:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0 and (character.isspace() or character == ","):
            words.append("")
        else:
            words[-1] += character
    return [word for word in words if word]


def _lint_restrictions(name: str, value: str, classes: set[str]) -> Iterator[str]:
    words = iter(_words(value))
    for word in words:
        if word in _PLAIN_RESTRICTIONS or word in classes or ":" in word:
            continue
        if word in _RESTRICTIONS_WITH_ARGUMENT:
            if next(words, None) is None:
                yield f"{name}: {word} needs an argument"
        else:
            yield f"{name}: {word!r} is no restriction that Postfix knows"


def _lint_files(name: str, value: str) -> Iterator[str]:
    for path in _words(value):
        if path.startswith("/") and not Path(path).is_file():
            yield f"{name}: there is no file {path}"
        elif not name.endswith("CAfile") and has_expired(path):
            yield f"{name}: the certificate in {path} has expired"


def _lint_chain(name: str, paths: list[str]) -> Iterator[str]:
    """A key must come first in a chain file and fit the certificate after it."""
    for path in paths:
        if not Path(path).is_file():
            continue
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
        except (OSError, ssl.SSLError) as error:
            if len(paths) == 1:
                yield f"{name}: {path} holds no key with a certificate that fits: {error}"


def lint_types(settings: dict[str, str], known: set[str]) -> Iterator[str]:
    """Maps of a type that is not installed (postconf(1), -m): 451 to all mail."""
    for name, value in settings.items():
        if name.rpartition("/")[2].endswith(("_maps", "_restrictions", "_domains", "_checks")):
            for match in _ANY_MAP.finditer(value):
                if match[1] not in known | _NO_MAPS:
                    yield f"{name}: Postfix here has no maps of type {match[1]!r}"


def lint_transports(settings: dict[str, str], services: str) -> Iterator[str]:
    """Transports that master.cf does not have: mail for them waits in the queue."""
    rows = (line.split() for line in services.splitlines())
    known = {row[0] for row in rows if len(row) > 1 and row[1] == "unix"}
    for name, value in settings.items():
        transport = value.partition(":")[0]
        if name.endswith("_transport") and transport and transport not in known:
            yield f"{name}: master.cf has no service {transport!r}"


def lint_sockets(settings: dict[str, str], dovecot: str) -> Iterator[str]:
    """Sockets of Dovecot that its own configuration, as doveconf(1) prints it, does not open."""
    opened = set(re.findall(r"^\s*unix_listener (\S+) \{", dovecot, re.MULTILINE))
    for name, value in settings.items():
        for match in _DOVECOT_SOCKET.finditer(value) if dovecot else ():
            if match[1] not in opened:
                yield f"{name}: Dovecot opens no socket {match[1]!r}"


def lint_master(text: str) -> Iterator[str]:
    """Problems of master.cf(5) that postconf(1) passes: an -o without name=value."""
    for number, line in _logical_lines(text):
        words = line.split()[_FIELDS - 1 :]
        rest = iter(words[1:])
        for word in rest:
            if word != "-o":
                continue
            value = next(rest, "")
            if "=" not in value and not value.startswith("{"):
                yield f"{MASTER}:{number}: -o without name=value"


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    start, joined = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] in " \t":
            joined += " " + line.strip()
            continue
        if joined:
            yield start, joined
        start, joined = number, line
    if joined:
        yield start, joined


def _maps_answer(settings: dict[str, str]) -> Iterator[str]:
    """Ask every file map something: a missing or damaged one is fatal only when it is asked."""
    maps = {match[0] for value in settings.values() for match in _MAP.finditer(value)}
    for name in sorted(maps):
        if Path(name.rpartition(":")[2]).is_dir():
            continue  # a setting of our own that other settings build map names from
        done = run("postmap", "-q", "probe", name.removeprefix("proxy:"))
        if done.errors.strip():
            yield f"{name}: {done.errors.strip().splitlines()[-1]}"
