"""What ``provision mailbox`` lists, and what it would purge."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provision.cli.mailbox_lists import archive_lines, doomed, show_lists
from provision.cli.main import run
from provision.errors import ExitCode

NOW = 1_800_000_000


def _archive(address: str, *, keep_until: int, name: str = "20261123T190700Z") -> dict[str, Any]:
    return {
        "name": f"{name}-{address}",
        "address": address,
        "removed": NOW - 86400,
        "keep_until": keep_until,
        "who": "ada@desk",
        "commit": "abc",
        "messages": 312,
        "bytes": 1288490189,
    }


LISTS = {
    "mail1": {
        "now": NOW,
        "mailboxes": [
            {"address": "bob@acme.example", "quota": 0, "messages": 2, "bytes": 2048},
            {"address": "anna@acme.example", "quota": 1024**3, "messages": 0, "bytes": 0},
            {"address": "provision-probe@acme.example", "quota": 1, "messages": 1, "bytes": 9},
        ],
        "archives": [
            _archive("old@acme.example", keep_until=NOW),
            _archive("bob@acme.example", keep_until=NOW + 1),
            _archive("bob@acme.example", keep_until=NOW + 2, name="20261124T190700Z"),
        ],
    },
    "mail2": {"now": NOW, "mailboxes": [], "archives": [_archive("z@b.example", keep_until=NOW)]},
}


def test_purge_of_an_address_takes_all_of_its_archives_and_no_other() -> None:
    assert [entry["name"][:8] for entry in doomed(LISTS, "bob@acme.example")] == [
        "20261123",
        "20261124",
    ]
    assert doomed(LISTS, "anna@acme.example") == []


def test_purge_of_the_expired_takes_those_whose_time_is_over_on_every_host() -> None:
    found = {(entry["host"], entry["address"]) for entry in doomed(LISTS, None)}
    assert found == {("mail1", "old@acme.example"), ("mail2", "z@b.example")}


def test_mailboxes_are_listed_by_address_without_probes(capsys: pytest.CaptureFixture[str]) -> None:
    show_lists(LISTS, (), archived=False, is_json=False, unreached={})
    assert capsys.readouterr().out.splitlines() == [
        "anna@acme.example  mail1  0 messages  0B    of 1G",
        "bob@acme.example   mail1  2 messages  2.0K  no limit",
    ]


def test_archive_shows_until_when_it_is_kept() -> None:
    lines = [line.text for line in archive_lines(doomed(LISTS, "bob@acme.example"))]
    assert lines[0].split() == [
        "bob@acme.example", "mail1", "removed", "2027-01-14", "kept", "until", "2027-01-15",
        "312", "messages", "1.2G", "20261123T190700Z-bob@acme.example",
    ]  # fmt: skip
    assert [line.text for line in archive_lines([])] == ["No archive."]


def test_json_is_one_versioned_document_of_the_sites_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_lists(LISTS, ("b.example",), archived=True, is_json=True, unreached={})
    document = json.loads(capsys.readouterr().out)
    assert document["format_version"] == "1.0"
    (entry,) = document["archives"]
    assert (entry["host"], entry["expired"]) == ("mail2", True)
    assert entry["keep_until"] == "2027-01-15T08:00:00Z"


@pytest.mark.parametrize("words", [[], ["bob@acme.example", "--expired"]])
def test_purge_wants_one_address_or_the_expired(words: list[str]) -> None:
    assert run(["mailbox", "purge", *words]) == ExitCode.USAGE
