"""What is wrong with nginx, PHP-FPM and PHP files, as their own checkers see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .provision_commands import run

_FINE = "No syntax errors detected in "
_NGINX_USER = re.compile(r"^\s*user\s+([\w-]+)", re.MULTILINE)
_SOCKET = re.compile(r"^\s*listen\.(owner|group|mode)\s*=\s*(\S+)", re.MULTILINE)
_MOST = 500
"""Files in one call: an argument list has its limits (execve(2)), and so has a deadline."""


def check_nginx() -> list[str]:
    """Problems of /etc/nginx; it loads certificates and keys itself and compares them."""
    if not Path("/usr/sbin/nginx").exists():
        return []
    done = run("nginx", "-t", "-q")
    if done.status == 0 and not done.errors.strip():
        return []
    return [f"nginx: {line}" for line in done.lines() or ["failed, silently"]]


def check_php() -> list[str]:
    """Problems of the PHP-FPM pools and of the PHP files in /etc."""
    problems = []
    for program in sorted(Path("/usr/sbin").glob("php-fpm[0-9]*")):
        done = run(str(program), "-t")
        if done.status != 0:
            problems += [f"{program.name}: {line}" for line in done.lines()]
    nginx = Path("/etc/nginx/nginx.conf")
    for pool in sorted(Path("/etc/php").glob("*/fpm/php-fpm.conf")) if nginx.exists() else ():
        problems += lint_socket(pool.read_text(), nginx.read_text())
    if Path("/usr/bin/php").exists():
        files = sorted(str(path) for path in Path("/etc/provision").rglob("*.php"))
        problems += [f"php: {line}" for line in _lint_php(files)]
    return problems


def lint_socket(pool: str, nginx: str) -> Iterator[str]:
    """A pool's socket that nginx may not use; a reload keeps the old one, so nobody notices."""
    user, socket = _NGINX_USER.search(nginx), dict(_SOCKET.findall(pool))
    if user is None or not socket:
        return
    mode = int(socket.get("mode", "0660"), 8)
    bits = {
        0o006,
        0o600 * (socket.get("owner") == user[1]),
        0o060 * (socket.get("group") == user[1]),
    }
    if not any(wanted and mode & wanted == wanted for wanted in bits):
        words = ", ".join(f"{name} {value}" for name, value in socket.items())
        yield f"php-fpm: nginx ({user[1]}) may not use the socket: it is {words}"


def _lint_php(files: list[str]) -> Iterator[str]:
    """What `php -l` finds. It takes many files at once from PHP 8.3 on; before, only the first."""
    if not files:
        return
    version = run("php", "-r", "echo PHP_VERSION_ID;").output
    at_once = _MOST if version.isdigit() and int(version) >= 80300 else 1
    for start in range(0, len(files), at_once):
        done = run("php", "-l", *files[start : start + at_once])
        if done.status != 0:
            yield from (line for line in done.lines() if not line.startswith(_FINE))
