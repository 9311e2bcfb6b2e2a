"""What a person is told when a host cannot be reached, against real sockets and a real server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from provision.errors import HostUnreachable
from provision.hosts.connection import Connection
from provision.hosts.host_keys import HostKey, offered_key, pin
from provision.hosts.session import Session
from provision.hosts.target import Target

KEY = paramiko.ECDSAKey.generate()


class _Door(paramiko.ServerInterface):
    """Lets nobody in."""

    def get_allowed_auths(self, _username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, _username: str, _key: paramiko.PKey) -> int:
        return paramiko.AUTH_FAILED  # type: ignore[attr-defined,no-any-return]


@contextmanager
def _server(*, speaks: bool = True) -> Iterator[Target]:
    """A listening socket on loopback; it speaks SSH, or says something else."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            stream, _ = listener.accept()
            with stream:
                if not speaks:
                    stream.sendall(b"220 mail\r\n")
                    return
                transport = paramiko.Transport(stream)
                transport.add_server_key(KEY)
                transport.start_server(server=_Door(), event=(started := threading.Event()))
                started.wait(10)
                transport.join(10)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Target("mail1", "127.0.0.1", listener.getsockname()[1], "root")
    thread.join(10)


@pytest.fixture
def login(tmp_path: Path) -> Connection:
    key = paramiko.ECDSAKey.generate()
    key.write_private_key_file(str(tmp_path / "key"))
    return Connection(known_hosts=tmp_path / "known_hosts", private_key=tmp_path / "key")


def _refused(target: Target, login: Connection) -> HostUnreachable:
    with pytest.raises(HostUnreachable) as failure:
        Session.open(target, login)
    assert failure.value.message.startswith(f"mail1 (127.0.0.1 port {target.port}): ")
    return failure.value


def test_closed_port_is_named(login: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = _refused(Target("mail1", "127.0.0.1", port, "root"), login)
    assert "refused" in error.message
    assert "sshd" in str(error.hint)


def test_unknown_key_leads_to_trust(login: Connection) -> None:
    with _server() as target:
        error = _refused(target, login)
    assert "not known yet" in error.message
    assert error.hint == "run: provision trust mail1"


def test_changed_key_is_never_accepted(login: Connection) -> None:
    with _server() as target:
        other = paramiko.ECDSAKey.generate()
        pin(HostKey(other.get_name(), other.asbytes()), target, login.known_hosts)
        error = _refused(target, login)
    assert "its host key is not the pinned one" in error.message
    assert "provision trust mail1" in str(error.hint)


def test_refused_login_is_told_from_an_unreachable_host(login: Connection) -> None:
    with _server() as target:
        pin(HostKey(KEY.get_name(), KEY.asbytes()), target, login.known_hosts)
        error = _refused(target, login)
    assert "it refused our login as root" in error.message


def test_port_that_speaks_something_else_is_explained(login: Connection) -> None:
    with _server(speaks=False) as target:
        error = _refused(target, login)
    assert error.hint


def test_server_that_hangs_up_after_its_greeting_is_told_as_not_reached(login: Connection) -> None:
    """As one does whose host is just going down: paramiko says EOFError then."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                stream, _ = listener.accept()
                with stream:
                    stream.sendall(b"SSH-2.0-OpenSSH_10.0\r\n")
                    stream.recv(64)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        target = Target("mail1", "127.0.0.1", listener.getsockname()[1], "root")
        assert _refused(target, login).hint
        with pytest.raises(HostUnreachable):
            offered_key(target)
    thread.join(10)


def test_offered_key_has_the_fingerprint_that_ssh_keygen_prints() -> None:
    with _server() as target:
        key = offered_key(target)
    assert key.fingerprint == KEY.fingerprint


def test_key_is_pinned_once_and_with_its_port(tmp_path: Path) -> None:
    known_hosts = tmp_path / "known_hosts"
    key = HostKey("ssh-ed25519", b"blob")
    known_hosts.write_text("kept ssh-ed25519 AAAA")
    for _ in range(2):
        pin(key, Target("mail1", "198.18.0.11", 22, "root"), known_hosts)
        pin(key, Target("mail1", "198.18.0.11", 2222, "root"), known_hosts)
    assert known_hosts.read_text() == (
        "kept ssh-ed25519 AAAA\n"
        "198.18.0.11 ssh-ed25519 YmxvYg==\n"
        "[198.18.0.11]:2222 ssh-ed25519 YmxvYg==\n"
    )


def test_address_without_a_way_to_it_is_not_called_refused(login: Connection) -> None:
    # A broadcast address is refused by the kernel itself, whatever the network (tcp(7)).
    with pytest.raises(HostUnreachable) as caught:
        Session.open(Target("mail1", "255.255.255.255", 22, "root"), login)
    assert "refused" not in caught.value.message
    assert "unreachable" in caught.value.message
    assert "address" in (caught.value.hint or "")
