"""What left the spec leaves the host, whatever it is, and nothing else does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.lab.rehearsal import Rehearsal

pytestmark = pytest.mark.lab

_MORE = """
import provision.apply.inputs as inputs
import provision.render.host as host
from provision.model.bundle import (
    Activation, ManagedDirectory, ManagedFile, ManagedUnit, Part, SystemUser, Verb,
)

inputs.__version__ = "another"
MORE = Activation("more.service", Verb.RESTART)
UNIT = b"[Service]\\nExecStart=sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"


def more(view):
    return Part(
        files=(
            ManagedFile("/etc/systemd/system/more.service", UNIT, activations=(MORE,)),
            ManagedFile("/etc/provision/more/notes", b"more\\n"),
        ),
        directories=(ManagedDirectory("/etc/provision/more", ours=True),),
        packages=("strace",),
        units=(ManagedUnit("more.service"),),
        users=(SystemUser("tidy", "/var/lib/tidy"), SystemUser("hoarder", "/var/lib/hoarder")),
    )


host.PROGRAMS = (*host.PROGRAMS, more)
"""
"""A version of the program that puts one service more on every host."""

_LESS = """
import provision.apply.inputs as inputs
import provision.render.host as host
from dataclasses import replace

inputs.__version__ = "a third"
original = host.render_host


def render_host(*about):
    bundle = original(*about)
    return replace(bundle, packages=tuple(p for p in bundle.packages if p != "dovecot-core"))


host.render_host = render_host
"""
"""One that forgets to ask for a package on which others depend."""

_STATE = (
    "systemctl is-active more.service; systemctl is-enabled more.service;"
    " dpkg-query -W -f '${db:Status-Status}\\n' strace; getent passwd tidy hoarder | cut -d: -f1;"
    " ls -d /etc/provision/more /var/lib/hoarder/treasure"
)


def _state(wire: Rehearsal) -> list[str]:
    return wire.run(f"({_STATE}) 2>/dev/null || true").split()


@pytest.fixture(scope="module")
def grown(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """The rehearsed fleet, to whose host one service more has come."""
    with rehearsal.lab.inside():
        rehearsal.provision("apply", "--yes", before=_MORE)
        rehearsal.run("install -D -o hoarder /dev/null /var/lib/hoarder/treasure")
        yield rehearsal
        rehearsal.provision("apply", "--yes")
        rehearsal.run("userdel hoarder 2>/dev/null; rm -rf /var/lib/hoarder")


def test_all_kinds_leave_and_a_rollback_brings_them_back(grown: Rehearsal) -> None:
    everything = [
        "active",
        "enabled",
        "installed",
        "tidy",
        "hoarder",
        "/etc/provision/more",
        "/var/lib/hoarder/treasure",
    ]
    assert _state(grown) == everything
    planned = grown.provision("plan")
    for line in (
        "- package strace: delete",
        "- user tidy: delete",
        "- directory /etc/provision/more: delete",
        "- file /etc/provision/more/notes: delete",
        "- unit more.service: delete (stop, disable)",
    ):
        assert line in planned, line
    assert "> restart more" not in planned
    applied = grown.provision("apply", "--yes")
    assert "user hoarder stays: /var/lib/hoarder/treasure is its own" in applied
    state = _state(grown)
    assert "inactive" in state
    assert not {"installed", "tidy", "/etc/provision/more"} & set(state)
    assert {"hoarder", "/var/lib/hoarder/treasure"} < set(state)
    assert "No changes." in grown.provision("plan")

    shown = grown.provision("rollback", "--yes")
    assert "+ package strace: create" in shown
    assert [word for word in everything if word in _state(grown)] == everything
    again = grown.provision("plan")
    assert "- package strace: delete" in again


def test_what_was_there_before_is_never_removed(wire: Rehearsal) -> None:
    owned = json.loads(wire.run("cat /var/lib/provision/owned.json"))
    assert "postfix" in owned["packages"]
    assert "ca-certificates" not in owned["packages"]


def test_package_that_others_need_stays_and_the_plan_says_why(wire: Rehearsal) -> None:
    planned = wire.provision("plan", before=_LESS)
    assert re.search(r"Note: mail1: package dovecot-core stays: dovecot-\w+ needs it", planned)
    assert "- package dovecot-core" not in planned


def test_host_of_another_fleet_is_refused_until_it_is_taken_over(wire: Rehearsal) -> None:
    def renamed(text: str) -> str:
        return text.replace("fleet: smartmail\n", "fleet: rival\n")

    def smaller(text: str) -> str:
        return text.replace("quota: 64K", "quota: 63K")

    with (
        wire.edited("fleet.yml", renamed),
        wire.edited("sites/blue.example.yml", smaller),
    ):
        said = wire.provision("plan")
        assert "mail1 belongs to the fleet smartmail, not rival; apply needs --take-over" in said
        wire.provision("apply", "--yes", code=6)
        wire.provision("apply", "--yes", "--take-over")
    wire.provision("apply", "--yes", code=6)
    wire.provision("apply", "--yes", "--take-over")
