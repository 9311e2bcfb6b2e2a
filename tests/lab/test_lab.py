"""The lab keeps its promises: machines that leave by no way, and a world that answers."""

from __future__ import annotations

import errno
import shutil
import smtplib
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage, Message
from pathlib import Path

import dns.flags
import dns.resolver
import dns.reversename
import pytest

from provision.assets import demo_fleet_dir
from provision.errors import ProvisionError
from provision.lab.cache import cache_dir
from provision.lab.lab import Lab
from provision.lab.network import CLIENT, OUTSIDE, SMARTHOST, WORLD
from provision.lab.power import wait_until
from provision.spec.load import load_fleet

pytestmark = pytest.mark.lab

# Addresses of networks that are no one's (RFC 5737) and of a public resolver.
SECOND_SMARTHOST = (
    "  second: {host: smtp.other.example, port: 587, tls: verify, username: blue-login,"
    " password: !secret yourisp}\n"
)
ELSEWHERE = ("192.0.2.1", "203.0.113.9", "9.9.9.9")


def _fleet(folder: Path) -> Path:
    shutil.copytree(demo_fleet_dir(), folder, ignore=shutil.ignore_patterns(".provision"))
    return folder


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    rehearsal = Lab.open(_fleet(tmp_path_factory.mktemp("lab") / "first"))
    rehearsal.up()
    yield rehearsal
    rehearsal.down()


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


def _smarthost(lab: Lab) -> smtplib.SMTP:
    client = smtplib.SMTP(timeout=20)
    client.connect(SMARTHOST, 587)
    vars(client)["_host"] = "smtp.yourisp.example"  # the name that the certificate must carry
    client.starttls(context=_trusting(lab))
    return client


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nothing_leaves_the_network(lab: Lab, address: str) -> None:
    with lab.inside(), pytest.raises(OSError, match="unreachable") as failure:
        socket.create_connection((address, 80), timeout=5)
    assert failure.value.errno == errno.ENETUNREACH


@pytest.mark.parametrize("host", ["mail1", "world"])
def test_nothing_leaves_a_host(lab: Lab, host: str) -> None:
    for address in ELSEWHERE:
        said = lab.run(host, ["ip", "route", "get", address], check=False)
        assert said.returncode != 0
        assert "Network is unreachable" in said.stderr


