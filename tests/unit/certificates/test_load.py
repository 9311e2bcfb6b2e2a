"""A fleet's certificates: issued once, stable, renewed in time, never silently wrong."""

from __future__ import annotations

import ssl
import stat
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from provision.certificates.authority import AUTHORITY_LIFE, LEAF_LIFE, Authority
from provision.certificates.load import load_certificates
from provision.errors import ExitCode, ProvisionError, SpecInvalid
from provision.model.address import Domain
from provision.model.certificate import CertificatePair
from provision.model.fleet import Fleet, Host, Outgoing, Release, Route, Site, Webmail
from provision.model.secret import Secret

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
HOST = Host("mail1", "198.18.0.11", Domain("mail1.smartmail.example"), Release.DEBIAN13)
SITE = Site(
    domain=Domain("acme.example"),
    host="mail1",
    domain_aliases=(),
    outgoing=Outgoing(Route.NONE),
    webmail=Webmail("Acme"),
    mailboxes=(),
    aliases=(),
)
FLEET = Fleet("smartmail", (HOST,), (), (SITE,), Secret("k"))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".provision"


def names_of(pair: CertificatePair) -> list[str]:
    leaf = x509.load_pem_x509_certificate(pair.chain.encode())
    value = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return value.get_values_for_type(x509.DNSName)


def test_every_host_and_site_gets_a_certificate_for_its_name(state: Path) -> None:
    loaded = load_certificates(FLEET, state, NOW)
    assert names_of(loaded.hosts["mail1"]) == ["mail1.smartmail.example"]
    assert names_of(loaded.sites["acme.example"]) == ["webmail.acme.example"]
    assert loaded.authority == (state / "ca" / "ca.crt").read_text()


def test_second_load_gives_the_same_values_and_writes_nothing(state: Path) -> None:
    first = load_certificates(FLEET, state, NOW)
    before = {path: path.stat().st_mtime_ns for path in state.rglob("*")}
    assert load_certificates(FLEET, state, NOW + timedelta(days=59)) == first
    assert {path: path.stat().st_mtime_ns for path in state.rglob("*")} == before


def test_new_site_leaves_the_other_certificates_alone(state: Path) -> None:
    first = load_certificates(FLEET, state, NOW)
    more = replace(SITE, domain=Domain("blue.example"))
    second = load_certificates(replace(FLEET, sites=(SITE, more)), state, NOW)
    assert second.hosts == first.hosts
    assert second.sites["acme.example"] == first.sites["acme.example"]
    assert names_of(second.sites["blue.example"]) == ["webmail.blue.example"]


def test_leaf_is_renewed_below_thirty_days_by_the_same_authority(state: Path) -> None:
    first = load_certificates(FLEET, state, NOW)
    second = load_certificates(FLEET, state, NOW + LEAF_LIFE - timedelta(days=29))
    assert second.hosts["mail1"].chain != first.hosts["mail1"].chain
    assert second.authority == first.authority


def test_damaged_leaf_is_issued_anew(state: Path) -> None:
    load_certificates(FLEET, state, NOW)
    kept = state / "ca" / "issued" / "webmail.acme.example.pem"
    kept.write_text(kept.read_text()[:-200])
    again = load_certificates(FLEET, state, NOW)
    assert names_of(again.sites["acme.example"]) == ["webmail.acme.example"]


