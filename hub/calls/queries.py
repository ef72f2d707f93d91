"""Reads of call lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from hub.accounts.tables import accounts
from hub.announcements.models import Announcement, AnnouncementState, Variant
from hub.calls.models import CallList, CallListRow, CallOutcome, CallRecord
from hub.deliveries.models import Delivery
from hub.deliveries.rules import DeliveryState, Why
from hub.errors import NotFound
from hub.paging import Page, page_bounds
from hub.participants.models import ContactPoint, ContactPointKind, Participant
from hub.participants.rules import search_terms

TRIES = (CallOutcome.NO_ANSWER, CallOutcome.LEFT_MESSAGE, CallOutcome.CALL_BACK)
"""Outcomes that count as a try that has to be repeated."""
ENOUGH_TRIES = 3


class Show(StrEnum):
    """Which rows of a list are wanted."""

    TO_CALL = "to_call"
    DONE = "done"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ListRow:
    """One call list. ``waiting`` people are still to be rung; ``tried_enough`` of them were three times."""

    id: int
    code: str
    announcement_id: int
    title: str
    announcement_state: AnnouncementState
    caller: str
    return_by: date | None
    created_at: datetime
    total: int
    waiting: int
    told: int
    concerns: int
    """Concerns that no organiser has looked after yet."""
    tried_enough: int

    @property
    def done(self) -> int:
        """How many people need no call any more."""
        return self.total - self.waiting


@dataclass(frozen=True, slots=True)
class CallRow:
    """One person on a list, with what a caller needs and nothing else."""

    delivery_id: int
    number: int
    participant_id: int
    first_name: str
    last_name: str
    known_as: str
    language: str
    how_to_talk: str
    best_time: str
    address: str
    is_landline: bool
    state: DeliveryState
    why: Why
    live: bool
    attempts: int
    record_id: int
    """The newest result, 0 where there is none: what tells whether somebody else was quicker."""
    outcome: CallOutcome | None
    note: str
    recorded_at: datetime | None

    @property
    def is_waiting(self) -> bool:
        """Whether this person is still to be rung."""
        return self.live and self.state is DeliveryState.ON_LIST

    @property
    def name(self) -> str:
        """The name to ask for, with no more of the last name than its first letter."""
        first = self.known_as or self.first_name
        return f"{first} {self.last_name[0]}." if first and self.last_name else first or self.last_name


@dataclass(frozen=True, slots=True)
class Concern:
    """A worry that a caller told us of, for organisers."""

    record_id: int
    call_list_id: int
    code: str
    participant_id: int
    name: str
    note: str
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a printed list holds: the list, its call script and everybody who is still to be rung."""

    call_list: ListRow
    script: str
    rows: list[CallRow]


def _tries() -> Any:
    return (
        select(func.count())
        .where(CallRecord.delivery_id == Delivery.id, CallRecord.undone_at.is_(None), CallRecord.outcome.in_(TRIES))
        .correlate(Delivery)
        .scalar_subquery()
    )


def _is_waiting() -> ColumnElement[bool]:
    return (Delivery.state == DeliveryState.ON_LIST) & Delivery.live


def _concerns_of_list() -> Any:
    return (
        select(func.count())
        .select_from(CallRecord)
        .join(CallListRow, CallListRow.delivery_id == CallRecord.delivery_id)
        .where(CallListRow.call_list_id == CallList.id, *_open_concern())
        .correlate(CallList)
        .scalar_subquery()
    )


def _open_concern() -> tuple[ColumnElement[bool], ...]:
    return (
        CallRecord.outcome == CallOutcome.WORRIED,
        CallRecord.undone_at.is_(None),
        CallRecord.dealt_with_at.is_(None),
    )


