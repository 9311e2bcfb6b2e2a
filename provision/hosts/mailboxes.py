"""Ask a host about its mailboxes and archives, or have one restored or purged: one round trip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from provision.assets import playbooks_dir
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.session import Session
from provision.hosts.target import Target

_MODULES = (
    "provision_account_store",
    "provision_account_quotas",
    "provision_account_tables",
    "provision_account_archive",
    "provision_account_transition",
    "provision_account_work",
    "provision_account_homes",
    "provision_account_compile",
    "provision_accounts",
    "provision_mailboxes",
)
"""Each imports only from those before it."""
_PACKAGE = "provision_host"
_LOADER = """\
import json, sys, types
sys.modules[{package!r}] = types.ModuleType({package!r})
for name, source in json.loads({sources!r}):
    module = sys.modules[{package!r} + "." + name] = types.ModuleType({package!r} + "." + name)
    module.__package__ = {package!r}
    exec(compile(source, name, "exec"), module.__dict__)
layout = sys.modules[{package!r} + ".provision_account_store"].Layout()
print(json.dumps(module.answer(layout, json.loads({request!r}))))
"""
_SECONDS = 600.0
"""A purge of a large mailbox deletes file by file."""


def ask(target: Target, connection: Connection, request: Mapping[str, Any]) -> dict[str, Any]:
    """Put a request of playbooks/module_utils/provision_mailboxes.py; returns its answer.

    Raises HostUnreachable, or ProvisionError when the host answered and could not do it.
    """
    with Session.open(target, connection) as session:
        answer = session.run("python3 -I -S -", stdin=_program(request), seconds=_SECONDS)
    if answer.status != 0:
        lines = answer.errors.decode("utf-8", "replace").strip().splitlines()
        raise ProvisionError(
            f"{target.name} answered, but could not do it: {lines[-1] if lines else 'no message'}"
        )
    values: dict[str, Any] = json.loads(answer.output)
    return values


def _program(request: Mapping[str, Any]) -> bytes:
    folder = playbooks_dir() / "module_utils"
    sources = [(name, (folder / f"{name}.py").read_text()) for name in _MODULES]
    return _LOADER.format(
        package=_PACKAGE, sources=json.dumps(sources), request=json.dumps(request)
    ).encode()
