"""Files that Dovecot's own checker does not look at."""

from __future__ import annotations

import grp
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible.module_utils import provision_check_dovecot
from ansible.module_utils.provision_check_dovecot import _accounts_are_readable, _shape, lint

from provision.certificates.authority import LEAF_LIFE, Authority
from provision.model.address import Domain


def test_settings_whose_files_are_there_pass(tmp_path: Path) -> None:
    script = tmp_path / "before.sieve"
    script.touch()
    assert list(lint(f"protocols = imap\nsieve_script_path = {script}\n")) == []


def test_missing_certificate_is_found() -> None:
    settings = "protocols = imap\nssl_server_cert_file = /nowhere/host.crt\n"
    assert list(lint(settings)) == [
        "dovecot: ssl_server_cert_file: there is no file /nowhere/host.crt"
    ]


def test_missing_script_in_a_block_is_found() -> None:
    settings = (
        "protocols = imap\nsieve_script before {\n  driver = file\n  path = /nowhere.sieve\n}\n"
    )
    assert list(lint(settings)) == ["dovecot: sieve_script before: there is no file /nowhere.sieve"]


def test_key_of_another_certificate_is_found_in_a_block(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    authority = Authority.create("demo", now)
    pairs = [authority.issue(Domain.parse(name), now) for name in ("a.example", "b.example")]
    (tmp_path / "crt").write_text(pairs[0].chain)
    for name, pair in zip(("own", "other"), pairs, strict=True):
        (tmp_path / name).write_text(pair.key.reveal())
    block = "protocols = imap\nssl_server {{\n  cert_file = {0}/crt\n  key_file = {0}/{1}\n}}\n"
    assert list(lint(block.format(tmp_path, "own"))) == []
    (found,) = lint(block.format(tmp_path, "other"))
    assert f"{tmp_path}/other does not fit {tmp_path}/crt" in found


def test_expired_certificate_is_found(tmp_path: Path) -> None:
    then = datetime.now(UTC) - LEAF_LIFE - timedelta(days=1)
    pair = Authority.create("demo", then).issue(Domain.parse("a.example"), then)
    (tmp_path / "crt").write_text(pair.chain)
    (tmp_path / "key").write_text(pair.key.reveal())
    block = f"ssl_server {{\n  cert_file = {tmp_path}/crt\n  key_file = {tmp_path}/key\n}}\n"
    (found,) = lint(f"protocols = imap\n{block}")
    assert found == f"dovecot: the certificate in {tmp_path}/crt has expired"


def test_path_with_a_variable_is_left_to_dovecot() -> None:
    assert list(lint("protocols = imap\npasswd_file_path = /x/%{user}.passwd\n")) == []


def test_empty_configuration_is_found() -> None:
    assert list(lint("# 2.4.1\n")) == ["doveconf: no protocols are set: is the file empty?"]


def _forward(*targets: str, verb: str = "redirect :copy") -> str:
    return "".join(['require ["copy"];\n', *(f'{verb} "{target}";\n' for target in targets)])


def test_scripts_that_differ_in_an_address_are_of_one_shape() -> None:
    assert _shape(_forward("a@home.example")) == _shape(_forward("b.c+d@work.example"))


def test_script_that_says_anything_else_is_compiled_for_itself() -> None:
    scripts = [
        _forward("a@home.example"),
        _forward("a@home.example", verb="redirect"),
        _forward("a@home.example", "b@home.example"),
        _forward('a@home.example"; discard; #'),
        _forward("a@home.example").replace("copy", "nonsense", 1),
        _forward("a@home.example") + "redirct;",
    ]
    assert len({_shape(script) for script in scripts}) == len(scripts)


@pytest.fixture
def accounts() -> Iterator[Path]:
    """A folder that everybody can reach, as pytest's own are not, with one users file."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        file = folder / "acme.example.passwd"
        file.write_text("anna@acme.example:{PLAIN}x\n")
        file.chmod(0o644)
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
class TestReaders:
    """What another user cannot read; `daemon` stands for the user of Dovecot's login service."""

    @pytest.fixture(autouse=True)
    def _readers(self, accounts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(provision_check_dovecot, "_READERS", {"daemon": str(accounts)})

    def test_users_file_that_can_be_read_passes(self) -> None:
        assert list(_accounts_are_readable()) == []

    def test_users_file_of_the_group_passes_and_of_another_group_is_found(
        self, accounts: Path
    ) -> None:
        file = accounts / "acme.example.passwd"
        file.chmod(0o640)
        os.chown(file, 0, grp.getgrnam("daemon").gr_gid)
        assert list(_accounts_are_readable()) == []
        os.chown(file, 0, 0)
        assert list(_accounts_are_readable()) == [f"dovecot: daemon cannot read {file}"]

    def test_users_file_with_a_wrong_mode_is_found(self, accounts: Path) -> None:
        file = accounts / "acme.example.passwd"
        file.chmod(0o600)
        assert list(_accounts_are_readable()) == [f"dovecot: daemon cannot read {file}"]

    def test_closed_folder_is_found(self, accounts: Path) -> None:
        accounts.chmod(0o700)
        (found,) = _accounts_are_readable()
        assert found.startswith("dovecot: daemon cannot read ")
        assert str(accounts) in found

    def test_folder_that_is_not_there_yet_is_no_problem(
        self, accounts: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A bare host gets its accounts before its first switch."""
        monkeypatch.setattr(provision_check_dovecot, "_READERS", {"daemon": f"{accounts}/no"})
        assert list(_accounts_are_readable()) == []

    def test_reader_that_does_not_exist_is_found(
        self, accounts: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(provision_check_dovecot, "_READERS", {"nobody-here": str(accounts)})
        (found,) = _accounts_are_readable()
        assert "nobody-here" in found
