"""Every document is as its schema says, also when no host answers; the lab holds the rest."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from provision.assets import playbooks_dir
from provision.cli.main import run
from provision.cli.play_events import STEPS
from provision.cli.schema import DOCUMENTS as NAMES
from provision.contracts.catalogue import DOCUMENTS
from provision.contracts.event import TYPES
from provision.errors import ExitCode
from tests.contract_checks import WITH_EVENTS, check_document, check_events
from tests.unit.closed_fleet import closed_fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """The demo fleet, its host refusing connections."""
    return closed_fleet(tmp_path)


def test_schemas_are_valid_and_named_by_the_command() -> None:
    assert set(NAMES) == set(DOCUMENTS)
    for schema in DOCUMENTS.values():
        jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_command_prints_every_schema(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", name]) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out) == DOCUMENTS[name]()


@pytest.mark.parametrize(
    "words",
    [
        "plan",
        "apply --yes",
        "rollback --yes",
        "drift",
        "status",
        "history",
        "verify",
        "mailbox list",
        "mailbox list --archived",
    ],
)
def test_document_of_a_fleet_that_is_not_reached(
    words: str, fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, events = words.split(maxsplit=1)[0], tmp_path / "events"
    told = ["--events", str(events)] if command in WITH_EVENTS else []
    code = run([*words.split(), "--format", "json", "-i", str(fleet), *told])
    assert code == ExitCode.UNREACHABLE
    document = check_document(command, capsys.readouterr().out)
    assert document["format_version"].startswith("1.")
    assert document.get("exit_code", code) == code
    if told:
        lines = check_events(events, code)
        types = {line["type"] for line in lines}
        assert ("probe" if command == "verify" else "host_observed") in types


def test_documents_of_commands_that_reach_no_host(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "--format", "json", "-i", str(fleet)]) == ExitCode.DONE
    check_document("check", capsys.readouterr().out)
    assert run(["inventory", "--list", "-i", str(fleet)]) == ExitCode.DONE
    inventory = json.loads(capsys.readouterr().out)
    jsonschema.validate(inventory, DOCUMENTS["inventory"]())
    assert run(["lab", "list", "--format", "json"]) == ExitCode.DONE
    jsonschema.validate(json.loads(capsys.readouterr().out), DOCUMENTS["labs"]())


def test_document_of_a_wrong_fleet(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = fleet / "fleet.yml"
    spec.write_text(spec.read_text().replace("address:", "adress:"))
    assert run(["check", "--format", "json", "-i", str(fleet)]) == ExitCode.SPEC_INVALID
    document = check_document("check", capsys.readouterr().out)
    assert (document["ok"], document["counts"]) == (False, None)


@pytest.mark.parametrize("name", sorted(set(DOCUMENTS) - {"event", "inventory"}))
def test_schema_lets_a_minor_version_pass_and_no_major_one(name: str) -> None:
    version = DOCUMENTS[name]()["properties"]["format_version"]
    jsonschema.validate("1.7", version)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate("2.0", version)


def test_every_step_of_a_host_is_an_event_that_is_known() -> None:
    source = (playbooks_dir() / "module_utils/provision_transaction.py").read_text()
    named = set(re.findall(r'self\.step\("([a-z ]+)"\)', source))
    assert {"stage", "prove", "accounts"} <= named
    assert {STEPS.get(name, name) for name in named} <= set(TYPES)
