"""Who gets an announcement how: one statement, read by the dry run and written by the launch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Row,
    Select,
    Subquery,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from hub.announcements.models import Announcement, AnnouncementState, AudienceGroup, AudiencePerson
from hub.db import UtcDateTime
from hub.deliveries.models import Batch, BatchState, Delivery
from hub.deliveries.quiet_hours import AT_ONCE, due_at
from hub.deliveries.rules import DeliveryState, Why
from hub.deliveries.rungs import Slice, first_general, first_own
from hub.deliveries.tallies import tally
from hub.participants.models import ContactPoint, ContactPointState, Membership, Participant, TopicPreference

FIRST_SLICE = 1_000
"""Participants in the first slice, so that the first messages leave at once however many people there are."""
SLICE = 50_000

URGENT, SMALL, ORDINARY = 1, 4, 5
SMALL_AUDIENCE = 2_000

PLANNED_FURTHER = (AnnouncementState.UNDER_WAY, AnnouncementState.CANCELLED)
"""Announcements of which people who have no delivery yet are given one."""


def audience(announcement: Announcement) -> ColumnElement[bool]:
    """Which participants an announcement is for. What is said of a person outweighs what is said of their groups."""
    groups = select(AudienceGroup.group_id).where(AudienceGroup.announcement_id == announcement.id)
    people = select(AudiencePerson.participant_id).where(AudiencePerson.announcement_id == announcement.id)

    def in_group(included: bool) -> ColumnElement[bool]:
        chosen = groups.where(AudienceGroup.included.is_(included))
        return Participant.id.in_(select(Membership.participant_id).where(Membership.group_id.in_(chosen)))

    def named(included: bool) -> ColumnElement[bool]:
        return Participant.id.in_(people.where(AudiencePerson.included.is_(included)))

    has_groups_out = any(not group.included for group in announcement.groups)
    begins_with = literal(True) if announcement.everyone else in_group(True)
    conditions: list[ColumnElement[bool]] = [Participant.archived_at.is_(None)]
    if has_groups_out:
        begins_with = and_(begins_with, ~in_group(False))
    if announcement.people:
        conditions += [or_(begins_with, named(True)), ~named(False)]
    elif not announcement.everyone or has_groups_out:
        conditions.append(begins_with)
    return and_(*conditions)


def plan(
    session: Session, announcement: Announcement, now: datetime, part: Slice | None = None
) -> Select[*tuple[Any, ...]]:
    """One row for everyone in the audience: participant_id, contact_point_id, channel, rung, state, why, due_at.

    ``part``: only of these people.
    """
    general, in_general = first_general(session, announcement, part)
    own, in_own = first_own(session, announcement, part)
    has_own = own.c.participant_id.is_not(None)

    def chosen(column: str) -> ColumnElement[Any]:
        return case((has_own, own.c[column]), else_=general.c[column])

    found = chosen("contact_point_id").is_not(None)
    paused = func.coalesce(Participant.paused_until > now, False)
    sendable = and_(found, ~paused)
    why = case((paused, Why.PAUSED.value), (found, Why.NONE.value), else_=_why_not(announcement, part))
    declined = (Why.PAUSED.value, Why.TOPIC_DECLINED.value, Why.OPTED_OUT.value)
    state = case(
        (sendable, DeliveryState.PLANNED.value),
        (why.in_(declined), DeliveryState.DECLINED.value),
        else_=DeliveryState.UNREACHABLE.value,
    )
    return (
        select(
            Participant.id.label("participant_id"),
            case((sendable, chosen("contact_point_id"))).label("contact_point_id"),
            case((sendable, chosen("channel")), else_="").label("channel"),
            case((sendable, chosen("rank")), else_=0).label("rung"),
            state.label("state"),
            why.label("why"),
            (AT_ONCE if announcement.urgent else due_at(session, chosen("channel"), now)).label("due_at"),
        )
        .select_from(Participant)
        .outerjoin(general, in_general)
        .outerjoin(own, in_own)
        .where(audience(announcement), *([part.holds(Participant.id)] if part else []))
    )


def _why_not(announcement: Announcement, part: Slice | None) -> ColumnElement[str]:
    # Said once more of the slice: a database that reads such a table as a whole need not read all of it.
    def has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        within = [part.holds(ContactPoint.participant_id)] if part else []
        return exists().where(ContactPoint.participant_id == Participant.id, *within, *conditions)

    declined_topic = exists().where(
        TopicPreference.participant_id == Participant.id,
        TopicPreference.topic_id == announcement.topic_id,
        TopicPreference.contact_point_id.is_(None),
        *([part.holds(TopicPreference.participant_id)] if part else []),
    )
    return case(
        (declined_topic, Why.TOPIC_DECLINED.value),
        (has(ContactPoint.state == ContactPointState.OPTED_OUT), Why.OPTED_OUT.value),
        (has(ContactPoint.state == ContactPointState.USABLE), Why.NOT_AGREED.value),
        (has(ContactPoint.state == ContactPointState.BAD), Why.ALL_BAD.value),
        else_=Why.NO_CONTACT_POINT.value,
    )


def next_slice(session: Session, announcement: Announcement) -> Slice:
    """The participants whose deliveries are to be written next."""
    size = SLICE if announcement.planned_through else FIRST_SLICE
    through = session.scalar(
        select(Participant.id)
        .where(Participant.id > announcement.planned_through)
        .order_by(Participant.id)
        .offset(size - 1)
        .limit(1)
    )
    return Slice(announcement.planned_through, through)


def locked(session: Session, announcement_id: int) -> Announcement | None:
    """The announcement, held by this transaction. Whoever adds deliveries to an announcement holds it."""
    return session.scalar(
        select(Announcement)
        .where(Announcement.id == announcement_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def plan_slice(session: Session, announcement_id: int, now: datetime) -> bool:
    """Write the deliveries of the next slice of people, and the batches that will send them.

    Of a cancelled announcement nothing is sent, and everybody still has a place in its account. Can be interrupted and
    repeated at any point. Returns whether more slices are left.
    """
    announcement = locked(session, announcement_id)
    if announcement is None or announcement.planned_at or announcement.state not in PLANNED_FURTHER:
        return False
    if session.get_bind().dialect.name == "postgresql":
        # Safe: what is lost in a crash is lost whole, to be planned again; and whoever commits a message's start after
        # this one makes this one durable, too. Compiling the statement would take longer than running it.
        session.execute(text("SET LOCAL synchronous_commit = off"))
        session.execute(text("SET LOCAL jit = off"))
        session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    part = next_slice(session, announcement)
    chosen = plan(session, announcement, now, part).order_by(Participant.id).subquery("chosen")
    if announcement.state == AnnouncementState.CANCELLED:
        chosen = _cancelled(chosen)
    insert_deliveries(session, announcement, chosen, now)
    if part.through is None:
        announcement.planned_at = now
    else:
        announcement.planned_through = part.through
    return part.through is not None


def _cancelled(chosen: Subquery) -> Subquery:
    sendable = chosen.c.state == DeliveryState.PLANNED.value
    changed = {
        "state": case((sendable, DeliveryState.CANCELLED.value), else_=chosen.c.state),
        "why": case((sendable, Why.ANNOUNCEMENT_CANCELLED.value), else_=chosen.c.why),
        "due_at": AT_ONCE,
    }
    columns = (changed.get(column.key, column).label(column.key) for column in chosen.c)
    return select(*columns).order_by(chosen.c.participant_id).subquery("cancelled")


def insert_deliveries(session: Session, announcement: Announcement, chosen: Subquery, now: datetime) -> None:
    """Write a live delivery for each row of ``chosen`` (columns of :func:`plan`, optionally attempt), with batches.

    The caller holds the announcement (:func:`locked`), and nobody in ``chosen`` has a live delivery of it. (Letting the
    database look for one, by ON CONFLICT, takes half as long again; the unique index sees to it in any case.)
    """
    before = session.scalar(select(func.coalesce(func.max(Delivery.id), 0))) or 0
    columns: dict[str, ColumnElement[Any]] = {
        "announcement_id": literal(announcement.id),
        **{key: chosen.c[key] for key in ("participant_id", "contact_point_id", "channel", "rung")},
        "attempt": chosen.c.attempt if "attempt" in chosen.c else literal(1),
        **{key: chosen.c[key] for key in ("state", "why", "due_at")},
        "live": literal(True),
        "state_at": literal(now, UtcDateTime()),
    }
    writing = insert(Delivery).from_select(list(columns), select(*columns.values()), include_defaults=False)
    keys = ("id", "channel", "state", "why", "due_at")
    if session.get_bind().dialect.name == "postgresql":
        # One statement: reading the rows again would cost a third of writing them.
        written: FromClause = writing.returning(*(Delivery.__table__.c[key] for key in keys)).cte("written")
    else:
        session.execute(writing)
        new = (Delivery.id > before, Delivery.announcement_id == announcement.id)
        written = select(*(Delivery.__table__.c[key] for key in keys)).where(*new).subquery("written")
    groups = session.execute(_groups(written, before)).all()
    _add_batches(session, announcement, groups)
    tally(session, announcement.id, [(group.channel, group.state, group.why, group.size) for group in groups])


def _groups(written: FromClause, before: int) -> CompoundSelect[*tuple[Any, ...]]:
    """What was written: the planned in groups of as many as a batch holds, and all others by what became of them."""
    is_planned = written.c.state == DeliveryState.PLANNED.value
    size = case({entry.name: entry.batch_size for entry in CHANNELS.values()}, value=written.c.channel, else_=1_000)
    count = func.count().label("size")
    ids = (func.min(written.c.id).label("first"), func.max(written.c.id).label("last"))
    planned = (
        select(written.c.channel, literal(DeliveryState.PLANNED.value).label("state"), literal("").label("why"))
        .add_columns(written.c.due_at, *ids, count)
        .where(is_planned)
        .group_by(written.c.channel, written.c.due_at, (written.c.id - before - 1) // size)
    )
    keys = (written.c.channel, written.c.state, written.c.why)
    others = select(*keys, AT_ONCE.label("due_at"), *ids, count).where(~is_planned).group_by(*keys)
    return planned.union_all(others).order_by("first")


def _add_batches(session: Session, announcement: Announcement, groups: Sequence[Row[*tuple[Any, ...]]]) -> None:
    planned = [group for group in groups if group.state == DeliveryState.PLANNED]
    if planned:
        priority = _priority(session, announcement)
        session.execute(
            insert(Batch),
            [
                {
                    "announcement_id": announcement.id,
                    "channel": group.channel,
                    "first_delivery_id": group.first,
                    "last_delivery_id": group.last,
                    "size": group.size,
                    "priority": priority,
                    "due_at": group.due_at,
                    "state": BatchState.WAITING,
                }
                for group in planned
            ],
        )


def _priority(session: Session, announcement: Announcement) -> int:
    if announcement.urgent:
        return URGENT
    first = select(Participant.id).where(audience(announcement)).limit(SMALL_AUDIENCE + 1).subquery()
    size = session.scalar(select(func.count()).select_from(first)) or 0
    return SMALL if size <= SMALL_AUDIENCE else ORDINARY
