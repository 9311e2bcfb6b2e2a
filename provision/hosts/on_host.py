"""Programs for a host, put together from our own modules: they travel on standard input."""

from __future__ import annotations

import json
from typing import Any

from provision.assets import host_modules
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.session import Session
from provision.hosts.target import Target

_PACKAGE = "provision_host"
_LOADER = """\
import json, sys, types
sys.modules[{package!r}] = types.ModuleType({package!r})
for name, source in json.loads({sources!r}):
    module = sys.modules[{package!r} + "." + name] = types.ModuleType({package!r} + "." + name)
    module.__package__ = {package!r}
    exec(compile(source, name, "exec"), module.__dict__)
{call}
"""


def program(name: str, call: str) -> bytes:
    """Python that loads a module of playbooks/module_utils and then runs ``call``.

    In ``call`` it is ``module``; what it imports is loaded, too.
    """
    sources = json.dumps(host_modules(name))
    return _LOADER.format(package=_PACKAGE, sources=sources, call=call).encode()


def ask_modules(
    target: Target, connection: Connection, program_text: bytes, *, seconds: float = 60.0
) -> dict[str, Any]:
    """Run a program that prints one JSON document; returns it: one round trip.

    Raises HostUnreachable, or ProvisionError when the host answered and could not do it.
    """
    with Session.open(target, connection) as session:
        answer = session.run("python3 -I -S -", stdin=program_text, seconds=seconds)
    if answer.status != 0:
        lines = answer.errors.decode("utf-8", "replace").strip().splitlines()
        raise ProvisionError(
            f"{target.name} answered, but could not do it: {lines[-1] if lines else 'no message'}"
        )
    values: dict[str, Any] = json.loads(answer.output)
    return values
