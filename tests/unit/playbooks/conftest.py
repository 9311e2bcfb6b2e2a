"""Let the host's modules be imported as Ansible does it; a bare host, and sessions with it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ansible.module_utils
import pytest

from provision.assets import playbooks_dir
from tests.unit.playbooks.lock_session import Enter, LockSession

_FOLDER = str(playbooks_dir() / "module_utils")
if _FOLDER not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(_FOLDER)


@pytest.fixture
def layout(tmp_path: Path) -> Any:
    """A bare host in a temporary folder."""
    from ansible.module_utils.provision_layout import Layout  # noqa: PLC0415 - see above

    layout = Layout(tmp_path.resolve())
    layout.prepare()
    (layout.root / "etc").mkdir()
    return layout


@pytest.fixture
def enter(layout: Any) -> Iterator[Enter]:
    """Starts sessions of controllers; whichever still runs is ended."""
    sessions: list[LockSession] = []

    def start(name: str = "ada", **request: Any) -> LockSession:
        sessions.append(LockSession(layout.root, name, **request))
        return sessions[-1]

    yield start
    for session in sessions:
        with contextlib.suppress(ProcessLookupError):
            session.process.send_signal(signal.SIGCONT)
        session.leave()
