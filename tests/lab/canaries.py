"""Secrets of a fleet are canaries: wherever one is seen, it has got out."""

from __future__ import annotations

from provision.spec.load import load_fleet
from tests.lab.engine_fleet import EngineFleet


def assert_no_secret_is_shown(fleet: EngineFleet, *, since: str = "") -> None:
    """Passwords of the spec and their hashes: in no output, process list, log or open file.

    ``since``, in seconds since 1970, leaves out what was on the host earlier.
    """
    loaded = load_fleet(fleet.folder)
    canaries = {loaded.smarthost("yourisp").password.reveal(), loaded.fingerprint_key.reveal()}
    for site in loaded.sites:
        for mailbox in site.mailboxes:
            password = getattr(mailbox.password, "password", None)
            canaries |= {password.reveal()} if password else set()
    assert len(canaries) > 5
    printed = "\n".join(fleet.printed)
    processes = "\n".join(fleet.processes)
    journal = fleet.on_host(f"journalctl -q --no-pager {f'--since=@{since}' if since else ''}")
    opened = fleet.on_host(
        f"find / -xdev -type f -perm -o=r {f'-newermt @{since}' if since else ''}"
        " -not -path '/proc/*' -not -path '/usr/*'"
        " -not -path '/var/lib/apt/*' -not -path '/var/cache/*' -not -path '/srv/*'"
        " -size -300k -exec cat {} + 2>/dev/null | LC_ALL=C tr -cd '[:print:]\\n'"
    )
    for canary in canaries:
        for place in (printed, processes, journal, opened):
            assert canary not in place
    assert "$argon2id$" not in printed + processes + journal
