"""The folder for secrets of a moment is gone afterwards, whatever else removes files in it."""

from __future__ import annotations

import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from provision.hosts.private_folder import private_folder


def test_it_is_private_and_gone_when_its_user_fails() -> None:
    seen: list[Path] = []

    def fail() -> None:
        with private_folder() as folder:
            seen.append(folder)
            assert folder.stat().st_mode & 0o777 == 0o700
            (folder / "archive").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not seen[0].exists()


def test_files_that_leave_by_themselves_do_no_harm() -> None:
    """As the sockets of ssh do."""

    def leave(paths: list[Path]) -> None:
        for path in reversed(paths):
            with suppress(OSError):
                path.unlink()

    for _ in range(5):
        with private_folder() as folder:
            paths = [folder / str(number) for number in range(500)]
            for path in paths:
                path.touch()
            leaving = threading.Thread(target=leave, args=(paths,))
            leaving.start()
        leaving.join()
        assert not folder.exists()


def test_it_lies_in_the_memory_of_its_user_where_a_socket_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        with private_folder() as folder:
            assert folder.parent == Path(short)
    long = tmp_path / ("a" * 30)
    long.mkdir()
    for unfit in (str(long), str(tmp_path / "missing"), ""):
        monkeypatch.setenv("XDG_RUNTIME_DIR", unfit)
        with private_folder() as folder:
            assert folder.parent == Path("/dev/shm")
            with socket.socket(socket.AF_UNIX) as door:
                door.bind(str(folder / ("f" * 40 + "." + "r" * 16)))
