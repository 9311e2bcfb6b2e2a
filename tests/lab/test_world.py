"""The lab's world answers as the real one would: DNS, the ISP, mailboxes elsewhere, webmail."""

from __future__ import annotations

import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage, Message

import dns.flags
import dns.resolver
import dns.reversename
import pytest

from provision.cli.lab_output import describe_mail
from provision.lab.lab import Lab
from provision.lab.network import CLIENT, OUTSIDE, SMARTHOST, WORLD
from provision.lab.power import wait_until
from provision.spec.load import load_fleet
from tests.lab.bare_lab import bare_lab

pytestmark = pytest.mark.lab

SECOND_SMARTHOST = (
    "  second: {host: smtp.other.example, port: 2525, tls: verify, username: blue-login,"
    " password: !secret yourisp}\n"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with bare_lab(tmp_path_factory.mktemp("lab") / "world") as up:
        yield up


@pytest.fixture(scope="module")
def login(lab: Lab) -> tuple[str, str]:
    smarthost = load_fleet(lab.fleet_dir).smarthost("yourisp")
    return smarthost.username, smarthost.password.reveal()


def _resolver() -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [WORLD]
    return resolver


def _trusting(lab: Lab) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(lab.folder / "ca.pem"))


def _message(subject: str, *, sender: str = "anna@acme.example") -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = "bob@home.example"
    message["Subject"] = subject
    message["Message-ID"] = f"<{subject.replace(' ', '-')}@acme.example>"
    message.set_content("Hello\n")
    return message


def _smarthost(lab: Lab, *, port: int = 587) -> smtplib.SMTP:
    client = smtplib.SMTP(timeout=20)
    client.connect(SMARTHOST, port)
    vars(client)["_host"] = "smtp.yourisp.example"  # the name that the certificate must carry
    client.starttls(context=_trusting(lab))
    return client


def test_dns_knows_the_fleet_and_the_outside(lab: Lab) -> None:
    with lab.inside():
        resolver = _resolver()
        assert str(resolver.resolve("acme.test", "MX")[0]) == "10 mail1.smartmail.example."
        assert str(resolver.resolve("webmail.blue.example", "A")[0]) == "198.18.0.11"
        assert str(resolver.resolve("smtp.yourisp.example", "A")[0]) == SMARTHOST
        assert str(resolver.resolve("partner.example", "MX")[0]) == "10 mx.home.example."
        reverse = dns.reversename.from_address("198.18.0.11")
        assert str(resolver.resolve(reverse, "PTR")[0]) == "mail1.smartmail.example."
        with pytest.raises(dns.resolver.NXDOMAIN):
            resolver.resolve("nothing.example", "A")


def test_dns_is_signed_and_validated(lab: Lab) -> None:
    with lab.inside():
        resolver = _resolver()
        resolver.use_edns(0, dns.flags.DO, 1232)
        for name, kind in (("acme.example", "MX"), ("mx.home.example", "A"), ("acme.test", "TXT")):
            assert resolver.resolve(name, kind).response.flags & dns.flags.AD


def test_smarthost_takes_mail_with_its_login_and_passes_it_on(
    lab: Lab, login: tuple[str, str]
) -> None:
    with lab.inside(), _smarthost(lab) as client:
        client.login(*login)
        recipients = ["bob@home.example", "x@partner.example"]
        client.send_message(_message("through the ISP"), "anna@acme.example", recipients)
    wait_until(
        lambda: (
            [m for m in lab.read_outside("bob@home.example") if m.subject == "through the ISP"]
            != []
        ),
        within=30,
        what="delivery to the outside",
    )
    taken = next(m for m in lab.read_smarthost(login[0]) if m.subject == "through the ISP")
    assert taken.login == login[0]
    assert taken.sender == "anna@acme.example"
    assert taken.recipients == ("bob@home.example", "x@partner.example")
    assert taken.client_address == CLIENT
    arrived = lab.read_outside("bob@home.example")[-1]
    assert arrived.client_address == SMARTHOST
    assert arrived.sender == "anna@acme.example"
    assert "X-Lab-Recipient" not in arrived.message
    assert arrived.message.get_content() == "Hello\n"
    assert lab.read_smarthost("somebody-else") == []


def test_smarthost_takes_bounces_and_they_can_be_shown(lab: Lab, login: tuple[str, str]) -> None:
    with lab.inside(), _smarthost(lab) as client:
        client.login(*login)
        client.sendmail("", ["bob@home.example"], "Subject: undelivered\n\nx")
    wait_until(
        lambda: [m.sender for m in lab.read_smarthost() if m.subject == "undelivered"] == [""],
        within=30,
        what="a bounce at the smarthost",
    )
    shown = describe_mail(lab.read_smarthost(login[0]), full=False)
    assert f"login {login[0]}  <> to bob@home.example: undelivered" in shown


