"""How a person wants to be reached: the order of their contact points, for everything or for a topic, and pauses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import case, insert, select, update
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from config.settings import settings
from hub.participants.consent import Evidence, decline_topic_for, forget_topic_order, record
from hub.participants.errors import BadDetails, NobodyThere
from hub.participants.models import ConsentKind, ConsentSource, ContactPoint, Participant, Topic, TopicPreference


def rank_contact_points(
    session: Session,
    participant_id: int,
    contact_point_ids: Sequence[int],
    *,
    topic_id: int | None = None,
    source: ConsentSource,
    by: int | None = None,
    now: datetime,
    wording: str = "",
) -> None:
    """Set a person's whole order, for everything or for one topic: the first is tried first.

    In the general order, contact points that are left out are kept and no longer used. For a topic, an empty order
    means that the general one holds; :func:`decline_topic` means no messages. Adds a consent event, with the order
    as its wording where the person's own words are not given. Raises :class:`NobodyThere` for a contact point that
    is not this person's.
    """
    points = _points_of(session, participant_id)
    ids = list(dict.fromkeys(contact_point_ids))
    if any(point_id not in points for point_id in ids):
        raise NobodyThere("One of these ways to reach the person is not here any more. Load the page again.")
    channels = [points[point_id] for point_id in ids]
    if topic_id is None:
        _rank_for_everything(session, participant_id, ids)
    else:
        _rank_for_topic(session, participant_id, ids, _topic(session, topic_id).id)
    evidence = Evidence(
        participant_id, ConsentKind.CHOSE, source, wording or order_in_words(channels, topic_id), topic_id=topic_id
    )
    record(session, [evidence], now, by)


def decline_topic(
    session: Session,
    participant_id: int,
    topic_id: int,
    *,
    source: ConsentSource,
    by: int | None = None,
    now: datetime,
    wording: str = "",
) -> None:
    """Note that a person doesn't want to hear about a topic. Repeating it changes nothing."""
    _participant(session, participant_id)
    topic = _topic(session, topic_id)
    decline_topic_for(
        session,
        [participant_id],
        topic_id,
        source=source,
        wording=wording or f"No messages about “{topic.name}”.",
        now=now,
        by=by,
    )


def pause(
    session: Session,
    participant_id: int,
    until: datetime,
    *,
    source: ConsentSource,
    by: int | None = None,
    now: datetime,
    wording: str = "",
) -> None:
    """Send this person nothing until a moment, which must lie ahead."""
    if until <= now:
        raise BadDetails("Choose a day in the future for the end of the pause.")
    participant = _participant(session, participant_id)
    participant.paused_until = until
    participant.updated_at = now
    day = until.astimezone(ZoneInfo(settings().time_zone))
    words = wording or f"Nothing until {day.day} {day:%B %Y}."
    record(session, [Evidence(participant_id, ConsentKind.CHOSE, source, words)], now, by)


def resume(
    session: Session,
    participant_id: int,
    *,
    source: ConsentSource,
    by: int | None = None,
    now: datetime,
    wording: str = "",
) -> None:
    """End a pause now."""
    participant = _participant(session, participant_id)
    if participant.paused_until is None:
        return
    participant.paused_until = None
    participant.updated_at = now
    words = wording or "Messages again from now on."
    record(session, [Evidence(participant_id, ConsentKind.CHOSE, source, words)], now, by)


def order_in_words(channels: Sequence[str], topic_id: int | None = None) -> str:
    """An order as evidence: channels in the order of their contact points, without addresses."""
    if not channels:
        return "The same as for everything else." if topic_id is not None else "None of the ways that we know."
    labels = [CHANNELS[channel].label.lower() if channel in CHANNELS else channel for channel in channels]
    return f"First {', then '.join(labels)}."


def _points_of(session: Session, participant_id: int) -> dict[int, str]:
    _participant(session, participant_id)
    rows = session.execute(
        select(ContactPoint.id, ContactPoint.channel).where(ContactPoint.participant_id == participant_id)
    )
    return {row.id: row.channel for row in rows}


def _rank_for_everything(session: Session, participant_id: int, ids: Sequence[int]) -> None:
    ranks = {point_id: rank for rank, point_id in enumerate(ids, start=1)}
    session.execute(
        update(ContactPoint)
        .where(ContactPoint.participant_id == participant_id)
        .values(rank=case(ranks, value=ContactPoint.id, else_=None) if ranks else None)
        .execution_options(synchronize_session="fetch")
    )


def _rank_for_topic(session: Session, participant_id: int, ids: Sequence[int], topic_id: int) -> None:
    forget_topic_order(session, [participant_id], topic_id)
    rows = [
        {"participant_id": participant_id, "topic_id": topic_id, "rank": rank, "contact_point_id": point_id}
        for rank, point_id in enumerate(ids, start=1)
    ]
    if rows:
        session.execute(insert(TopicPreference), rows)


def _participant(session: Session, participant_id: int) -> Participant:
    participant = session.get(Participant, participant_id)
    if participant is None:
        raise NobodyThere("This person is not here any more.")
    return participant


def _topic(session: Session, topic_id: int) -> Topic:
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise NobodyThere("This topic is not here any more.")
    return topic
