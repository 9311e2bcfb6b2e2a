"""A door is open only when it greets as it should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible.module_utils.provision_probes import Door, probe
from ansible.module_utils.provision_units import in_order


@contextmanager
def _greeter(greeting: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            stream, _ = listener.accept()
            with stream:
                stream.sendall(greeting)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize(
    ("greeting", "problem"),
    [
        (b"220 mail1 ESMTP\r\n", ""),
        (b"451 4.3.5 Server configuration problem\r\n", "answers '451 4.3.5 Server"),
    ],
)
def test_greeting_decides(greeting: bytes, problem: str) -> None:
    with _greeter(greeting) as port:
        said = probe(Door("SMTP", port, b"220"))
    assert said == "" if not problem else problem in said


def test_closed_door_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert probe(Door("SMTP", port, b"220")).startswith("SMTP does not answer: ")


def test_marker_needs_only_to_let_in(tmp_path: Path) -> None:
    path = str(tmp_path / "marker")
    assert probe(Door("marker", path, b"")) != ""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        assert probe(Door("marker", path, b"")) == ""


def test_socket_that_nobody_listens_on_is_a_closed_door(tmp_path: Path) -> None:
    path = str(tmp_path / "marker")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    assert "does not answer" in probe(Door("marker", path, b""))


def test_units_are_moved_dovecot_first_and_the_web_last() -> None:
    units = ["nginx.service", "postfix.service", "php8.4-fpm.service", "dovecot.service"]
    moved = [unit for unit, _ in in_order([[unit, "reload"] for unit in units])]
    assert moved == ["dovecot.service", "postfix.service", "php8.4-fpm.service", "nginx.service"]
