"""``provision adopt``: take what was changed on a host by hand over into the spec, where it can."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provision.cli.printing import print_lines
from provision.cli.spec_loading import spec_options
from provision.errors import ExitCode, UsageWrong
from provision.plan.show import Line, diff_lines, seen

if TYPE_CHECKING:
    from provision.cli.remembering import Remembered
    from provision.plan.adoption import Adoption
    from provision.plan.drift import Finding

_LOGINS = re.compile(r"/etc/dovecot/accounts/(.+)\.passwd")
_HASH = re.compile(r"\{[A-Z0-9-]+\}\$[^\s'\"]+")


@click.command("adopt")
@click.argument("host")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@spec_options
@click.option("--yes", is_flag=True, help="Do not ask before writing; for pipelines.")
def command(
    *,
    host: str,
    paths: tuple[str, ...],
    fleet_dir: Path,
    vault_password_file: Path | None,
    yes: bool,
) -> int:
    r"""Take drift of HOST over into the spec: write it into site files, where a spec can say it.

    A mailbox that was added by hand, a quota, a password hash: accounts can be adopted. An edited
    configuration file cannot; then it says what makes that file. Without PATH, all drift of the
    host is looked at. The host is not changed.

    Exit 0: all of it is adopted, or there is none; 2: some drift cannot be adopted; 3: the spec is
    invalid; 5: the host cannot be reached; 6: the spec would not be valid, nothing was written.

    \b
    Examples:
      provision adopt mail1
      provision adopt mail1 /etc/dovecot/accounts/acme.example.passwd
      provision adopt mail1 --yes -i inventories/demo
    """
    from provision.cli.remembering import ask_hosts  # noqa: PLC0415 - start-up time
    from provision.plan.drift import find_drift  # noqa: PLC0415

    told = ask_hosts(fleet_dir, vault_password_file, (host,), contents=True)
    if told.failures:
        return told.exit_code()
    memory = told.memories[host]
    found = _chosen(find_drift(memory), paths)
    if not found:
        click.echo(f"{host}: no drift to adopt.")
        return ExitCode.DONE
    adoptions = _adoptions(told, fleet_dir, vault_password_file, found)
    print_lines(_verdicts(host, found, adoptions))
    _write(fleet_dir, vault_password_file, adoptions, yes=yes)
    is_left = any(adoption.left for adoption in adoptions.values())
    is_left = is_left or any(not _is_login(finding, adoptions) for finding in found)
    return ExitCode.CHANGES if is_left else ExitCode.DONE


def _chosen(found: Sequence[Finding], paths: tuple[str, ...]) -> list[Finding]:
    names = {finding.name for finding in found}
    for path in paths:
        if path not in names:
            raise UsageWrong(f"{path} has not drifted", hint="see: provision drift")
    return [finding for finding in found if not paths or finding.name in paths]


def _adoptions(
    told: Remembered, fleet_dir: Path, vault: Path | None, found: Sequence[Finding]
) -> dict[str, Adoption]:
    """By path of what was found; empty when no account has drifted."""
    from provision.cli.spec_loading import load_or_exit  # noqa: PLC0415 - start-up time
    from provision.hosts.mailboxes import ask  # noqa: PLC0415
    from provision.model.certificate import Certificates  # noqa: PLC0415
    from provision.plan.adoption import adopt_document, adopt_logins  # noqa: PLC0415
    from provision.plan.change import Kind  # noqa: PLC0415
    from provision.render.accounts import render_accounts  # noqa: PLC0415
    from provision.render.view import HostView  # noqa: PLC0415

    if all(finding.kind is not Kind.ACCOUNTS for finding in found):
        return {}
    host = told.hosts[0]
    edits = ask(told.connection.target_of(host), told.connection, {"action": "edits"})
    fleet = load_or_exit(fleet_dir, vault)
    view = HostView.of(fleet, host, Certificates({}, {}, ""))
    sites = {site.site: site for site in render_accounts(view)}
    chosen: dict[str, Adoption] = {}
    for finding in found:
        site = _LOGINS.fullmatch(finding.name)
        if site and site[1] in sites and site[1] in edits["logins"]:
            chosen[finding.name] = adopt_logins(sites[site[1]], edits["logins"][site[1]])
        elif finding.kind is Kind.ACCOUNTS and not finding.name.startswith("/"):
            documents = {s: text for s, text in edits["documents"].items() if s in sites}
            for name, text in documents.items():
                chosen[f"document of {name}"] = adopt_document(sites[name], text)
    return chosen


def _is_login(finding: Finding, adoptions: Mapping[str, Adoption]) -> bool:
    if finding.name in adoptions:
        return True
    return not finding.name.startswith("/") and any(n.startswith("document") for n in adoptions)


def _verdicts(
    host: str, found: Sequence[Finding], adoptions: Mapping[str, Adoption]
) -> Iterator[Line]:
    from provision.plan.adoption import why_not  # noqa: PLC0415 - start-up time

    yield Line(host, "bold")
    for name, adoption in adoptions.items():
        yield Line(seen(f"  {name}:"))
        yield from (Line(seen(f"    can be adopted: {words}"), "green") for words in adoption.words)
        yield from (Line(seen(f"    cannot be: {words}"), "yellow") for words in adoption.left)
    for finding in found:
        if not _is_login(finding, adoptions):
            words = f"  {finding.kind.word} {finding.name} ({finding.what}) cannot be adopted:"
            yield Line(seen(words), "yellow")
            yield Line(f"    {why_not(finding)}")


def _write(
    fleet_dir: Path, vault: Path | None, adoptions: Mapping[str, Adoption], *, yes: bool
) -> None:
    from provision.apply.site_files import SiteFiles  # noqa: PLC0415 - start-up time

    wishes: dict[str, list[Any]] = {}
    for adoption in adoptions.values():
        wishes.setdefault(adoption.site, []).extend(adoption.wishes)
    files = SiteFiles.of(fleet_dir, {site: found for site, found in wishes.items() if found})
    if not files.changed:
        return
    for path, (before, after) in files.changed.items():
        print_lines(diff_lines(_diff(path, before, after)))
    if not yes:
        if not sys.stdin.isatty():
            raise UsageWrong("nobody can be asked here", hint="review this, then add --yes")
        click.confirm("Write this?", abort=True)
    files.write(vault)
    print_lines([Line("Written. Next: provision plan, then provision apply", "bold")])


def _diff(path: str, before: str, after: str) -> str:
    old, new = (_HASH.sub("(hash)", text).splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(old, new, fromfile=path, tofile=path, n=2))
