"""Webmail on a real host: each site behind its own name, nothing else served, faults contained."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from provision.certificates.authority import Authority
from provision.model.address import Domain
from tests.lab.browser import webmail
from tests.lab.rehearsal import Rehearsal, until

pytestmark = pytest.mark.lab

ANNA, DORA = "anna@acme.example", "dora@blue.example"
HOSTILE = "'); system(\"id > /run/ran\"); // ${x} {{ 7*7 }} <script>document.title='ran'</script>"

_FORTY_LOGINS = """
import smtplib, ssl
trust = ssl.create_default_context(cafile="/etc/provision/tls/trust.crt")
trust.check_hostname = False  # by address, as webmail connects
for _ in range(40):
    with smtplib.SMTP_SSL("127.0.0.1", 465, context=trust) as client:
        print(client.login("anna@acme.example", %r)[0])
"""


@contextmanager
def _connected(
    wire: Rehearsal, name: str, *, ciphers: str | None = None
) -> Iterator[ssl.SSLSocket]:
    """A TLS session that asks for ``name`` and checks the certificate for it."""
    client = ssl.create_default_context(cafile=str(wire.authority))
    if ciphers:
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        client.set_ciphers(ciphers)
    with (
        socket.create_connection((wire.address, 443), timeout=10) as plain,
        client.wrap_socket(plain, server_hostname=name) as secured,
    ):
        yield secured


def _answer(wire: Rehearsal, site: str, request: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of the answer to one request, written out."""
    with _connected(wire, f"webmail.{site}") as secured:
        secured.sendall(request.encode("ascii"))
        response = http.client.HTTPResponse(secured)
        response.begin()
        text = response.read().decode("utf-8", "replace")
        return response.status, {k.lower(): v for k, v in response.getheaders()}, text


