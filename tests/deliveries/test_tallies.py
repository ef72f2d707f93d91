"""Tallies say what counting would say, whoever changes deliveries and however."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from hub.db import read_session, write_session
from hub.deliveries import service, tallies
from hub.deliveries.ladder import take_next_steps
from hub.deliveries.models import Delivery, ReachTally, Receipt
from hub.deliveries.queries import reach, reach_by_channel
from hub.deliveries.receipts import apply_receipts
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState, Why
from hub.participants.models import Participant
from tests.deliveries.people import NOW, announcement, somebody

pytestmark = pytest.mark.usefixtures("database")

CHANNELS = ("email", "text", "phone", "social")
BECOMES = (
    Result(0, DeliveryState.SENT, Why.NONE, "SM1"),
    Result(0, DeliveryState.UNCERTAIN),
    Result(0, DeliveryState.FAILED, Why.NOT_DELIVERED),
    Result(0, DeliveryState.FAILED, Why.NOT_NOW),
)


def launched(people: int) -> int:
    with write_session() as session:
        for number in range(people):
            first, second = CHANNELS[number % 4], CHANNELS[(number + 1) % 4]
            somebody(session, f"Person {number}", *(() if number % 9 == 8 else (first, second)))
        made = announcement(session)
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        return made.id


def counted(session: Session) -> Counter[tuple[object, ...]]:
    keys = (
        Delivery.announcement_id,
        Delivery.channel,
        Delivery.state,
        Delivery.why,
        Delivery.live,
        Delivery.provider_id.is_not(None),
    )
    found = session.execute(select(*keys, func.count()).group_by(*keys))
    return Counter({(*row[:-2], bool(row[-2])): row[-1] for row in found})


def tallied(session: Session, *announcement_ids: int) -> Counter[tuple[object, ...]]:
    return Counter(
        {
            (each.announcement_id, each.channel, each.state, each.why, each.live, each.handed_over): each.people
            for each in tallies.tallies(session, announcement_ids)
        }
    )


def test_tallies_are_what_counting_says_after_everything_that_happens_to_deliveries() -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    ids = [launched(40), launched(40)]

    def agree() -> None:
        with read_session() as session:
            assert tallied(session, *ids) == counted(session)
            for announcement_id in ids:
                assert reach(session, announcement_id).adds_up

    agree()
    for round_number in range(6):
        now = NOW + timedelta(hours=round_number)
        with write_session() as session:
            open_ones = session.scalars(select(Delivery.id).where(Delivery.state == DeliveryState.PLANNED)).all()
            some = chance.sample(list(open_ones), k=len(open_ones) // 2)
            results = [(key, chance.choice(BECOMES)) for key in some]
            record(session, [Result(key, r.state, r.why, r.provider_id) for key, r in results], now)
        agree()
        with write_session() as session:
            for key in session.scalars(select(Delivery.id).where(Delivery.state.in_(["sent", "uncertain"]))).all():
                session.add(
                    Receipt(
                        provider="twilio",
                        event_id=f"{round_number}:{key}",
                        delivery_id=key,
                        provider_id=f"SM{key}",
                        state=chance.choice([DeliveryState.DELIVERED, DeliveryState.FAILED]),
                        happened_at=now,
                        received_at=now,
                    )
                )
            session.flush()
            apply_receipts(session, now)
        agree()
        with write_session() as session:
            take_next_steps(session, now)
            take_next_steps(session, now)
        agree()
    with write_session() as session:
        service.answered(session, ids[0], 1, NOW)
        service.cancel(session, ids[1], NOW)
    agree()
    with write_session() as session:
        service.close_finished(session, NOW)
        session.execute(delete(Delivery).where(Delivery.participant_id == 3))
    agree()


def test_adding_up_changes_no_number(monkeypatch: pytest.MonkeyPatch, database: Engine) -> None:
    monkeypatch.setattr(tallies, "ENOUGH_ROWS", 1)
    announcement_id = launched(12)
    with write_session() as session:
        for key in session.scalars(select(Delivery.id).where(Delivery.channel == "text")).all():
            record(session, [Result(key, DeliveryState.SENT, Why.NONE, f"SM{key}")], NOW)
        before = tallied(session, announcement_id)
        appended = session.scalar(select(func.count()).select_from(ReachTally)) or 0
        tallies.compact(session, NOW)
        assert tallied(session, announcement_id) == before == counted(session)
        left = session.scalar(select(func.count()).select_from(ReachTally)) or 0
        assert left < appended or database.dialect.name == "sqlite"


def test_a_change_that_moves_nobody_writes_no_tally() -> None:
    launched(4)
    with write_session() as session:
        rows = session.scalars(select(ReachTally.id)).all()
        session.execute(update(Delivery).values(due_at=NOW, state_at=NOW))
        assert session.scalars(select(ReachTally.id)).all() == rows


def test_attempts_on_a_channel_are_counted_whether_they_count_any_more_or_not() -> None:
    announcement_id = launched(8)
    with write_session() as session:
        texts = session.scalars(
            select(Delivery.id)
            .join(Participant, Participant.id == Delivery.participant_id)
            .where(Delivery.channel == "text")
        ).all()
        record(session, [Result(key, DeliveryState.SENT, Why.NONE, f"SM{key}") for key in texts], NOW)
        session.execute(update(Delivery).where(Delivery.id == texts[0]).values(state="failed", why="not_delivered"))
        record(session, [Result(texts[0], DeliveryState.FAILED, Why.NOT_DELIVERED)], NOW)
        take_next_steps(session, NOW)
        text = next(row for row in reach_by_channel(session, announcement_id) if row.channel == "text")
    assert (text.planned, text.sent, text.delivered, text.failed) == (2, 2, 0, 1)
