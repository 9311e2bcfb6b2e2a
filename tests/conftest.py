"""What every test of the project starts from."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs under test, also when a shell runs the tests with ``&``.

    Without job control such a shell has SIGINT ignored, and what it starts inherits that
    (POSIX, Shell Command Language, 2.11).
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
