"""Start and stop the process that leads loopback ports into a lab."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from provision.lab.network import namespace_path
from provision.lab.power import launch, wait_until
from provision.lab.processes import recall


def forward(folder: Path, *, lab: str, wanted: Mapping[str, int]) -> None:
    """Let loopback ports lead to the world's ``wanted`` ports (by name); idempotent."""
    request = folder / "forward.json"
    text = json.dumps(wanted)
    running = recall(folder / "forwarder.json") is not None
    if running and request.exists() and request.read_text() == text:
        return
    stop_forwarding(folder)
    request.write_text(text)
    launch(
        ["provision.lab.forwarder", str(folder), str(namespace_path(lab))],
        log=folder / "forwarder.log",
    )
    wait_until(
        lambda: recall(folder / "forwarder.json") is not None,
        within=15,
        what="the start of the loopback ports (see forwarder.log)",
    )


def stop_forwarding(folder: Path) -> None:
    """End the forwarder, if it runs."""
    pid = recall(folder / "forwarder.json")
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        wait_until(
            lambda: recall(folder / "forwarder.json") is None,
            within=10,
            what="the end of the loopback ports",
        )
