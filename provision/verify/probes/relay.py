"""A stranger on port 25: no login is offered, and nothing is relayed, however it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from provision.verify.outcome import require, require_none
from provision.verify.probes import clients
from provision.verify.probes.clients import conversation, text
from provision.verify.probes.place import OUTSIDE, HostPlace

_VICTIM, _ELSEWHERE = "nobody", "example.net"
_STRANGER = "somebody@example.org"
_PER_CONNECTION = 3
"""From the third error on Postfix answers a second late (smtpd_soft_error_limit)."""
_AT_ONCE = 3
"""Connections side by side, to make up for that second; Postfix counts them per minute, too."""
_HINT = "An open relay is on every block list within days: smtpd_relay_restrictions must refuse."


def relay_forms(address: str, domain: str) -> tuple[str, ...]:
    """Ways to write a recipient elsewhere that careless servers have relayed.

    ``address`` and ``domain`` are the host's own. Percent hack, bang path, quoted local part,
    source route, address literal, doubled @ (RFC 5321 appendix C and F.2).
    """
    victim, literal = f"{_VICTIM}@{_ELSEWHERE}", f"[{address}]"
    percent, bang = f"{_VICTIM}%{_ELSEWHERE}", f"{_ELSEWHERE}!{_VICTIM}"
    return (
        victim,
        f"{_VICTIM}@{_ELSEWHERE}.",
        f'"{victim}"',
        f'"{percent}"',
        percent,
        f"{percent}@{domain}",
        f"{percent}@{literal}",
        bang,
        f"{bang}@{domain}",
        f"{bang}@{literal}",
        f"{domain}!{bang}",
        f'"{victim}"@{domain}',
        f'"{victim}"@{literal}',
        f"{victim}@{domain}",
        f"@{domain}:{victim}",
        f"@{literal}:{victim}",
    )


def no_open_relay(place: HostPlace) -> None:
    """Port 25 relays nothing to elsewhere, in sixteen ways of writing it."""
    closed = (site.site.domain for site in place.sites if site.site.catch_all is None)
    domain = next(closed, place.host.fqdn).name
    forms = relay_forms(place.door.address, domain)
    pairs = [("", form) for form in forms] + [(_STRANGER, forms[0])]
    accepted = _accepted(place, pairs)
    require_none([f"{form} from <{sender}> is accepted" for sender, form in accepted], hint=_HINT)


def own_sender_is_no_ticket(place: HostPlace) -> None:
    """Nobody relays by claiming a site's address as the sender."""
    accepted = _accepted(place, [(str(site.mailbox), OUTSIDE) for site in place.sites])
    require_none([f"{sender} relays without a login" for sender, _ in accepted], hint=_HINT)


def no_login_on_25(place: HostPlace) -> None:
    """Port 25 offers no login, before or after STARTTLS, and refuses one."""
    with conversation("port 25"):
        client = clients.smtp(place.door, 25)
        client.ehlo()
        before = client.has_extn("auth")
        client.starttls(context=place.door.tls)
        client.ehlo()
        after = client.has_extn("auth")
        code, said = client.docmd("AUTH", "PLAIN AGEAYg==")
        client.quit()
    hint = "smtpd_sasl_auth_enable belongs to submission alone (postconf(5))."
    require(not before and not after, "AUTH is offered on port 25", hint=hint)
    require(code >= 500, f"AUTH on port 25 was answered {code} {text(said)}", hint=hint)


def submission_needs_login(place: HostPlace) -> None:
    """Without a login 465 and 587 take no mail, neither to elsewhere nor to our own."""
    own = [str(site.mailbox) for site in place.sites[:1]]
    wrong = []
    for port in (465, 587):
        with conversation(f"port {port}"), clients.submission(place.door, port) as client:
            client.ehlo()
            for recipient in (OUTSIDE, *own):
                client.rset()
                code, _ = client.mail(_STRANGER)
                if code < 400 and client.rcpt(recipient)[0] < 400:
                    wrong.append(f"{port} takes mail to {recipient} without a login")
    require_none(wrong, hint="smtpd_relay_restrictions of submission must end in reject.")


def _accepted(place: HostPlace, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those pairs of sender and recipient that a stranger could send; no message follows."""
    groups = [pairs[i : i + _PER_CONNECTION] for i in range(0, len(pairs), _PER_CONNECTION)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda group: list(_accepted_in_a_row(place, group)), groups)
        return [pair for group in found for pair in group]


def _accepted_in_a_row(
    place: HostPlace, pairs: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    with conversation("port 25"):
        client = clients.smtp(place.door, 25)
        client.ehlo()
        for sender, form in pairs:
            client.rset()
            code, _ = client.docmd("MAIL", f"FROM:<{sender}>")
            if code < 400:
                code, _ = client.docmd("RCPT", f"TO:<{form}>")
            if code < 400:
                yield sender, form
        client.close()
