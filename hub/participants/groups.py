"""Groups of people, and the topics that announcements are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from hub.participants.errors import AlreadyThere, BadDetails, NobodyThere
from hub.participants.models import Group, Membership, Topic
from hub.participants.rules import clean

LONGEST_GROUP_NAME = 120
LONGEST_TOPIC_NAME = 60
AT_ONCE = 5_000

TOPICS = {
    "General": "Anything that is not about one of the others.",
    "Meetings": "Meetings, events and workshops.",
    "News": "News and newsletters.",
    "Urgent": "What people need to know today: a cancelled meeting, a closed building.",
}
"""The topics that a new hub begins with."""


def ensure_topics(session: Session) -> list[Topic]:
    """The topics, by id; a hub without any gets those that a hub begins with."""
    if session.scalar(select(func.count()).select_from(Topic)) == 0:
        session.add_all(Topic(name=name, description=description) for name, description in TOPICS.items())
        session.flush()
    return list(session.scalars(select(Topic).order_by(Topic.id)))


def ensure_named_topics(session: Session, names: Iterable[str]) -> dict[str, int]:
    """Topic name -> id for these topics, after making those that are missing."""
    known = {topic.name.casefold(): topic.id for topic in ensure_topics(session)}
    found: dict[str, int] = {}
    for name in names:
        short = name[:LONGEST_TOPIC_NAME]
        if short.casefold() not in known:
            known[short.casefold()] = create_topic(session, short).id
        found[name] = known[short.casefold()]
    return found


def create_topic(session: Session, name: str, description: str = "") -> Topic:
    """Add a topic. Raises :class:`AlreadyThere` where there is one of that name."""
    name = _checked(name, LONGEST_TOPIC_NAME, "topic")
    if session.scalar(select(Topic.id).where(func.lower(Topic.name) == name.lower())) is not None:
        raise AlreadyThere(f"There is a topic “{name}” already.")
    topic = Topic(name=name, description=clean(description)[:200])
    session.add(topic)
    session.flush()
    return topic


def create_group(session: Session, name: str) -> Group:
    """Add a group. Raises :class:`AlreadyThere` where there is one of that name, whatever its capitals."""
    name = _checked(name, LONGEST_GROUP_NAME, "group")
    _refuse_same_name(session, name, None)
    group = Group(name=name)
    session.add(group)
    session.flush()
    return group


def rename_group(session: Session, group_id: int, name: str) -> Group:
    """Give a group another name."""
    group = _group(session, group_id)
    name = _checked(name, LONGEST_GROUP_NAME, "group")
    _refuse_same_name(session, name, group_id)
    group.name = name
    session.flush()
    return group


def delete_group(session: Session, group_id: int) -> None:
    """Remove a group; its people stay."""
    session.delete(_group(session, group_id))
    session.flush()


def ensure_groups(session: Session, names: Iterable[str]) -> dict[str, int]:
    """Case-folded group name -> id for all groups there are, after making those of ``names`` that are missing."""
    known = {group.name.casefold(): group.id for group in session.scalars(select(Group))}
    for name in names:
        if name.casefold() not in known:
            known[name.casefold()] = create_group(session, name).id
    return known


def add_to_group(session: Session, group_id: int, participant_ids: Sequence[int]) -> int:
    """Put people into a group; returns how many were not in it."""
    _group(session, group_id)
    added = 0
    for start in range(0, len(participant_ids), AT_ONCE):
        part = list(dict.fromkeys(participant_ids[start : start + AT_ONCE]))
        there = set(
            session.scalars(
                select(Membership.participant_id).where(
                    Membership.group_id == group_id, Membership.participant_id.in_(part)
                )
            )
        )
        rows = [{"group_id": group_id, "participant_id": person} for person in part if person not in there]
        if rows:
            session.execute(insert(Membership), rows)
        added += len(rows)
    return added


def remove_from_group(session: Session, group_id: int, participant_ids: Sequence[int]) -> int:
    """Take people out of a group; returns how many were in it."""
    gone = (
        delete(Membership)
        .where(Membership.group_id == group_id, Membership.participant_id.in_(participant_ids))
        .returning(Membership.participant_id)
    )
    return len(session.scalars(gone).all())


def set_groups(session: Session, participant_id: int, group_ids: Iterable[int]) -> None:
    """Put a person into exactly these groups."""
    wanted = set(group_ids)
    missing = wanted - set(session.scalars(select(Group.id).where(Group.id.in_(wanted))))
    if missing:
        raise NobodyThere("One of these groups is not here any more. Load the page again.")
    there = set(session.scalars(select(Membership.group_id).where(Membership.participant_id == participant_id)))
    for group_id in there - wanted:
        remove_from_group(session, group_id, [participant_id])
    for group_id in wanted - there:
        session.execute(insert(Membership), [{"group_id": group_id, "participant_id": participant_id}])


def _group(session: Session, group_id: int) -> Group:
    group = session.get(Group, group_id)
    if group is None:
        raise NobodyThere("This group is not here any more.")
    return group


def _checked(name: str, longest: int, what: str) -> str:
    name = " ".join(clean(name).split())
    if not name:
        raise BadDetails(f"Give the {what} a name.")
    if len(name) > longest:
        raise BadDetails(f"The name of a {what} can have up to {longest} characters; this has {len(name)}.")
    return name


def _refuse_same_name(session: Session, name: str, but: int | None) -> None:
    # Folded here and not in SQL: SQLite's lower() knows ASCII only.
    others = session.execute(select(Group.id, Group.name))
    if any(row.name.casefold() == name.casefold() and row.id != but for row in others):
        raise AlreadyThere(f"There is a group “{name}” already.")
