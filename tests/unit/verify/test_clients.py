from __future__ import annotations

import socket
import ssl

import pytest

from provision.verify.probes.clients import Door


def test_port_that_swallowed_a_connection_is_not_waited_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def swallow(address: tuple[str, int], seconds: float) -> socket.socket:
        asked.append((address, seconds))
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", swallow)
    door = Door("198.18.0.11", "mail1.example", ssl.create_default_context())
    for _ in range(3):
        with pytest.raises(TimeoutError):
            door.connect(993)
    with pytest.raises(TimeoutError):
        door.connect(995)
    assert [address[1] for address, _ in asked] == [993, 995]
