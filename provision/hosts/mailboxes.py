"""Ask a host about its mailboxes and archives, or have one restored or purged: one round trip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from provision.hosts.connection import Connection
from provision.hosts.on_host import ask_modules, program
from provision.hosts.target import Target

_SECONDS = 600.0
"""A purge of a large mailbox deletes file by file."""


def ask(target: Target, connection: Connection, request: Mapping[str, Any]) -> dict[str, Any]:
    """Put a request of playbooks/module_utils/provision_mailboxes.py; returns its answer.

    Raises HostUnreachable, or ProvisionError when the host answered and could not do it.
    """
    return ask_modules(target, connection, _program(request), seconds=_SECONDS)


def _program(request: Mapping[str, Any]) -> bytes:
    layout = "sys.modules['provision_host.provision_account_store'].Layout()"
    asked = f"module.answer({layout}, json.loads({json.dumps(request)!r}))"
    return program("provision_mailboxes", f"print(json.dumps({asked}))")
