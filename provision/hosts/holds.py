"""Place and end holds, and end the lock of a lost apply: one round trip a host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from provision.hosts.connection import Connection
from provision.hosts.on_host import ask_modules, program
from provision.hosts.target import Target


def ask_hold(target: Target, connection: Connection, request: Mapping[str, Any]) -> dict[str, Any]:
    """Put a request of playbooks/module_utils/provision_hold.py; returns its answer.

    Raises HostUnreachable, or ProvisionError when the host answered and could not do it.
    """
    return _ask(target, connection, "provision_hold", request)


def ask_unlock(
    target: Target, connection: Connection, *, lock: str, who: str, reason: str = ""
) -> dict[str, Any]:
    """End the lock with this id, as playbooks/module_utils/provision_unlock.py does; its answer.

    ``reason`` is what the host notes when no person has asked for it. Raises as ``ask_hold``.
    """
    request = {"id": lock, "who": who, "reason": reason}
    return _ask(target, connection, "provision_unlock", request)


def _ask(
    target: Target, connection: Connection, module: str, request: Mapping[str, Any]
) -> dict[str, Any]:
    layout = "sys.modules['provision_host.provision_layout'].Layout()"
    asked = f"module.answer({layout}, json.loads({json.dumps(request)!r}))"
    return ask_modules(target, connection, program(module, f"print(json.dumps({asked}))"))
