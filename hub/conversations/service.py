"""What people tell us: stored once, understood, and acted on where it is a wish to stop or to start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from hub.conversations.models import Reply, ReplyKind
from hub.deliveries.models import Delivery
from hub.deliveries.rules import DeliveryState
from hub.deliveries.service import answered
from hub.participants.addresses import normal_address
from hub.participants.models import ConsentSource, ContactPoint, ContactPointState, Participant
from hub.participants.service import opt_in, opt_out
from hub.participants.suppressions import suppressed

LONGEST_BODY = 20_000
_HANDED_OVER = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.CONFIRMED, DeliveryState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came in. ``kind`` is what its words ask for."""

    provider: str
    provider_id: str
    channel: str
    from_address: str
    to_address: str
    body: str
    kind: ReplyKind
    subject: str = ""
    is_trusted: bool = True
    """Whether the sender's address is known to be true; what asks to stop or start is acted on only then."""


def receive(session: Session, incoming: Incoming, now: datetime) -> bool:
    """Store a message and act on it. False: it was here already, and nothing was changed.

    STOP and START count for everybody who has the sender's address on this channel. A message is somebody's own
    where one person alone has the address.
    """
    incoming = _tidied(incoming)
    people = _people_at(session, incoming.from_address, incoming.channel)
    announcement_id = _latest_announcement(session, people, incoming.channel)
    is_automatic = incoming.kind is ReplyKind.AUTOMATIC
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    stored = session.scalar(
        insert(Reply)
        .values(
            provider=incoming.provider,
            provider_id=incoming.provider_id,
            channel=incoming.channel,
            from_address=incoming.from_address,
            to_address=incoming.to_address,
            subject=incoming.subject,
            body=incoming.body,
            kind=incoming.kind,
            participant_id=people[0] if len(people) == 1 else None,
            announcement_id=announcement_id,
            received_at=now,
            read_at=now if is_automatic else None,
        )
        .on_conflict_do_nothing()
        .returning(Reply.id)
    )
    if stored is None:
        return False
    if incoming.is_trusted:
        _act(session, incoming, now)
        if incoming.kind is ReplyKind.MESSAGE and announcement_id is not None and len(people) == 1:
            answered(session, announcement_id, people[0], now)
    return True


def is_opted_out(session: Session, channel: str, address: str) -> bool:
    """Whether this address has opted out of this channel, for anybody who has it or for itself."""
    address = normal_address(channel, _stored(address, 320))
    state, _reason = suppressed(session, [(channel, address)]).get((channel, address), (None, ""))
    found = select(ContactPoint.id).where(
        ContactPoint.channel == channel,
        ContactPoint.address == address,
        ContactPoint.state == ContactPointState.OPTED_OUT,
    )
    return state is ContactPointState.OPTED_OUT or session.scalar(found.limit(1)) is not None


def mark_read(session: Session, reply_ids: Sequence[int], now: datetime) -> int:
    """Somebody has dealt with these replies. Returns how many were unread."""
    return _set_read(session, reply_ids, now)


def mark_unread(session: Session, reply_ids: Sequence[int]) -> int:
    """These replies need looking at again. Returns how many had been read."""
    return _set_read(session, reply_ids, None)


def _set_read(session: Session, reply_ids: Sequence[int], at: datetime | None) -> int:
    unlike = Reply.read_at.is_(None) if at else Reply.read_at.is_not(None)
    changed = update(Reply).where(Reply.id.in_(reply_ids), unlike).values(read_at=at).returning(Reply.id)
    return len(session.scalars(changed).all())


def _tidied(incoming: Incoming) -> Incoming:
    return replace(
        incoming,
        provider_id=_stored(incoming.provider_id, 140),
        from_address=normal_address(incoming.channel, _stored(incoming.from_address, 320)),
        to_address=_stored(incoming.to_address, 320),
        subject=_stored(incoming.subject, 200),
        body=_stored(incoming.body, LONGEST_BODY),
    )


def _stored(text: str, longest: int) -> str:
    """Text as both databases take it: PostgreSQL knows neither NUL nor half a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:longest]


def _people_at(session: Session, address: str, channel: str) -> list[int]:
    same_kind = [entry.name for entry in CHANNELS.values() if entry.address is CHANNELS[channel].address]
    return list(
        session.scalars(
            select(ContactPoint.participant_id)
            .join(Participant, Participant.id == ContactPoint.participant_id)
            .where(ContactPoint.address == address, ContactPoint.channel.in_(same_kind))
            .where(Participant.archived_at.is_(None))
            .distinct()
            .order_by(ContactPoint.participant_id)
        )
    )


def _latest_announcement(session: Session, people: Sequence[int], channel: str) -> int | None:
    if not people:
        return None
    return session.scalar(
        select(Delivery.announcement_id)
        .where(
            Delivery.participant_id.in_(people),
            Delivery.channel == channel,
            Delivery.state.in_(_HANDED_OVER),
        )
        .order_by(Delivery.id.desc())
        .limit(1)
    )


def _act(session: Session, incoming: Incoming, now: datetime) -> None:
    source = ConsentSource(incoming.channel)
    if incoming.kind is ReplyKind.STOP:
        change = opt_out
    elif incoming.kind is ReplyKind.START:
        change = opt_in
    else:
        return
    change(
        session,
        channel=incoming.channel,
        address=incoming.from_address,
        source=source,
        wording=incoming.subject if not incoming.body else incoming.body,
        now=now,
    )
