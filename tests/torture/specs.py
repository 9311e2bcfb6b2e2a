"""Two states of one fleet, and the way between them changes a bit of everything."""

from __future__ import annotations

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
STAYS = ("anna@acme.example", "info@acme.example", "fred@quiet.example", "dora@blue.example")
"""Addresses that must be accepted whatever happens."""
COMES_AND_GOES = {
    "A": ("olga@blue.example",),
    "B": ("nina@blue.example", "gus@green.example", "garden@green.example"),
}
"""Addresses that must be accepted in one state and in the other must not."""


def write_spec(folder: Path, state: str) -> None:
    """Make a copy of the demo fleet ask for state ``A`` or ``B``."""
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
    if name == "fleet.yml":
        return text.replace("\npostmaster:", f"{_SMARTHOST}\npostmaster:") if state == "B" else text
    if name == "sites/acme.example.yml":
        return text.replace("Acme Mail", "Acme Post") if state == "B" else text
    person = {"A": f"  olga: {{name: Olga Old, password_hash: {HASH}}}\n"}.get(
        state, f"  nina: {{name: Nina New, password_hash: {HASH}, quota: 1G}}\n"
    )
    return text.replace("mailboxes:\n", f"mailboxes:\n{person}")
