"""The people of a chaos run, what is announced to them, and a memory of every delivery that became uncertain."""

from __future__ import annotations

from datetime import datetime
from random import Random

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement
from hub.deliveries import service
from hub.participants.consent import opt_out
from hub.participants.models import ConsentSource, ContactPoint, ContactPointState
from tests.bench.crowd import make_people
from tests.deliveries.people import BODIES, announcement

OPT_OUTS_AT_A_TIME = 20
URGENT_GROUP = "Every twentieth"

URGENT_PEOPLE = (
    f"INSERT INTO groups (name) VALUES ('{URGENT_GROUP}')",
    """
    INSERT INTO memberships (group_id, participant_id)
    SELECT groups.id, participants.id FROM groups, participants WHERE participants.id % 20 = 1
    """,
)

REMEMBER_UNCERTAIN = (
    "CREATE TABLE ever_uncertain (delivery_id bigint, at timestamptz DEFAULT clock_timestamp())",
    """
    CREATE FUNCTION remember_uncertain() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO ever_uncertain (delivery_id) VALUES (NEW.id);
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER remember_uncertain AFTER UPDATE OF state ON deliveries FOR EACH ROW
    WHEN (NEW.state = 'uncertain' AND OLD.state <> 'uncertain') EXECUTE FUNCTION remember_uncertain()
    """,
)


def settle_in(engine: Engine, people: int) -> None:
    """Fill a migrated, empty database."""
    make_people(engine, people)
    with engine.begin() as connection:
        for statement in (*URGENT_PEOPLE, *REMEMBER_UNCERTAIN):
            connection.execute(text(statement))


def announce(session: Session, title: str, *, urgently: bool, now: datetime) -> None:
    """Send an announcement, unless it was sent before: whoever lost the answer to a commit may ask again."""
    if session.scalar(select(Announcement.id).where(Announcement.title == title)):
        return
    to = {"groups": [URGENT_GROUP], "urgent": True} if urgently else {}
    bodies = {channel: f"{body} ({title})" for channel, body in BODIES.items()}
    made = announcement(session, title=title, bodies=bodies, **to)
    service.check(session, made.id, now)
    service.launch(session, made.id, by=None, now=now)


def opt_some_out(session: Session, chance: Random, now: datetime) -> list[tuple[str, str]]:
    """Some people stop one of their ways of being written to. Returns which: channel and address."""
    usable = (
        select(ContactPoint.channel, ContactPoint.address)
        .where(ContactPoint.state == ContactPointState.USABLE, ContactPoint.channel.in_(["text", "email"]))
        .order_by(ContactPoint.id)
    )
    chosen = chance.sample(session.execute(usable).all(), OPT_OUTS_AT_A_TIME)
    for channel, address in chosen:
        opt_out(session, channel=channel, address=address, source=ConsentSource.WEB, wording="Stop", now=now)
    return [(channel, address) for channel, address in chosen]
