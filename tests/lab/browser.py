"""Webmail as a person meets it: Debian's chromium, driven through playwright.

Runs inside the lab's network namespace (``inside_namespace``); nothing is resolved or fetched
elsewhere. Certificates are checked by Python against the fleet's CA, for the name that the browser
is about to open; chromium is then told to accept exactly that key.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
_QUIET = (
    "--no-sandbox",  # root has no user namespace to give away
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
    "--disable-features=OptimizationHints,MediaRouter,Translate,DnsOverHttps",
)
_DEADLINE = 20_000  # milliseconds


@dataclass
class Webmail:
    """One person at one site's webmail. Assertions fail with what the page showed."""

    site: str
    page: Page
    complaints: list[str] = field(default_factory=list)
    """What the browser's console and network reported: refused scripts, missing files."""

    @property
    def url(self) -> str:
        """Where the site's webmail answers."""
        return f"https://webmail.{self.site}/"

    def open(self) -> None:
        """Show the login page."""
        self.page.goto(self.url)
        expect(self.page.locator("#login-form")).to_be_visible()

    def log_in(self, login: str, password: str) -> None:
        """Log in and see the inbox."""
        self._submit_login(login, password)
        self.page.wait_for_url(re.compile(r"_task=mail"))
        expect(self.page.locator("#messagelist")).to_be_attached()
        self.page.wait_for_load_state("networkidle")

    def refused_login(self, login: str, password: str) -> str:
        """Try to log in, stay outside, and return what the page says."""
        self._submit_login(login, password)
        message = self.page.locator("#messagestack .ui.alert").first
        expect(message).to_be_visible()
        expect(self.page.locator("#login-form")).to_be_visible()
        return message.inner_text().strip()

    def read(self, subject: str) -> str:
        """Wait for a message in the inbox, open it, and return its text."""
        row = self.page.locator("#messagelist tr.message", has_text=subject)
        for _ in range(20):
            self.page.goto(f"{self.url}?_task=mail&_mbox=INBOX")
            self.page.wait_for_load_state("networkidle")
            if row.count():
                break
        address = row.first.locator("td.subject a").first.get_attribute("href")
        assert address, f"no message {subject!r} in the inbox"
        self.page.goto(self.url + address.removeprefix("./"))
        return self.page.locator("#messagebody").inner_text()

    def send(self, *, to: str, subject: str, text: str) -> None:
        """Write a message and send it; fails with the server's answer when it is refused."""
        self.page.goto(f"{self.url}?_task=mail&_action=compose")
        self.page.locator("#compose_to .recipient-input input").fill(to + ",")
        self.page.locator("#compose-subject").fill(subject)
        self.page.locator("#composebody").fill(text)
        self.page.locator(".send:visible").first.click()
        self.page.wait_for_url(re.compile(r"_task=mail(?!.*_action=compose)"))
        self.page.wait_for_load_state("networkidle")

    def log_out(self) -> None:
        """Leave; the login page is there again."""
        self.page.locator("#taskmenu a.logout").click()
        expect(self.page.locator("#login-form")).to_be_visible()

    def _submit_login(self, login: str, password: str) -> None:
        self.open()
        self.page.locator("input[name=_user]").fill(login)
        self.page.locator("input[name=_pass]").fill(password)
        self.page.locator("#rcmloginsubmit").click()


@contextmanager
def webmail(site: str, *, address: str, authority: Path) -> Iterator[Webmail]:
    """A browser whose only network is the webmail of ``site`` on the host at ``address``.

    ``authority`` is the PEM file of the fleet's CA. Raises ssl.SSLError when the host does not
    show a certificate of it for webmail.SITE.
    """
    name = f"webmail.{site}"
    key = _served_key(name, address, authority)
    options = [
        *_QUIET,
        f"--host-resolver-rules=MAP {name} {address}, MAP * ~NOTFOUND",
        f"--ignore-certificate-errors-spki-list={key}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        context = browser.new_context()
        context.set_default_timeout(_DEADLINE)
        try:
            yield _person(site, context)
        finally:
            browser.close()


def _person(site: str, context: BrowserContext) -> Webmail:
    person = Webmail(site, context.new_page())

    def complain(text: str) -> None:
        person.complaints.append(text)

    context.on(
        "console", lambda message: complain(message.text) if message.type == "error" else None
    )
    context.on("weberror", lambda error: complain(str(error.error)))
    context.on(
        "response",
        lambda response: (
            complain(f"{response.status} {response.url}") if response.status >= 400 else None
        ),
    )
    return person


def _served_key(name: str, address: str, authority: Path) -> str:
    """Base64 SHA-256 of the public key that ``address`` proves to hold for ``name``."""
    client = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection((address, 443), timeout=10) as plain,
        client.wrap_socket(plain, server_hostname=name) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown, f"{name} shows no certificate"
    key = x509.load_der_x509_certificate(shown).public_key()
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode("ascii")
