"""The folder for secrets of a moment is gone afterwards, whatever else removes files in it."""

from __future__ import annotations

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
