"""What is remembered of site files never changes what is read, whatever became of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provision.render.accounts import known_accounts
from provision.spec import crew, load, looking, quick
from provision.spec.load import Loaded, read_fleet
from provision.spec.memory_switch import OFF
from provision.spec.report_text import text_report

WriteFleet = Callable[[Mapping[str, str | bytes]], Path]
NAMES = ("anna", "bob", "cleo", "Dora", "info")
SITES = ("acme", "blue", "cyan")
SITE = """\
site: {name}.example
host: mail1
domain_aliases: [{name}.test]
mailboxes:
{mailboxes}
aliases: {{{aliases}}}
"""


@pytest.fixture(autouse=True)
def _however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "WORTH_REMEMBERING", 0)


def _mailbox(parts: tuple[str, str, str]) -> str:
    name, login, target = parts
    return f"  {name}: {{{login}{f', forward: {{to: [{target}]}}' if target else ''}}}"


TARGETS = st.sampled_from(
    ["", "anna", "bob", *(f"{name}@{site}.{end}" for name in ("anna", "Bob", "info", "x+y")
     for site in (*SITES, "webmail.acme") for end in ("example", "test"))]
)  # fmt: skip
LOGINS = st.sampled_from(
    ["quota: 5G", "imap: false, pop3: false", "password: !secret acme/anna", "moved_from: old"]
)
MAILBOXES = st.lists(
    st.tuples(st.sampled_from(NAMES), LOGINS, TARGETS),
    min_size=1,
    max_size=3,
    unique_by=lambda m: m[0],
)
ALIASES = st.dictionaries(
    st.sampled_from(["info", "sales", "bob"]), TARGETS.filter(bool), max_size=2
)


def _site(name: str, mailboxes: list[tuple[str, str, str]], aliases: dict[str, str]) -> str:
    lines = ", ".join(f"{alias}: [{target}]" for alias, target in aliases.items())
    return SITE.format(name=name, mailboxes="\n".join(map(_mailbox, mailboxes)), aliases=lines)


@st.composite
def _edits(draw: st.DrawFn) -> dict[str, str | None]:
    """A site file to its new content, or None: deleted. Now and then a default changes too."""
    edited: dict[str, str | None] = {}
    for name in draw(st.sets(st.sampled_from(SITES), min_size=1)):
        text = _site(name, draw(MAILBOXES), draw(ALIASES))
        edited[f"sites/{name}.yml"] = draw(st.sampled_from([text, text, text, None]))
    return edited


def _whole(loaded: Loaded) -> tuple[object, ...]:
    """All that can be seen of a fleet, its mailboxes too."""
    return loaded.fleet, loaded.problems, text_report(loaded.problems, loaded.quotes)


def _known(loaded: Loaded) -> list[object]:
    """What each site's accounts are, by memory or by making them."""
    fleet = loaded.fleet
    return [site.accounts or known_accounts(fleet, site) for site in fleet.sites] if fleet else []


def _slowly(folder: Path) -> Loaded:
    """The way that looks at everything and remembers nothing."""
    return load._read(load._context(folder, None))


def _apply(folder: Path, edits: Mapping[str, str | None]) -> None:
    for file, text in edits.items():
        (folder / file).unlink(missing_ok=True)
        if text is not None:
            (folder / file).write_text(text)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=st.lists(_edits(), min_size=1, max_size=4))
def test_remembered_is_what_would_be_read(
    history: list[dict[str, str | None]], write_fleet: WriteFleet
) -> None:
    folder = write_fleet({})
    for name in SITES:
        (folder / f"sites/{name}.yml").unlink(missing_ok=True)
    for edits in history:
        _apply(folder, edits)
        slow, quickly = _slowly(folder), read_fleet(folder, describe=known_accounts)
        again = read_fleet(folder, describe=known_accounts)
        assert _known(quickly) == _known(again) == _known(slow)
        assert _whole(quickly) == _whole(again) == _whole(slow)


