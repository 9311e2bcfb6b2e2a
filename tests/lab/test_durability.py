"""What an apply writes survives a power cut: every file is synced before it takes its name.

A lab host's cut loses no unsynced bytes, so the order of system calls is the proof.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.assets import playbooks_dir
from tests.lab.rehearsal import HOST, Rehearsal
from tests.torture.stage import Command, Stage, staged
from tests.torture.trace import Verdict, judge_trace, traced

pytestmark = pytest.mark.lab

UNSYNCED = "takes its name before its bytes are synced"


@pytest.fixture(scope="module")
def stage(rehearsal: Rehearsal) -> Iterator[Stage]:
    """The rehearsed host between two states; as it was before at the end."""
    with staged(rehearsal) as stage:
        stage.ask_for("A")
        stage.apply()
        yield stage


def _traced(stage: Stage, file: Path, before: str = "") -> Verdict:
    with traced(stage.lab, HOST, file):
        code, said = Command(stage.rehearsal.fleet_dir, "apply", "--yes", before=before).end(
            within=600
        )
    assert code == 0, said
    with file.open(errors="replace") as lines:
        return judge_trace(lines)


def test_every_file_is_synced_before_its_name_and_every_folder_after(
    stage: Stage, tmp_path: Path
) -> None:
    seen: set[str] = set()
    for state in ("B", "A", "C", "D", "C"):
        stage.ask_for(state)
        verdict = _traced(stage, tmp_path / f"{state}.trace")
        assert verdict.faults == []
        seen |= set(verdict.renamed)
    for path in (
        "/etc/postfix/master.cf",
        "/etc/provision/tls/sites/green.example.key",
        "/etc/postfix/accounts/mailboxes.cdb",
        "/etc/provision/firewall.nft",
        "/var/lib/provision/unconfirmed.json",
        "/etc/dovecot/accounts/green.example.passwd",
        "/var/lib/provision/journal.json",
        "/var/lib/provision/pending.json",
        "/var/lib/provision/current",
        "/var/lib/provision/accounts/intent.json",
        "/var/lib/provision/accounts/compiled.json",
    ):
        assert path in seen
    assert any("/.archive/" in path for path in seen)
    assert len(seen) > 100


@pytest.mark.parametrize(
    ("name", "line", "fault"),
    [
        ("durable", "            os.fsync(file)\n", UNSYNCED),
        ("durable", "        os.fsync(folder)\n", "is not synced after it"),
        ("account_store", "            os.fsync(file.fileno())\n", UNSYNCED),
    ],
)
def test_missing_sync_would_be_seen(
    stage: Stage, tmp_path: Path, name: str, line: str, fault: str
) -> None:
    """The same apply with one line of a module less. Maps are synced by postmap and by us, too."""
    folder = tmp_path / "playbooks"
    shutil.copytree(playbooks_dir(), folder)
    module = folder / f"module_utils/provision_{name}.py"
    source = module.read_text()
    assert line in source
    module.write_text(source.replace(line, line.replace("os.fsync(", "id(")))
    without = (
        "import provision.assets; from pathlib import Path;"
        f"provision.assets.playbooks_dir = lambda: Path({str(folder)!r})"
    )
    stage.ask_for(stage.other)
    verdict = _traced(stage, tmp_path / "less.trace", without)
    assert any(fault in found for found in verdict.faults)
