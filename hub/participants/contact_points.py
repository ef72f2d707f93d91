"""Ways to reach a person: adding, changing and removing them, and what we learn about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from hub.participants.addresses import read_address, shown
from hub.participants.errors import AlreadyThere, NobodyThere
from hub.participants.models import ContactPoint, ContactPointState, Participant
from hub.participants.rules import clean, search_text
from hub.participants.suppressions import suppress, suppressed

AT_ONCE = 5_000
"""Ids in one statement."""


def add_contact_point(
    session: Session,
    participant_id: int,
    channel: str,
    address: str,
    *,
    rank: int | None = None,
    label: str = "",
    now: datetime,
) -> ContactPoint:
    """Add a way to reach a person. Raises :class:`BadAddress` where the channel can't use the address.

    ``rank`` is the place that it takes in the person's general order, and what was there moves down; None keeps it
    without the person's agreement to its use. An address that was opted out comes in opted out.
    """
    _participant(session, participant_id)
    read = read_address(channel, address)
    _refuse_twice(session, participant_id, channel, read.value)
    state, reason = suppressed(session, [(channel, read.value)]).get(
        (channel, read.value), (ContactPointState.USABLE, "")
    )
    if rank is not None:
        _make_room(session, participant_id, rank)
    point = ContactPoint(
        participant_id=participant_id,
        channel=channel,
        address=read.value,
        kind=read.kind,
        label=clean(label)[:120],
        rank=rank,
        state=state,
        state_reason=reason,
        state_at=now if reason else None,
        created_at=now,
    )
    session.add(point)
    session.flush()
    refresh_search_text(session, [participant_id])
    return point


def change_contact_point(
    session: Session, contact_point_id: int, *, address: str, label: str = "", now: datetime
) -> ContactPoint:
    """Correct an address or its label. A bad contact point with a new address is usable; an opt-out stays one."""
    point = _contact_point(session, contact_point_id)
    point.label = clean(label)[:120]
    if address.strip() in {point.address, shown(point.address)} and point.state is not ContactPointState.BAD:
        return point
    read = read_address(point.channel, address)
    if read.value != point.address:
        _refuse_twice(session, point.participant_id, point.channel, read.value)
    if point.state is not ContactPointState.OPTED_OUT and (
        read.value != point.address or point.state is ContactPointState.BAD
    ):
        found = suppressed(session, [(point.channel, read.value)]) if read.value != point.address else {}
        point.state, point.state_reason = found.get((point.channel, read.value), (ContactPointState.USABLE, ""))
        point.state_at = now
    point.address, point.kind = read.value, read.kind
    session.flush()
    refresh_search_text(session, [point.participant_id])
    return point


def remove_contact_point(session: Session, contact_point_id: int, now: datetime) -> None:
    """Remove a way to reach a person. An opt-out outlives it: the address comes back opted out, if it does."""
    point = _contact_point(session, contact_point_id)
    if point.state is ContactPointState.OPTED_OUT:
        suppress(session, [(point.channel, point.address)], point.state, point.state_reason, now)
    participant_id = point.participant_id
    session.delete(point)
    session.flush()
    refresh_search_text(session, [participant_id])


def mark_bad(session: Session, contact_point_ids: Sequence[int], reason: str, now: datetime) -> int:
    """Note that these contact points don't work. Opt-outs stay opt-outs. Returns how many changed."""
    return _move(session, contact_point_ids, ContactPointState.USABLE, ContactPointState.BAD, clean(reason), now)


def mark_usable(session: Session, contact_point_id: int, now: datetime) -> int:
    """Note that a bad contact point works after all. Raises :class:`BadAddress` where it never can.

    An opted-out contact point is left alone: only hub.participants.consent.opt_in brings it back.
    """
    point = _contact_point(session, contact_point_id)
    if point.state is ContactPointState.BAD:
        read_address(point.channel, point.address)
    return _move(session, [contact_point_id], ContactPointState.BAD, ContactPointState.USABLE, "", now)


def refresh_search_text(session: Session, participant_ids: Sequence[int]) -> None:
    """Bring what the search box looks through up to date for these people, after a change of names or addresses."""
    for start in range(0, len(participant_ids), AT_ONCE):
        part = participant_ids[start : start + AT_ONCE]
        addresses: dict[int, list[str]] = {}
        points = select(ContactPoint.participant_id, ContactPoint.address).where(ContactPoint.participant_id.in_(part))
        for participant_id, address in session.execute(points.order_by(ContactPoint.id)):
            addresses.setdefault(participant_id, []).append(address)
        people = session.execute(
            select(
                Participant.id,
                Participant.first_name,
                Participant.last_name,
                Participant.known_as,
                Participant.external_id,
            ).where(Participant.id.in_(part))
        )
        rows = [
            {"id": row.id, "search_text": search_text([*row[1:4], row.external_id or ""], addresses.get(row.id, []))}
            for row in people
        ]
        if rows:
            session.execute(update(Participant), rows)


def _move(
    session: Session,
    contact_point_ids: Sequence[int],
    before: ContactPointState,
    after: ContactPointState,
    reason: str,
    now: datetime,
) -> int:
    changed = 0
    for start in range(0, len(contact_point_ids), AT_ONCE):
        moved = session.scalars(
            update(ContactPoint)
            .where(ContactPoint.id.in_(contact_point_ids[start : start + AT_ONCE]), ContactPoint.state == before)
            .values(state=after, state_reason=reason[:200], state_at=now)
            .returning(ContactPoint.id)
            .execution_options(synchronize_session="fetch")
        )
        changed += len(moved.all())
    return changed


def _participant(session: Session, participant_id: int) -> Participant:
    participant = session.get(Participant, participant_id)
    if participant is None:
        raise NobodyThere("This person is not here any more.")
    return participant


def _contact_point(session: Session, contact_point_id: int) -> ContactPoint:
    point = session.get(ContactPoint, contact_point_id)
    if point is None:
        raise NobodyThere("This way to reach the person is not here any more.")
    return point


def _refuse_twice(session: Session, participant_id: int, channel: str, address: str) -> None:
    there = select(ContactPoint.id).where(
        ContactPoint.participant_id == participant_id,
        ContactPoint.channel == channel,
        ContactPoint.address == address,
    )
    if session.scalar(there) is not None:
        raise AlreadyThere(f"{shown(address)} is there already.")


def _make_room(session: Session, participant_id: int, rank: int) -> None:
    these = (ContactPoint.participant_id == participant_id, ContactPoint.rank >= rank)
    if session.scalar(
        select(func.count()).where(ContactPoint.participant_id == participant_id, ContactPoint.rank == rank)
    ):
        session.execute(update(ContactPoint).where(*these).values(rank=ContactPoint.rank + 1))
