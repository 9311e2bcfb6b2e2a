"""The world's settings follow the fleet, and a change moves only what reads it."""

import datetime as dt
from pathlib import Path

import pytest

from provision.lab.estate import Estate, HostedSite, Login, Machine
from provision.lab.world.host import changed_files, file_digests, units_of, world_files
from provision.lab.world.proxy import webmail_ports

NOW = dt.datetime(2026, 11, 5, tzinfo=dt.UTC)
MAIL1 = Machine("mail1", "198.18.0.11", "mail1.smart.example", "debian13")
SITE = HostedSite(("acme.example",), MAIL1, "webmail.acme.example")
ISP = Login("smtp.isp.example", 587, "me", "very-secret", ("acme.example",))


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISION_LAB_CACHE", str(tmp_path / "cache"))


def test_same_fleet_gives_the_same_files(tmp_path: Path) -> None:
    estate = Estate("f", (MAIL1,), (SITE,), (ISP,))
    noted = file_digests(world_files(estate, folder=tmp_path, now=NOW))
    assert changed_files(world_files(estate, folder=tmp_path, now=NOW), noted=noted) == {}


def test_zones_are_signed_anew_once_a_month_and_not_in_between(tmp_path: Path) -> None:
    estate = Estate("f", (MAIL1,), (SITE,), (ISP,))
    noted = file_digests(world_files(estate, folder=tmp_path, now=NOW))
    for days, units in ((1, []), (31, ["knot", "unbound"])):
        later = world_files(estate, folder=tmp_path, now=NOW + dt.timedelta(days=days))
        assert units_of(changed_files(later, noted=noted)) == units


def test_new_login_restarts_the_login_server_and_the_smarthost_alone(tmp_path: Path) -> None:
    before = Estate("f", (MAIL1,), (SITE,), (ISP,))
    other = Login("smtp.isp.example", 587, "other", "x", ())
    after = Estate("f", (MAIL1,), (SITE,), (ISP, other))
    noted = file_digests(world_files(before, folder=tmp_path, now=NOW))
    changed = changed_files(world_files(after, folder=tmp_path, now=NOW), noted=noted)
    assert list(changed) == ["/etc/dovecot/logins"]
    assert units_of(changed) == ["dovecot"]


def test_new_site_has_names_and_a_port(tmp_path: Path) -> None:
    blue = HostedSite(("blue.example",), MAIL1, "webmail.blue.example")
    before = Estate("f", (MAIL1,), (SITE,), (ISP,))
    after = Estate("f", (MAIL1,), (SITE, blue), (ISP,))
    noted = file_digests(world_files(before, folder=tmp_path, now=NOW))
    changed = changed_files(world_files(after, folder=tmp_path, now=NOW), noted=noted)
    assert units_of(changed) == ["knot", "unbound", "nginx"]
    assert webmail_ports(after) == {"webmail.acme.example": 8081, "webmail.blue.example": 8082}


def test_password_stands_in_no_file(tmp_path: Path) -> None:
    files = world_files(Estate("f", (MAIL1,), (SITE,), (ISP,)), folder=tmp_path, now=NOW)
    assert not [path for path, (text, _) in files.items() if "very-secret" in text]


def test_sender_belongs_to_every_login_that_may_use_it(tmp_path: Path) -> None:
    other = Login("smtp.other.example", 587, "other", "x", ("acme.example",))
    files = world_files(Estate("f", (MAIL1,), (SITE,), (ISP, other)), folder=tmp_path, now=NOW)
    assert files["/etc/postfix-isp/senders"][0] == "@acme.example me,other\n"
