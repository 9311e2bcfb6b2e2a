"""What was broken before an apply is not held against it: it may even be what mends the host."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lab.rehearsal import Rehearsal
from tests.torture.specs import HASH

pytestmark = pytest.mark.lab

SIGNAL = "systemctl kill --signal={} php8.4-fpm.service"
NEW_SITE = f"""\
site: green.example
host: mail1
mailboxes:
  gus: {{password_hash: {HASH}}}
"""


@pytest.fixture
def ailing(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """A host whose PHP hangs: nginx runs, and its pages do not come."""
    rehearsal.provision("apply", "--yes")
    rehearsal.run(SIGNAL.format("STOP"))
    path = rehearsal.fleet_dir / "sites/green.example.yml"
    path.write_text(NEW_SITE)
    yield rehearsal
    path.unlink()
    rehearsal.run(SIGNAL.format("CONT"))
    rehearsal.provision("apply", "--yes", "--allow-removals")


def test_site_comes_although_webmail_was_broken_before(ailing: Rehearsal) -> None:
    assert "reload nginx.service" in ailing.provision("plan")
    said = ailing.provision("apply", "--yes")
    assert "nginx.service did not serve before, and still does not: " in said
    with ailing.lab.inside():
        subject = ailing.send_from_world("gus@green.example")
    assert subject
    history = json.loads(ailing.provision("history", "--format", "json"))
    assert history["hosts"][0]["generations"][-1]["outcome"] == "applied"
