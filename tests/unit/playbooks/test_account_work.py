"""A host that compiles only what a delta touches ends exactly where a whole compile would."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import provision_account_work as work_module
from ansible.module_utils.provision_account_store import Layout, observe
from ansible.module_utils.provision_accounts import apply_delta, compile_all
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.unit.playbooks import acme_mail
from tests.unit.playbooks.acme_mail import HASH, new_host

memory = acme_mail.memory  # a fixture

SITES = ("acme", "blue", "cyan", "dove")
NAMES = ("anna", "bob", "cleo")
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""Each example compiles a host several times."""


def _site(name: str, mailboxes: Any = ("anna",), **changes: Any) -> dict[str, Any]:
    boxes = [
        {
            "address": f"{local}@{name}.example", "name": "", "fingerprint": "hmac:1",
            "quota": 4096, "imap": True, "pop3": True, "aliases": [], "forward_to": [],
            "forward_keep": True, "protect": False,
        }
        for local in mailboxes
    ]  # fmt: skip
    standard = {"domain_aliases": [], "route": "direct", "nexthop": "", "aliases": []}
    own = {"site": f"{name}.example", "mailboxes": boxes, "catch_all": None, "protect": False}
    return {**standard, **own, "version": 1, **changes}


def _delta(*documents: dict[str, Any], **changes: Any) -> dict[str, Any]:
    hashes = {
        mailbox["address"]: {"fingerprint": "hmac:1", "hash": HASH}
        for document in documents
        for mailbox in document["mailboxes"]
    }
    sites = {document["site"]: json.dumps(document) for document in documents}
    return {"sites": sites, "removed": [], "hashes": hashes, "compiler": "one", **changes}


def _alias(address: str, *targets: str) -> dict[str, Any]:
    return {"address": address, "targets": list(targets)}


