"""The hosts of a fleet as ``provision mailbox`` asks them: all at once, failures told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from provision.apply.audit import stamp_now
from provision.apply.lock_wish import Wish
from provision.apply.locking import locked
from provision.cli.desired import choose_hosts
from provision.cli.printing import print_failures, tell
from provision.cli.spec_loading import load_or_exit
from provision.errors import ExitCode, ProvisionError, Refused
from provision.hosts.connection import Connection
from provision.hosts.mailboxes import ask
from provision.hosts.observe import on_each
from provision.hosts.target import Target

Lists = Mapping[str, Mapping[str, Any]]
"""Host to its answer to ``list``."""


class MailboxHosts:
    """The hosts that were asked for."""

    def __init__(
        self, fleet_dir: Path, vault_password_file: Path | None, hosts: tuple[str, ...]
    ) -> None:
        self._connection = Connection.of_fleet(fleet_dir)
        self._connection.enter()
        self._fleet = load_or_exit(fleet_dir, vault_password_file)
        chosen = choose_hosts(self._fleet, hosts)
        self._targets = {host.name: self._connection.target_of(host) for host in chosen}
        self._stamp = stamp_now(fleet_dir)

    @cached_property
    def _asked(self) -> tuple[Lists, Mapping[str, ProvisionError]]:
        def look(target: Target) -> dict[str, Any]:
            return ask(target, self._connection, {"action": "list"})

        found, failures = on_each(list(self._targets.values()), look)
        print_failures(failures)
        return found, failures

    def lists(self) -> Lists:
        """What every host has; who did not answer is told on standard error."""
        return self._asked[0]

    def exit_code(self) -> int:
        """The worst of the hosts."""
        return max((error.exit_code for error in self._asked[1].values()), default=ExitCode.DONE)

    @contextmanager
    def locked(self, hosts: Sequence[str], wish: Wish) -> Iterator[None]:
        """Hold these hosts for a block; raises Refused unless all of them can be had."""
        targets = [self._targets[name] for name in hosts]
        with locked(targets, self._connection, self._stamp, wish, tell) as locks:
            locks.require_all()
            yield

    def host_with(self, address: str, archive: str) -> str:
        """The host that has the archive; raises Refused where none or several have one."""
        hosts = [
            host
            for host, found in self.lists().items()
            if any(
                a["address"] == address and archive in {"", a["name"]} for a in found["archives"]
            )
        ]
        if len(hosts) == 1:
            return hosts[0]
        if hosts:
            raise Refused(
                f"{', '.join(hosts)} have an archive of {address}", hint="name one with --host"
            )
        raise Refused(
            f"there is no archive of {address}", hint="see: provision mailbox list --archived"
        )

    def restore(self, host: str, address: str, archive: str, *, replace: bool) -> dict[str, Any]:
        """Have it restored; the answer's ``outcome`` says what came of it."""
        request = {
            "action": "restore",
            "address": address,
            "archive": archive,
            "replace": replace,
            "who": self._stamp.who,
            "keep_seconds": self._fleet.keep_removed.seconds,
        }
        return ask(self._targets[host], self._connection, request)

    def purge(self, chosen: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Have these archives deleted; host to the names of those that were."""
        names: dict[str, list[str]] = {}
        for archive in chosen:
            names.setdefault(archive["host"], []).append(archive["name"])
        return {
            host: ask(
                self._targets[host],
                self._connection,
                {"action": "purge", "archives": those, "who": self._stamp.who},
            )["purged"]
            for host, those in names.items()
        }
