"""The demo's made-up people are plausible, cannot be anybody, and are the same every time."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, func, select

from channels.addresses import is_fictional
from config.channels import CHANNELS
from hub.db import write_session
from hub.participants.models import ContactPoint, ContactPointState, NeededFormat, Participant
from hub.processes.demo_people import make_people

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_made_up_people_are_of_every_kind_and_nobody_real(database: Engine) -> None:
    with write_session() as session:
        assert list(make_people(session, 3_000, NOW)) == [2_000, 3_000]
        points = session.scalars(select(ContactPoint)).all()
        without = select(func.count()).select_from(Participant).where(~Participant.contact_points.any())

        assert session.scalar(select(func.count()).select_from(Participant)) == 3_000
        assert session.scalar(without)
        assert session.scalar(select(func.count()).select_from(NeededFormat))
        assert len(session.scalars(select(Participant.language).distinct()).all()) > 2
        assert session.scalar(select(func.count()).where(Participant.paused_until.is_not(None)))
        assert {point.channel for point in points} == set(CHANNELS)
        assert {point.state for point in points} == set(ContactPointState)
        assert all(is_fictional(point.address) for point in points)


def test_nobody_shares_what_the_sandbox_counts_by(sqlite_database: Engine) -> None:
    with write_session() as session:
        list(make_people(session, 3_000, NOW))
        addresses = session.scalars(select(ContactPoint.address).where(ContactPoint.channel != "phone")).all()

    assert len(addresses) == len(set(addresses))


def test_the_same_number_makes_the_same_people(sqlite_database: Engine) -> None:
    made = []
    for _ in range(2):
        with write_session() as session:
            list(make_people(session, 50, NOW))
            made.append([person.search_text for person in session.scalars(select(Participant))])
            session.rollback()

    assert made[0] == made[1]
