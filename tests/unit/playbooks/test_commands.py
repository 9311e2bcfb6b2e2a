"""A program that does not run is an outcome like any other."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.provision_commands import run


def test_program_that_is_missing_or_cannot_start_has_failed_with_the_reason(tmp_path: Path) -> None:
    assert run("/nonexistent/program") == (127, "", "/nonexistent/program: not installed")
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    assert run(str(program)) == (126, "", f"{program}: Permission denied")


def test_program_that_does_not_end_has_failed() -> None:
    assert run("sleep", "60", seconds=0.1).status == 124
