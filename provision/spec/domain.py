"""Read a domain in any script, and tell when its letters may deceive (RFC 5890, UTS #46, #39)."""

from __future__ import annotations

import unicodedata
from typing import Any

from provision.model.address import Domain
from provision.spec.characters import shown
from provision.spec.wrong import WrongError

# Scripts that one language writes together (UTS #39, section 5.1).
_TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"},
    {"LATIN", "CJK", "HANGUL"},
    {"LATIN", "CJK", "BOPOMOFO"},
)
_AS_IN = "a domain is letters, digits and inner hyphens between dots, as in acme.example"
_SCRIPTLESS = {"DIGIT", "HYPHEN-MINUS", "COMBINING", "MIDDLE", "FULL"}


def parse_domain(text: str) -> Domain:
    """A domain as A-labels; raises WrongError."""
    if not text.isascii():
        text = _to_ascii(text)
    try:
        domain = Domain.parse(text)
    except ValueError as error:
        raise WrongError(str(error), hint=_AS_IN) from error
    for label in domain.name.split("."):
        if label.startswith("xn--"):
            _to_unicode(label)
        elif label[2:4] == "--":
            raise WrongError(
                f"label {label!r} has '--' at its third place (RFC 5891 4.2.3.1)", hint=_AS_IN
            )
    return domain


def _to_ascii(text: str) -> str:
    import idna  # noqa: PLC0415 - most fleets have no such name, and it costs start-up time

    if unicodedata.normalize("NFKC", text).isascii():
        raise WrongError(f"{shown(text)} only looks like ASCII", hint="type it in ASCII letters")
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise WrongError(
            f"{shown(text)} is no international domain (RFC 5891)", hint=_AS_IN
        ) from error


def _to_unicode(label: str) -> str:
    import idna  # noqa: PLC0415 - most fleets have no such name, and it costs start-up time

    try:
        return idna.decode(label)
    except (idna.IDNAError, UnicodeError) as error:
        raise WrongError(
            f"{shown(label)} decodes to no valid name (RFC 5891)", hint=_AS_IN
        ) from error


def mixed_scripts(domain: Domain) -> str | None:
    """How a label of ``domain`` mixes scripts, as in ``NAME (CYRILLIC and LATIN)``, or None."""
    if "xn--" not in domain.name:
        return None
    for label in domain.name.split("."):
        if not label.startswith("xn--"):
            continue
        text = _to_unicode(label)
        scripts = {name for name in map(_script, text) if name not in _SCRIPTLESS}
        if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
            return f"{text} ({' and '.join(sorted(scripts))})"
    return None


def _script(char: str) -> str:
    # Python knows no script property; the first word of a character's name is its script.
    words: Any = unicodedata.name(char, "UNKNOWN").split(" ")
    return str(words[0])
