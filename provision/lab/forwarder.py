"""Lead ports of this machine's loopback address into a lab: ``python -m ... FOLDER NAMESPACE``.

It listens out here, then enters the lab's network, from where alone its connections go on.
FOLDER/forward.json says what is wanted (name to port on the world); FOLDER/ports.json says which
loopback port each name got.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from pathlib import Path

from provision.hosts.namespace import enter_namespace
from provision.lab.network import WORLD
from provision.lab.processes import remember

_TRIES = 200


def main(folder: Path, namespace: Path) -> None:
    """Forward until killed."""
    wanted = json.loads((folder / "forward.json").read_text())
    ports = folder / "ports.json"
    before = json.loads(ports.read_text()) if ports.exists() else {}
    listeners = {name: _listen(before.get(name, port)) for name, port in wanted.items()}
    enter_namespace(namespace)
    scratch = ports.with_suffix(".new")
    scratch.write_text(json.dumps({n: s.getsockname()[1] for n, s in listeners.items()}))
    scratch.rename(ports)
    remember(folder / "forwarder.json", os.getpid())
    asyncio.run(_serve([(listeners[name], port) for name, port in wanted.items()]))


def _listen(first: int) -> socket.socket:
    """A listening socket at the first free loopback port from ``first`` on."""
    for port in range(first, first + _TRIES):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError:
            listener.close()
        else:
            return listener
    raise OSError(f"no free loopback port from {first} to {first + _TRIES}")


async def _serve(forwards: list[tuple[socket.socket, int]]) -> None:
    for listener, port in forwards:

        async def forward(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = port
        ) -> None:
            with contextlib.suppress(OSError):
                inner_reader, inner_writer = await asyncio.open_connection(WORLD, port)
                await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
            writer.close()

        await asyncio.start_server(forward, sock=listener)
    await asyncio.Event().wait()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
