"""Domains, local parts and mail addresses: parsed once, compared safely (RFC 5321, RFC 1035)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_OWN_ATOM = re.compile(r"[a-z0-9_-]+")
_FOREIGN_ATOM = re.compile(r"[A-Za-z0-9_=~&'+-]+")


@dataclass(frozen=True, order=True, slots=True)
class Domain:
    """A fully qualified host or mail domain: lower case A-labels, no trailing dot."""

    name: str

    @classmethod
    def parse(cls, text: str) -> Domain:
        """Read ``text``; raises ValueError that says what is wrong. U-labels are not taken here."""
        # Before lower(): it makes an ASCII letter of the Kelvin sign.
        if not text.isascii():
            raise ValueError("a domain is written in ASCII letters (A-labels)")
        name = text.removesuffix(".").lower()
        labels = name.split(".")
        if len(name) > 253:
            raise ValueError("a domain has at most 253 characters (RFC 1035)")
        if len(labels) < 2:
            raise ValueError("a domain needs at least two labels, as in acme.example")
        for label in labels:
            if not _LABEL.fullmatch(label):
                raise ValueError(
                    f"label {label!r} is not valid: letters, digits and inner hyphens,"
                    " 1 to 63 characters"
                )
        if labels[-1].isdigit():
            raise ValueError("the last label of a domain is not a number")
        return cls(name)

    def is_within(self, parent: Domain) -> bool:
        """True for ``parent`` itself and every name below it."""
        return self.name == parent.name or self.name.endswith("." + parent.name)

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, order=True, slots=True)
class LocalPart:
    """The part before the @ of an address that we host: lower case, safe in every map and path."""

    text: str

    @classmethod
    def parse(cls, text: str) -> LocalPart:
        """Read ``text``; raises ValueError that says what is wrong.

        Stricter than RFC 5321 on purpose: letters, digits, ``.``, ``_`` and ``-`` only; ``+``
        separates the detail of plus-addressing and so cannot be part of a name.
        """
        return _local_part(text)

    @classmethod
    def _parse(cls, text: str) -> LocalPart:
        # Before lower(): it makes an ASCII letter of the Kelvin sign.
        if not text.isascii():
            raise ValueError("the part before the @ is written in ASCII letters")
        lowered = text.lower()
        _require_dot_atom(lowered, _OWN_ATOM, "letters, digits, '.', '_' and '-'")
        if lowered.startswith("-"):
            raise ValueError("a local part does not start with '-'")
        return cls(lowered)

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=1 << 16)  # the same few names stand in every site
def _local_part(text: str) -> LocalPart:
    return LocalPart._parse(text)  # noqa: SLF001 - its own module


def _require_dot_atom(text: str, atom: re.Pattern[str], allowed: str) -> None:
    if not text:
        raise ValueError("the part before the @ is empty")
    if len(text) > 64:
        raise ValueError("the part before the @ has at most 64 characters (RFC 5321 4.5.3.1.1)")
    for piece in text.split("."):
        if not piece:
            raise ValueError("a dot stands only between two other characters")
        if not atom.fullmatch(piece):
            raise ValueError(f"the part before the @ may hold {allowed} only")


@dataclass(frozen=True, order=True, slots=True)
class Address:
    """A mail address anywhere in the world that is safe in every map; sorts by domain first."""

    domain: Domain
    local: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``local@domain``; raises ValueError that says what is wrong.

        Quoted local parts, domain literals, commands, files and includes are refused: they have a
        meaning to Postfix beyond an address (aliases(5)).
        """
        local, at, domain = text.rpartition("@")
        if not at:
            raise ValueError("an address has the form local@domain")
        _require_dot_atom(local, _FOREIGN_ATOM, "letters, digits and . _ - + = ~ & '")
        if local.startswith("-"):
            raise ValueError("a local part does not start with '-'")
        return cls(Domain.parse(domain), local)

    @classmethod
    def of(cls, local: LocalPart, domain: Domain) -> Address:
        """The address of a local part in one of our domains."""
        return cls(domain, local.text)

    def __hash__(self) -> int:
        return hash((self.domain.name, self.local))

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"
