"""A saved plan is exact, says nothing secret, and is refused as soon as something has moved."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from provision.contracts.plan import plan_schema
from provision.errors import ExitCode, Refused
from provision.plan.change import HostPlan, Plan
from provision.plan.diff import diff_host
from provision.plan.document import FleetVersion, PlanDocument, parse_plan_document
from provision.plan.staleness import fleet_moves, has_moved_by_apply, host_moves
from provision.plan.state import HostState
from tests.unit.plan.estate import ACME, KEY, MAIN, bare, desired, mailbox, reply

VERSION = FleetVersion("c0ffee" * 6 + "c0ff", dirty=False, digest="a" * 64, templates="b" * 64)


def _edited(path: str, digest: str) -> dict[str, Any]:
    files: dict[str, Any] = reply()["files"]
    old = base64.b64encode(f"canary {digest}\n".encode()).decode()
    files[path] |= {"sha256": digest * 64, "content": old}
    return files


def _plan(**changes: Any) -> HostPlan:
    return diff_host(desired(), HostState.parse(reply(**changes)))


def _document(*hosts: HostPlan, partial: tuple[str, ...] = ()) -> PlanDocument:
    return PlanDocument(
        plan=Plan(hosts, partial),
        fleet=VERSION,
        created="2026-11-23T18:00:00Z",
        created_by="ada@desk",
        unreached=("mail9",),
    )


FULL = _document(diff_host(desired(), bare()), _plan(files=_edited(MAIN.path, "1")))


def test_plan_comes_back_from_its_file_as_it_was() -> None:
    assert parse_plan_document(FULL.text().encode()) == FULL
    partial = _document(_plan(), partial=("only mail1, as asked",))
    assert parse_plan_document(partial.text().encode()) == partial


def test_document_is_as_its_schema_says() -> None:
    schema = plan_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    emptied = diff_host(replace(desired(), accounts=()), HostState.parse(_held()))
    for document in (FULL, _document(emptied)):
        jsonschema.validate(document.as_json(), _strict(schema))


def _held() -> dict[str, Any]:
    return reply(accounts={"acme.example": base64.b64encode(ACME.document()).decode()})


def _strict(schema: Any) -> Any:
    """The schema with no room for a key that it does not describe."""
    if isinstance(schema, list):
        return [_strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    values = {key: _strict(value) for key, value in schema.items()}
    return {**values, "additionalProperties": False} if "required" in values else values


def test_schema_lets_a_later_minor_version_add_keys_and_refuses_a_major_one() -> None:
    values = FULL.as_json() | {"format_version": "1.7", "more": 1}
    jsonschema.validate(values, plan_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values | {"format_version": "2.0"}, plan_schema())


def test_document_holds_no_secret() -> None:
    host = _plan(files=_edited(KEY.path, "2"))
    assert "canary" not in _document(host).text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "not a plan"),
        (b"[1]", "not a plan"),
        (b"\xff\xfe", "not a plan"),
        (b'{"format_version": "2.0"}', "has format 2.0"),
        (b'{"format_version": "1.0", "hosts": [{}]}', "not whole"),
        (b'{"format_version": "1.0", "hosts": 3}', "not whole"),
    ],
)
def test_what_is_no_plan_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words) as raised:
        parse_plan_document(text)
    assert raised.value.exit_code == ExitCode.REFUSED


def test_plan_that_was_edited_is_refused() -> None:
    values = FULL.as_json()
    values["hosts"][0]["changes"].pop()
    with pytest.raises(Refused, match="changed after it was written"):
        parse_plan_document(json.dumps(values).encode())


def test_later_minor_version_is_read() -> None:
    values = FULL.as_json() | {"format_version": "1.9", "more": True}
    assert parse_plan_document(json.dumps(values).encode()).plan == FULL.plan


def test_unmoved_host_has_no_moves() -> None:
    assert list(host_moves(_plan(), _plan())) == []


def test_hand_edit_makes_the_plan_stale_and_is_named() -> None:
    moves = list(host_moves(_plan(), _plan(files=_edited(MAIN.path, "1"))))
    assert moves[0] == "its files: edited since, not by an apply"
    assert f"new: ~ file {MAIN.path}: update (changed on the host)" in moves
    assert "new: > reload postfix.service: /etc/postfix/main.cf" in moves


def test_second_edit_of_a_secret_file_is_noticed_although_the_plan_reads_the_same() -> None:
    once, twice = (_plan(files=_edited(KEY.path, digest)) for digest in "12")
    assert once.changes == twice.changes
    assert list(host_moves(once, twice)) == ["its files: edited since, not by an apply"]


def test_new_generation_makes_the_plan_stale() -> None:
    moves = list(host_moves(_plan(), _plan(generation=5)))
    assert moves == ["its generation: 4 when planned, now 5"]
    assert has_moved_by_apply(_plan(), _plan(generation=5))


def test_accounts_that_another_apply_changed_make_the_plan_stale() -> None:
    one = replace(ACME, catch_all="anna@acme.example")
    held = {
        "accounts": {"acme.example": base64.b64encode(one.document()).decode()},
        "account_digests": {"acme.example": one.digest()},
    }
    moves = list(host_moves(_plan(), _plan(**held)))
    assert moves[0] == "its accounts: another apply changed them"
    assert has_moved_by_apply(_plan(), _plan(**held))


def test_new_secret_makes_the_plan_stale_although_no_change_is_shown() -> None:
    state = HostState.parse(reply(files=_edited(KEY.path, "1")))
    one, other = (
        diff_host(desired(files=(MAIN, replace(KEY, content=content))), state)
        for content in (b"canary-1", b"canary-2")
    )
    assert one.changes == other.changes
    assert one.digest() != other.digest()
    (move,) = host_moves(one, other)
    assert move.startswith("what it shall have: this controller renders something else")


def test_long_list_of_differences_is_capped() -> None:
    many = replace(ACME, mailboxes=tuple(mailbox(f"m{n:02}@acme.example") for n in range(40)))
    moves = list(host_moves(_plan(), diff_host(desired(site=many), bare())))
    assert len(moves) < 20
    assert moves[-1].startswith("and ")


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (VERSION, []),
        (replace(VERSION, commit="d" * 40), []),
        (replace(VERSION, dirty=True), []),
        (
            replace(VERSION, digest="c" * 64, dirty=True),
            ["the fleet folder: planned from commit c0ffeec0ffee, now commit c0ffeec0ffee with"],
        ),
        (
            replace(VERSION, digest="c" * 64, commit=""),
            ["the fleet folder: planned from commit c0ffeec0ffee, now digest cccccccccccc"],
        ),
        (replace(VERSION, templates="c" * 64), ["the templates of this program"]),
    ],
)
def test_fleet_folder_moves_with_its_contents_not_with_its_commit(
    now: FleetVersion, words: list[str]
) -> None:
    moves = list(fleet_moves(VERSION, now))
    assert len(moves) == len(words)
    assert all(move.startswith(word) for move, word in zip(moves, words, strict=True))
