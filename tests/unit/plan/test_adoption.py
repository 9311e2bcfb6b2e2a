"""What was edited on a host becomes wishes for site files, where a spec has words for it."""

from __future__ import annotations

from dataclasses import replace

from provision.model.accounts import AliasAccount
from provision.plan.adoption import adopt_document, adopt_logins, why_not
from provision.plan.change import Kind
from provision.plan.drift import Drifted, Finding
from provision.spec.rewrite import Wish
from tests.unit.plan.estate import ACME, mailbox

HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g"
ANNA = "anna@acme.example"


def test_quota_and_hash_of_a_login_are_adopted() -> None:
    edits = {ANNA: {"edit": "changed", "quota": 1024**3, "hash": HASH}}
    adoption = adopt_logins(ACME, edits)
    assert adoption.wishes == [
        Wish(("mailboxes", "anna", "quota"), "1G"),
        Wish(("mailboxes", "anna", "password_hash"), HASH),
        Wish(("mailboxes", "anna", "password"), None),
    ]
    assert adoption.left == []
    assert HASH not in " ".join(adoption.words)


def test_quota_without_a_limit_is_none() -> None:
    adoption = adopt_logins(ACME, {ANNA: {"edit": "changed", "quota": 0}})
    assert adoption.wishes == [Wish(("mailboxes", "anna", "quota"), "none")]


def test_login_that_was_added_is_a_new_mailbox() -> None:
    edits = {"nora@acme.example": {"edit": "added", "quota": 1024**3, "hash": HASH}}
    assert adopt_logins(ACME, edits).wishes == [
        Wish(("mailboxes", "nora"), {"quota": "1G", "password_hash": HASH})
    ]


def test_what_no_spec_can_say_is_left_with_a_reason() -> None:
    adoption = adopt_logins(
        ACME,
        {
            "anna@acme.example": {"edit": "gone"},
            "bob@acme.example": {"edit": "changed", "hash": "{PLAIN}letmein"},
            "eve@else.example": {"edit": "added", "hash": HASH, "quota": 0},
            "provision-probe@acme.example": {"edit": "changed", "hash": HASH},
        },
    )
    assert adoption.wishes == []
    assert [words.partition(":")[0] for words in adoption.left] == [
        "anna@acme.example",
        "bob@acme.example",
        "eve@else.example",
        "provision-probe@acme.example",
    ]
    assert "letmein" not in " ".join(adoption.left)


def test_document_of_a_site_is_adopted_in_the_words_of_a_site_file() -> None:
    nora = mailbox("nora@acme.example", aliases=("n@acme.example",), name="Nora")
    anna = replace(
        ACME.mailboxes[0], forward_to=("bob@acme.example", "x@home.example"), forward_keep=False
    )
    edited = replace(
        ACME,
        mailboxes=(anna, ACME.mailboxes[1], nora),
        aliases=(AliasAccount("info@acme.example", ("bob@acme.example",)),),
        catch_all="anna@acme.example",
        domain_aliases=("acme.test",),
    )
    wishes = {
        wish.path: wish.value for wish in adopt_document(ACME, edited.document().decode()).wishes
    }
    assert wishes == {
        ("mailboxes", "anna", "forward"): {"to": ["bob", "x@home.example"], "keep_copy": False},
        ("mailboxes", "nora"): {
            "name": "Nora",
            "quota": "2G",
            "imap": True,
            "pop3": True,
            "aliases": ["n"],
        },
        ("aliases", "info"): ["bob"],
        ("catch_all",): "anna",
        ("domain_aliases",): ["acme.test"],
    }


def test_unreadable_document_is_left() -> None:
    assert adopt_document(ACME, "{").left == [
        "acme.example: its document on the host is unreadable"
    ]


def test_edited_file_names_what_makes_it() -> None:
    words = why_not(Finding(Kind.FILE, "/etc/postfix/main.cf", Drifted.CHANGED))
    assert words.startswith("templates/postfix makes it from the spec's smarthosts")
    assert "/var/lib/provision/replaced" in words
    foreign = Finding(Kind.FILE, "/etc/nginx/provision/x.conf", Drifted.FOREIGN)
    assert "no spec can ask for it" in why_not(foreign)
    package = Finding(Kind.PACKAGE, "postfix", Drifted.MISSING)
    assert "the next apply puts it back" in why_not(package)
