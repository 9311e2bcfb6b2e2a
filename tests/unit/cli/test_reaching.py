"""Every command that asks hosts reaches them all at the same time: dead ones cost one timeout."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from provision.assets import demo_fleet_dir
from provision.cli.main import run
from provision.errors import ExitCode

COUNT = 40


class _DeadHosts:
    """Accept connections and never say a word, until all of them are there; then hang up."""

    def __init__(self) -> None:
        self.most = 0
        self.doors = [socket.create_server((f"127.0.1.{n}", 0)) for n in range(1, COUNT + 1)]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.join()
        for door in self.doors:
            door.close()

    def _serve(self) -> None:
        with contextlib.ExitStack() as connections, contextlib.suppress(TimeoutError):
            for door in self.doors:
                door.settimeout(8)  # less than what one host is waited for
                connections.enter_context(door.accept()[0])
                self.most += 1


@pytest.fixture
def dead() -> Iterator[_DeadHosts]:
    with _DeadHosts() as hosts:
        yield hosts


@pytest.fixture
def folder(tmp_path: Path, dead: _DeadHosts) -> Path:
    folder = tmp_path / "fleet"
    shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
    hosts = "".join(
        f"  mail{n}: {{address: {door.getsockname()[0]}, ssh: {{port: {door.getsockname()[1]}}},"
        f" fqdn: mail{n}.smartmail.example, release: debian13}}\n"
        for n, door in enumerate(dead.doors, 1)
    )
    (folder / "fleet.yml").write_text(
        f"fleet: smartmail\ndefaults: {{outgoing: none}}\nhosts:\n{hosts}"
    )
    for path in (folder / "sites").glob("*"):
        path.unlink()
    (folder / "sites/one.yml").write_text("site: one.example\nhost: mail1\nmailboxes: {anna: {}}\n")
    return folder


@pytest.mark.parametrize(
    "words",
    [
        "plan",
        "apply --yes",
        "drift",
        "status",
        "history",
        "rollback --yes",
        "mailbox list",
        "verify --format json",
    ],
)
def test_hosts_that_never_answer_cost_one_timeout_together(
    words: str, folder: Path, dead: _DeadHosts, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run([*words.split(), "-i", str(folder)])
    assert code == ExitCode.UNREACHABLE
    assert dead.most == COUNT
    said = capsys.readouterr()
    assert all(f"mail{number} " in said.out + said.err for number in range(1, COUNT + 1))
