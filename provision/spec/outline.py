"""What a fleet must know of one site file, small enough to keep: all but its mailboxes.

An outline is made when a file is looked at, and remembered by the file's content. It holds names
and digests; never a password, nor a hash of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provision.model.accounts import KnownAccounts, Move
from provision.model.address import Address, Domain
from provision.spec.door import SiteFile, WebmailSpec
from provision.spec.door_host import CertificateSpec
from provision.spec.node import SecretRef
from provision.spec.problem import Note, Place, Problem, Severity
from provision.spec.rules_alone import Standing


@dataclass(frozen=True, slots=True)
class Outline:
    """One site that is right by itself."""

    spec: SiteFile
    """The file without its mailboxes and aliases."""
    catch_all: str | None
    """The whole address, resolved."""
    mailboxes: int
    aliases: int
    standing: Standing
    secrets: tuple[str, ...]
    """Names of the secrets that it uses."""
    secrets_digest: str
    warnings: tuple[Problem, ...]
    accounts: KnownAccounts | None
    """None when nobody has asked for it yet."""

    def as_values(self) -> list[Any]:
        """JSON values, for `from_values`."""
        return [
            _spec_values(self.spec),
            self.catch_all,
            [self.mailboxes, self.aliases],
            _standing_values(self.standing),
            [list(self.secrets), self.secrets_digest],
            [_problem_values(problem) for problem in self.warnings],
            _accounts_values(self.accounts),
        ]

    @classmethod
    def from_values(cls, values: list[Any]) -> Outline:
        """The outline of these values."""
        spec, catch_all, (mailboxes, aliases), standing, secrets, warnings, accounts = values
        return cls(
            spec=_spec(spec),
            catch_all=catch_all,
            mailboxes=mailboxes,
            aliases=aliases,
            standing=_standing(standing),
            secrets=tuple(secrets[0]),
            secrets_digest=secrets[1],
            warnings=tuple(_problem(problem) for problem in warnings),
            accounts=_accounts(accounts),
        )

    def catch_all_address(self) -> Address | None:
        """The resolved catch-all."""
        return None if self.catch_all is None else Address.parse(self.catch_all)


def _spec_values(spec: SiteFile) -> list[Any]:
    certificate = spec.certificate
    pair = None
    if certificate is not None:
        key = certificate.key
        is_secret = isinstance(key, SecretRef)
        pair = [certificate.chain, key.name if isinstance(key, SecretRef) else key, is_secret]
    webmail = [spec.webmail.name, spec.webmail.logo, spec.webmail.color]
    domains = [domain.name for domain in spec.domain_aliases]
    return [spec.site.name, spec.host, domains, spec.outgoing, webmail, pair, spec.protect]


def _spec(values: list[Any]) -> SiteFile:
    site, host, domains, outgoing, (name, logo, color), pair, protect = values
    certificate = None
    if pair is not None:
        key = SecretRef(pair[1]) if pair[2] else pair[1]
        certificate = CertificateSpec.model_construct(chain=pair[0], key=key)
    return SiteFile.model_construct(
        site=Domain(site),
        host=host,
        domain_aliases=[Domain(domain) for domain in domains],
        outgoing=outgoing,
        webmail=WebmailSpec.model_construct(name=name, logo=logo, color=color),
        mailboxes={},
        aliases={},
        catch_all=None,
        certificate=certificate,
        protect=protect,
    )


def _standing_values(standing: Standing) -> list[Any]:
    exits: Mapping[str, Any] = {name: list(far) for name, far in standing.exits.items()}
    names = " ".join(standing.locals)
    return [names, dict(standing.abroad), list(standing.crossings), exits, standing.widest]


def _standing(values: list[Any]) -> Standing:
    names, abroad, crossings, exits, widest = values
    far = {name: tuple(targets) for name, targets in exits.items()}
    return Standing(tuple(names.split()), abroad, tuple(crossings), far, widest)


def _accounts_values(accounts: KnownAccounts | None) -> list[Any] | None:
    if accounts is None:
        return None
    moves = [[move.address, move.origin, move.fingerprint] for move in accounts.moves]
    return [accounts.digest, accounts.mailboxes, accounts.aliases, moves]


def _accounts(values: list[Any] | None) -> KnownAccounts | None:
    if values is None:
        return None
    digest, mailboxes, aliases, moves = values
    return KnownAccounts(digest, mailboxes, aliases, tuple(Move(*move) for move in moves))


def _place_values(place: Place) -> list[Any]:
    return [place.file, place.line, place.column, place.end_column]


def _problem_values(problem: Problem) -> list[Any]:
    notes = [[_place_values(note.place), note.message] for note in problem.notes]
    return [problem.code, _place_values(problem.place), problem.message, problem.hint, notes]


def _problem(values: list[Any]) -> Problem:
    code, place, message, hint, notes = values
    found = tuple(Note(Place(*where), words) for where, words in notes)
    return Problem(code, Place(*place), message, hint, Severity.WARNING, found)
