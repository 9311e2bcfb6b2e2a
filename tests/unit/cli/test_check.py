"""The commands check, schema and init as a person runs them."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from provision.assets import demo_fleet_dir
from provision.cli.main import run
from provision.cli.spec_loading import load_or_exit
from provision.errors import ExitCode, SpecInvalid
from provision.spec.compose import compose
from provision.spec.node import SecretRef
from provision.spec.problem import Problems
from provision.spec.schema import json_schema
from provision.spec.source import Source


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    shutil.copytree(demo_fleet_dir(), folder)
    return folder


def test_valid_fleet_is_summed_up_in_a_line(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "-i", str(demo)]) == ExitCode.DONE
    out, err = capsys.readouterr()
    assert out.startswith("The fleet smartmail is valid: 1 host, 3 sites, 7 mailboxes (")
    assert err == ""


def test_problems_go_to_stderr_and_the_exit_code_is_3(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (demo / "sites" / "bad.yml").write_text("site: bad\nhost: mail1\n")
    assert run(["check", "-i", str(demo)]) == ExitCode.SPEC_INVALID
    out, err = capsys.readouterr()
    assert out == ""
    assert "  1 | site: bad\n    |       ^^^\n" in err
    assert "\033[" not in err


def test_json_is_one_document(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "-i", str(demo), "--format", "json"]) == ExitCode.DONE
    document = json.loads(capsys.readouterr().out)
    assert (document["format_version"], document["ok"], document["problems"]) == ("1.0", True, [])
    assert document["counts"] == {"hosts": 1, "sites": 3, "mailboxes": 7, "aliases": 8}
    (demo / "sites" / "bad.yml").write_text("site: bad\n")
    assert run(["check", "-i", str(demo), "--format", "json"]) == ExitCode.SPEC_INVALID
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["fleet"]) == (False, None)


def test_annotations_name_files_from_here(
    demo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (demo / "sites" / "bad.yml").write_text("site: bad\nhost: mail1\n")
    monkeypatch.chdir(demo.parent)
    assert run(["check", "-i", "demo", "--format", "github"]) == ExitCode.SPEC_INVALID
    out = capsys.readouterr().out
    assert out.startswith("::error file=demo/sites/bad.yml,line=1,col=7,endColumn=10,title=")


def test_password_file_comes_from_option_or_environment(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = tmp_path / "password"
    shutil.move(demo / ".vault-password", password)
    assert run(["check", "-i", str(demo)]) == ExitCode.SPEC_INVALID
    option = ["--vault-password-file", str(password)]
    assert run(["check", "-i", str(demo), *option]) == ExitCode.DONE
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(password))
    assert run(["check", "-i", str(demo)]) == ExitCode.DONE
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    monkeypatch.setenv("PROVISION_VAULT_PASSWORD_FILE", str(wrong))
    assert run(["check", "-i", str(demo)]) == ExitCode.SPEC_INVALID


def test_load_or_exit_shows_the_problems_and_raises(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_or_exit(demo).name == "smartmail"
    (demo / "sites" / "bad.yml").write_text("site: bad\nhost: mail1\n")
    with pytest.raises(SpecInvalid) as raised:
        load_or_exit(demo)
    assert len(raised.value.problems) == 1
    assert "site: bad" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["fleet", "site", None])
def test_schema_is_a_json_schema_that_takes_the_demo(
    kind: str | None, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["schema", *([kind] if kind else [])]) == ExitCode.DONE
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == json_schema(kind)
    files = [demo / "fleet.yml"] if kind == "fleet" else list((demo / "sites").iterdir())
    for file in files:
        document = compose(Source("f", file.read_text()), Problems())
        assert document is not None
        jsonschema.validate(_with_text_secrets(document.data), schema)


def _with_text_secrets(data: object) -> object:
    """An editor sees a tagged text as that text."""
    if isinstance(data, SecretRef):
        return data.name
    if isinstance(data, dict):
        return {key: _with_text_secrets(value) for key, value in data.items()}
    return [_with_text_secrets(item) for item in data] if isinstance(data, list) else data


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": "a.example"},
        {"site": "a.example", "host": "m", "mailboxs": {}},
        {"site": "a.example", "host": "m", "mailboxes": {"a": {"imap": "yes"}}},
        {"site": "a.example", "host": "m", "mailboxes": {"a": {"quota": "3X"}}},
        {"site": "a.example", "host": "m", "catch_all": None},
    ],
)
def test_schema_refuses_what_check_refuses(wrong: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json_schema("site"))


def test_every_key_of_the_schema_is_explained() -> None:
    for kind in ("fleet", "site"):
        schema = json_schema(kind)
        for part in (schema, *schema["$defs"].values()):
            assert part["description"]
            for key, value in part["properties"].items():
                assert value.get("description") or "$ref" in value, key


def test_new_folder_is_valid_and_private(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / "mine"
    assert run(["init", str(folder)]) == ExitCode.DONE
    assert "provision check -i" in capsys.readouterr().out
    assert run(["check", "-i", str(folder)]) == ExitCode.DONE
    assert "The fleet mine is valid: 1 host, 1 site, 2 mailboxes" in capsys.readouterr().out
    password = folder / ".provision" / "vault-password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert stat.S_IMODE(password.parent.stat().st_mode) == 0o700
    assert "/.provision/" in (folder / ".gitignore").read_text().splitlines()


def test_new_secrets_are_opened_by_ansible_vault_and_differ_each_time(tmp_path: Path) -> None:
    shown = []
    for name in ("one", "two"):
        assert run(["init", str(tmp_path / name)]) == ExitCode.DONE
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-vault"), "view", "--vault-password-file",
             tmp_path / name / ".provision" / "vault-password", tmp_path / name / "secrets.yml"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        shown.append(done.stdout)
    assert "fingerprint_key" in shown[0]
    assert shown[0] != shown[1]


def test_init_refuses_a_folder_that_holds_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_text("mine")
    assert run(["init", str(tmp_path)]) == ExitCode.USAGE
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_init_takes_the_current_folder_and_a_name_that_is_no_fleet_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "1 ü"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert run(["init", "."]) == ExitCode.DONE
    assert run(["check"]) == ExitCode.DONE
    assert "The fleet myfleet is valid" in capsys.readouterr().out


def test_init_says_why_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(["init", str(tmp_path / "file" / "x")]) == ExitCode.FAILED
    assert "cannot write" in capsys.readouterr().err
