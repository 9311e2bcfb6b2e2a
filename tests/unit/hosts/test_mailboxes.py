"""The program that a host runs for ``provision mailbox`` is whole: no module misses another."""

from __future__ import annotations

import json
import subprocess
import sys

from provision.hosts.mailboxes import _program


def test_program_runs_with_the_standard_library_alone() -> None:
    request = {
        "action": "restore",
        "address": "no'b\"ody@x.example",
        "archive": "",
        "replace": False,
    }
    for asked in ({"action": "list"}, request):
        source = _program(asked).replace(b".Layout()", b".Layout('/nonexistent')")
        ran = subprocess.run(
            [sys.executable, "-I", "-S", "-"], input=source, capture_output=True, check=False
        )
        if asked["action"] == "list":
            answer = json.loads(ran.stdout)
            assert (answer["outcome"], answer["mailboxes"], answer["archives"]) == ("done", [], [])
        else:  # there is no store whose lock could be taken, and no module is missing
            assert b"FileNotFoundError" in ran.stderr
            assert b"/nonexistent" in ran.stderr
