"""The way back after a failed proof: every unit is told, whatever another one does."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils import provision_transaction
from ansible.module_utils.provision_units import Failure


def test_unit_that_does_not_come_back_keeps_no_other_from_its_old_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, str]] = []

    def activate(actions: list[list[str]], **_: Any) -> None:
        asked.extend((unit, verb) for unit, verb in actions)
        if actions[0][0] == "dovecot.service":
            raise Failure("dovecot.service does not serve", [])

    monkeypatch.setattr(provision_transaction, "activate", activate)
    actions = [["postfix.service", "reload"], ["dovecot.service", "reload"]]
    with pytest.raises(Failure, match="dovecot"):
        provision_transaction._activate_back(actions, ["nginx.service"], set())
    assert asked == [
        ("dovecot.service", "reload"),
        ("dovecot.service", "restart"),
        ("postfix.service", "reload"),
        ("nginx.service", "reload"),
    ]
