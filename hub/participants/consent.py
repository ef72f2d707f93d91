"""Who agreed to what: evidence that is only ever added to, and opt-outs by address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from hub.participants.addresses import normal_address
from hub.participants.models import (
    ConsentEvent,
    ConsentKind,
    ConsentSource,
    ContactPoint,
    ContactPointState,
    TopicPreference,
)
from hub.participants.rows import insert_rows
from hub.participants.rules import clean
from hub.participants.suppressions import lift, suppress

LONGEST_WORDING = 4_000
DECLINED_RANK = 0
"""The rank of the one topic preference that says “nothing about this topic”."""


REASONS = {
    ConsentSource.IMPORT: "Opted out, as an imported list says",
    ConsentSource.ORGANISER: "Asked us to stop; an organiser noted it",
    ConsentSource.WEB: "Opted out on the web",
    ConsentSource.TEXT: "Asked us to stop, by text",
    ConsentSource.EMAIL: "Asked us to stop, by email",
    ConsentSource.CALL: "Asked us to stop, on the phone",
    ConsentSource.PAPER: "Asked us to stop, on paper",
    ConsentSource.PROVIDER: "Opted out with the provider",
}
"""Why a contact point is opted out, as organisers read it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one consent event says. ``channel`` empty: every channel; ``topic_id`` None: every topic."""

    participant_id: int
    kind: ConsentKind
    source: ConsentSource
    wording: str = ""
    channel: str = ""
    topic_id: int | None = None
    happened_at: datetime | None = None
    """When it happened, where that is not the moment of recording it."""


def record(session: Session, evidence: Iterable[Evidence], now: datetime, by: int | None = None) -> None:
    """Add consent events; ``by`` is the account that records them."""
    rows = [
        {
            "participant_id": item.participant_id,
            "kind": item.kind,
            "channel": item.channel,
            "topic_id": item.topic_id,
            "source": item.source,
            "wording": clean(item.wording)[:LONGEST_WORDING],
            "happened_at": item.happened_at or now,
            "recorded_at": now,
            "recorded_by": by,
        }
        for item in evidence
    ]
    insert_rows(session, ConsentEvent, rows)


def opt_out(
    session: Session,
    *,
    channel: str,
    address: str,
    source: ConsentSource,
    wording: str,
    now: datetime,
    topic_id: int | None = None,
    participant_id: int | None = None,
    by: int | None = None,
) -> int:
    """Stop using an address on a channel, for everyone who has it or for one participant only.

    A household that shares a number has asked together, unless ``participant_id`` says who asked. Other channels
    of the same number go on. Without a participant and a topic the address itself is remembered, so that whoever
    gets it later has it opted out. With ``topic_id`` the people who have the address no longer hear about that
    topic, and their contact points stay as they are. Returns how many contact points (or people, for a topic)
    changed; repeating it changes nothing and adds no evidence.
    """
    address = normal_address(channel, address)
    if topic_id is not None:
        people = _people_with(session, channel, address, participant_id)
        return decline_topic_for(session, people, topic_id, source=source, wording=wording, now=now, by=by)
    if participant_id is None:
        suppress(session, [(channel, address)], ContactPointState.OPTED_OUT, REASONS[source], now)
    these = and_(*_points(channel, address, participant_id), ContactPoint.state != ContactPointState.OPTED_OUT)
    people = _set_state(session, these, ContactPointState.OPTED_OUT, REASONS[source], now)
    _record_for(session, people, ConsentKind.WITHDREW, source, wording, now, by, channel=channel)
    return len(people)


def opt_in(
    session: Session,
    *,
    channel: str,
    address: str,
    source: ConsentSource,
    wording: str,
    now: datetime,
    topic_id: int | None = None,
    participant_id: int | None = None,
    by: int | None = None,
) -> int:
    """Use an address again that was opted out, on the evidence of ``wording``; the reverse of :func:`opt_out`.

    This is the only way back from an opt-out. A bad contact point stays bad. Returns how many rows changed.
    """
    address = normal_address(channel, address)
    if topic_id is not None:
        people = _people_with(session, channel, address, participant_id)
        return _hear_about_topic_again(session, people, topic_id, source, wording, now, by)
    lift(session, channel, address)
    these = and_(*_points(channel, address, participant_id), ContactPoint.state == ContactPointState.OPTED_OUT)
    people = _set_state(session, these, ContactPointState.USABLE, "", now)
    _record_for(session, people, ConsentKind.AGREED, source, wording, now, by, channel=channel)
    return len(people)


def opt_out_everywhere(
    session: Session,
    participant_id: int,
    *,
    source: ConsentSource,
    wording: str,
    now: datetime,
    by: int | None = None,
) -> int:
    """Stop using every contact point that one person has. Returns how many changed."""
    these = and_(ContactPoint.participant_id == participant_id, ContactPoint.state != ContactPointState.OPTED_OUT)
    changed = _set_state(session, these, ContactPointState.OPTED_OUT, REASONS[source], now)
    if changed:
        _record_for(session, changed, ConsentKind.WITHDREW, source, wording, now, by)
    return len(changed)


def decline_topic_for(
    session: Session,
    participant_ids: Sequence[int],
    topic_id: int,
    *,
    source: ConsentSource,
    wording: str,
    now: datetime,
    by: int | None = None,
) -> int:
    """Note that these people don't want to hear about a topic. Returns for how many that is new."""
    declined = select(TopicPreference.participant_id).where(
        TopicPreference.topic_id == topic_id,
        TopicPreference.rank == DECLINED_RANK,
        TopicPreference.participant_id.in_(participant_ids),
    )
    already = set(session.scalars(declined))
    people = [person for person in participant_ids if person not in already]
    if not people:
        return 0
    forget_topic_order(session, people, topic_id)
    insert_rows(
        session,
        TopicPreference,
        [
            {"participant_id": person, "topic_id": topic_id, "rank": DECLINED_RANK, "contact_point_id": None}
            for person in people
        ],
    )
    _record_for(session, people, ConsentKind.WITHDREW, source, wording, now, by, topic_id=topic_id)
    return len(people)


