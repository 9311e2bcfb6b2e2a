"""Webmail's files: every site its own, hostile names inert, the same bytes every time."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.model.address import Domain
from provision.model.bundle import ManagedFile, Part, Verb
from provision.model.certificate import CertificatePair, Certificates
from provision.model.fleet import Fleet, Host, Logo, Outgoing, Release, Route, Site, Webmail
from provision.model.secret import Secret
from provision.render.nginx import render_nginx
from provision.render.php import render_php
from provision.render.roundcube import render_roundcube
from provision.render.tls import render_tls
from provision.render.view import HostView

Files = dict[str, ManagedFile]

HOSTILE = [
    '\'); system("id"); //',
    "\\'); system('id'); //",
    "trailing backslash \\",
    "$x ${y} $$",
    "{{ 7*7 }}{% raw %}{# #}",
    "<script>alert(1)</script></head>",
    "?> <?php system('id');",
    "%n %s %%",
    "Søren & Søn \N{SNOWMAN} \u202e",
]


def site(
    name: str = "Acme Mail",
    *,
    domain: str = "acme.example",
    logo: Logo | None = None,
    color: str | None = None,
) -> Site:
    return Site(
        domain=Domain(domain),
        host="mail1",
        domain_aliases=(Domain(f"alias.{domain}"),),
        outgoing=Outgoing(Route.NONE),
        webmail=Webmail(name, logo, color),
        mailboxes=(),
        aliases=(),
    )


def view(*sites: Site, given_chain: str | None = None) -> HostView:
    def pair(name: str) -> CertificatePair:
        return CertificatePair(f"chain of {name}\n", Secret(f"key of {name}\n"))

    own = CertificatePair(given_chain, Secret("given key")) if given_chain else None
    host = Host("mail1", "198.18.0.11", Domain("mail1.smartmail.example"), Release.DEBIAN13)
    host = replace(host, certificate=own)
    fleet = Fleet("smartmail", (host,), (), tuple(sites), Secret("canary-key"))
    certificates = Certificates(
        {"mail1": own or pair("mail1")},
        {one.domain.name: pair(one.domain.name) for one in sites},
        None if given_chain else "the authority\n",
    )
    return HostView.of(fleet, host, certificates)


def files(part: Part) -> Files:
    return {file.path: file for file in part.files}


def all_files(one_view: HostView) -> Files:
    renderers = (render_tls, render_nginx, render_php, render_roundcube)
    return {path: file for render in renderers for path, file in files(render(one_view)).items()}


def site_settings(name: str) -> str:
    rendered = files(render_roundcube(view(site(name))))
    return rendered["/etc/provision/roundcube/webmail.acme.example.inc.php"].content.decode()


def php_strings(settings: str) -> tuple[list[str], str]:
    """Every string of a PHP file as PHP reads it, and the code around them."""
    settings = re.sub(r"(?m)^//.*", "", settings)
    literal = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
    code = literal.sub("''", settings)
    texts = [re.sub(r"\\([\\'])", r"\1", match[1]) for match in literal.finditer(settings)]
    return texts, code


BORING_CODE = php_strings(site_settings("Boring"))[1]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_webmail_name_stays_one_string(name: str) -> None:
    texts, code = php_strings(site_settings(name))
    assert name in texts
    assert code == BORING_CODE


@given(st.text(st.characters(blacklist_categories=["Cc", "Cs"]), min_size=1, max_size=40))
def test_any_webmail_name_stays_one_string(name: str) -> None:
    texts, code = php_strings(site_settings(name))
    assert name in texts
    assert code == BORING_CODE


@pytest.mark.parametrize("name", HOSTILE)
def test_webmail_name_is_written_nowhere_but_in_its_own_settings(name: str) -> None:
    named, boring = all_files(view(site(name))), all_files(view(site("Boring")))
    assert [path for path in named if named[path].content != boring[path].content] == [
        "/etc/provision/roundcube/webmail.acme.example.inc.php"
    ]


def test_adding_a_site_changes_no_file_of_another() -> None:
    one = all_files(view(site()))
    two = all_files(view(site(), site(domain="blue.example")))
    assert {path for path in one if two[path] != one[path]} == {"/etc/nginx/provision/live.conf"}
    new = {path for path in two if path not in one}
    assert all("blue.example" in path for path in new)


def test_a_new_site_reloads_nginx_and_nothing_else() -> None:
    one = all_files(view(site()))
    two = all_files(view(site(), site(domain="blue.example")))
    wanted = {activation for path in two if path not in one for activation in two[path].activations}
    assert {(activation.unit, activation.verb) for activation in wanted} == {
        ("nginx.service", Verb.RELOAD)
    }


def test_a_new_look_reloads_nothing() -> None:
    one = all_files(view(site(logo=Logo("a.svg", "image/svg+xml", b"<svg/>"), color="#123")))
    two = all_files(view(site(logo=Logo("b.svg", "image/svg+xml", b"<svg />"), color="#456")))
    changed = {path for path in one if two[path] != one[path]}
    assert changed == {
        "/etc/provision/webmail/acme.example/brand.css",
        "/etc/provision/webmail/acme.example/logo.svg",
    }
    assert not any(two[path].activations for path in changed)


@pytest.mark.parametrize(
    ("login", "allowed"),
    [
        ("anna@acme.example", True),
        ("Anna@ACME.example", True),
        ("anna@alias.acme.example", True),
        ("anna", True),
        ("anna@blue.example", False),
        ("anna@acmexexample", False),
        ("anna@acme.example.evil.example", False),
        ("anna@blue.example@acme.example", False),
        ("anna@acme.example\n", False),
        ("", False),
    ],
)
def test_only_addresses_of_the_site_log_in_at_its_webmail(login: str, allowed: bool) -> None:  # noqa: FBT001 - a case
    texts, _ = php_strings(site_settings("Acme"))
    (pattern,) = (text for text in texts if text.startswith("/^"))
    body, flags = pattern[1:].rsplit("/", 1)
    assert flags == "Di"  # D: the end is the end, as Python's \Z
    expression = re.compile(body.removesuffix("$") + r"\Z", re.IGNORECASE)
    assert bool(expression.match(login)) is allowed


def test_a_name_without_a_site_logs_nobody_in() -> None:
    shared = files(render_roundcube(view(site())))["/etc/provision/roundcube/config.inc.php"]
    assert b"['login_username_filter'] = '/(?!)/';" in shared.content


def test_session_key_is_secret_derived_and_of_the_host_alone() -> None:
    one_view = view(site())
    key = files(render_roundcube(one_view))["/etc/provision/roundcube/key.inc.php"]
    assert (key.secret, key.mode, key.owner, key.group) == (True, 0o640, "root", "roundcube")
    (value,) = php_strings(key.content.decode().partition("des_key'] = ")[2])[0]
    assert len(value) == 32
    other = replace(one_view, host=replace(one_view.host, name="mail2"))
    other = replace(other, certificates=Certificates({"mail2": one_view.host_certificate}, {}, ""))
    assert files(render_roundcube(other))[key.path].content != key.content


def test_no_secret_is_readable_by_others() -> None:
    for path, file in all_files(view(site())).items():
        holds = b"key of" in file.content or b"canary" in file.content
        assert holds <= file.secret, path
        assert not file.secret or not file.mode & 0o007, path


def test_a_site_pair_concerns_nginx_alone_and_the_host_pair_the_mail_daemons() -> None:
    rendered = files(render_tls(view(site())))
    units = {path: {a.unit for a in file.activations} for path, file in rendered.items()}
    assert units["/etc/provision/tls/sites/acme.example.crt"] == {"nginx.service"}
    assert units["/etc/provision/tls/sites/acme.example.key"] == {"nginx.service"}
    assert units["/etc/provision/tls/host.pem"] == {"postfix.service"}
    assert units["/etc/provision/tls/host.key"] == {"dovecot.service"}
    assert rendered["/etc/provision/tls/host.pem"].content == b"key of mail1\nchain of mail1\n"


def test_webmail_trusts_the_issuer_of_the_host_certificate() -> None:
    path = "/etc/provision/tls/trust.crt"
    assert files(render_tls(view(site())))[path].content == b"the authority\n"
    begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
    chain = f"{begin}LEAF\n{end}\n{begin}ROOT\n{end}"
    rendered = files(render_tls(view(site(), given_chain=chain)))
    assert rendered[path].content.decode() == f"{begin}ROOT\n{end}"
    alone = files(render_tls(view(site(), given_chain=f"{begin}SELF\n{end}".rstrip())))
    assert alone[path].content.decode() == f"{begin}SELF\n{end}"


def test_a_running_nginx_shows_which_configuration_it_has_read() -> None:
    def socket(one_view: HostView) -> str:
        part = render_nginx(one_view)
        (unit,) = part.units
        live = files(part)["/etc/nginx/provision/live.conf"].content.decode()
        assert f"listen unix:{unit.live_socket};" in live
        return unit.live_socket

    assert socket(view(site())) == socket(view(site("Another name")))
    assert socket(view(site())) != socket(view(site(), site(domain="blue.example")))
    shown = view(site()).certificates
    other = CertificatePair("another chain\n", Secret("another key"))
    site_renewed = replace(view(site()), certificates=replace(shown, sites={"acme.example": other}))
    host_renewed = replace(view(site()), certificates=replace(shown, hosts={"mail1": other}))
    assert socket(view(site())) != socket(site_renewed)
    assert socket(view(site())) == socket(host_renewed)


def test_logo_is_served_under_a_name_of_ours() -> None:
    logo = Logo("../../x; }.svg", "image/svg+xml", b"<svg/>")
    rendered = all_files(view(site(logo=logo)))
    assert rendered["/etc/provision/webmail/acme.example/logo.svg"].content == b"<svg/>"
    assert all(b"../../x" not in file.content for file in rendered.values())
    server = rendered["/etc/nginx/provision/webmail-acme.example.conf"].content
    assert b"default-src 'none'" in server
    with pytest.raises(ValueError, match="text/html"):
        all_files(view(site(logo=replace(logo, media_type="text/html"))))


@pytest.mark.parametrize(
    ("color", "shown", "text"),
    [("#0a5", "#00aa55", "#fff"), ("#ffee00", "#ffee00", "#111"), (None, "#37beff", "#111")],
)
def test_colour_is_written_in_full_with_text_that_reads_on_it(
    color: str | None, shown: str, text: str
) -> None:
    rendered = all_files(view(site(color=color)))
    sheet = rendered["/etc/provision/webmail/acme.example/brand.css"].content.decode()
    assert f"--brand: {shown}; " in sheet
    assert f"--on-brand: {text};" in sheet


def test_colour_that_is_no_colour_is_not_written() -> None:
    with pytest.raises(ValueError, match="hex"):
        all_files(view(site(color="#0a5; } body { display: none")))


def test_same_bytes_whatever_the_hash_seed() -> None:
    program = "import runpy; print(runpy.run_path(%r)['digest']())" % __file__  # noqa: UP031 - a program
    root = Path(__file__).parents[3]
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(seen) == 1


def digest() -> str:
    rendered = all_files(view(site(), site(domain="blue.example")))
    everything = b"".join(path.encode() + rendered[path].content for path in rendered)
    return hashlib.sha256(everything).hexdigest()
