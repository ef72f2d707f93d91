"""Announcing and accounting from the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import select

from hub.announcements.models import Announcement
from hub.db import read_session, write_session
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


@pytest.mark.usefixtures("sqlite_database")
def test_an_announcement_can_be_put_off_and_its_costs_limited(run_hub: Run) -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
    wanted = ["announce", "--title", "Hall closed", "--body", "No lunch club.", "--to", "everyone", "--budget", "0.01"]
    put_off = run_hub(*wanted, "--at", "2099-07-01 09:00", "--json")
    assert put_off.returncode == 0, put_off.stderr
    answer = json.loads(put_off.stdout)
    assert (answer["sent"], answer["starts_at"]) == (False, "2099-07-01T08:00:00+00:00")
    assert "after about 0 of 1 texts" in answer["warnings"][0]
    assert "It leaves on 1 July 2099, 9:00am." in run_hub(*wanted, "--at", "2099-07-01 09:00").stdout
    past = run_hub(*wanted, "--at", "2020-07-01 09:00")
    assert (past.returncode, "has passed already" in past.stderr) == (1, True)
    wrong = run_hub(*wanted, "--send", "--budget", "lots")
    assert (wrong.returncode, "like 25 or 12.50" in wrong.stderr) == (1, True)
    with read_session() as session:
        assert [each.budget for each in session.scalars(select(Announcement))] == [Decimal("0.01")] * 2