def _large(write_fleet: WriteFleet, count: int = 6) -> Path:
    sites = {
        f"sites/{name}.yml": _site(name, [(n, "quota: 5G", "") for n in NAMES], {})
        for name in (f"site{number}" for number in range(count))
    }
    return write_fleet(sites)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were looked at, in order."""
    files: list[str] = []
    read = looking.Looker.read

    def note(looker: looking.Looker, contents: Mapping[str, bytes]) -> object:
        files.extend(contents)
        return read(looker, contents)

    monkeypatch.setattr(looking.Looker, "read", note)
    return files


def test_only_the_changed_file_is_looked_at(write_fleet: WriteFleet, looked_at: list[str]) -> None:
    folder = _large(write_fleet)
    read_fleet(folder)
    assert len(looked_at) == 7
    looked_at.clear()
    assert read_fleet(folder).fleet is not None
    assert looked_at == []
    changed = folder / "sites/site3.yml"
    changed.write_text(changed.read_text().replace("5G", "6G"))
    read_fleet(folder)
    assert looked_at == ["sites/site3.yml"]


def test_new_domain_makes_those_look_again_who_name_it(
    write_fleet: WriteFleet, looked_at: list[str]
) -> None:
    folder = _large(write_fleet)
    names = _site("site1", [("anna", "quota: 5G", "bob@later.example")], {})
    (folder / "sites/site1.yml").write_text(names)
    read_fleet(folder)
    looked_at.clear()
    (folder / "sites/later.yml").write_text(_site("later", [("bob", "quota: 5G", "")], {}))
    assert read_fleet(folder).fleet is not None
    assert looked_at == ["sites/later.yml", "sites/site1.yml"]


@pytest.mark.parametrize(
    ("old", "new"), [("quota: 2G", "quota: 3G"), ("smtp.isp", "mx.isp"), ("mail1.host", "m.host")]
)
def test_changed_default_makes_all_be_looked_at(
    old: str, new: str, write_fleet: WriteFleet, looked_at: list[str]
) -> None:
    folder = _large(write_fleet)
    read_fleet(folder)
    looked_at.clear()
    (folder / "fleet.yml").write_text((folder / "fleet.yml").read_text().replace(old, new))
    read_fleet(folder)
    assert len(looked_at) == 7


def _damages(good: bytes) -> Iterator[bytes]:
    yield from (b"", good[:100], good[:-1], good + b"x", b"\0" * len(good))
    yield good.replace(b"quota", b"qoata").replace(b"site1.example", b"evil1.example")
    seal, _, text = good.partition(b"\n")
    values = json.loads(text)
    values["files"] = {}
    yield seal + b"\n" + json.dumps(values).encode()


def test_damaged_memory_is_as_good_as_none(write_fleet: WriteFleet) -> None:
    folder = _large(write_fleet)
    expected = _known(read_fleet(folder, describe=known_accounts))
    kept = folder / ".provision/cache/outlines"
    good = kept.read_bytes()
    for damaged in _damages(good):
        kept.write_bytes(damaged)
        assert _known(read_fleet(folder, describe=known_accounts)) == expected
        assert kept.read_bytes() == good  # made anew


def test_memory_of_another_fleet_is_not_believed(write_fleet: WriteFleet, tmp_path: Path) -> None:
    from provision.spec.vault import encrypt  # noqa: PLC0415

    folder = _large(write_fleet)
    before = _known(read_fleet(folder, describe=known_accounts))
    plain = b'fingerprint_key: "' + b"f" * 64 + b'"\nisp: x\nacme: {anna: canary-3f9c1e-tweet}\n'
    (folder / "secrets.yml").write_bytes(encrypt(plain, b"opens-the-vault", salt=b"t" * 32))
    after = read_fleet(folder, describe=known_accounts)
    assert _known(after) == _known(_slowly(folder)) != before


def test_changed_secret_makes_its_site_be_looked_at(
    write_fleet: WriteFleet, looked_at: list[str]
) -> None:
    from provision.spec.vault import encrypt  # noqa: PLC0415

    folder = _large(write_fleet)
    before = _known(read_fleet(folder, describe=known_accounts))
    plain = f'fingerprint_key: "{"0123456789abcdef" * 4}"\nisp: x\nacme: {{anna: another-one}}\n'
    content = encrypt(plain.encode(), b"opens-the-vault", salt=b"t" * 32)
    (folder / "secrets.yml").write_bytes(content)
    looked_at.clear()
    assert _known(read_fleet(folder, describe=known_accounts)) != before
    assert looked_at == ["sites/acme.yml"]


def test_memory_is_private_and_holds_no_secret(write_fleet: WriteFleet) -> None:
    hashed = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$" + "aGFz" * 10 + "aGE"
    site = _site("blue", [("anna", f'password_hash: "{hashed}"', "")], {})
    folder = write_fleet({"sites/blue.yml": site})
    assert read_fleet(folder, describe=known_accounts).fleet is not None
    cache = folder / ".provision/cache"
    assert cache.stat().st_mode & 0o777 == 0o700
    kept = cache / "outlines"
    assert kept.stat().st_mode & 0o777 == 0o600
    for secret in (b"canary", b"in side", b"argon2", b"aGFzaGFz", b"0123456789abcdef" * 4):
        assert secret not in kept.read_bytes()
    assert list(cache.iterdir()) == [kept]


def test_memory_can_be_switched_off(
    write_fleet: WriteFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OFF, "1")
    folder = _large(write_fleet)
    assert read_fleet(folder).fleet is not None
    assert not (folder / ".provision").exists()


def test_many_may_read_and_remember_at_the_same_time(write_fleet: WriteFleet) -> None:
    folder = _large(write_fleet)

    def look(_number: int) -> list[object]:
        return _known(read_fleet(folder, describe=known_accounts))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(look, range(40)))
    assert all(one == found[0] for one in found)
    assert [path.name for path in (folder / ".provision/cache").iterdir()] == ["outlines"]


def test_children_say_what_one_process_says(
    write_fleet: WriteFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: range(4))
    monkeypatch.setattr(crew, "WORTH_IT", 1)
    folder = _large(write_fleet, count=12)
    shared = read_fleet(folder, describe=known_accounts)
    assert _whole(shared) == _whole(_slowly(folder))
    wrong = folder / "sites/site7.yml"
    wrong.write_text(wrong.read_text().replace("quota: 5G", "quota: much"))
    assert read_fleet(folder).problems == _slowly(folder).problems != ()
