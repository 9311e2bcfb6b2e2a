"""The last check over the wire: no mail is left over, and no line of the logs complains."""

from __future__ import annotations

import pytest

from provision.verify.quiet import complaints
from tests.lab.rehearsal import Rehearsal, until


@pytest.fixture(scope="module", autouse=True)
def beginning(rehearsal: Rehearsal) -> str:
    """Where the host's journal ended before the first test."""
    return rehearsal.run("journalctl -n 0 --show-cursor -q").split(": ", 1)[1].strip()


def assert_quiet_since(beginning: str, wire: Rehearsal) -> None:
    """Since there, whatever was sent has gone, and every line of the journal is an ordinary one."""
    wire.run("postqueue -f")
    until(lambda: "empty" in wire.run("postqueue -p"), f"gone: {wire.run('postqueue -p')}")
    journal = wire.run(
        f"journalctl --after-cursor='{beginning}' --quiet -o json"
        " --output-fields=SYSLOG_IDENTIFIER,PRIORITY,MESSAGE"
    )
    assert complaints(journal, "") == []
