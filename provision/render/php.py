"""Render PHP-FPM: one pool, for Roundcube, under a user of its own."""

from __future__ import annotations

from provision.model.bundle import (
    Activation,
    ManagedDirectory,
    ManagedFile,
    ManagedUnit,
    Part,
    SystemUser,
    Verb,
)
from provision.render.limits import MESSAGE_SIZE_LIMIT
from provision.render.templates import fill
from provision.render.view import HostView
from provision.render.webmail import CONFIG, DATA, DATABASE_UNIT, FPM_UNIT, SOCKET, USER

_OPEN_BASEDIR = (
    "/usr/share/roundcube/",
    "/var/lib/roundcube/",
    "/etc/roundcube/",
    "/usr/share/php/",
    "/usr/share/javascript/",
    "/usr/share/nodejs/bootstrap/",
    "/usr/share/misc/",
    "/etc/ssl/certs/",
    "/usr/share/ca-certificates/",
    "/etc/provision/tls/trust.crt",
    f"{CONFIG}/",
    f"{DATA}/",
)
"""https://www.php.net/manual/en/ini.core.php#ini.open-basedir; Debian's Roundcube links there."""

_DISABLED = (
    "dl",
    "exec",
    "mail",
    "passthru",
    "pcntl_alarm",
    "pcntl_exec",
    "pcntl_fork",
    "pcntl_signal",
    "popen",
    "posix_kill",
    "posix_mkfifo",
    "posix_setgid",
    "posix_setuid",
    "proc_nice",
    "proc_open",
    "proc_terminate",
    "putenv",
    "shell_exec",
    "show_source",
    "symlink",
    "system",
)


def render_php(view: HostView) -> Part:  # noqa: ARG001 - every renderer has this shape
    """PHP-FPM's configuration, its confinement, and the pool's user."""
    configuration = fill(
        "php/php-fpm.conf.j2",
        user=USER,
        socket=SOCKET,
        config_dir=CONFIG,
        data_dir=DATA,
        message_bytes=MESSAGE_SIZE_LIMIT,
        open_basedir=":".join(_OPEN_BASEDIR),
        disable_functions=",".join(_DISABLED),
    )
    confinement = fill("php/service.conf.j2", database_unit=DATABASE_UNIT, data_dir=DATA)
    return Part(
        files=(
            ManagedFile(
                "/etc/php/8.4/fpm/php-fpm.conf",
                configuration,
                activations=(Activation(FPM_UNIT, Verb.RELOAD),),
            ),
            ManagedFile(
                f"/etc/systemd/system/{FPM_UNIT}.d/provision.conf",
                confinement,
                activations=(Activation(FPM_UNIT, Verb.RESTART),),
            ),
        ),
        directories=(ManagedDirectory(f"/etc/systemd/system/{FPM_UNIT}.d"),),
        packages=("php8.4-fpm",),
        units=(ManagedUnit(FPM_UNIT),),
        users=(SystemUser(USER, DATA),),
    )
