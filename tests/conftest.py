"""What every test of the project starts from."""

from __future__ import annotations

import os
import signal

_OF_A_REPOSITORY = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs under test, also when a shell runs the tests with ``&``.

    Without job control such a shell has SIGINT ignored, and what it starts inherits that
    (POSIX, Shell Command Language, 2.11). And keep git in the folder that a test names: in a hook
    git sets variables that count for more than -C (githooks(5)), so a test would commit elsewhere.
    """
    for name in _OF_A_REPOSITORY:
        os.environ.pop(name, None)
    signal.signal(signal.SIGINT, signal.default_int_handler)
