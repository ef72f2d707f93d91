"""The judge of chaos finds what it is there for."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from channels.sandbox.store import FILE, SCHEMA
from hub.db import utc_now, write_session
from hub.deliveries import service
from hub.deliveries.models import Delivery
from tests.chaos.crowd import REMEMBER_UNCERTAIN
from tests.chaos.judge import judge
from tests.chaos.run import Record
from tests.deliveries.people import announcement, somebody

pytestmark = pytest.mark.usefixtures("postgresql_database", "delivered")

NOW = time.time()
ADDRESS = ("text", "+447700900001")


@pytest.fixture
def delivered() -> None:
    """Ann's delivery, which counts as delivered."""
    with write_session() as session:
        for statement in REMEMBER_UNCERTAIN:
            session.execute(text(statement))
        somebody(session, "Ann", "text")
        made = announcement(session)
        service.check(session, made.id, utc_now())
        service.launch(session, made.id, by=None, now=utc_now())
    change({"state": "delivered"})


def change(values: dict[str, Any]) -> None:
    with write_session() as session:
        session.execute(update(Delivery).values(values))


def wrong(folder: Path, *times: float, **record: Any) -> list[str]:
    """What is wrong where the provider took Ann's text at these moments."""
    with write_session() as session:
        key = f"d{session.scalars(select(Delivery.id)).one()}"
        with sqlite3.connect(folder / FILE) as db:
            db.executescript(SCHEMA.read_text())
            db.execute("INSERT INTO boxes (id, channel, address, fate) VALUES (1, ?, ?, 'fine')", ADDRESS)
            db.executemany(
                "INSERT INTO messages (channel, box_id, direction, at, settles_at, outcome, delivery_key)"
                " VALUES ('text', 1, 'out', ?1, ?1, 'delivered', ?2)",
                [(at, key) for at in times],
            )
        return judge(session, folder, Record(**{"settled_after": 1.0, **record})).wrong


def test_all_is_well_where_everybody_got_it_once(tmp_path: Path) -> None:
    assert wrong(tmp_path, NOW) == []


def test_whoever_got_it_twice_is_found(tmp_path: Path) -> None:
    [only] = wrong(tmp_path, NOW, NOW + 1)
    assert "1 people got a message twice" in only


def test_whoever_counts_as_told_and_was_not_is_found(tmp_path: Path) -> None:
    [only] = wrong(tmp_path)
    assert "1 count as told and no provider has a message" in only


def test_whoever_was_told_and_counts_as_not_reached_is_found(tmp_path: Path) -> None:
    change({"state": "unreachable"})
    [only] = wrong(tmp_path, NOW)
    assert "got a message and count as not told" in only


def test_whoever_has_no_live_delivery_is_found(tmp_path: Path) -> None:
    change({"live": False})
    assert any("None of 1 people" in each for each in wrong(tmp_path, NOW))


def test_what_never_settles_is_found(tmp_path: Path) -> None:
    change({"state": "planned"})
    found = wrong(tmp_path, settled_after=None)
    assert "1 deliveries or reports have not settled" in found


def test_a_text_that_stays_uncertain_is_found(tmp_path: Path) -> None:
    change({"state": "uncertain"})
    assert "uncertain for ever: {'text': 1}" in wrong(tmp_path)


def test_a_text_after_an_opt_out_is_found(tmp_path: Path) -> None:
    [only] = wrong(tmp_path, NOW, opt_outs={ADDRESS: NOW - 3})
    assert "after opting out" in only


def test_a_text_that_was_with_the_provider_when_somebody_opted_out_is_not(tmp_path: Path) -> None:
    assert wrong(tmp_path, NOW, opt_outs={ADDRESS: NOW - 1}) == []


def test_a_text_while_its_announcement_was_paused_is_found(tmp_path: Path) -> None:
    with write_session() as session:
        announcement_id = session.scalars(select(Delivery.announcement_id)).one()
    [only] = wrong(tmp_path, NOW, pauses=[(announcement_id, NOW - 5, NOW + 5)])
    assert "while it was paused" in only


def test_what_became_uncertain_long_after_its_answer_is_found(tmp_path: Path) -> None:
    change({"state": "uncertain"})
    change({"state": "delivered"})
    kills = {"calm_until": time.time() + 60, "sender_kills": [NOW + 5]}
    [only] = wrong(tmp_path, NOW, **kills)
    assert "had been answered long before any kill" in only
