"""The rules that hold between the objects of a fleet, as one list."""

from __future__ import annotations

from provision.spec.problem import Problems
from provision.spec.rules_address import check_addresses
from provision.spec.rules_host import (
    check_firewalls,
    check_hosts,
    check_references,
    check_smarthosts,
    warn_of_unused,
)
from provision.spec.rules_move import check_moves
from provision.spec.rules_name import check_domains, check_scripts
from provision.spec.written import WrittenFleet


def check_rules(written: WrittenFleet, problems: Problems) -> None:
    """Report everything that does not fit together."""
    check_between(written, problems)
    check_addresses(written, problems)
    check_moves(written, problems)
    check_unused(written, problems)


def check_between(written: WrittenFleet, problems: Problems) -> None:
    """Report what can be seen without a look at mailboxes and aliases."""
    if written.spec and written.document:
        check_hosts(written.hosts, written.document, problems)
        check_firewalls(written.hosts, written.document, problems)
        check_smarthosts(written, written.document, problems)
        check_references(written, written.document, problems)
    check_domains(written, problems)
    check_scripts(written, problems)


def check_unused(written: WrittenFleet, problems: Problems) -> None:
    """Warn of what nobody uses, when nothing else is wrong."""
    if written.document and not problems.has_errors:
        warn_of_unused(written, written.document, problems)
