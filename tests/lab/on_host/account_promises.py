"""What the account compiler promises when nothing goes wrong."""

from collections.abc import Callable
from pathlib import Path

from .account_estate import (
    AFTER,
    BEFORE,
    HASH,
    Outcome,
    Value,
    accounts,
    delta,
    differing,
    end_state,
    layout,
    mailbox,
    prepare,
    site,
    store,
)


def stamps(root: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every file that a daemon reads."""
    folders = (Path(root, "etc/dovecot"), Path(root, "etc/postfix"))
    paths = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {
        path.name: (path.lstat().st_ino, path.lstat().st_mtime_ns)
        for path in paths
        if ".build" not in path.parts
    }


def touched(root: Path, change: Callable[[], object]) -> set[str]:
    before = stamps(root)
    change()
    after = stamps(root)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def promise_nothing_to_do_touches_nothing(root: Path) -> None:
    for again in (
        lambda: accounts.apply_delta(layout(root), BEFORE),
        lambda: accounts.compile_all(layout(root)),
    ):
        assert touched(root, again) == set()


def promise_one_mailbox_touches_its_site_and_the_maps_it_is_in(root: Path) -> None:
    more = site("two.example", mailbox("stays@two.example"), mailbox("new@two.example", quota=0))
    more["catch_all"] = "stays@two.example"
    found = touched(root, lambda: accounts.apply_delta(layout(root), delta(more)))
    assert found == {"two.example.passwd", "aliases.cdb", "mailboxes.cdb", "senders.cdb"}, found


def promise_a_mailbox_that_left_is_archived_and_a_new_one_starts_empty(root: Path) -> None:
    result = accounts.apply_delta(layout(root), AFTER)
    assert sorted(result["archived"]) == ["anna@gone.example", "leaves@one.example"], result
    assert not Path(root, "var/mail/provision/one.example/leaves").exists()
    accounts.apply_delta(layout(root), BEFORE)
    assert not list(Path(root, "var/mail/provision/one.example/leaves").iterdir())
    (letter,) = Path(root, "var/mail/provision/.archive").glob("*-leaves@one.example/home/mail")
    assert letter.read_text() == "a letter\n"


def promise_a_password_that_the_host_knows_need_not_be_sent_again(root: Path) -> None:
    quiet = {"sites": BEFORE["sites"], "removed": [], "hashes": {}}
    assert accounts.apply_delta(layout(root), quiet)["written"] == []


def promise_a_generated_password_is_never_changed(root: Path) -> None:
    def generated(text: str) -> Value:
        entry = mailbox("stays@two.example", fingerprint="generated")
        own = delta(site("two.example", entry))
        own["hashes"] = (
            {"stays@two.example": {"fingerprint": "generated", "hash": text}} if text else {}
        )
        return own

    accounts.apply_delta(layout(root), generated(""))
    path = Path(root, "etc/dovecot/accounts/two.example.passwd")
    assert HASH in path.read_text()
    assert store.fingerprints(layout(root), "two.example") == {"stays@two.example": "generated"}


def promise_a_delta_that_is_not_whole_changes_nothing(root: Path) -> None:
    before = end_state(root)
    missing = delta(site("three.example", mailbox("a@three.example")))
    missing["hashes"] = {}
    twice = delta(site("three.example", mailbox("a@three.example"), domain_aliases=["two.example"]))
    wrong = delta(site("three.example", mailbox("a@three.example")))
    wrong["sites"] = {"four.example": wrong["sites"]["three.example"]}
    hostile = delta(site("three.example", mailbox("a\nb@three.example")))
    for bad in (missing, twice, wrong, hostile):
        try:
            accounts.apply_delta(layout(root), bad)
        except accounts.InvalidAccounts:
            assert end_state(root) == before
        else:
            raise AssertionError(bad)


def promise_what_a_hand_changed_is_seen_and_mended(root: Path) -> None:
    before = end_state(root)
    folder = Path(root, "etc/dovecot/accounts")
    (folder / "two.example.passwd").write_text("x@two.example:{PLAIN}x::::::\n")
    (folder / "one.example.passwd").chmod(0o644)
    (folder / "more.passwd").write_text("x@more:{PLAIN}x::::::\n")
    Path(root, "etc/postfix/accounts/aliases.cdb").unlink()
    seen = store.observe(layout(root))["damage"]
    assert seen == [
        "/etc/dovecot/accounts/one.example.passwd",
        "/etc/dovecot/accounts/two.example.passwd",
        "/etc/postfix/accounts/aliases.cdb",
        "/etc/dovecot/accounts/more.passwd",
    ], seen
    accounts.compile_all(layout(root))
    assert store.observe(layout(root))["damage"] == []
    assert differing(root, before) == []


def promise_secrets_are_readable_by_the_login_server_alone(root: Path) -> None:
    for path in Path(root).rglob("*"):
        if path.is_file() and HASH.encode() in path.read_bytes():
            wanted = 0o640 if path.suffix == ".passwd" else 0o600
            assert path.stat().st_mode & 0o777 == wanted, path


def keep_promises(base: Path) -> Outcome:
    promises = [check for name, check in sorted(globals().items()) if name.startswith("promise_")]
    faults = []
    for check in promises:
        root = base / check.__name__
        prepare(root)
        try:
            check(root)
        except Exception as error:  # noqa: BLE001 - whatever breaks, the others are tried too
            faults.append(f"{check.__name__}: {type(error).__name__}: {error}")
    return len(promises), faults
