"""The demo fleet with a host that refuses connections."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from provision.assets import demo_fleet_dir


def closed_fleet(tmp_path: Path) -> Path:
    """A copy of the demo fleet whose only host is a port that nobody listens on."""
    folder = tmp_path / "fleet"
    shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    spec = folder / "fleet.yml"
    closed = f"address: 127.0.0.1\n    ssh: {{port: {port}}}"
    spec.write_text(spec.read_text().replace("address: 198.18.0.11", closed))
    return folder
