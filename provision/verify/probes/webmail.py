"""Webmail at the site's own name: a person logs in with the full address, by the form.

Sending and reading through webmail is the browser test's part.
"""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from provision.verify.outcome import require, require_none
from provision.verify.probes import clients
from provision.verify.probes.clients import Door, conversation
from provision.verify.probes.line import Line

_CLOSED = ("/config/", "/installer/", "/logs/", "/temp/", "/vendor/", "/SQL/", "/bin/", "/.git/")
_LOG_HINT = "Look at /var/log/nginx/error.log and the journal of roundcube on the host."


def http_leads_to_https(line: Line) -> None:
    """http://webmail.{site} leads to https."""
    door = line.place.web_door
    with conversation(f"http://{door.name}/"):
        client = clients.cleartext_http(door)
        client.request("GET", "/")
        answer = client.getresponse()
        client.close()
    location = answer.headers.get("Location", "")
    require(
        answer.status in (301, 308) and location.startswith(f"https://{door.name}/"),
        f"http://{door.name}/ answers {answer.status} {location}",
        hint="Passwords must never be typed into a page without TLS.",
    )


def login_page_is_the_sites(line: Line) -> None:
    """https://webmail.{site} shows a login page with the site's own name."""
    page = Browser(line.place.web_door).get("/")
    name = line.place.site.webmail.name
    require(page.status == 200, f"the login page answers {page.status}", hint=_LOG_HINT)
    require("_token" in page.fields, "the page has no login form", hint=_LOG_HINT)
    require(name in page.text, f"the login page does not say {name!r}", hint=_LOG_HINT)


def mailbox_logs_in(line: Line) -> None:
    """The probe mailbox logs in to webmail with its full address, and out again."""
    browser = Browser(line.place.web_door)
    form = browser.get("/").fields
    require("_token" in form, "there is no login form", hint=_LOG_HINT)
    login = {"_user": str(line.place.mailbox), "_pass": line.place.password.reveal()}
    answer = browser.post("/?_task=login", {**form, "_task": "login", "_action": "login", **login})
    require(
        answer.status == 302 and "_task=mail" in answer.location,
        f"after the login form came {answer.status} {answer.location}: {answer.title}",
        hint=_LOG_HINT,
    )
    inbox = browser.get(answer.location)
    require(
        inbox.status == 200 and str(line.place.mailbox) in inbox.text,
        f"the inbox page answers {inbox.status}: {inbox.title}",
        hint=_LOG_HINT,
    )
    browser.get("/?_task=logout&" + urlencode({"_token": inbox.token}))


def inner_folders_are_closed(line: Line) -> None:
    """Configuration, logs and the installer of webmail cannot be fetched."""
    browser = Browser(line.place.web_door)
    answers = {path: browser.get(path).status for path in _CLOSED}
    wrong = [f"{path} answers {status}" for path, status in answers.items() if status < 400]
    require_none(wrong, hint="nginx must deny what is not a public part of Roundcube.")


@dataclass(slots=True)
class Page:
    """An answer: status, where it leads, its text and the fields of its forms."""

    status: int
    location: str
    text: str
    fields: dict[str, str] = field(default_factory=dict)
    title: str = ""

    @property
    def token(self) -> str:
        """Roundcube's request token, from a form or from the page's script."""
        _, _, rest = self.text.partition('"request_token":"')
        return rest.partition('"')[0] or self.fields.get("_token", "")


class Browser:
    """As much of a browser as a login needs: one connection, cookies, forms."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._client = clients.https(door)
        self._cookies: dict[str, str] = {}

    def get(self, target: str) -> Page:
        """Fetch a path or a relative reference; raises Fault."""
        return self._ask("GET", target)

    def post(self, target: str, fields: dict[str, str]) -> Page:
        """Send a form; raises Fault."""
        return self._ask("POST", target, urlencode(fields))

    def _ask(self, method: str, target: str, body: str | None = None) -> Page:
        parts = urlsplit(target)
        path = "/" + parts.path.removeprefix("./").removeprefix("/")
        path += f"?{parts.query}" if parts.query else ""
        headers = {"User-Agent": "provision-verify", "Cookie": self._cookie_header()}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with conversation(f"https://{self._door.name}{parts.path}"):
            self._client.request(method, path, body, headers)
            return self._read(self._client.getresponse())

    def _read(self, answer: http.client.HTTPResponse) -> Page:
        for header in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(header).items():
                self._cookies[name] = morsel.value
        content = answer.read().decode("utf-8", "replace")
        parser = _Form()
        parser.feed(content)
        location = answer.headers.get("Location", "")
        return Page(answer.status, location, content, parser.fields, parser.title.strip())

    def _cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())


class _Form(HTMLParser):
    """The hidden fields and the title of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.title = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._in_title = tag == "title"
        if tag == "input" and values.get("type") == "hidden" and values.get("name"):
            self.fields[str(values["name"])] = values.get("value") or ""

    def handle_endtag(self, _tag: str) -> None:
        self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
