"""Ask a host, over a new connection, to keep a change of access, or what came of an apply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provision.hosts.connection import Connection
from provision.hosts.on_host import ask_modules, program
from provision.hosts.target import Target

_SECONDS = 120.0
_CALL = """\
layout = sys.modules[module.__package__ + ".provision_layout"].Layout()
print(json.dumps(module.confirm(layout, {run!r})))"""


def confirm(target: Target, connection: Connection, run: str) -> Mapping[str, Any]:
    """Confirm the run on the host when it waits for that; returns what came of it there.

    ``outcome`` is that of an apply, or ``working``, ``interrupted``, ``unknown``. The connection is
    a new one, as anybody's would be: one that is open already proves nothing. Raises
    HostUnreachable, or ProvisionError.
    """
    asked = program("provision_confirm", _CALL.format(run=run))
    return ask_modules(target, connection, asked, seconds=_SECONDS)
