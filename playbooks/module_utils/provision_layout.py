"""Where this host's state lives. ``root`` is / on a host and a temporary folder in tests."""

from __future__ import annotations

from pathlib import Path

from .provision_durable import make_private


class Layout:
    """Paths of our state under one root; every managed path is given as it is on a real host."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self.state = root / "var/lib/provision"
        self.generations = self.state / "generations"
        self.current = self.state / "current"
        self.journal = self.state / "journal.json"
        self.pending = self.state / "pending.json"
        self.replaced = self.state / "replaced"
        self.owned = self.state / "owned.json"
        self.audit = self.state / "audit.log"
        self.hold = self.state / "hold.json"
        self.unconfirmed = self.state / "unconfirmed.json"
        self.watch = self.state / "watch.py"
        self.run = root / "run/provision"
        self.lock = self.run / "lock"
        self.holder = self.run / "holder.json"
        self.apply_lock = self.run / "apply.lock"
        self.apply_holder = self.run / "apply.json"
        self.ended = self.run / "ended.json"

    def generation(self, number: int) -> Path:
        """The folder of one generation."""
        return self.generations / str(number)

    def staged(self, number: int) -> Path:
        """The tree of one generation's files, at their real paths below it."""
        return self.generation(number) / "files"

    def live(self, path: str) -> Path:
        """Where a managed path is under this root."""
        return self.root / path.lstrip("/")

    def live_text(self, path: str) -> str:
        """The same as text: for thousands of files, pathlib is most of the work."""
        return f"{str(self.root).rstrip('/')}/{path.lstrip('/')}"

    def prepare(self) -> None:
        """Make the folders that everything else expects; readable by root alone."""
        for folder in (self.state, self.generations, self.run):
            make_private(folder)