def test_smarthost_refuses_a_wrong_login(lab: Lab, login: tuple[str, str]) -> None:
    with lab.inside(), _smarthost(lab) as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(login[0], "wrong")


def test_smarthost_refuses_mail_without_a_login(lab: Lab) -> None:
    with lab.inside(), _smarthost(lab) as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("someone@elsewhere.example", ["bob@home.example"], "x")


def test_smarthost_learns_a_new_login_while_running_and_keeps_senders_apart(
    lab: Lab, login: tuple[str, str]
) -> None:
    spec, site = lab.fleet_dir / "fleet.yml", lab.fleet_dir / "sites/blue.example.yml"
    before = {path: path.read_text() for path in (spec, site)}
    spec.write_text(before[spec].replace("smarthosts:\n", f"smarthosts:\n{SECOND_SMARTHOST}"))
    site.write_text(before[site].replace("outgoing: direct", "outgoing: second"))
    lab.up()
    try:
        with lab.inside():
            assert str(_resolver().resolve("smtp.other.example", "A")[0]) == SMARTHOST
            with _smarthost(lab, port=2525) as client:
                client.login("blue-login", login[1])
                client.sendmail("dora@blue.example", ["bob@home.example"], "Subject: blue\n\nx")
                with pytest.raises(smtplib.SMTPRecipientsRefused, match="not owned by user"):
                    client.sendmail("anna@acme.example", ["bob@home.example"], "x")
            with _smarthost(lab) as client:
                client.login(*login)
                with pytest.raises(smtplib.SMTPRecipientsRefused, match="not owned by user"):
                    client.sendmail("dora@blue.example", ["bob@home.example"], "x")
    finally:
        for path, text in before.items():
            path.write_text(text)
        lab.up()


def test_outside_mailboxes_take_mail_from_anybody_but_not_for_nobody(lab: Lab) -> None:
    with lab.inside(), smtplib.SMTP(OUTSIDE, 25, timeout=20) as client:
        client.starttls(context=ssl._create_unverified_context())
        client.sendmail("a@acme.example", ["Any.Body@partner.example"], "Subject: direct\n\nx")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("a@acme.example", ["nobody@partner.example"], "x")
    wait_until(
        lambda: [m.subject for m in lab.read_outside("any.body@partner.example")] == ["direct"],
        within=20,
        what="delivery to the outside mailbox",
    )
    assert lab.read_outside("any.body@partner.example")[0].login is None


_WEB_SERVER = """
import http.server, ssl
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", "https://" + self.headers["Host"] + "/login")
        self.send_header("Set-Cookie", "session=1; Secure; HttpOnly")
        self.send_header("X-Asked-For", self.headers["Host"] + " " + str(names[-1:]))
        self.end_headers()
names = []
server = http.server.HTTPServer(("", 443), Handler)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain("/run/c.pem", "/run/k.pem")
context.sni_callback = lambda socket, name, context: names.append(name)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def test_loopback_port_leads_a_browser_to_the_webmail_of_its_site(lab: Lab) -> None:
    lab.run("mail1", ["sh", "-c", "cat > /run/web.py"], stdin=_WEB_SERVER)
    certify = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout k.pem -out c.pem"
    lab.run("mail1", ["sh", "-c", f"cd /run && {certify}"])
    lab.run("mail1", ["systemd-run", "--unit=web", "python3", "/run/web.py"])
    url = lab.urls["webmail.blue.example"]
    assert url.startswith("http://127.0.0.1:")
    try:
        headers = _ask(url)
        assert headers["X-Asked-For"] == "webmail.blue.example ['webmail.blue.example']"
        assert headers["Location"] == f"{url}login"
        assert "secure" not in headers["Set-Cookie"].lower()
    finally:
        lab.run("mail1", ["systemctl", "stop", "web"])


def _ask(url: str) -> Message:
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 20
    while True:
        with pytest.raises(urllib.error.HTTPError) as answer:
            opener.open(url, timeout=10)
        answer.value.close()
        if answer.value.code != 502 or time.monotonic() > deadline:
            return answer.value.headers
        time.sleep(0.1)


def test_hosts_trust_the_outside_and_are_quiet(lab: Lab) -> None:
    name = "smtp.yourisp.example"
    connect = f"openssl s_client -connect {name}:587 -starttls smtp -verify_hostname {name}"
    lab.run("mail1", ["sh", "-c", f"{connect} -verify_return_error < /dev/null"])
    for name in ("mail1", "world"):
        said = lab.run(name, ["journalctl", "-b", "-p", "err", "--no-pager", "-q", "-o", "cat"])
        assert said.stdout == ""
