"""What the program on the host sees, tried on this machine."""

from __future__ import annotations

import socket
from pathlib import Path

from provision.verify.remote_shell import RemoteShell
from provision.verify.snapshot import take_snapshot


def test_foreign_files_are_seen_and_folders_are_not(shell: RemoteShell, tmp_path: Path) -> None:
    (tmp_path / "ours.conf").touch()
    (tmp_path / "theirs.conf").touch()
    (tmp_path / "folder").mkdir()
    request = {"paths": [str(tmp_path / "ours.conf")], "folders": [str(tmp_path)]}
    seen = take_snapshot(shell, {**request, "units": [], "sockets": []})
    assert seen.foreign == (str(tmp_path / "theirs.conf"),)


def test_sockets_that_nobody_serves_are_seen(shell: RemoteShell, tmp_path: Path) -> None:
    served, left, gone = (str(tmp_path / name) for name in ("served", "left", "gone"))
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as dead:
        server.bind(served)
        server.listen()
        dead.bind(left)
        dead.close()
        sockets = [served, left, gone]
        seen = take_snapshot(shell, {"paths": [], "folders": [], "units": [], "sockets": sockets})
    assert seen.refusals == {left: "Connection refused", gone: "No such file or directory"}
