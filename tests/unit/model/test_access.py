"""What may lock everybody out of a host is known as that."""

from __future__ import annotations

import pytest

from provision.model.access import file_touches_access
from provision.model.bundle import Activation, ManagedFile, SystemUser, Verb


@pytest.mark.parametrize(
    "path",
    [
        "/etc/ssh/sshd_config.d/provision.conf",
        "/etc/nftables.conf",
        "/etc/network/interfaces",
        "/etc/pam.d/sshd",
        "/etc/sudoers.d/operators",
        "/etc/systemd/system/ssh.service.d/provision.conf",
        "/etc/systemd/system/networking.service",
    ],
)
def test_place_of_a_file_says_that_it_touches_access(path: str) -> None:
    assert file_touches_access(path, ())


@pytest.mark.parametrize(
    "path", ["/etc/postfix/main.cf", "/etc/systemd/system/nginx.service.d/provision.conf"]
)
def test_mail_and_web_do_not(path: str) -> None:
    assert not file_touches_access(path, ("postfix.service", "nginx.service"))


def test_unit_that_reads_a_file_says_so_too() -> None:
    reload = (Activation("ssh.service", Verb.RELOAD),)
    assert ManagedFile("/etc/issue.net", b"", activations=reload).access


def test_user_who_may_become_root_touches_access() -> None:
    assert SystemUser("ada", "/home/ada", ("sudo",)).access
    assert not SystemUser("vmail", "/var/mail", ("dovecot",)).access