def test_the_network_has_no_link_to_this_machine(lab: Lab) -> None:
    links = subprocess.run(
        ["ip", "-netns", lab.name, "-oneline", "link"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    leaders = {
        lab.run(name, ["cat", "/sys/class/net/host0/iflink"]).stdout.strip()
        for name in ("mail1", "world")
    }
    numbers = {line.split(":")[0] for line in links if "@" in line}
    assert numbers == leaders, "every link of the network but its bridge ends in one of its hosts"


def test_up_again_changes_nothing_and_is_quick(lab: Lab) -> None:
    boots = {
        name: lab.run(name, ["stat", "-c", "%Y", "/run/systemd"]).stdout
        for name in ("mail1", "world")
    }
    started = time.monotonic()
    lab.up()
    assert time.monotonic() - started < 10
    for name, boot in boots.items():
        assert lab.run(name, ["stat", "-c", "%Y", "/run/systemd"]).stdout == boot


def test_packages_install_offline_in_the_usual_way(lab: Lab) -> None:
    lab.run("mail1", ["apt-get", "update", "--error-on=any"])
    lab.run("mail1", ["apt-get", "install", "--yes", "--no-install-recommends", "postfix-cdb"])
    assert "cdb" in lab.run("mail1", ["postconf", "-m"]).stdout.split()


def test_shell_runs_a_command_over_ssh_and_keeps_its_words(lab: Lab) -> None:
    command = lab.shell_command("mail1", ["printf", "%s|", "two words", "$HOME;*"])
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "two words|$HOME;*|"


def test_what_was_written_survives_a_power_cut(lab: Lab) -> None:
    lab.run("mail1", ["sh", "-c", "echo kept > /root/survivor"])
    lab.cut("mail1")
    assert not lab.is_running("mail1")
    with pytest.raises(ProvisionError, match="not running"):
        lab.run("mail1", ["true"])
    lab.up()
    assert lab.run("mail1", ["cat", "/root/survivor"]).stdout == "kept\n"
    assert lab.run("mail1", ["systemctl", "is-system-running", "--wait"]).stdout == "running\n"


def test_host_comes_back_by_itself_after_its_own_reboot(lab: Lab) -> None:
    lab.run("mail1", ["touch", "/run/before-the-reboot"])
    lab.reboot("mail1")
    assert lab.run("mail1", ["test", "-e", "/run/before-the-reboot"], check=False).returncode == 1


def test_snapshot_brings_a_removed_file_back_and_forgets_a_later_one(lab: Lab) -> None:
    lab.run("mail1", ["sh", "-c", "mkdir -p /srv/d && echo one > /srv/d/file"])
    lab.snapshot("mail1", "before")
    lab.run("mail1", ["sh", "-c", "rm -r /srv/d && echo two > /srv/later"])
    lab.restore("mail1", "before")
    assert lab.run("mail1", ["cat", "/srv/d/file"]).stdout == "one\n"
    assert lab.run("mail1", ["test", "-e", "/srv/later"], check=False).returncode == 1
    assert lab.has_snapshot("mail1", "before")
    assert not lab.has_snapshot("mail1", "never")


def test_shared_snapshot_serves_another_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for part in cache_dir().iterdir():
        if part.name != "snapshots":
            (cache / part.name).symlink_to(part)
    monkeypatch.setenv("PROVISION_LAB_CACHE", str(cache))
    for turn in ("maker", "user"):
        lab = Lab.open(_fleet(tmp_path / turn))
        try:
            lab.up()
            if turn == "maker":
                assert not lab.has_snapshot("mail1", "prepared")
                lab.run("mail1", ["sh", "-c", "echo prepared > /root/state"])
                lab.snapshot("mail1", "prepared", shared=True)
            else:
                lab.restore("mail1", "prepared")
                assert lab.run("mail1", ["cat", "/root/state"]).stdout == "prepared\n"
        finally:
            lab.down()


def test_fleet_that_loses_a_host_loses_its_machine(tmp_path: Path) -> None:
    lab = Lab.open(_fleet(tmp_path / "shrinking"))
    spec = lab.fleet_dir / "fleet.yml"
    alone = spec.read_text()
    second = "  mail2: {address: 198.18.0.12, fqdn: mail2.smartmail.example, release: debian13}\n"
    try:
        spec.write_text(alone.replace("\nhosts:\n", f"\nhosts:\n{second}"))
        lab.up()
        assert [machine.name for machine in lab.machines] == ["world", "mail1", "mail2"]
        assert lab.run("mail2", ["hostname", "--fqdn"]).stdout == "mail2.smartmail.example\n"
        folder = lab.machine_folder("mail2")
        spec.write_text(alone)
        lab.up()
        assert [machine.name for machine in lab.machines] == ["world", "mail1"]
        assert not folder.exists()
    finally:
        lab.down()


def test_pulled_cable_cuts_the_network_and_nothing_else(lab: Lab) -> None:
    lab.unplug("mail1")
    try:
        with lab.inside(), pytest.raises(OSError, match=r"timed out|No route"):
            socket.create_connection(("198.18.0.11", 22), timeout=2)
        assert lab.run("mail1", ["echo", "console"]).stdout == "console\n"
    finally:
        lab.plug("mail1")
    with lab.inside():
        socket.create_connection(("198.18.0.11", 22), timeout=10).close()


def test_two_labs_with_the_same_addresses_run_at_once(lab: Lab, tmp_path: Path) -> None:
    other = Lab.open(_fleet(tmp_path / "second"))
    other.up()
    try:
        lab.run("mail1", ["sh", "-c", "echo first > /root/whose"])
        other.run("mail1", ["sh", "-c", "echo second > /root/whose"])
        for rehearsal, whose in ((lab, "first"), (other, "second")):
            command = rehearsal.shell_command("mail1", ["cat", "/root/whose"])
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            assert said == f"{whose}\n"
        assert not set(lab.urls.values()) & set(other.urls.values())
    finally:
        other.down()
    assert not other.folder.exists()
    assert not other.namespace.exists()
    assert lab.is_running("mail1")


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
            with _smarthost(lab) as client:
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
