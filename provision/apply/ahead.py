"""An Ansible that is started while the hosts are looked at, so that it waits and not a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Self

from provision.hosts.ansible_process import AnsibleProcess
from provision.hosts.private_folder import private_folder


class Ahead:
    """At most one of them, for the first batch; a context manager that ends what nobody used."""

    def __init__(self) -> None:
        self._ready: AnsibleProcess | None = None
        self._folder = ExitStack()

    def begin(self) -> None:
        """Start it now: something will probably have to be applied."""
        self._ready = self._ready or self._started()

    def _started(self) -> AnsibleProcess:
        return AnsibleProcess(self._folder.enter_context(private_folder()))

    @contextmanager
    def take(self) -> Iterator[AnsibleProcess]:
        """The one that waits, or a new one; its folder is removed afterwards."""
        ready, self._ready = self._ready or self._started(), None
        with self._folder.pop_all():
            try:
                yield ready
            finally:
                ready.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._ready is not None:
            self._ready.end()
        self._folder.close()