def _get(wire: Rehearsal, site: str, path: str) -> tuple[int, dict[str, str], str]:
    host = f"webmail.{site}"
    return _answer(wire, site, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")


def _served(wire: Rehearsal, site: str) -> bytes:
    with _connected(wire, f"webmail.{site}") as secured:
        return secured.getpeercert(binary_form=True) or b""


@contextmanager
def _edited(rehearsal: Rehearsal, file: str, old: str, new: str) -> Iterator[None]:
    """The fleet with a file edited and applied; afterwards as it was."""
    path = rehearsal.fleet_dir / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        rehearsal.provision("apply", "--yes")
        yield
    finally:
        path.write_text(text)
        rehearsal.provision("apply", "--yes")


@pytest.mark.parametrize("name", ["mail1.smartmail.example", "webmail.other.example"])
def test_name_that_is_no_site_is_shown_no_certificate(wire: Rehearsal, name: str) -> None:
    with pytest.raises(ssl.SSLError, match="unrecognized name"), _connected(wire, name):
        pass


def test_plain_http_leads_to_the_same_page_over_https(wire: Rehearsal) -> None:
    plain = http.client.HTTPConnection(wire.address, timeout=10)
    plain.request("GET", "/?_task=mail", headers={"Host": "webmail.acme.example"})
    response = plain.getresponse()
    assert response.status == 301
    assert response.getheader("Location") == "https://webmail.acme.example/?_task=mail"
    plain.close()


def test_plain_http_answers_no_other_name(wire: Rehearsal) -> None:
    plain = http.client.HTTPConnection(wire.address, timeout=10)
    plain.request("GET", "/", headers={"Host": "webmail.other.example"})
    with pytest.raises(http.client.RemoteDisconnected):
        plain.getresponse()
    plain.close()


def test_tls_without_authenticated_encryption_is_refused(wire: Rehearsal) -> None:
    with _connected(wire, "webmail.acme.example", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256") as good:
        assert good.version() == "TLSv1.2"
    with (
        pytest.raises(ssl.SSLError, match="handshake failure"),
        _connected(wire, "webmail.acme.example", ciphers="ECDHE-ECDSA-AES128-SHA256"),
    ):
        pass


@pytest.mark.parametrize(
    "path",
    [
        "/config/config.inc.php",
        "/../config/config.inc.php",
        "/%2e%2e/config/config.inc.php",
        "/skins/../../config/config.inc.php",
        "/key.inc.php",
        "/SQL/sqlite.initial.sql",
        "/bin/updatedb.sh",
        "/logs/errors.log",
        "/temp/",
        "/installer/index.php",
        "/vendor/autoload.php",
        "/composer.json",
        "/.htaccess",
        "/plugins/managesieve/config.inc.php",
        "/plugins/managesieve/managesieve.php",
        "/skins/elastic/meta.json",
        "/index.php/x.php",
        "/brand/../../acme.example/brand.css",
        "/brand../blue.example/brand.css",
    ],
)
def test_what_is_not_for_the_web_is_not_served(wire: Rehearsal, path: str) -> None:
    assert _get(wire, "acme.example", path)[0] in {400, 404}


def test_pages_carry_the_headers_that_browsers_obey(wire: Rehearsal) -> None:
    status, headers, _ = _get(wire, "acme.example", "/")
    assert status == 200
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert headers["x-content-type-options"] == "nosniff"
    assert "object-src 'none'" in headers["content-security-policy"]
    assert "content-encoding" not in headers
    cookie = headers["set-cookie"].lower()
    assert all(word in cookie for word in ("secure", "httponly", "samesite=strict"))


def test_logo_runs_no_script(wire: Rehearsal) -> None:
    status, headers, text = _get(wire, "acme.example", "/brand/logo.svg")
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert text == (wire.fleet_dir / "assets" / "acme.svg").read_text()
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "sandbox" in headers["content-security-policy"]


def test_host_header_cannot_choose_the_settings_of_another_site(wire: Rehearsal) -> None:
    request = (
        "GET https://webmail.acme.example/ HTTP/1.1\r\n"
        "Host: webmail.blue.example\r\nConnection: close\r\n\r\n"
    )
    status, _, text = _answer(wire, "acme.example", request)
    assert status == 400 or ("Acme Mail" in text and "Blue Mail" not in text)


def test_person_logs_in_at_the_webmail_of_the_own_site_alone(wire: Rehearsal) -> None:
    with webmail("blue.example", address=wire.address, authority=wire.authority) as stranger:
        assert stranger.refused_login(ANNA, wire.password(ANNA))


@pytest.mark.parametrize("login", ["anna", "ANNA@Acme.Example", "anna@acme.test"])
def test_short_login_and_alias_domain_lead_to_the_same_mailbox(wire: Rehearsal, login: str) -> None:
    with webmail("acme.example", address=wire.address, authority=wire.authority) as anna:
        anna.log_in(login, wire.password(ANNA))
        assert anna.page.locator(".header-title.username").inner_text() == ANNA
        assert anna.complaints == []


def test_filters_reach_managesieve(wire: Rehearsal) -> None:
    with webmail("acme.example", address=wire.address, authority=wire.authority) as anna:
        anna.log_in(ANNA, wire.password(ANNA))
        anna.page.goto(f"{anna.url}?_task=settings&_action=plugin.managesieve")
        anna.page.wait_for_load_state("networkidle")
        assert anna.page.locator("#filterslist").count() == 1
        assert not anna.page.evaluate("rcmail.env.sieveconnerror")
        assert anna.complaints == []


def test_hostile_webmail_name_is_shown_and_never_run(wire: Rehearsal) -> None:
    quoted = HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
    with _edited(wire, "sites/blue.example.yml", "name: Blue Mail", f'name: "{quoted}"'):
        with webmail("blue.example", address=wire.address, authority=wire.authority) as dora:
            dora.open()
            assert dora.page.title().startswith(HOSTILE)
            assert HOSTILE in dora.page.locator("#login-footer").first.inner_text()
            assert dora.complaints == []
        assert wire.run("ls /run/ran 2>/dev/null || echo none").strip() == "none"


def test_new_certificate_of_a_site_is_served_and_reloads_nginx_alone(wire: Rehearsal) -> None:
    before = {site: _served(wire, site) for site in ("acme.example", "blue.example")}
    running = wire.run("systemctl show -p MainPID --value nginx postfix dovecot php8.4-fpm")
    kept = wire.fleet_dir / ".provision" / "ca" / "issued" / "webmail.blue.example.pem"
    kept.unlink()
    plan = wire.provision("plan")
    assert "> reload nginx.service" in plan
    assert plan.count("  > ") == 1
    wire.provision("apply", "--yes")
    assert _served(wire, "acme.example") == before["acme.example"]
    until(lambda: _served(wire, "blue.example") != before["blue.example"] or None, "the new one")
    assert wire.run("systemctl show -p MainPID --value nginx postfix dovecot php8.4-fpm") == running


@pytest.mark.parametrize("unit", ["nginx.service", "php8.4-fpm.service"])
def test_killed_server_comes_back_by_itself(wire: Rehearsal, unit: str) -> None:
    wire.run(f"systemctl kill -s KILL {unit}")
    until(lambda: _answers(wire) or None, f"{unit} is back")
    assert wire.run(f"systemctl is-active {unit}").strip() == "active"


def _answers(wire: Rehearsal) -> bool:
    try:
        return _get(wire, "acme.example", "/")[0] == 200
    except OSError:
        return False


def test_many_people_in_webmail_are_not_taken_for_one_guesser(wire: Rehearsal) -> None:
    ran = wire.run(f"python3 - <<'END'\n{_FORTY_LOGINS % wire.password(ANNA)}END")
    assert ran.split() == ["235"] * 40


def test_reinstalled_packages_ask_nothing_and_change_nothing(wire: Rehearsal) -> None:
    packages = "nginx nginx-common php8.4-fpm roundcube-core roundcube-plugins"
    wire.run(
        f"DEBIAN_FRONTEND=noninteractive apt-get install -qy --reinstall {packages} </dev/null"
    )
    assert "No changes." in wire.provision("plan")
    assert _answers(wire)


def test_default_pool_of_the_package_does_not_run(wire: Rehearsal) -> None:
    assert wire.run("ls /run/php").split() == ["php8.4-fpm.pid", "provision-roundcube.sock"]


def test_sessions_and_settings_are_readable_by_webmail_alone(wire: Rehearsal) -> None:
    modes = wire.run("stat -c '%a %U' /var/lib/provision-webmail /var/lib/provision-webmail/*")
    assert set(modes.splitlines()) == {"700 roundcube", "600 roundcube"}
    assert wire.run("stat -c '%a %U %G' /etc/provision/roundcube/key.inc.php").strip() == (
        "640 root roundcube"
    )


def test_cleaning_of_the_database_works_on_ours(wire: Rehearsal) -> None:
    wire.run("systemctl start roundcube-gc.service roundcube-cleandb.service")
    assert wire.run("systemctl --failed --no-legend").strip() == ""


def test_certificate_from_elsewhere_serves_mail_and_webmail(wire: Rehearsal) -> None:
    now = datetime.now(UTC)
    elsewhere = Authority.create("elsewhere", now)
    pair = elsewhere.issue(Domain("mail1.smartmail.example"), now)
    (wire.fleet_dir / "given.crt").write_text(pair.chain + elsewhere.pair().chain)
    (wire.fleet_dir / "given.key").write_text(pair.key.reveal())
    given = "certificate: {chain: given.crt, key: given.key}\n    release: debian13"
    with (
        _edited(wire, "fleet.yml", "release: debian13", given),
        webmail("acme.example", address=wire.address, authority=wire.authority) as anna,
    ):
        anna.log_in(ANNA, wire.password(ANNA))
        anna.send(to=DORA, subject="Through a certificate from elsewhere", text="Hello.")
        assert anna.complaints == []
