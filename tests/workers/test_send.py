"""The sending job when something goes wrong on the way: nobody is lost, and nothing is asked again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import current_thread
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text, update
from sqlalchemy.exc import OperationalError

from channels.base import Accepted, Message, Outcome, TryLater
from hub.db import read_session, utc_now, write_session
from hub.deliveries import service
from hub.deliveries.models import Batch, BatchState, Delivery
from hub.participants.models import Participant
from tests.deliveries.people import announcement, somebody
from workers import messages, send, writing

PATIENCE_SECONDS = 10
MORSE_FOR_BOB = "INSERT INTO needed_formats SELECT id, 'morse' FROM participants WHERE first_name = 'Bob'"


@dataclass
class Provider:
    """A channel that answers with what it is told to, after it has read ``at_once`` messages."""

    answer: Callable[[Message], Outcome]
    at_once: int = 1
    asked: list[int] = field(default_factory=list)

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """See :class:`channels.base.Channel`."""
        read: list[Message] = []
        for message in messages:
            read.append(message)
            if len(read) == self.at_once:
                yield from self._all(read)
                read = []
        yield from self._all(read)

    def _all(self, read: list[Message]) -> Iterator[tuple[int, Outcome]]:
        self.asked += [message.delivery_id for message in read]
        return ((message.delivery_id, self.answer(message)) for message in read)

    def check(self) -> str | None:
        """Nothing is wrong."""
        return None

    def close(self) -> None:
        """There is nothing to let go of."""


def accept(message: Message) -> Outcome:
    return Accepted(f"SM{message.delivery_id}")


@pytest.fixture(autouse=True)
def no_texts_of_other_tests() -> None:
    messages.texts.cache_clear()


def launch(*names: str) -> int:
    now = utc_now()
    with write_session() as session:
        people = [somebody(session, name, "text") for name in names]
        made = announcement(session, people=people)
        service.check(session, made.id, now)
        service.launch(session, made.id, by=None, now=now)
        return made.id


def states() -> dict[str, str]:
    with read_session() as session:
        found = session.execute(
            select(Participant.first_name, Delivery.state).join(Delivery, Delivery.participant_id == Participant.id)
        )
        return {name: state.value for name, state in found}


def batches() -> list[tuple[str, int, bool]]:
    with read_session() as session:
        found = session.scalars(select(Batch).order_by(Batch.id))
        return [(batch.state.value, batch.failures, batch.held_until is not None) for batch in found]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("at_once", [1, 1000])
def test_a_message_that_cannot_be_made_loses_nobody_and_holds_up_nobody_else(at_once: int) -> None:
    launch("Ann", "Bob", "Cai")
    launch("Dee")
    with write_session() as session:  # as a later version of the hub, or another hand, might write it
        session.execute(
            text("INSERT INTO needed_formats SELECT id, 'morse' FROM participants WHERE first_name = 'Bob'")
        )
    with pytest.raises(ValueError, match="morse"):
        send.Drain("text", Provider(accept, at_once)).run()
    assert states() == {"Ann": "sent", "Bob": "planned", "Cai": "planned", "Dee": "planned"}
    assert batches() == [("waiting", 1, True), ("waiting", 0, False)]
    send.Drain("text", Provider(accept, at_once)).run()
    assert states()["Dee"] == "sent"
    with write_session() as session:
        session.execute(text("DELETE FROM needed_formats"))
        session.execute(update(Batch).values(held_until=None))
    send.Drain("text", Provider(accept, at_once)).run()
    assert set(states().values()) == {"sent"}
    assert batches() == [("done", 1, False), ("done", 0, False)]


@pytest.mark.usefixtures("database")
def test_a_provider_that_is_busy_is_not_asked_for_the_rest_of_the_window() -> None:
    launch("Ann", "Bob", "Cai")
    busy = Provider(lambda _: TryLater("421", timedelta(minutes=1)))
    send.Drain("text", busy).run()
    assert len(busy.asked) == 1
    assert set(states().values()) == {"planned"}
    assert batches() == [("waiting", 1, True)]
    with write_session() as session:
        session.execute(update(Batch).values(held_until=None))
    send.Drain("text", Provider(accept)).run()
    assert set(states().values()) == {"sent"}


@pytest.mark.usefixtures("database")
def test_a_job_that_waits_for_its_provider_keeps_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "KEEPS_IN_A_LEASE", 1200)
    launch("Ann")
    long_ago = utc_now() - timedelta(hours=1)

    def held_until() -> datetime:
        with read_session() as session:
            held = session.scalars(select(Batch.held_until)).one()
            assert held is not None
            return held

    def slowly(message: Message) -> Outcome:
        with write_session() as session:
            session.execute(update(Batch).values(held_until=long_ago))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while held_until() == long_ago and time.monotonic() < deadline:
            time.sleep(0.01)
        assert held_until() > utc_now()
        return accept(message)

    send.Drain("text", Provider(slowly)).run()
    assert states() == {"Ann": "sent"}
    assert batches() == [(BatchState.DONE, 0, False)]


def test_answers_are_recorded_once_the_database_is_back(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "WRITE_AGAIN_AFTER", (0.0, 0.0))
    launch("Ann", "Bob")
    failures = [OperationalError("", None, Exception("deadlock detected")) for _ in range(2)]

    def break_down(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if failures and statement.startswith("UPDATE deliveries") and current_thread().name == "recorder":
            raise failures.pop()

    event.listen(database, "before_cursor_execute", break_down)
    send.Drain("text", Provider(accept)).run()
    assert failures == []
    assert states() == {"Ann": "sent", "Bob": "sent"}
    assert batches() == [("done", 0, False)]


@pytest.mark.usefixtures("database")
def test_an_answer_with_an_endless_id_is_recorded_like_any_other() -> None:
    launch("Ann", "Bob")
    send.Drain("text", Provider(lambda message: Accepted(f"{message.delivery_id}" * 200))).run()
    assert states() == {"Ann": "sent", "Bob": "sent"}
