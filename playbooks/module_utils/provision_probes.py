"""Ask the services of this host whether they serve: greetings and handshakes, over loopback."""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path
from typing import NamedTuple

from .provision_commands import run
from .provision_firewall import firewall_problem

_SECONDS = 5.0
_MARKERS = {
    "postfix": (
        "/etc/postfix/master.cf",
        r"^(provision-[0-9a-f]{16}) +unix",
        "/var/spool/postfix/private/",
    ),
    "dovecot": (
        "/etc/dovecot/dovecot.conf",
        r"^ +unix_listener (provision-[0-9a-f]{16}) ",
        "/run/dovecot/",
    ),
    "nginx": (
        "/etc/nginx/provision/live.conf",
        r"listen unix:/run/(nginx-provision-[0-9a-f]{16}\.sock);",
        "/run/",
    ),
}
"""Program to the file that names its marker, how, and where the socket is."""


class Door(NamedTuple):
    """Where a service greets: a port of loopback or a UNIX socket, and how the greeting begins."""

    name: str
    address: int | str
    greeting: bytes
    """Empty: to be let in is enough."""
    wrapped: bool = False
    """True: TLS before the first byte."""
    question: bytes = b""
    """What the client says first, where the server waits for it."""
    server_name: str | None = None
    """The name that the client asks for in its TLS handshake (RFC 6066)."""


def probe_unit(unit: str) -> str:
    """What is wrong with the unit's doors, as one sentence; empty when all of them greet."""
    if unit.startswith("provision-firewall"):
        return firewall_problem()
    for stem, doors in (("postfix", postfix_doors), ("dovecot", dovecot_doors), ("nginx", _web)):
        if unit.startswith(stem):
            problems = (probe(door) for door in (*marker_doors(stem), *doors()))
            return next((problem for problem in problems if problem), "")
    return ""


def is_live(unit: str) -> bool:
    """True when the door is open that the configuration on disk names; what has none is."""
    doors = [door for stem in _MARKERS if unit.startswith(stem) for door in marker_doors(stem)]
    return not any(map(probe, doors))


def forget_old_markers(unit: str) -> None:
    """Remove the sockets of configurations that Postfix no longer has: master(8) leaves them."""
    if not unit.startswith("postfix"):
        return
    live = {str(door.address) for door in marker_doors("postfix")}
    for path in Path(_MARKERS["postfix"][2]).glob("provision-*"):
        if str(path) not in live and path.is_socket():
            path.unlink()


def marker_doors(stem: str) -> list[Door]:
    """The socket that a configuration names after its own content: open when it is live."""
    file, pattern, place = _MARKERS[stem]
    path = Path(file)
    names = re.findall(pattern, path.read_text(), re.MULTILINE) if path.exists() else []
    return [Door(f"the configuration on disk is not live: {n}", place + n, b"") for n in names]


def probe(door: Door) -> str:
    """What is wrong with one door; empty when it greets as it should."""
    try:
        with _connect(door) as stream:
            if not door.greeting:
                return ""
            if door.question:
                stream.sendall(door.question)
            greeting = stream.recv(512)
    except (OSError, ssl.SSLError) as error:
        return f"{door.name} does not answer: {error}"
    if not greeting.startswith(door.greeting):
        return f"{door.name} answers {greeting[:80].decode('utf-8', 'replace').strip()!r}"
    return ""


def _connect(door: Door) -> socket.socket:
    if isinstance(door.address, str):
        return _connect_unix(door.address)
    plain = socket.create_connection(("127.0.0.1", door.address), timeout=_SECONDS)
    if not door.wrapped:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the question is whether TLS works; verify asks for names
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(plain, server_hostname=door.server_name)
    except OSError:
        plain.close()
        raise


def _connect_unix(path: str) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(_SECONDS)
    try:
        stream.connect(path)
    except OSError:
        stream.close()
        raise
    return stream


def postfix_doors() -> list[Door]:
    """The ports of master.cf's smtpd services (master(5))."""
    doors = []
    for line in run("postconf", "-M").output.splitlines():
        fields = line.split()
        if len(fields) < 8 or fields[1] != "inet" or fields[7] != "smtpd":
            continue
        port = _port(fields[0].rpartition(":")[2])
        wrapped = bool(re.search(r"smtpd_tls_wrappermode\s*=\s*yes", line))
        if port:
            doors.append(Door(f"SMTP on port {port}", port, b"220", wrapped))
    return doors


def _port(name: str) -> int:
    if name.isdigit():
        return int(name)
    try:
        return socket.getservbyname(name, "tcp")
    except OSError:
        return {"smtp": 25, "submissions": 465, "submission": 587}.get(name, 0)


def dovecot_doors() -> list[Door]:
    """IMAP and POP3 over TLS, and the LMTP socket that Postfix delivers to."""
    protocols = run("doveconf", "-h", "protocols").output.split()
    doors = []
    if "imap" in protocols:
        doors.append(Door("IMAP on port 993", 993, b"* OK", wrapped=True))
    if "pop3" in protocols:
        doors.append(Door("POP3 on port 995", 995, b"+OK", wrapped=True))
    transport = run("postconf", "-hx", "virtual_transport").output.strip()
    if transport.startswith("lmtp:unix:"):
        path = transport.removeprefix("lmtp:unix:")
        path = path if path.startswith("/") else f"/var/spool/postfix/{path}"
        doors.append(Door("LMTP", path, b"220"))
    return doors


def _web() -> list[Door]:
    """The first site that has a name of its own; its login page comes out of PHP."""
    names = re.findall(r"^\s*server_name\s+([a-z0-9.-]+)", run("nginx", "-T").output, re.MULTILINE)
    name = next((name for name in names if "." in name), None)
    if name is None:
        return []
    question = f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode("ascii")
    page = Door(f"https://{name}", 443, b"HTTP/1.1 2", wrapped=True)
    return [page._replace(question=question, server_name=name)]
