"""A rollback brings the old files as a new generation, whole wherever it is killed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible.module_utils.provision_durable import read_json
from ansible.module_utils.provision_generation import (
    Refused,
    current_manifest,
    refuse_if_stale,
    stage,
)
from ansible.module_utils.provision_journal import roll_back, switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_records import describe
from ansible.module_utils.provision_recover import at_boot
from ansible.module_utils.provision_request import Request
from ansible.module_utils.provision_rollback import rollback_request
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.playbooks.small_host import (
    HOLDER,
    ME,
    NEW,
    OLD,
    asking,
    bring,
    killed_before,
    tree_of,
)


def _going_back(layout: Layout, number: int, expected: int) -> Request:
    return rollback_request(layout, number, expected=expected, holder=HOLDER)


def _go_back(layout: Layout, request: Request, number: int) -> None:
    stage(layout, number, request)
    describe(layout, number, request)
    switch(layout, number, request)


def _site(layout: Layout, route: str) -> None:
    folder = layout.state / "accounts/sites"
    folder.mkdir(parents=True)
    document = {"site": "acme.example", "route": route}
    (folder / "acme.example.json").write_text(json.dumps(document))


def test_rollback_is_a_new_generation_with_the_files_of_the_old_one(layout: Layout) -> None:
    bring(layout, OLD)
    bring(layout, NEW)
    _go_back(layout, _going_back(layout, 1, 2), 3)
    assert tree_of(layout) == OLD
    manifest = current_manifest(layout)
    assert manifest["generation"] == 3
    assert manifest["files"] == read_json(layout.generation(1) / "manifest.json")["files"]
    assert (layout.root / "etc/a.conf").stat().st_mode & 0o777 == ME.mode


def test_rollback_says_what_it_is_a_rollback_of(layout: Layout) -> None:
    bring(layout, OLD)
    bring(layout, NEW)
    _go_back(layout, _going_back(layout, 1, 2), 3)
    meta = read_json(layout.generation(3) / "meta.json")
    assert (meta["rollback_of"], meta["previous"], meta["holder"]) == (1, 2, HOLDER)
    assert meta["changes"] == {
        "created": ["/etc/gone.conf"],
        "updated": ["/etc/a.conf", "/etc/sub/b.conf"],
        "removed": ["/etc/new/c.conf"],
    }


def test_rollback_killed_at_any_step_is_whole_after_the_next_boot(layout: Layout) -> None:
    bring(layout, OLD)
    bring(layout, NEW)
    request = _going_back(layout, 1, 2)
    stage(layout, 3, request)
    describe(layout, 3, request)
    ends = set()
    step = 0
    while killed_before(step, lambda: switch(layout, 3, request)):
        at_boot(layout)
        end = current_manifest(layout)["generation"]
        assert (tree_of(layout), end) in ((NEW, 2), (OLD, 3)), f"mixed after step {step}"
        assert not layout.journal.exists()
        ends.add(end)
        if end == 3:
            roll_back(layout, 3, 2)
        step += 1
    assert step > 10
    assert 2 in ends
    assert tree_of(layout) == OLD


def test_rollback_to_a_generation_that_is_gone_is_refused(layout: Layout) -> None:
    bring(layout, OLD)
    with pytest.raises(Refused, match="generation 7 is not kept"):
        _going_back(layout, 7, 1)


def test_rollback_seen_against_another_generation_is_stale(layout: Layout) -> None:
    bring(layout, OLD)
    bring(layout, NEW)
    with pytest.raises(Refused, match="made for generation 1, the host has 2"):
        refuse_if_stale(layout, _going_back(layout, 1, 1))


def test_rollback_touches_no_accounts(layout: Layout) -> None:
    bring(layout, OLD)
    bring(layout, NEW)
    accounts = _going_back(layout, 1, 2).accounts
    assert not any(accounts.values())


def test_rollback_that_loses_a_smarthost_in_use_is_refused(layout: Layout) -> None:
    bring(layout, {"/etc/postfix/master.cf": b"smtp unix - - n - - smtp\n"})
    bring(layout, {"/etc/postfix/master.cf": b"smarthost-isp unix - - n - - smtp\n"})
    _site(layout, "smarthost:isp")
    with pytest.raises(Refused, match=r"acme\.example sends through the smarthost isp"):
        _going_back(layout, 1, 2)


@pytest.mark.parametrize("route", ["smarthost:isp", "direct", "none"])
def test_rollback_that_knows_the_routes_in_use_is_taken(layout: Layout, route: str) -> None:
    bring(layout, {"/etc/postfix/master.cf": b"smarthost-isp unix - - n - - smtp\n"})
    bring(layout, NEW)
    _site(layout, route)
    assert _going_back(layout, 1, 2).files


def _certificate(days: int) -> bytes:
    """A certificate that ends ``days`` from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=90))
    signed = builder.not_valid_after(now + timedelta(days=days)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def test_rollback_to_an_expired_certificate_is_refused(layout: Layout) -> None:
    bring(layout, {"/etc/provision/tls/host.crt": _certificate(-1)})
    bring(layout, {"/etc/provision/tls/host.crt": _certificate(60)})
    bring(layout, NEW)
    with pytest.raises(Refused, match=r"/etc/provision/tls/host\.crt has expired"):
        _going_back(layout, 1, 3)
    assert _going_back(layout, 2, 3).files


def _actions(layout: Layout, verbs: dict[str, list[list[Any]]]) -> Request:
    request = asking(OLD, current_manifest(layout)["generation"])
    files = [f._replace(activations=verbs.get(f.path, [])) for f in request.files]
    return request._replace(files=files)


def test_units_do_no_more_than_the_differing_files_ask(layout: Layout) -> None:
    verbs: dict[str, list[list[Any]]] = {
        "/etc/a.conf": [["postfix.service", 1], ["nginx.service", 0]],
        "/etc/sub/b.conf": [["postfix.service", 2]],
        "/etc/gone.conf": [["dovecot.service", 1]],
    }
    request = _actions(layout, verbs)
    _go_back(layout, request, 1)
    bring(layout, {**OLD, "/etc/a.conf": b"new\n"})
    assert _going_back(layout, 1, 2).unit_actions == [["postfix.service", "reload"]]
    bring(layout, {"/etc/a.conf": b"new\n"})
    assert _going_back(layout, 1, 3).unit_actions == [
        ["dovecot.service", "reload"],
        ["postfix.service", "restart"],
    ]
