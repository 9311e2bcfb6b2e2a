"""What a person reads of a plan."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from provision.plan.change import HostPlan, Plan
from provision.plan.diff import diff_host
from provision.plan.show import show_plan
from provision.plan.state import HostState
from tests.unit.plan.estate import ACME, KEY, MAIN, desired, mailbox, reply

GOLDEN = """\
mail1 (generation 4)
  + package postfix-cdb: create
  ~ file /etc/postfix/main.cf: update (changed on the host)
      --- /etc/postfix/main.cf (host)
      +++ /etc/postfix/main.cf (spec)
      @@ -1 +1 @@
      -relay = yes
      +relay = no
  ~ file /etc/provision/tls/host.key: update ((secret changed), changed on the host)
  + mailbox nora@acme.example: create (quota 2G)
  > reload dovecot.service: /etc/provision/tls/host.key
  > reload postfix.service: /etc/postfix/main.cf, /etc/provision/tls/host.key, package postfix-cdb

Drift: this undoes 2 edits made on hosts.
Plan: 2 to create, 2 to update, 0 to delete on 1 host; 2 units to move."""


def test_plan_reads_like_this() -> None:
    values = reply()
    del values["packages"]["postfix-cdb"]
    old = base64.b64encode(b"relay = yes\n").decode()
    values["files"][MAIN.path] |= {"sha256": "0" * 64, "content": old}
    values["files"][KEY.path] |= {"sha256": "0" * 64}
    values["accounts"] = {"acme.example": base64.b64encode(ACME.document()).decode()}
    site = replace(ACME, mailboxes=(*ACME.mailboxes, mailbox("nora@acme.example")))
    plan = Plan((diff_host(desired(site=site), HostState.parse(values)),))
    assert "\n".join(line.text for line in show_plan(plan)) == GOLDEN


def test_nobody_says_no_changes_of_hosts_that_nobody_saw() -> None:
    assert [line.text for line in show_plan(Plan(()))] == ["No host could be looked at."]


def test_what_a_host_holds_cannot_steer_a_terminal() -> None:
    values = reply()
    hostile = base64.b64encode(b"\x1b[2Jrelay = yes\r\xe2\x80\xaeoff\n").decode()
    values["files"][MAIN.path] |= {"sha256": "0" * 64, "content": hostile}
    shown = "\n".join(line.text for line in show_plan(Plan((_of(values),))))
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "-\\u{1b}[2Jrelay = yes" in shown


def _of(values: dict[str, Any]) -> HostPlan:
    return diff_host(desired(), HostState.parse(values))
