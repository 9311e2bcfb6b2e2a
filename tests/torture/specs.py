"""Two states of one fleet, and the way between them: an ordinary one, and one of access.

A and B differ in a bit of everything that is applied every day. C and D differ in what decides who
reaches the host, so that a change has to be confirmed: D has no firewall, whose unit, package and
rules leave with it; and a mailbox has another name, with all that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HASH = (
    '"{ARGON2ID}$argon2id$v=19$m=1024,t=1,p=1$KZBFnfSbNOam7dLQksC/2A'
    '$ovsB/yNWk1KtLoLyAiuWsY/x22fI1qM8fTQJgM3tFlU"'
)
"""Given as a hash: one that an apply makes itself has another salt each time."""
_SMARTHOST = (
    "  spare: {host: smtp.yourisp.example, port: 587, tls: verify, username: smartmail,"
    " password: !secret yourisp}\n"
)
_GREEN = f"""\
site: green.example
host: mail1
outgoing: spare
webmail: {{name: Green Mail, color: "#0a0"}}
mailboxes:
  gus: {{name: Gus Gray, password_hash: {HASH}, aliases: [garden]}}
"""


@dataclass(frozen=True)
class Play:
    """Two states between which a host goes to and fro."""

    near: str
    """The state in which it begins."""
    far: str

    def other(self, state: str) -> str:
        """The state that is not this one."""
        return self.far if state == self.near else self.near


PLAYS = {"ordinary": Play("A", "B"), "access": Play("C", "D")}
STAYS = ("anna@acme.example", "info@acme.example", "fred@quiet.example", "dora@blue.example")
"""Addresses that must be accepted whatever happens."""
COMES_AND_GOES = {
    "A": ("olga@blue.example",),
    "B": ("nina@blue.example", "gus@green.example", "garden@green.example"),
    "C": ("ines@blue.example",),
    "D": ("irma@blue.example",),
}
"""Addresses that must be accepted in one state of a play and in the other must not."""
_FIREWALL = "    firewall: "


def write_spec(folder: Path, state: str) -> None:
    """Make a copy of the demo fleet ask for a state."""
    for name in ("fleet.yml", "sites/acme.example.yml", "sites/blue.example.yml"):
        kept = folder / ".provision" / f"kept-{name.replace('/', '-')}"
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        if not kept.exists():
            kept.write_text((folder / name).read_text())
        (folder / name).write_text(_edited(name, kept.read_text(), state))
    green = folder / "sites/green.example.yml"
    if state == "B":
        green.write_text(_GREEN)
    else:
        green.unlink(missing_ok=True)


def _edited(name: str, text: str, state: str) -> str:
    if name == "fleet.yml" and state == "D":
        return "\n".join(line for line in text.split("\n") if not line.startswith(_FIREWALL))
    if name == "fleet.yml":
        return text.replace("\npostmaster:", f"{_SMARTHOST}\npostmaster:") if state == "B" else text
    if name == "sites/acme.example.yml":
        return text.replace("Acme Mail", "Acme Post") if state == "B" else text
    return text.replace("mailboxes:\n", f"mailboxes:\n  {_PERSON[state]}\n")


_PERSON = {
    "A": f"olga: {{name: Olga Old, password_hash: {HASH}}}",
    "B": f"nina: {{name: Nina New, password_hash: {HASH}, quota: 1G}}",
    "C": f"ines: {{name: Ines Inn, password_hash: {HASH}, moved_from: irma}}",
    "D": f"irma: {{name: Ines Inn, password_hash: {HASH}, moved_from: ines}}",
}
"""Who comes and goes, or gets another name, in each state."""