def test_python_accepts_what_the_authority_issues(state: Path, tmp_path: Path) -> None:
    loaded = load_certificates(FLEET, state, datetime.now(UTC))
    pair = loaded.hosts["mail1"]
    (tmp_path / "host.pem").write_text(pair.key.reveal() + pair.chain)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "host.pem")
    client = ssl.create_default_context(cadata=loaded.authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = server.wrap_bio(to_server, to_client, server_side=True)
    here = client.wrap_bio(to_client, to_server, server_hostname="mail1.smartmail.example")
    for side in (here, there, here, there):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert here.version() == "TLSv1.3"
    certificate = here.getpeercert()
    assert certificate
    assert certificate["subjectAltName"] == (("DNS", "mail1.smartmail.example"),)


def test_keys_are_private_on_disk(state: Path) -> None:
    load_certificates(FLEET, state, NOW)
    modes = {
        str(path.relative_to(state)): stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*")
    }
    assert modes["ca"] == modes["ca/issued"] == 0o700
    assert modes["ca/ca.key"] == modes["ca/issued/webmail.acme.example.pem"] == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_key_that_others_can_read_is_refused(state: Path) -> None:
    load_certificates(FLEET, state, NOW)
    (state / "ca" / "ca.key").chmod(0o644)
    with pytest.raises(ProvisionError, match="can be read by others") as caught:
        load_certificates(FLEET, state, NOW)
    assert "chmod" in str(caught.value.hint)


def test_damaged_or_halved_authority_is_never_replaced_silently(state: Path) -> None:
    load_certificates(FLEET, state, NOW)
    key = state / "ca" / "ca.key"
    whole = key.read_text()
    key.write_text("garbage")
    with pytest.raises(ProvisionError, match="is damaged"):
        load_certificates(FLEET, state, NOW)
    key.unlink()
    with pytest.raises(ProvisionError, match=r"ca\.key is missing"):
        load_certificates(FLEET, state, NOW)
    key.touch(0o600)
    key.write_text(whole)
    assert load_certificates(FLEET, state, NOW).authority


def test_authority_whose_making_was_cut_short_is_made_again(state: Path) -> None:
    load_certificates(FLEET, state, NOW)
    (state / "ca" / "ca.crt").unlink()
    for issued in (state / "ca" / "issued").iterdir():
        issued.unlink()
    assert load_certificates(FLEET, state, NOW).authority


def test_authority_near_its_end_issues_nothing(state: Path) -> None:
    load_certificates(FLEET, state, NOW)
    with pytest.raises(ProvisionError, match="about to expire"):
        load_certificates(FLEET, state, NOW + AUTHORITY_LIFE - timedelta(days=60))


def test_two_processes_agree_on_one_authority(state: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        loads = [pool.submit(load_certificates, FLEET, state, NOW) for _ in range(8)]
        results = [load.result() for load in loads]
    assert all(result == results[0] for result in results)


def test_given_pairs_are_served_as_given_and_need_no_authority(state: Path) -> None:
    authority = Authority.create("elsewhere", NOW)
    host, site = authority.issue(HOST.fqdn, NOW), authority.issue(SITE.webmail_name, NOW)
    given = replace(
        FLEET,
        hosts=(replace(HOST, certificate=host),),
        sites=(replace(SITE, certificate=site),),
    )
    loaded = load_certificates(given, state, NOW)
    assert (loaded.hosts["mail1"], loaded.sites["acme.example"]) == (host, site)
    assert loaded.authority is None
    assert not state.exists()


def test_every_faulty_given_pair_is_reported_at_once(state: Path) -> None:
    authority = Authority.create("elsewhere", NOW)
    wrong_name = authority.issue(Domain("old.example"), NOW)
    wrong_key = CertificatePair(authority.issue(SITE.webmail_name, NOW).chain, wrong_name.key)
    given = replace(
        FLEET,
        hosts=(replace(HOST, certificate=wrong_name),),
        sites=(replace(SITE, certificate=wrong_key),),
    )
    with pytest.raises(SpecInvalid) as caught:
        load_certificates(given, state, NOW)
    assert "host mail1: the certificate is for old.example" in caught.value.message
    assert "site acme.example: the private key does not belong" in caught.value.message
    assert caught.value.exit_code is ExitCode.SPEC_INVALID
    assert wrong_name.key.reveal() not in caught.value.message


def test_file_in_place_of_the_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / ".provision").touch()
    with pytest.raises(ProvisionError, match="cannot be kept"):
        load_certificates(FLEET, tmp_path / ".provision", NOW)
