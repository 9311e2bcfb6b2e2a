"""PHP files are linted, many in one call where PHP takes them; a socket must be nginx's, too."""

from __future__ import annotations

import pytest
from ansible.module_utils import provision_check_web
from ansible.module_utils.provision_check_web import _lint_php, lint_socket
from ansible.module_utils.provision_commands import Outcome

FILES = ["/etc/provision/a.php", "/etc/provision/b.php", "/etc/provision/c.php"]
BROKEN = 'PHP Parse error:  syntax error, unexpected token ";" in /etc/provision/b.php on line 1'


def _php(version: str, calls: list[tuple[str, ...]]) -> object:
    """What PHP says of these files; before 8.3 it looks at the first one only."""

    def run(*argv: str) -> Outcome:
        if argv[1] == "-r":
            return Outcome(0, version, "")
        calls.append(argv[2:])
        looked = argv[2:] if version.isdigit() and int(version) >= 80300 else argv[2:3]
        fine = [f"No syntax errors detected in {path}" for path in looked if path != FILES[1]]
        if FILES[1] in looked:
            return Outcome(255, "\n".join([*fine, f"Errors parsing {FILES[1]}"]), BROKEN)
        return Outcome(0, "\n".join(fine), "")

    return run


@pytest.mark.parametrize(
    ("version", "count"),
    [("80200", 3), ("80299", 3), ("80300", 1), ("80428", 1), ("100000", 1), ("", 3)],
)
def test_broken_file_is_found_by_every_php(
    monkeypatch: pytest.MonkeyPatch, version: str, count: int
) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(provision_check_web, "run", _php(version, calls))
    assert list(_lint_php(FILES)) == [BROKEN, f"Errors parsing {FILES[1]}"]
    assert len(calls) == count


def test_nothing_is_asked_about_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(provision_check_web, "run", _php("80428", calls))
    assert list(_lint_php([])) == []
    assert calls == []


NGINX = "worker_processes auto;\nuser www-data;\n"
POOL = "[x]\nlisten = /run/x.sock\nlisten.owner = {}\nlisten.group = {}\nlisten.mode = {}\n"


@pytest.mark.parametrize(
    ("owner", "group", "mode"),
    [
        ("root", "www-data", "0660"),
        ("www-data", "root", "0600"),
        ("root", "root", "0666"),
    ],
)
def test_socket_that_nginx_may_use_passes(owner: str, group: str, mode: str) -> None:
    assert list(lint_socket(POOL.format(owner, group, mode), NGINX)) == []


@pytest.mark.parametrize(
    ("owner", "group", "mode"),
    [
        ("root", "root", "0660"),
        ("root", "www-data", "0600"),
        ("www-data", "root", "0400"),
    ],
)
def test_socket_that_nginx_may_not_use_is_found(owner: str, group: str, mode: str) -> None:
    (found,) = lint_socket(POOL.format(owner, group, mode), NGINX)
    assert found == (
        "php-fpm: nginx (www-data) may not use the socket: "
        f"it is owner {owner}, group {group}, mode {mode}"
    )


def test_pool_that_says_nothing_about_its_socket_is_left_to_php() -> None:
    assert list(lint_socket("[x]\nlisten = 127.0.0.1:9000\n", NGINX)) == []
