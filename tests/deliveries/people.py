"""People and announcements for tests of what is sent to whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement, AudienceGroup, AudiencePerson, Variant
from hub.participants.models import (
    ContactPoint,
    ContactPointKind,
    ContactPointState,
    Format,
    Group,
    Membership,
    NeededFormat,
    Participant,
    Topic,
    TopicPreference,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

KINDS = {
    "email": ContactPointKind.MAILBOX,
    "text": ContactPointKind.MOBILE,
    "phone": ContactPointKind.LANDLINE,
    "social": ContactPointKind.ACCOUNT,
}
ADDRESSES = {
    "email": "person{}@example.org",
    "text": "+4477009{:05}",
    "phone": "+441632960{:03}",
    "social": "@person{}@social.example",
}


def topic(session: Session, name: str = "General") -> int:
    """The id of a topic, made if need be."""
    found = session.scalar(select(Topic.id).where(Topic.name == name))
    if found is None:
        made = Topic(name=name)
        session.add(made)
        session.flush()
        found = made.id
    return found


def somebody(session: Session, name: str, *channels: str, **more: Any) -> Participant:
    """A person who can be reached on ``channels``, in that order. ``formats``, ``groups``: names."""
    groups, formats = more.pop("groups", ()), more.pop("formats", ())
    person = Participant(first_name=name, sort_name=name.casefold(), created_at=NOW, updated_at=NOW, **more)
    session.add(person)
    session.flush()
    for rank, channel in enumerate(channels, start=1):
        contact_point(session, person, channel, rank)
    for group in groups:
        session.add(Membership(group_id=group_id(session, group), participant_id=person.id))
    session.add_all(NeededFormat(participant_id=person.id, format=Format(each)) for each in formats)
    session.flush()
    return person


def contact_point(
    session: Session, person: Participant, channel: str, rank: int | None, state: str = "usable", address: str = ""
) -> ContactPoint:
    """One more way to reach somebody."""
    made = ContactPoint(
        participant_id=person.id,
        channel=channel,
        address=address or ADDRESSES[channel].format(person.id),
        kind=KINDS[channel],
        rank=rank,
        state=ContactPointState(state),
        created_at=NOW,
    )
    session.add(made)
    session.flush()
    return made


def group_id(session: Session, name: str) -> int:
    """The id of a group, made if need be."""
    found = session.scalar(select(Group.id).where(Group.name == name))
    if found is None:
        made = Group(name=name)
        session.add(made)
        session.flush()
        found = made.id
    return found


def own_order(session: Session, person: Participant, topic_id: int, *points: ContactPoint) -> None:
    """The person's own order for a topic; none: they do not want to hear about it."""
    if not points:
        session.add(TopicPreference(participant_id=person.id, topic_id=topic_id, rank=0, contact_point_id=None))
    for rank, point in enumerate(points, start=1):
        session.add(TopicPreference(participant_id=person.id, topic_id=topic_id, rank=rank, contact_point_id=point.id))
    session.flush()


BODIES = {
    "email": "Dear ((name)), the meeting is on Monday.",
    "text": "Hello ((name)), the meeting is on Monday.",
    "phone": "Hello, is that ((name))? The meeting is on Monday.",
    "social": "The meeting is on Monday.",
}


def announcement(session: Session, **more: Any) -> Announcement:
    """A draft for everyone with a text for every channel. ``bodies``: other texts, by channel."""
    bodies = more.pop("bodies", BODIES)
    groups, without_groups = more.pop("groups", ()), more.pop("without_groups", ())
    people, without_people = more.pop("people", ()), more.pop("without_people", ())
    made = Announcement(
        **{
            "title": "Meeting",
            "topic_id": topic(session),
            "everyone": not groups and not people,
            "created_at": NOW,
            **more,
        }
    )
    made.variants = [
        Variant(channel=channel, body=body, subject="Meeting" if channel == "email" else "")
        for channel, body in bodies.items()
    ]
    made.groups = [AudienceGroup(group_id=group_id(session, name), included=True) for name in groups]
    made.groups += [AudienceGroup(group_id=group_id(session, name), included=False) for name in without_groups]
    made.people = [AudiencePerson(participant_id=person.id, included=True) for person in people]
    made.people += [AudiencePerson(participant_id=person.id, included=False) for person in without_people]
    session.add(made)
    session.flush()
    return made
