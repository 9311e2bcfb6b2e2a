"""A plan is exactly desired minus actual."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from provision.model.accounts import GENERATED, AliasAccount
from provision.plan.change import Action, Change, HostPlan, Kind, Origin, Plan
from provision.plan.diff import diff_host
from provision.plan.show import change_words, show_plan
from provision.plan.state import HostState
from tests.unit.plan.estate import ACME, KEY, MAIN, bare, desired, mailbox, reply, with_accounts


def _plan(**changes: Any) -> HostPlan:
    return diff_host(desired(), HostState.parse(reply(**changes)))


def _words(plan: HostPlan) -> list[str]:
    return [change_words(change) for change in plan.changes]


def test_host_as_asked_needs_nothing() -> None:
    plan = _plan()
    assert plan.is_empty
    assert [line.text for line in show_plan(Plan((plan,)))] == [
        "No changes. mail1 is as the spec asks."
    ]


def test_bare_host_gets_everything_and_starts_every_unit() -> None:
    plan = diff_host(desired(), bare())
    assert {change.action for change in plan.changes} == {Action.CREATE}
    assert {change.kind for change in plan.changes} == {
        Kind.PACKAGE,
        Kind.USER,
        Kind.DIRECTORY,
        Kind.FILE,
        Kind.UNIT,
        Kind.SITE,
        Kind.MAILBOX,
        Kind.ALIAS,
    }
    assert [(action.unit, action.verb) for action in plan.unit_actions] == [
        ("dovecot.service", "start"),
        ("postfix.service", "start"),
    ]


def test_hand_edited_file_is_drift_with_a_diff_and_reloads_its_reader() -> None:
    edited = reply()["files"]
    content = b"relay = yes\n"
    edited[MAIN.path] |= {"sha256": "0" * 64, "content": base64.b64encode(content).decode()}
    plan = _plan(files=edited)
    (change,) = plan.changes
    assert (change.name, change.origin) == (MAIN.path, Origin.DRIFT)
    assert "-relay = yes\n+relay = no\n" in change.diff
    assert [(a.unit, a.verb, a.why) for a in plan.unit_actions] == [
        ("postfix.service", "reload", (MAIN.path,))
    ]


def test_secret_file_shows_that_it_changed_and_nothing_of_what() -> None:
    edited = reply()["files"]
    edited[KEY.path] |= {"sha256": "0" * 64, "content": base64.b64encode(b"old-canary").decode()}
    plan = _plan(files=edited)
    assert _words(plan) == [f"~ file {KEY.path}: update ((secret changed), changed on the host)"]
    assert "canary" not in json.dumps(plan.as_json())


def test_file_that_was_secret_stays_masked_when_it_is_no_longer() -> None:
    edited = reply()["files"]
    edited[KEY.path] |= {"sha256": "0" * 64, "content": base64.b64encode(b"old-canary").decode()}
    bundle = desired(files=(MAIN, replace(KEY, secret=False)))
    plan = diff_host(bundle, HostState.parse(reply(files=edited)))
    assert "canary" not in json.dumps(plan.as_json())


def test_mode_and_owner_count() -> None:
    edited = reply()["files"]
    edited[KEY.path] |= {"mode": 0o644, "group": "users"}
    assert _words(_plan(files=edited)) == [
        (
            f"~ file {KEY.path}: update (mode 0644 -> 0600; owner root:users -> root:root,"
            " changed on the host)"
        )
    ]


def test_what_left_the_spec_leaves_the_host_and_its_reader_reloads() -> None:
    plan = diff_host(desired(files=(MAIN,)), HostState.parse(reply()))
    assert _words(plan) == [f"- file {KEY.path}: delete"]
    assert [action.unit for action in plan.unit_actions] == ["dovecot.service", "postfix.service"]


def test_file_that_left_the_spec_and_the_host_is_no_change() -> None:
    files = reply()["files"]
    del files[KEY.path]
    assert diff_host(desired(files=(MAIN,)), HostState.parse(reply(files=files))).is_empty


def test_symlink_in_place_of_a_file_is_replaced() -> None:
    files = reply()["files"]
    files[MAIN.path] |= {"kind": "symlink", "sha256": ""}
    (change,) = _plan(files=files).changes
    assert change.detail == "is a symlink"


def test_removed_package_shows_and_its_unit_is_moved() -> None:
    packages = reply()["packages"]
    del packages["dovecot-imapd"]
    plan = _plan(packages=packages)
    assert _words(plan) == ["+ package dovecot-imapd: create"]
    assert [(a.unit, a.verb) for a in plan.unit_actions] == [("dovecot.service", "reload")]


@pytest.mark.parametrize("state", ["inactive", "failed", "activating"])
def test_stopped_unit_is_started(state: str) -> None:
    units = reply()["units"]
    units["postfix.service"] |= {"active": state}
    plan = _plan(units=units)
    assert _words(plan) == [f"~ unit postfix.service: update (start (is {state}))"]
    assert [(a.unit, a.verb) for a in plan.unit_actions] == [("postfix.service", "start")]


def test_unit_that_would_not_come_up_after_a_reboot_is_enabled() -> None:
    units = reply()["units"]
    units["postfix.service"] |= {"enabled": "disabled"}
    assert _words(_plan(units=units)) == ["~ unit postfix.service: update (enable)"]


def test_interrupted_activation_is_finished_though_no_file_differs() -> None:
    plan = _plan(pending=[["postfix.service", "start"]])
    assert [(a.unit, a.verb) for a in plan.unit_actions] == [("postfix.service", "reload")]
    assert not plan.is_empty


def test_interrupted_dpkg_shows() -> None:
    assert _words(_plan(dpkg_interrupted=True)) == [
        "~ repair packages: update (a package run was interrupted: finish it)"
    ]


def test_one_new_mailbox_is_that_and_nothing_else() -> None:
    nora = mailbox("nora@acme.example")
    site = replace(ACME, mailboxes=(*ACME.mailboxes, nora))
    plan = diff_host(desired(site=site), with_accounts(ACME))
    assert plan.changes == (Change(Kind.MAILBOX, "nora@acme.example", Action.CREATE, "quota 2G"),)
    assert plan.unit_actions == ()
    assert plan.is_accounts_only


def test_every_field_of_a_mailbox_shows_in_words() -> None:
    anna = replace(
        ACME.mailboxes[0],
        name="Anna",
        fingerprint="hmac:22",
        quota=0,
        pop3=False,
        aliases=("a@acme.example",),
        forward_to=("anna@home.example",),
    )
    site = replace(ACME, mailboxes=(anna, ACME.mailboxes[1]))
    plan = diff_host(desired(site=site), with_accounts(ACME))
    assert _words(plan) == [
        (
            "~ mailbox anna@acme.example: update (name '' -> 'Anna'; password (secret changed);"
            " quota 2G -> unlimited; POP3 off; aliases none -> a@acme.example;"
            " no forward -> forward to anna@home.example keeping a copy)"
        )
    ]


def test_generated_password_is_announced_and_an_existing_one_is_left_alone() -> None:
    new = mailbox("nora@acme.example", fingerprint=GENERATED)
    left = replace(ACME.mailboxes[0], fingerprint=GENERATED)
    site = replace(ACME, mailboxes=(left, ACME.mailboxes[1], new))
    assert _words(diff_host(desired(site=site), with_accounts(ACME))) == [
        "~ mailbox anna@acme.example: update (password left to its owner)",
        "+ mailbox nora@acme.example: create (quota 2G, password will be generated)",
    ]


def test_site_and_alias_changes_show_in_words() -> None:
    site = replace(
        ACME,
        route="none",
        catch_all="anna@acme.example",
        domain_aliases=("acme.test",),
        aliases=(AliasAccount("info@acme.example", ("bob@acme.example",)),),
    )
    assert _words(diff_host(desired(site=site), with_accounts(ACME))) == [
        (
            "~ site acme.example: update (outgoing direct -> none; aliases none -> acme.test;"
            " catch-all none -> anna@acme.example)"
        ),
        "~ alias info@acme.example: update (to anna@acme.example -> bob@acme.example)",
    ]


def test_site_that_left_leaves_with_all_that_is_in_it() -> None:
    gone = replace(ACME, site="gone.example", mailboxes=(mailbox("x@gone.example"),), aliases=())
    document = base64.b64encode(gone.document()).decode()
    digests = {"acme.example": ACME.digest(), "gone.example": gone.digest()}
    plan = _plan(accounts={"gone.example": document}, account_digests=digests)
    assert _words(plan) == [
        "- site gone.example: delete (with 1 mailbox and 0 aliases)",
        "- mailbox x@gone.example: delete (its mail, archived for 30 days)",
    ]


def test_unreadable_document_is_rebuilt() -> None:
    broken = base64.b64encode(b"{").decode()
    plan = _plan(accounts={"acme.example": broken}, account_digests={"acme.example": "0"})
    assert _words(plan)[0] == ("~ site acme.example: update (unreadable on the host: rebuilt)")


def test_document_of_the_same_content_in_another_form_is_written_anew() -> None:
    spaced = json.dumps(json.loads(ACME.document()), indent=1).encode()
    held = {"acme.example": base64.b64encode(spaced).decode()}
    plan = _plan(accounts=held, account_digests={"acme.example": "0"})
    assert _words(plan) == ["~ site acme.example: update (written anew, same content)"]


def test_equal_plans_have_equal_digests_and_others_have_not() -> None:
    assert _plan().digest() == _plan().digest()
    assert _plan().digest() != _plan(dpkg_interrupted=True).digest()
