"""Postfix's files say what they must; that they work is proved on a real host."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from provision.model.address import Address
from provision.model.bundle import Activation, ManagedFile, Part, Verb
from provision.model.certificate import CertificatePair, Certificates
from provision.model.fleet import Fleet, TlsPolicy
from provision.model.secret import Secret
from provision.render.dovecot import render_dovecot
from provision.render.postfix import render_postfix
from provision.render.view import HostView

CREDENTIALS = "/etc/postfix/smarthosts/yourisp"


def files(part: Part) -> dict[str, ManagedFile]:
    return {file.path: file for file in part.files}


def smarthost_service(view: HostView) -> str:
    master = files(render_postfix(view))["/etc/postfix/master.cf"].content.decode()
    return master[master.index("smarthost-yourisp unix") : master.index("# Postfix's own")]


def test_password_stands_in_its_secret_file_alone(view: HostView) -> None:
    rendered = files(render_postfix(view))
    assert rendered[CREDENTIALS].secret
    assert rendered[CREDENTIALS].mode == 0o600
    for path, file in rendered.items():
        assert (b"$ss" in file.content) == (path == CREDENTIALS)


def test_no_account_data_stands_in_a_configuration_file(view: HostView) -> None:
    for part in (render_postfix(view), render_dovecot(view)):
        for file in part.files:
            assert b"acme" not in file.content
            assert b"anna" not in file.content


def test_verify_means_the_name_and_encrypt_does_not(view: HostView) -> None:
    assert "smtp_tls_security_level=secure" in smarthost_service(view)
    lax = replace(view.smarthosts[0], tls=TlsPolicy.ENCRYPT)
    assert "smtp_tls_security_level=encrypt" in smarthost_service(replace(view, smarthosts=(lax,)))


def test_port_465_speaks_tls_from_the_first_byte(view: HostView) -> None:
    wrapped = {}
    for port in (25, 465, 587):
        smarthost = replace(view.smarthosts[0], port=port)
        service = smarthost_service(replace(view, smarthosts=(smarthost,)))
        wrapped[port] = "smtp_tls_wrappermode=yes" in service
    assert wrapped == {25: False, 465: True, 587: False}


def test_no_main_cf_name_stands_twice(view: HostView) -> None:
    main = files(render_postfix(view))["/etc/postfix/main.cf"].content.decode()
    names = re.findall(r"^([a-z0-9_]+) *=", main, re.MULTILINE)
    assert sorted(set(names)) == sorted(names)


def test_host_itself_has_roles_when_the_fleet_has_a_postmaster(view: HostView) -> None:
    def roles(fleet: Fleet) -> list[str]:
        rendered = files(render_postfix(replace(view, fleet=fleet)))
        lines = rendered["/etc/postfix/roles"].content.decode().splitlines()
        return [line for line in lines if not line.startswith("#")]

    person = replace(view.fleet, postmaster=Address.parse("o'hara@home.example"))
    who = "o'hara@home.example"
    assert roles(person) == [f"abuse {who}", f"postmaster {who}", f"root {who}"]
    assert roles(view.fleet) == []


def test_every_file_of_postfix_reloads_it_and_none_restarts_it(view: HostView) -> None:
    for file in render_postfix(view).files:
        verb = Verb.NONE if "systemd" in file.path else Verb.RELOAD
        assert file.activations == (Activation("postfix.service", verb),)


@pytest.mark.parametrize("render", [render_postfix, render_dovecot])
def test_live_socket_is_declared_and_follows_every_change(
    view: HostView, render: Callable[[HostView], Part]
) -> None:
    (unit,) = render(view).units
    name = unit.live_socket.rpartition("/")[2]
    assert any(name.encode() in file.content for file in render(view).files)
    renewed = CertificatePair("another certificate\n", Secret("key\n"))
    other = replace(view, certificates=Certificates({"mail1": renewed}, {}))
    assert render(other).units != (unit,)
    assert render(view).units == (unit,)
