"""A mailbox that was called otherwise before: what a spec may say about it, and what it may not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provision.model.address import Domain, LocalPart
from provision.model.amounts import Duration
from provision.spec.load import Loaded

Read = Callable[..., Loaded]


def _read(read: Read, *mailboxes: str, more: str = "") -> Loaded:
    lines = "".join(f"  {mailbox}\n" for mailbox in mailboxes)
    return read({"sites/b.yml": f"site: b.example\nhost: mail1\nmailboxes:\n{lines}{more}"})


def _problem(loaded: Loaded) -> tuple[str, int, str]:
    (problem,) = loaded.problems
    assert problem.hint
    return problem.code, problem.place.line, problem.message


def test_mailbox_may_say_what_it_was_called(read: Read) -> None:
    loaded = _read(read, "robert: {moved_from: Bob, aliases: [bob]}")
    assert loaded.problems == ()
    assert loaded.fleet
    (mailbox,) = loaded.fleet.sites[1].mailboxes
    assert mailbox.moved_from == LocalPart("bob")


def test_mailbox_is_not_moved_from_itself(read: Read) -> None:
    found = _problem(_read(read, "bob: {moved_from: BOB}"))
    assert found == ("moved-from-itself", 4, "bob was moved from itself")


def test_mail_is_not_taken_from_a_mailbox_that_stays(read: Read) -> None:
    loaded = _read(read, "robert: {moved_from: bob}", "bob:")
    code, line, message = _problem(loaded)
    assert (code, line) == ("moved-from-there", 4)
    assert message == "the mailbox bob is still there, so its mail cannot be moved"
    assert str(loaded.problems[0].notes[0].place).startswith("sites/b.yml:5:")


def test_names_that_are_exchanged_are_refused_on_both_lines(read: Read) -> None:
    loaded = _read(read, "a: {moved_from: b}", "b: {moved_from: a}")
    assert [(p.code, p.place.line) for p in loaded.problems] == [
        ("moved-from-there", 4),
        ("moved-from-there", 5),
    ]


def test_one_mailbox_inherits(read: Read) -> None:
    loaded = _read(read, "rob: {moved_from: bob}", "robert: {moved_from: bob}")
    code, line, message = _problem(loaded)
    assert (code, line) == ("moved-from-twice", 5)
    assert "already, in sites/b.yml:4" in message


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ('"../bob"', "a dot stands"),
        ('"bob\\n"', "may hold|control|line"),
        ("bob@b.example", "whole address"),
        ("provision-probe", "reserved"),
        ("[bob]", "list or mapping"),
        ("7", "not text"),
        ("", "no value"),
        ("!secret acme/anna", "secret"),
        ('"bоb"', "CYRILLIC"),
    ],
)
def test_hostile_old_name_is_refused_at_its_line(read: Read, written: str, says: str) -> None:
    loaded = _read(read, f"robert: {{moved_from: {written}}}")
    assert loaded.fleet is None
    errors = [problem for problem in loaded.problems if problem.place.line == 4]
    assert errors
    assert any(_says(problem.message, says) for problem in errors), errors


def _says(message: str, says: str) -> bool:
    return any(word in message for word in says.split("|"))


def test_site_may_say_what_its_domain_was(read: Read) -> None:
    loaded = _read(read, "anna:", more="moved_from: OLD.example\ndomain_aliases: [old.example]\n")
    assert loaded.problems == ()
    assert loaded.fleet
    assert loaded.fleet.sites[1].moved_from == Domain("old.example")


def test_site_is_not_moved_from_itself(read: Read) -> None:
    found = _problem(_read(read, "anna:", more="moved_from: b.example\n"))
    assert found == ("moved-from-itself", 5, "b.example was moved from itself")


def test_mail_is_not_taken_from_a_site_that_stays(read: Read) -> None:
    loaded = _read(read, "anna:", more="moved_from: acme.example\n")
    assert _problem(loaded) == (
        "moved-from-there",
        5,
        "the site acme.example is still there, so its mail cannot be moved",
    )


def test_one_site_inherits(read: Read) -> None:
    site = "site: {}.example\nhost: mail1\nmoved_from: old.example\n"
    loaded = read({f"sites/{name}.yml": site.format(name) for name in ("c", "d")})
    code, line, message = _problem(loaded)
    assert (code, line) == ("moved-from-twice", 3)
    assert "already, in sites/c.yml:3" in message


def test_removed_mail_is_kept_for_thirty_days_or_as_said(read: Read, fleet_yml: str) -> None:
    standard = read({}).fleet
    assert standard
    assert standard.keep_removed == Duration.parse("30d")
    longer = read({"fleet.yml": fleet_yml.replace("{quota: 2G}", "{quota: 2G, keep_removed: 12w}")})
    assert longer.fleet
    assert longer.fleet.keep_removed == Duration.parse("12w")


@pytest.mark.parametrize("written", ["30", "0d", "-1d", "1.5d", "forever", "none", "٣d", '" 3d"'])
def test_time_that_is_none_is_refused(read: Read, fleet_yml: str, written: str) -> None:
    text = fleet_yml.replace("{quota: 2G}", f"{{quota: 2G, keep_removed: {written}}}")
    loaded = read({"fleet.yml": text})
    assert loaded.fleet is None
    assert loaded.problems[0].hint
