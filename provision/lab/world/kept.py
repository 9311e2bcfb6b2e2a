"""Read what the world's mail servers took: each message with its envelope and its login."""

from __future__ import annotations

import email
import email.policy
import json
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as a server of the world took it."""

    time: float
    """Seconds since the epoch."""
    sender: str
    """Envelope sender; empty for a bounce."""
    recipients: tuple[str, ...]
    """Envelope recipients; one for a message kept by an outside domain."""
    client_address: str
    client_name: str
    helo: str
    login: str | None
    """Who had logged in; None for the outside domains, which take mail from anybody."""
    message: EmailMessage = field(repr=False)

    @property
    def subject(self) -> str:
        """The message's subject, empty when it has none."""
        return str(self.message["Subject"] or "")


def read_kept(folder: Path) -> list[KeptMessage]:
    """Every message kept in ``folder``, oldest first."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> KeptMessage:
    kept = json.loads(path.read_text(encoding="utf-8"))
    message = email.message_from_bytes(
        kept["message"].encode("latin-1"), policy=email.policy.default
    )
    recipients = kept["recipients"] or [kept["recipient"]]
    return KeptMessage(
        time=kept["time"],
        sender=kept["sender"],
        recipients=tuple(r for r in recipients if r),
        client_address=kept["client_address"],
        client_name=kept["client_name"],
        helo=kept["helo"],
        login=kept.get("login"),
        message=message,
    )
