"""Announcing and accounting from the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from hub.db import write_session
from tests.deliveries.people import somebody

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.usefixtures("sqlite_database")
def test_a_new_hub_can_announce_and_account_at_once(run_hub: Run) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
        somebody(session, "Bob")
    wanted = ["announce", "--title", "Hall closed", "--body", "Dear ((name)), no lunch club.", "--to", "everyone"]
    sent = run_hub(*wanted, "--send", "--json")
    assert sent.returncode == 0, sent.stderr
    announced = json.loads(sent.stdout)
    assert (announced["sent"], announced["by_channel"]) == (True, {"text": 1})
    account = json.loads(run_hub("reach", str(announced["announcement"]), "--json").stdout)
    assert sum(account["reach"].values()) == account["audience"] == 2


@pytest.mark.usefixtures("sqlite_database")
def test_what_stops_an_announcement_is_said_on_stderr_and_nothing_is_sent(run_hub: Run) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    refused = run_hub("announce", "--title", "Hall", "--body", "Dear ((nmae))", "--to", "everyone", "--send")
    assert refused.returncode == 1
    assert "((nmae))" in refused.stderr
    assert "It is on its way" not in refused.stdout
    nobody = run_hub("announce", "--title", "Hall", "--body", "Hello", "--to", "Nobody’s group")
    assert (nobody.returncode, "There is no group" in nobody.stderr) == (1, True)
