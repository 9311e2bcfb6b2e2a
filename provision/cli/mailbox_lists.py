"""Mailboxes and archives as tables for people and as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from provision.cli.printing import print_lines
from provision.model.amounts import Size
from provision.model.probe import PROBE_LOCAL
from provision.plan.show import Line

FORMAT = "1.0"
Entry = Mapping[str, Any]


def show_lists(
    lists: Mapping[str, Entry],
    sites: Sequence[str],
    *,
    archived: bool,
    is_json: bool,
    unreached: Mapping[str, str],
) -> None:
    """Print the mailboxes, or the archives, of these sites (none named: of all)."""
    word = "archives" if archived else "mailboxes"
    entries = [e for e in _entries(lists, word) if not sites or _site(e) in sites]
    if is_json:
        document = {"format_version": FORMAT, word: entries, "unreached": dict(unreached)}
        click.echo(json.dumps(document, indent=2))
    else:
        print_lines(archive_lines(entries) if archived else mailbox_lines(entries))


def doomed(lists: Mapping[str, Entry], address: str | None) -> list[Entry]:
    """The archives of an address, or (None) those whose time is over by their host's clock."""
    return [
        entry
        for entry in _entries(lists, "archives")
        if (entry["address"] == address if address else entry["expired"])
    ]


def _entries(lists: Mapping[str, Entry], word: str) -> list[Entry]:
    """Entries of every host, by address; the probes of ``verify`` are nobody's mailbox."""
    found = [
        {"host": host, **entry, **_times(entry, answer["now"])}
        for host, answer in lists.items()
        for entry in answer[word]
        if not entry["address"].startswith(f"{PROBE_LOCAL}@") or word == "archives"
    ]
    return sorted(found, key=lambda entry: (_site(entry), entry["address"], entry.get("name", "")))


def _times(entry: Entry, now: int) -> dict[str, Any]:
    if "keep_until" not in entry:
        return {}
    return {
        "removed": _moment(entry["removed"]),
        "keep_until": _moment(entry["keep_until"]),
        "expired": entry["keep_until"] <= now,
    }


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _site(entry: Entry) -> str:
    return str(entry["address"]).rpartition("@")[2]


def mailbox_lines(entries: Sequence[Entry]) -> Iterator[Line]:
    """A line per mailbox."""
    rows = [
        (
            entry["address"],
            entry["host"],
            f"{entry['messages']} messages",
            Size(entry["bytes"]).about(),
            f"of {Size(entry['quota'])}" if entry["quota"] else "no limit",
        )
        for entry in entries
    ]
    yield from _table(rows, empty="No mailbox.")


def archive_lines(entries: Sequence[Entry]) -> Iterator[Line]:
    """A line per archive."""
    rows = [
        (
            entry["address"],
            entry["host"],
            f"removed {entry['removed'][:10]}",
            "kept no longer" if entry["expired"] else f"kept until {entry['keep_until'][:10]}",
            f"{entry['messages']} messages",
            Size(entry["bytes"]).about(),
            entry["name"],
        )
        for entry in entries
    ]
    yield from _table(rows, empty="No archive.")


def _table(rows: Sequence[tuple[str, ...]], *, empty: str) -> Iterator[Line]:
    if not rows:
        yield Line(empty)
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield Line("  ".join(cells).rstrip())
