"""Saved plans on a real host: applied exactly or refused as stale; guards hold until told to go."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest

from provision.contracts.plan import plan_schema
from tests.lab.rehearsal import Rehearsal

pytestmark = pytest.mark.lab

SITE = "sites/blue.example.yml"
MAIN = "/etc/postfix/main.cf"


def _with_mailbox(spec: str) -> str:
    return spec.replace("mailboxes:\n", "mailboxes:\n  gina: {name: Gina Gray}\n")


@contextmanager
def _restored(rehearsal: Rehearsal) -> Iterator[None]:
    """Whatever the block leaves, the host ends as the demo fleet asks."""
    try:
        yield
    finally:
        rehearsal.provision("apply", "--yes", "--allow-removals", "--allow-updates")


@pytest.fixture
def edited(rehearsal: Rehearsal, tmp_path: Path) -> Iterator[Path]:
    """A spec with one more mailbox; where its plan can be saved. Host and spec are put back."""
    with _restored(rehearsal), rehearsal.edited(SITE, _with_mailbox):
        yield tmp_path / "tonight.plan"


def test_saved_plan_is_applied_exactly(rehearsal: Rehearsal, edited: Path) -> None:
    shown = rehearsal.provision("plan", "-o", str(edited))
    assert "+ mailbox gina@blue.example: create" in shown
    values = json.loads(edited.read_text())
    jsonschema.validate(values, plan_schema())
    assert [change["name"] for change in values["hosts"][0]["changes"]] == ["gina@blue.example"]

    ended = json.loads(rehearsal.provision("apply", str(edited), "--format", "json"))
    assert ended["plan"]["digest"] == values["digest"]
    assert [outcome["outcome"] for outcome in ended["outcomes"]] == ["applied"]
    assert rehearsal.provision("plan", "--detailed-exitcode").startswith("No changes.")

    again = rehearsal.provision("apply", str(edited), code=6)
    assert "its accounts: another apply changed them" in again
    assert re.search(r"applied by \S+@\S+ at \S+Z", again)
    assert "gone: + mailbox gina@blue.example" in again


def test_plan_is_stale_when_the_host_was_edited_by_hand(rehearsal: Rehearsal, edited: Path) -> None:
    rehearsal.provision("plan", "-o", str(edited))
    rehearsal.run(f"cp -p {MAIN} /root/main.cf.kept; echo '# by hand' >> {MAIN}")
    try:
        refused = rehearsal.provision("apply", str(edited), code=6)
        assert "the plan is stale" in refused
        assert "edited since, not by an apply" in refused
        assert f"new: ~ file {MAIN}: update (changed on the host)" in refused
        assert "# by hand" in rehearsal.run(f"tail -1 {MAIN}")
        assert "gina" not in rehearsal.run("cat /etc/dovecot/accounts/blue.example.passwd")
    finally:
        rehearsal.run(f"mv /root/main.cf.kept {MAIN}")


def test_plan_is_stale_when_the_fleet_folder_has_moved(rehearsal: Rehearsal, edited: Path) -> None:
    rehearsal.provision("plan", "-o", str(edited))
    with rehearsal.edited("fleet.yml", lambda spec: f"{spec}# a comment\n"):
        rehearsal.provision("apply", str(edited), code=6)


def test_approved_digest_applies_that_plan_and_no_other(rehearsal: Rehearsal, edited: Path) -> None:
    shown = rehearsal.provision("plan", "--format", "markdown")
    digest = re.findall("Digest: `([0-9a-f]{64})`", shown)[0]
    assert not edited.exists()
    assert digest in rehearsal.provision("plan")
    other = digest.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    assert "not the approved one" in rehearsal.provision("apply", "--checksum", other, code=6)
    assert "applied" in rehearsal.provision("apply", "--checksum", digest)


def test_plan_of_one_site_shows_no_other(rehearsal: Rehearsal, edited: Path) -> None:
    own = rehearsal.provision("plan", "--site", "blue.example")
    assert "gina@blue.example" in own
    assert "This plan is partial" in own
    other = rehearsal.provision("plan", "--site", "quiet.example")
    assert "gina" not in other
    rehearsal.provision("plan", "--site", "blue.example", "-o", str(edited), code=64)
    rehearsal.provision("plan", "--site", "nobody.example", code=64)


def test_halved_fleet_is_refused_until_it_is_told_to_go_on(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    moved = [rehearsal.fleet_dir / "sites" / f"{site}.example.yml" for site in ("blue", "quiet")]
    with _restored(rehearsal):
        try:
            for path in moved:
                path.rename(tmp_path / path.name)
            refused = rehearsal.provision("apply", "--yes", code=6)
            assert (
                "loses half of its sites or more (2 of 3); apply needs --allow-removals" in refused
            )
            assert "- mailbox fred@quiet.example: delete" in refused
            assert rehearsal.run("ls /etc/dovecot/accounts").count("quiet.example") > 0
            assert "applied" in rehearsal.provision("apply", "--yes", "--allow-removals")
            assert rehearsal.run("ls /etc/dovecot/accounts").count("quiet.example") == 0
        finally:
            for path in moved:
                (tmp_path / path.name).rename(path)


def test_protected_mailbox_stays_until_an_apply_has_lifted_it(rehearsal: Rehearsal) -> None:
    def adding(body: str) -> Callable[[str], str]:
        return lambda spec: spec.replace("mailboxes:\n", f"mailboxes:\n  keep: {body}\n")

    with _restored(rehearsal):
        with rehearsal.edited(SITE, adding("{protect: true}")):
            rehearsal.provision("apply", "--yes")
        refused = rehearsal.provision("apply", "--yes", "--allow-removals", code=6)
        assert "mailbox keep@blue.example is protected" in refused
        assert "keep@blue.example" in rehearsal.run("cat /etc/dovecot/accounts/blue.example.passwd")
        with rehearsal.edited(SITE, adding("{}")):
            lifted = rehearsal.provision("apply", "--yes")
            assert "~ mailbox keep@blue.example: update (no longer protected)" in lifted
        assert "- mailbox keep@blue.example: delete" in rehearsal.provision("apply", "--yes")