def _tree(layout: Layout) -> dict[str, bytes]:
    """Everything that the daemons read, and what the maps were built from."""
    folders = (Path(layout.dovecot), Path(layout.postfix))
    return {
        str(path.relative_to(layout.root)): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _compiled_whole(memory: Path, layout: Layout) -> dict[str, bytes]:
    """What a compile of everything makes of the same documents and credentials."""
    other = new_host(memory, "other")
    shutil.copytree(Path(layout.store, "sites"), Path(other.store, "sites"))
    shutil.copytree(Path(layout.store, "credentials"), Path(other.store, "credentials"))
    compile_all(other)
    return _tree(other)


def _touched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sites that are compiled from here on."""
    names: list[str] = []
    compile_site = work_module.compile_site

    def note(document: Any, hashes: Any, is_local: Any) -> Any:
        if hashes is not None:
            names.append(document["site"])
        return compile_site(document, hashes, is_local)

    monkeypatch.setattr(work_module, "compile_site", note)
    return names


TARGETS = st.builds(
    "{}@{}.{}".format,
    st.sampled_from([*NAMES, "info"]),
    st.sampled_from([*SITES, "far"]),
    st.sampled_from(["example", "test"]),
)


@st.composite
def _sites(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(SITES))
    mailboxes = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    taken = {f"{local}@{name}.example" for local in mailboxes}
    locals_ = draw(st.sets(st.sampled_from(["info", "sales", "cleo"]), max_size=2))
    aliases = [
        _alias(
            f"{local}@{name}.example", *draw(st.lists(TARGETS, min_size=1, max_size=2, unique=True))
        )
        for local in sorted(locals_)
        if f"{local}@{name}.example" not in taken
    ]
    document = _site(name, mailboxes, aliases=aliases)
    document["domain_aliases"] = draw(st.sampled_from([[], [f"{name}.test"]]))
    document["catch_all"] = draw(st.one_of(st.none(), TARGETS))
    document["route"] = draw(st.sampled_from(["direct", "none"]))
    for mailbox in document["mailboxes"]:
        mailbox["quota"] = draw(st.sampled_from([0, 4096]))
        mailbox["forward_to"] = draw(st.lists(TARGETS, max_size=1))
    return document


@st.composite
def _deltas(draw: st.DrawFn) -> dict[str, Any]:
    documents = draw(st.lists(_sites(), max_size=2, unique_by=lambda site: site["site"]))
    names = {document["site"] for document in documents}
    gone = draw(st.sets(st.sampled_from([f"{name}.example" for name in SITES]), max_size=1)) - names
    return _delta(*documents, removed=sorted(gone))


@settings(
    deadline=None,
    max_examples=25,
    phases=NO_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=st.lists(_deltas(), min_size=2, max_size=5))
def test_deltas_end_where_a_whole_compile_ends(history: list[Any], memory: Path) -> None:
    layout = new_host(memory, "host")
    apply_delta(layout, _delta(*(_site(name) for name in SITES)))
    for delta in history:
        apply_delta(layout, delta)
        assert _tree(layout) == _compiled_whole(memory, layout)
        assert observe(layout)["damage"] == []


def test_one_changed_site_is_the_only_one_that_is_compiled(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = new_host(memory, "host")
    apply_delta(layout, _delta(*(_site(name) for name in SITES)))
    touched = _touched(monkeypatch)
    result = apply_delta(layout, _delta(_site("blue", ("anna", "bob"))))
    assert touched == ["blue.example"]
    assert result["created"] == ["bob@blue.example"]
    names = {Path(path).name for path in result["written"]}
    assert names == {"blue.example.passwd", "mailboxes.cdb", "aliases.cdb", "senders.cdb"}


def test_site_that_leads_to_the_changed_one_is_compiled_when_that_matters(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = new_host(memory, "host")
    leading = _site("blue", aliases=[_alias("info@blue.example", "bob@acme.example")])
    apply_delta(layout, _delta(_site("acme", ("anna", "bob")), leading, _site("cyan")))
    touched = _touched(monkeypatch)
    same = _site("acme", ("anna", "bob", "cleo"))
    apply_delta(layout, _delta(same))
    assert touched == ["acme.example"]
    same["mailboxes"][1]["quota"] = 8192
    apply_delta(layout, _delta(same))
    assert touched == ["acme.example", "acme.example", "blue.example"]
    assert b"8192B" in Path(layout.dovecot, "blue.example.aliases").read_bytes()


def test_new_site_makes_those_compile_again_who_named_it(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = new_host(memory, "host")
    leading = _site("blue", aliases=[_alias("info@blue.example", "anna@acme.example")])
    apply_delta(layout, _delta(leading, _site("cyan")))
    assert Path(layout.dovecot, "blue.example.forwarders").exists()
    touched = _touched(monkeypatch)
    apply_delta(layout, _delta(_site("acme")))
    assert sorted(touched) == ["acme.example", "blue.example"]
    assert not Path(layout.dovecot, "blue.example.forwarders").exists()


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _removed(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("name", ["store/index.json", "postfix/.build/aliases"])
@pytest.mark.parametrize("damage", [_cut_off, _emptied, _removed])
def test_damaged_index_means_a_whole_compile(
    name: str, damage: Any, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = new_host(memory, "host")
    apply_delta(layout, _delta(*(_site(name) for name in SITES)))
    folder, _, path = name.partition("/")
    damage(Path(getattr(layout, folder), path))
    touched = _touched(monkeypatch)
    apply_delta(layout, _delta(_site("blue", ("anna", "bob"))))
    assert len(touched) == len(SITES)
    assert _tree(layout) == _compiled_whole(memory, layout)


@pytest.mark.parametrize("changes", [{"compiler": "two"}, {"compiler": ""}, {"mend": True}])
def test_another_compiler_or_drift_means_a_whole_compile(
    changes: dict[str, Any], memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = new_host(memory, "host")
    apply_delta(layout, _delta(*(_site(name) for name in SITES)))
    touched = _touched(monkeypatch)
    apply_delta(layout, _delta(_site("blue", ("anna", "bob")), **changes))
    assert len(touched) == len(SITES)


def test_site_whose_document_moved_by_itself_is_compiled_too(memory: Path) -> None:
    layout = new_host(memory, "host")
    apply_delta(layout, _delta(*(_site(name) for name in SITES)))
    document = Path(layout.document("cyan.example"))
    document.write_text(json.dumps(_site("cyan", quota=1)))
    apply_delta(layout, _delta(_site("blue", ("anna", "bob"))))
    assert _tree(layout) == _compiled_whole(memory, layout)
    assert observe(layout)["damage"] == []