def forget_topic_order(session: Session, participant_ids: Sequence[int], topic_id: int) -> None:
    """Remove what these people chose for a topic, so that their general order holds for it."""
    session.execute(
        delete(TopicPreference).where(
            TopicPreference.topic_id == topic_id, TopicPreference.participant_id.in_(participant_ids)
        )
    )


def _hear_about_topic_again(
    session: Session,
    participant_ids: Sequence[int],
    topic_id: int,
    source: ConsentSource,
    wording: str,
    now: datetime,
    by: int | None,
) -> int:
    gone = delete(TopicPreference).where(
        TopicPreference.topic_id == topic_id,
        TopicPreference.rank == DECLINED_RANK,
        TopicPreference.participant_id.in_(participant_ids),
    )
    people = list(session.scalars(gone.returning(TopicPreference.participant_id)))
    _record_for(session, people, ConsentKind.AGREED, source, wording, now, by, topic_id=topic_id)
    return len(people)


def _points(channel: str, address: str, participant_id: int | None) -> list[ColumnElement[bool]]:
    these = [ContactPoint.channel == channel, ContactPoint.address == address]
    return these if participant_id is None else [*these, ContactPoint.participant_id == participant_id]


def _people_with(session: Session, channel: str, address: str, participant_id: int | None) -> list[int]:
    return list(session.scalars(select(ContactPoint.participant_id).where(*_points(channel, address, participant_id))))


def _set_state(
    session: Session, these: ColumnElement[bool], state: ContactPointState, reason: str, now: datetime
) -> list[int]:
    """Change the state of contact points; gives the people they belong to, one for each contact point."""
    changed = (
        update(ContactPoint)
        .where(these)
        .values(state=state, state_reason=reason, state_at=now)
        .returning(ContactPoint.participant_id)
        .execution_options(synchronize_session="fetch")
    )
    return list(session.scalars(changed))


def _record_for(
    session: Session,
    participant_ids: Iterable[int],
    kind: ConsentKind,
    source: ConsentSource,
    wording: str,
    now: datetime,
    by: int | None,
    *,
    channel: str = "",
    topic_id: int | None = None,
) -> None:
    people = dict.fromkeys(participant_ids)
    evidence = (Evidence(person, kind, source, wording, channel, topic_id) for person in people)
    record(session, evidence, now, by)
