"""A request in short means on the host what the whole one says, or is not taken at all."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from typing import Any

from ansible.module_utils.provision_entry import written_out

from provision.apply.passwords import Credentials
from provision.apply.request import HostWork, Stamp, pack, pack_short
from provision.model.bundle import Bundle
from provision.plan.diff import diff_host
from provision.plan.state import HostState
from tests.unit.plan.estate import ACME, KEY, desired, mailbox, with_accounts

STAMP = Stamp("ada@desk", "2026-11-23T19:07:00Z", "abc")
MORE = replace(ACME, mailboxes=(*ACME.mailboxes, mailbox("new@acme.example")))


def _work(bundle: Bundle, state: HostState) -> HostWork:
    return HostWork(bundle, state, diff_host(bundle, state))


def _request(archive: bytes) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        assert members.getnames() == ["request.json"]
        file = members.extractfile("request.json")
        assert file
        values: dict[str, Any] = json.loads(file.read())
        return values


def _short(work: HostWork) -> bytes | None:
    return pack_short(work, Credentials({}, {}), STAMP)


def test_short_request_is_written_out_as_the_whole_one() -> None:
    work = _work(desired(site=MORE), with_accounts(ACME))
    whole = _request(pack(work, Credentials({}, {}), STAMP))
    recorded = {key: whole[key] for key in ("files", "directories", "units", "packages")}
    short = _short(work)
    assert short is not None
    assert "files" not in _request(short)
    written = written_out(short, {**recorded, "generation": 4})
    assert written is not None
    assert _request(written) == whole


def test_short_request_is_not_taken_where_the_files_are_others() -> None:
    work = _work(desired(site=MORE), with_accounts(ACME))
    whole = _request(pack(work, Credentials({}, {}), STAMP))
    recorded = {key: whole[key] for key in ("files", "directories", "units", "packages")}
    short = _short(work)
    assert short is not None
    files = dict(whole["files"])
    files[KEY.path] = {**files[KEY.path], "mode": 0o644}
    assert written_out(short, {**recorded, "files": files}) is None
    assert written_out(short, {**recorded, "units": []}) is None
    assert written_out(short, {"files": {}}) is None


def test_only_a_change_of_accounts_alone_is_sent_in_short() -> None:
    state = with_accounts(ACME)
    assert _short(_work(desired(site=MORE), state)) is not None
    other = replace(KEY, content=b"another key\n")
    assert _short(_work(desired(files=(other,), site=MORE), state)) is None
    assert _short(_work(desired(site=MORE), replace(state, generation=0))) is None
    assert _short(_work(desired(site=MORE), replace(state, switch_interrupted=True))) is None