def _lists() -> Any:
    def counted(condition: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    return (
        select(
            CallList.id,
            CallList.code,
            CallList.announcement_id,
            Announcement.title,
            Announcement.state,
            CallList.caller,
            CallList.return_by,
            CallList.created_at,
            func.count(CallListRow.delivery_id),
            counted(_is_waiting()).label("waiting"),
            counted(Delivery.state == DeliveryState.CONFIRMED),
            _concerns_of_list(),
            counted(_is_waiting() & (_tries() >= ENOUGH_TRIES)),
        )
        .join(Announcement, Announcement.id == CallList.announcement_id)
        .outerjoin(CallListRow, CallListRow.call_list_id == CallList.id)
        .outerjoin(Delivery, Delivery.id == CallListRow.delivery_id)
        .group_by(CallList.id, Announcement.id)
    )


def call_lists(session: Session, *, page: int = 1, per_page: int = 25) -> Page[ListRow]:
    """Every call list: those with people to ring first, the newest of them first."""
    offset, limit = page_bounds(page, per_page)
    unfinished = case((func.sum(case((_is_waiting(), 1), else_=0)) > 0, 0), else_=1)
    found = session.execute(_lists().order_by(unfinished, CallList.id.desc()).offset(offset).limit(limit))
    total = session.scalar(select(func.count()).select_from(CallList)) or 0
    return Page(items=[ListRow(*row) for row in found], page=page, per_page=limit, total=total)


def call_list(session: Session, call_list_id: int) -> ListRow:
    """One call list. Raises :class:`hub.errors.NotFound`."""
    row = session.execute(_lists().where(CallList.id == call_list_id)).one_or_none()
    if row is None:
        raise NotFound("This call list is not here (any more).")
    return ListRow(*row)


def id_of(session: Session, code: str) -> int | None:
    """The id of the list that has a code, in capitals or not; None: there is no such list."""
    return session.scalar(select(CallList.id).where(CallList.code == code.strip().upper()))


def _rows(call_list_id: int) -> Any:
    newest = (
        select(func.max(CallRecord.id))
        .where(CallRecord.delivery_id == Delivery.id, CallRecord.undone_at.is_(None))
        .correlate(Delivery)
        .scalar_subquery()
    )
    return (
        select(
            Delivery.id,
            CallListRow.number,
            Delivery.participant_id,
            Participant.first_name,
            Participant.last_name,
            Participant.known_as,
            Participant.language,
            Participant.how_to_talk,
            Participant.best_time_to_call,
            func.coalesce(ContactPoint.address, ""),
            func.coalesce(ContactPoint.kind == ContactPointKind.LANDLINE, False),
            Delivery.state,
            Delivery.why,
            Delivery.live,
            _tries(),
            func.coalesce(CallRecord.id, 0),
            CallRecord.outcome,
            func.coalesce(CallRecord.note, ""),
            CallRecord.recorded_at,
        )
        .join(Delivery, Delivery.id == CallListRow.delivery_id)
        .join(Participant, Participant.id == Delivery.participant_id)
        .outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
        .outerjoin(CallRecord, CallRecord.id == newest)
        .where(CallListRow.call_list_id == call_list_id)
        .order_by(CallListRow.number)
    )


def rows(
    session: Session,
    call_list_id: int,
    *,
    show: Show = Show.TO_CALL,
    search: str = "",
    page: int = 1,
    per_page: int = 20,
) -> Page[CallRow]:
    """People on a list, in the order of the sheet."""
    offset, limit = page_bounds(page, per_page)
    listed = _rows(call_list_id)
    if show is not Show.ALL:
        listed = listed.where(_is_waiting() if show is Show.TO_CALL else ~_is_waiting())
    for term in search_terms(search):
        listed = listed.where(Participant.search_text.contains(term, autoescape=True))
    total = session.scalar(select(func.count()).select_from(listed.order_by(None).subquery())) or 0
    found = session.execute(listed.offset(offset).limit(limit))
    return Page(items=[CallRow(*row) for row in found], page=page, per_page=limit, total=total)


def script(session: Session, call_list_id: int) -> str:
    """What callers are to say, as it was written for phone calls."""
    written = (
        select(Variant.body)
        .join(CallList, CallList.announcement_id == Variant.announcement_id)
        .where(CallList.id == call_list_id, Variant.channel == "phone")
        .order_by(Variant.id)
    )
    return session.scalar(written.limit(1)) or ""


def sheet(session: Session, call_list_id: int) -> Sheet:
    """Everything that is printed. Raises :class:`hub.errors.NotFound`."""
    listed = call_list(session, call_list_id)
    waiting = session.execute(_rows(call_list_id).where(_is_waiting()))
    return Sheet(listed, script(session, call_list_id), [CallRow(*row) for row in waiting])


def concerns(session: Session, call_list_id: int | None = None) -> list[Concern]:
    """Concerns that no organiser has looked after yet, newest first; of one list, or of all."""
    found = (
        select(
            CallRecord.id,
            CallListRow.call_list_id,
            CallList.code,
            Participant,
            CallRecord.note,
            CallRecord.recorded_at,
            func.coalesce(accounts.c.name, ""),
        )
        .join(CallListRow, CallListRow.delivery_id == CallRecord.delivery_id)
        .join(CallList, CallList.id == CallListRow.call_list_id)
        .join(Delivery, Delivery.id == CallRecord.delivery_id)
        .join(Participant, Participant.id == Delivery.participant_id)
        .outerjoin(accounts, accounts.c.id == CallRecord.recorded_by)
        .where(*_open_concern())
        .order_by(CallRecord.id.desc())
    )
    if call_list_id is not None:
        found = found.where(CallListRow.call_list_id == call_list_id)
    return [
        Concern(
            row.id,
            row.call_list_id,
            row.code,
            row.Participant.id,
            row.Participant.full_name,
            row.note,
            row.recorded_at,
            row[-1],
        )
        for row in session.execute(found)
    ]


def open_concern_count(session: Session) -> int:
    """How many concerns no organiser has looked after yet."""
    return session.scalar(select(func.count()).select_from(CallRecord).where(*_open_concern())) or 0
