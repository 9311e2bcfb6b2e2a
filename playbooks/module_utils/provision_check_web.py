"""What is wrong with nginx, PHP-FPM and PHP files, as their own checkers see it."""

from __future__ import annotations

from pathlib import Path

from .provision_commands import run


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
        for file in sorted(Path("/etc/provision").rglob("*.php")):
            done = run("php", "-l", str(file))
            if done.status != 0:
                problems += [f"php: {line}" for line in done.lines()]
    return problems
