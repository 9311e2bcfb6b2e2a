"""What is wrong with nginx, PHP-FPM and PHP files, as their own checkers see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .provision_commands import run

_FINE = "No syntax errors detected in "
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
    if Path("/usr/bin/php").exists():
        files = sorted(str(path) for path in Path("/etc/provision").rglob("*.php"))
        problems += [f"php: {line}" for line in _lint_php(files)]
    return problems


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
