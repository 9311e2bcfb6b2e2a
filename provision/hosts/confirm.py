"""Ask a host, over a new connection, to keep a change of access, or what came of an apply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from provision.assets import host_modules
from provision.errors import ProvisionError
from provision.hosts.connection import Connection
from provision.hosts.observe import parse_reply
from provision.hosts.session import Session
from provision.hosts.target import Target

_SECONDS = 120.0
_PACKAGE = "provision_host"
_PROGRAM = """\
import json, sys, types
from pathlib import Path
sys.modules[{package!r}] = types.ModuleType({package!r})
for name, source in json.loads({sources!r}):
    module = sys.modules[{package!r} + "." + name] = types.ModuleType({package!r} + "." + name)
    module.__package__ = {package!r}
    exec(compile(source, name, "exec"), module.__dict__)
layout = sys.modules[{package!r} + ".provision_layout"].Layout()
print(json.dumps(module.confirm(layout, {run!r})))
"""


def confirm(target: Target, connection: Connection, run: str) -> Mapping[str, Any]:
    """Confirm the run on the host when it waits for that; returns what came of it there.

    ``outcome`` is that of an apply, or ``working``, ``interrupted``, ``unknown``. The connection is
    a new one, as anybody's would be: one that is open already proves nothing. Raises
    HostUnreachable, or ProvisionError.
    """
    sources = json.dumps(host_modules("provision_confirm"))
    program = _PROGRAM.format(package=_PACKAGE, sources=sources, run=run).encode()
    with Session.open(target, connection) as session:
        answer = session.run("python3 -I -S -", stdin=program, seconds=_SECONDS)
    if answer.status != 0:
        lines = answer.errors.decode("utf-8", "replace").strip().splitlines()
        last = lines[-1] if lines else "no message"
        raise ProvisionError(f"{target.name} answered, but could not say what came of it: {last}")
    return parse_reply(target, answer.output)
