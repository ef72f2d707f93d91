"""Call lists: who is on them, and what callers tell us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement, AnnouncementState
from hub.calls.listing import put_on_list
from hub.calls.models import CallList, CallListRow, CallOutcome, CallRecord, PrintLog
from hub.calls.queries import ENOUGH_TRIES, TRIES
from hub.calls.rules import BAD_NUMBER, EFFECTS
from hub.deliveries.models import Delivery, FollowUp
from hub.deliveries.recording import follow_up
from hub.deliveries.rules import DeliveryState, Why, origins
from hub.errors import Conflict, NotFound
from hub.participants.models import ConsentSource, ContactPoint, ContactPointState
from hub.participants.service import mark_bad, mark_usable, opt_in, opt_out

__all__ = [
    "Result",
    "deal_with",
    "give_up",
    "note_print",
    "put_on_list",
    "record_results",
    "set_details",
    "undo",
]

LONGEST_NOTE = 1_000
STOPPED = "Asked the caller to stop phoning"
STOP_UNDONE = "The caller had noted “stop phoning” by mistake"


@dataclass(frozen=True, slots=True)
class Result:
    """How one call ended. ``seen`` is the newest record that the caller knew of, 0 for none."""

    delivery_id: int
    outcome: CallOutcome
    note: str = ""
    seen: int = 0


@dataclass(frozen=True, slots=True)
class _Row:
    delivery: Delivery
    newest: CallRecord | None


def record_results(
    session: Session, call_list_id: int, results: Sequence[Result], *, by: int | None, now: datetime
) -> tuple[list[int], list[int]]:
    """Write down results of calls and act on each. Returns the ids of the new records, and the deliveries left alone.

    A result is left alone where the person is not waiting for a call (any more), or where somebody has recorded
    another since ``seen``. The same result sent twice is recorded once, and counts as neither.
    """
    recorded, left_alone = [], []
    rows = _locked_rows(session, call_list_id, [result.delivery_id for result in results])
    for result in results:
        row = rows.get(result.delivery_id)
        newest = row.newest if row else None
        if newest and newest.id != result.seen and newest.outcome is result.outcome:
            continue
        is_waiting = row is not None and row.delivery.live and row.delivery.state is DeliveryState.ON_LIST
        if row is None or not is_waiting or (newest.id if newest else 0) != result.seen:
            left_alone.append(result.delivery_id)
            continue
        recorded.append(_record(session, row.delivery, result, by, now))
    return recorded, left_alone


def _locked_rows(session: Session, call_list_id: int, delivery_ids: Sequence[int]) -> dict[int, _Row]:
    deliveries = session.scalars(
        select(Delivery)
        .join(CallListRow, CallListRow.delivery_id == Delivery.id)
        .where(CallListRow.call_list_id == call_list_id, Delivery.id.in_(delivery_ids))
        .order_by(Delivery.id)
        .with_for_update(of=Delivery)
    ).all()
    newest_ids = (
        select(func.max(CallRecord.id))
        .where(CallRecord.delivery_id.in_(delivery_ids), CallRecord.undone_at.is_(None))
        .group_by(CallRecord.delivery_id)
    )
    newest = {
        record.delivery_id: record
        for record in session.scalars(select(CallRecord).where(CallRecord.id.in_(newest_ids)))
    }
    return {delivery.id: _Row(delivery, newest.get(delivery.id)) for delivery in deliveries}


def _record(session: Session, delivery: Delivery, result: Result, by: int | None, now: datetime) -> int:
    record = CallRecord(
        delivery_id=delivery.id,
        outcome=result.outcome,
        note=result.note.replace("\0", "").strip()[:LONGEST_NOTE],
        recorded_at=now,
        recorded_by=by,
    )
    session.add(record)
    session.flush()
    effect = EFFECTS.get(result.outcome)
    if effect is None:
        return record.id
    _move(session, [delivery.id], effect.state, effect.why, now)
    point = session.get(ContactPoint, delivery.contact_point_id) if delivery.contact_point_id else None
    if point is not None and result.outcome in BAD_NUMBER:
        mark_bad(session, [point.id], BAD_NUMBER[result.outcome], now)
    if point is not None and result.outcome is CallOutcome.STOP_PHONING:
        _opt_out(session, point, record.note, by, now)
    return record.id


def _opt_out(session: Session, point: ContactPoint, note: str, by: int | None, now: datetime) -> None:
    opt_out(
        session,
        channel=point.channel,
        address=point.address,
        source=ConsentSource.CALL,
        wording=f"{STOPPED}: {note}" if note else STOPPED,
        now=now,
        participant_id=point.participant_id,
        by=by,
    )


def _move(session: Session, delivery_ids: Sequence[int], state: DeliveryState, why: Why, now: datetime) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids), Delivery.state.in_(origins(state)))
        .values(state=state, why=why, state_at=now)
        .execution_options(synchronize_session="fetch")
    )
    if state is DeliveryState.FAILED:
        follow_up(session, dict.fromkeys(delivery_ids, now))


def undo(session: Session, call_list_id: int, record_id: int, *, by: int | None, now: datetime) -> bool:
    """Take back a result that was recorded by mistake, with everything that it did. False: it was undone before.

    Raises :class:`Conflict` where a later result counts, or where the next way to the person is being tried already.
    """
    record = session.scalar(
        select(CallRecord)
        .join(CallListRow, CallListRow.delivery_id == CallRecord.delivery_id)
        .where(CallRecord.id == record_id, CallListRow.call_list_id == call_list_id)
    )
    if record is None:
        raise NotFound("This result is not here (any more).")
    if record.undone_at is not None:
        return False
    delivery = session.scalars(select(Delivery).where(Delivery.id == record.delivery_id).with_for_update()).one()
    newest = session.scalar(
        select(func.max(CallRecord.id)).where(
            CallRecord.delivery_id == record.delivery_id, CallRecord.undone_at.is_(None)
        )
    )
    if newest != record.id:
        raise Conflict("A later result has been recorded for this person, so this one can’t be undone.")
    effect = EFFECTS.get(record.outcome)
    if effect is not None:
        _take_back(session, delivery, record, effect.state, by, now)
    record.undone_at = now
    return True


def _take_back(
    session: Session, delivery: Delivery, record: CallRecord, state: DeliveryState, by: int | None, now: datetime
) -> None:
    if not delivery.live or delivery.state is not state:
        raise Conflict("The next way to reach this person is being tried already, so this can’t be undone.")
    # The one move against the rules of deliveries: nothing has come of the mistake yet, so it never happened.
    delivery.state, delivery.why, delivery.state_at = DeliveryState.ON_LIST, Why.NONE, now
    follow_up_row = session.get(FollowUp, delivery.id)
    if follow_up_row is not None:
        session.delete(follow_up_row)
    announcement = session.get_one(Announcement, delivery.announcement_id)
    if announcement.state is AnnouncementState.CLOSED:
        announcement.state, announcement.closed_at = AnnouncementState.UNDER_WAY, None
    point = session.get(ContactPoint, delivery.contact_point_id) if delivery.contact_point_id else None
    if point is not None:
        _take_back_of_contact_point(session, point, record.outcome, by, now)


def _take_back_of_contact_point(
    session: Session, point: ContactPoint, outcome: CallOutcome, by: int | None, now: datetime
) -> None:
    if point.state is ContactPointState.BAD and point.state_reason == BAD_NUMBER.get(outcome):
        mark_usable(session, point.id, now)
    if outcome is CallOutcome.STOP_PHONING:
        opt_in(
            session,
            channel=point.channel,
            address=point.address,
            source=ConsentSource.CALL,
            wording=STOP_UNDONE,
            now=now,
            participant_id=point.participant_id,
            by=by,
        )


def give_up(session: Session, call_list_id: int, now: datetime) -> int:
    """Stop ringing those who were tried three times or more: the next way to reach them is tried. Returns how many."""
    tries = (
        select(func.count())
        .where(CallRecord.delivery_id == Delivery.id, CallRecord.undone_at.is_(None), CallRecord.outcome.in_(TRIES))
        .correlate(Delivery)
        .scalar_subquery()
    )
    tried_enough = session.scalars(
        select(Delivery.id)
        .join(CallListRow, CallListRow.delivery_id == Delivery.id)
        .where(
            CallListRow.call_list_id == call_list_id,
            Delivery.live,
            Delivery.state == DeliveryState.ON_LIST,
            tries >= ENOUGH_TRIES,
        )
    ).all()
    if tried_enough:
        _move(session, tried_enough, DeliveryState.FAILED, Why.NO_ANSWER, now)
    return len(tried_enough)


def set_details(session: Session, call_list_id: int, *, caller: str, return_by: date | None) -> None:
    """Who rings the people on a list, and by when they give it back."""
    found = session.get(CallList, call_list_id)
    if found is None:
        raise NotFound("This call list is not here (any more).")
    found.caller, found.return_by = caller.replace("\0", "").strip(), return_by


def deal_with(session: Session, record_id: int, now: datetime) -> None:
    """An organiser has looked after a concern."""
    record = session.get(CallRecord, record_id)
    if record is None or record.outcome is not CallOutcome.WORRIED:
        raise NotFound("This concern is not here (any more).")
    record.dealt_with_at = record.dealt_with_at or now


def note_print(session: Session, call_list_id: int, rows: int, *, by: int | None, now: datetime) -> None:
    """Write down that a list was printed; paper with names on it is to be found again."""
    session.add(PrintLog(call_list_id=call_list_id, rows=rows, printed_at=now, printed_by=by))
