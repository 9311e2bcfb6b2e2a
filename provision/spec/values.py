"""The values a spec is written with: each parsed once, into a type that cannot be wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema

from provision.model.address import Address, Domain, LocalPart
from provision.model.secret import Secret
from provision.spec.characters import describe, shown
from provision.spec.domain import parse_domain
from provision.spec.host_address import parse_host_address
from provision.spec.node import SecretRef
from provision.spec.password_hash import parse_password_hash
from provision.spec.wrong import WrongError

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?")
_RESERVED_NAMES = {"all", "ungrouped", "localhost", "direct", "none", "smarthost"}
_PATH_PIECE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_COLOR = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_SSH_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_SECRET_PIECE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
Parsed = TypeVar("Parsed")
RESERVED_LOCAL_PARTS = {"provision-probe", "provision-catch-all"}
"""The mailbox that ``provision verify`` logs in to, and the way of a catch-all to elsewhere."""


def plain_text(value: Any) -> str:
    """A text as YAML has it; WrongError that says what stands there instead."""
    if isinstance(value, str):
        return value
    if value is None or type(value) is Empty:
        raise WrongError("there is no value", hint="write its value, or delete the line")
    if isinstance(value, (bool, int, float)):
        raise WrongError("this is not text to YAML", hint="put it in quotes")
    if isinstance(value, SecretRef):
        raise WrongError("a secret does not belong here", hint="write the text itself")
    raise WrongError("this is a list or mapping where a text belongs", hint="write one text")


class Empty:
    """Stands for a key without a value, so that no default can take its place silently."""


def parse_local_part(value: Any) -> LocalPart:
    """A local part of ours: ASCII, so that no two that look alike can differ (RFC 6531 is off)."""
    return _own_local_part(plain_text(value))


@lru_cache(maxsize=1 << 16)  # the same few names stand in every site
def _own_local_part(text: str) -> LocalPart:
    _require_ascii(text, "the part before the @")
    if "@" in text:
        raise WrongError(
            "a whole address stands where the part before the @ belongs",
            hint="write the part before the @ alone",
        )
    local = hinted(LocalPart.parse, text, "as in anna, anna.ask or info")
    if local.text in RESERVED_LOCAL_PARTS:
        raise WrongError(
            f"the name {local} is reserved for provision's own use", hint="choose another name"
        )
    return local


def parse_address(value: Any) -> Address:
    """A whole address, ours or elsewhere; its domain may be written in any script."""
    text = plain_text(value)
    local, at, domain = text.rpartition("@")
    if not at:
        raise WrongError(
            f"{shown(text)} is not an address", hint="an address has the form local@domain"
        )
    _require_ascii(local, "the part before the @")
    whole = f"{local}@{parse_domain(domain)}"
    return hinted(Address.parse, whole, "as in anna@acme.example")


def parse_target(value: Any) -> Address | LocalPart:
    """Where mail goes: a local part of the site itself, or a whole address."""
    text = plain_text(value)
    if "@" in text:
        return parse_address(text)
    if text.startswith(("/", ":", "|", '"')):
        raise WrongError(
            "mail goes to addresses only, never to files, programs or lists (aliases(5))",
            hint="write a local part of this site, or a whole address",
        )
    return parse_local_part(text)


def hinted(parse: Callable[[str], Parsed], text: str, hint: str) -> Parsed:
    """What ``parse`` makes of ``text``; its ValueError becomes a WrongError with the hint."""
    try:
        return parse(text)
    except ValueError as error:
        raise WrongError(str(error), hint=hint) from error


def _require_ascii(text: str, what: str) -> None:
    if not text.isascii():
        strange = next(char for char in text if not char.isascii())
        raise WrongError(
            f"{what} holds {describe(strange)}; it takes ASCII characters only",
            hint="other letters can look like these and be different addresses",
        )


def check_name(text: str) -> str:
    """The name of a fleet, host or smarthost: safe as an Ansible host and a Postfix transport."""
    if not _NAME.fullmatch(text):
        raise WrongError(
            f"{shown(text)} is not a name",
            hint="a name has 1 to 32 lower-case letters, digits and inner hyphens, and starts"
            " with a letter",
        )
    if text in _RESERVED_NAMES:
        raise WrongError(f"the name {text} has a meaning of its own", hint="choose another name")
    return text


def check_local_key(text: str) -> str:
    """A key that is a local part; it stays text here so that twins can be told apart later."""
    parse_local_part(text)
    return text


def parse_secret_ref(value: Any) -> SecretRef:
    """``!secret NAME``; a text written in its place is refused without being repeated."""
    if value is None or type(value) is Empty:
        raise WrongError("there is no value", hint="write !secret NAME, or delete the line")
    if not isinstance(value, SecretRef):
        raise WrongError(
            "a password never stands in the spec itself",
            hint="put it into secrets.yml (ansible-vault edit secrets.yml) and write !secret NAME;"
            " change it too if it was ever committed",
        )
    pieces = value.name.split("/")
    if not all(_SECRET_PIECE.fullmatch(piece) for piece in pieces):
        raise WrongError(
            f"{shown(value.name)} is not the name of a secret", hint="as in !secret acme/anna"
        )
    return value


def parse_password_hash_value(value: Any) -> Secret:
    """A hash with its scheme; the text is never repeated in a message."""
    return Secret(parse_password_hash(plain_text(value)))


def parse_file(value: Any) -> str:
    """A path below the fleet folder."""
    text = plain_text(value)
    if "://" in text:
        raise WrongError(
            "this is a URL; only files in the fleet folder are read",
            hint="save the file below the fleet folder and write its path",
        )
    if text.startswith("/") or ".." in text.split("/"):
        raise WrongError("the path leads out of the fleet folder", hint="as in assets/logo.svg")
    if not all(_PATH_PIECE.fullmatch(piece) for piece in text.split("/")):
        raise WrongError(
            f"{shown(text)} is not a path that is used here",
            hint="letters, digits, '.', '_' and '-', folders apart by '/', none hidden",
        )
    return text


def parse_key_file(value: Any) -> str | SecretRef:
    """A private key: a file of the fleet folder, or ``!secret NAME``."""
    return parse_secret_ref(value) if isinstance(value, SecretRef) else parse_file(value)


def parse_display_text(value: Any) -> str:
    """Free text for people, up to 100 characters."""
    text = plain_text(value)
    if len(text) > 100:
        raise WrongError(
            f"the text has {len(text)} characters; the limit is 100", hint="shorten it"
        )
    if text != text.strip():
        raise WrongError("the text starts or ends with a space", hint="delete it")
    return text


def parse_username(value: Any) -> str:
    """The login at a smarthost; Postfix splits login and password at the first colon."""
    text = plain_text(value)
    if not text or len(text) > 255 or not text.isascii():
        raise WrongError("a login has 1 to 255 ASCII characters", hint="ask the provider for it")
    if text != text.strip():
        raise WrongError("the login starts or ends with a space", hint="delete it")
    if ":" in text:
        raise WrongError(
            "a login cannot hold a colon (postconf(5), smtp_sasl_password_maps)",
            hint="ask the provider for another login",
        )
    return text


def _parse_pattern(pattern: re.Pattern[str], what: str, *, hint: str) -> Any:
    def parse(value: Any) -> str:
        text = plain_text(value)
        if not pattern.fullmatch(text):
            raise WrongError(f"{shown(text)} is not {what}", hint=hint)
        return text

    return parse


def _schema(description: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, **more})


Name = Annotated[
    str,
    BeforeValidator(plain_text),
    AfterValidator(check_name),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"}),
]
LocalKey = Annotated[str, AfterValidator(check_local_key)]
DomainValue = Annotated[
    Domain,
    PlainValidator(lambda value: parse_domain(plain_text(value))),
    _schema("A domain.", minLength=4, maxLength=253),
]
LocalValue = Annotated[
    LocalPart, PlainValidator(parse_local_part), _schema("The part before the @.", maxLength=64)
]
AddressValue = Annotated[
    Address, PlainValidator(parse_address), _schema("A mail address.", pattern="@")
]
TargetValue = Annotated[
    Address | LocalPart,
    PlainValidator(parse_target),
    _schema("A local part of this site, or a whole address."),
]
SecretValue = Annotated[
    SecretRef, PlainValidator(parse_secret_ref), _schema("!secret NAME, from secrets.yml.")
]
HashValue = Annotated[
    Secret,
    PlainValidator(parse_password_hash_value),
    _schema("A hash.", pattern=r"^\{[A-Z0-9-]+\}"),
]
FileValue = Annotated[
    str, PlainValidator(parse_file), _schema("A file, by its path below the fleet folder.")
]
KeyValue = Annotated[
    str | SecretRef, PlainValidator(parse_key_file), _schema("A file, or !secret NAME.")
]
DisplayValue = Annotated[
    str, PlainValidator(parse_display_text), _schema("Free text.", maxLength=100)
]
UsernameValue = Annotated[str, PlainValidator(parse_username), _schema("A login.", maxLength=255)]
ColorValue = Annotated[
    str,
    PlainValidator(_parse_pattern(_COLOR, "a colour", hint="as in '#0a5' or '#00aa55', in quotes")),
    _schema("A colour.", pattern=f"^(?:{_COLOR.pattern})$"),
]
SshUserValue = Annotated[
    str,
    PlainValidator(_parse_pattern(_SSH_USER, "a system user's name", hint="as in root or admin")),
    _schema("A system user.", pattern=f"^{_SSH_USER.pattern}$"),
]
HostAddressValue = Annotated[
    str,
    PlainValidator(lambda value: parse_host_address(plain_text(value))),
    _schema("An IPv4 or IPv6 address, or a host name."),
]
TextValue = Annotated[str, PlainValidator(plain_text), _schema("A name.")]
