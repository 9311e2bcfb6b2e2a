"""Carry out a request that changes accounts alone, sent in short to a host that has the program.

The action plugin provision_bundle runs this over the connection of its play, with the request on
standard input. A request in short names the files of the current generation by a digest; a host
with other files answers ``{"need": "request"}`` and has done nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from .provision_carry_out import apply_request
from .provision_generation import current_manifest
from .provision_layout import Layout


def main(content: bytes) -> None:
    """Carry out the request in these bytes, and print what came of it as JSON."""
    layout = Layout()
    archive = written_out(content, current_manifest(layout))
    if archive is None:
        print(json.dumps({"need": "request"}))
        return
    layout.prepare()
    # In memory: it holds password hashes, and must not outlive a power cut.
    with tempfile.TemporaryDirectory(dir="/run/provision") as folder:
        path = Path(folder, "request.tar.gz")
        path.touch(mode=0o600)
        path.write_bytes(archive)
        print(json.dumps(apply_request(layout, path)))


def written_out(content: bytes, manifest: dict[str, Any]) -> bytes | None:
    """The archive in full; None when the host's manifest is not the one that the request means.

    Whether the host has moved since the plan was made is found out later, under its lock.
    """
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as members:
        file = members.extractfile("request.json")
        values: dict[str, Any] = json.loads(file.read()) if file else {}
    wanted = values.pop("unchanged")
    mine = {key: manifest.get(key) for key in wanted["keys"]}
    text = json.dumps(mine, sort_keys=True)
    if hashlib.sha256(text.encode()).hexdigest() != wanted["digest"]:
        return None
    observed = {path: entry["sha256"] for path, entry in manifest["files"].items()}
    whole = json.dumps({**values, **mine, "observed": observed}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        member = tarfile.TarInfo("request.json")
        member.size = len(whole)
        archive.addfile(member, io.BytesIO(whole))
    return buffer.getvalue()
