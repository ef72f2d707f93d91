"""Puts phone deliveries on a call list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from hub.bulk import json_table
from hub.calls.models import CallList, CallListRow
from hub.calls.rules import CODE_LENGTH, new_code
from hub.deliveries.models import Delivery
from hub.deliveries.rules import DeliveryState
from hub.participants.models import Participant

_ONE_AT_A_TIME = 0x43414C4C
"""The first half of the advisory lock's key; the announcement's id is the second."""
TRIES_FOR_A_CODE = 20


def put_on_list(session: Session, announcement_id: int, delivery_ids: Sequence[int], now: datetime) -> None:
    """Append deliveries that are on a list (state ``on_list``) to the announcement's call list, made if need be.

    People stand in the order of their names, behind those who are there already, and keep their number for good.
    Repeating it changes nothing.
    """
    if not delivery_ids:
        return
    if session.get_bind().dialect.name == "postgresql":
        # Two workers must not give the same number twice. A lock on rows could wait for somebody who waits for us.
        lock = text("SELECT pg_advisory_xact_lock(:what, :announcement)")
        session.execute(lock, {"what": _ONE_AT_A_TIME, "announcement": announcement_id})
    given = json_table(session, {"id": BigInteger()}, [{"id": delivery_id} for delivery_id in delivery_ids])
    waiting = (
        select(Delivery.id)
        .join(given, given.c.id == Delivery.id)
        .where(
            Delivery.announcement_id == announcement_id,
            Delivery.state == DeliveryState.ON_LIST,
            Delivery.id.not_in(select(CallListRow.delivery_id)),
        )
    )
    if session.scalar(waiting.limit(1)) is None:
        return
    call_list_id = _open_list(session, announcement_id, now)
    last = select(func.coalesce(func.max(CallListRow.number), 0)).where(CallListRow.call_list_id == call_list_id)
    place = func.row_number().over(order_by=[Participant.sort_name, Participant.id])
    source = waiting.join(Participant, Participant.id == Delivery.participant_id).with_only_columns(
        Delivery.id, text(":call_list_id").bindparams(call_list_id=call_list_id), last.scalar_subquery() + place
    )
    columns = ["delivery_id", "call_list_id", "number"]
    session.execute(insert(CallListRow).from_select(columns, source, include_defaults=False))


def _open_list(session: Session, announcement_id: int, now: datetime) -> int:
    found = session.scalar(
        select(CallList.id).where(CallList.announcement_id == announcement_id).order_by(CallList.id).limit(1)
    )
    return found if found is not None else _make_list(session, announcement_id, now)


def _make_list(session: Session, announcement_id: int, now: datetime) -> int:
    dialect_insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    length = CODE_LENGTH
    while True:
        for _ in range(TRIES_FOR_A_CODE):
            made = session.scalar(
                dialect_insert(CallList)
                .values(announcement_id=announcement_id, code=new_code(length), caller="", created_at=now)
                .on_conflict_do_nothing(index_elements=["code"])
                .returning(CallList.id)
            )
            if made is not None:
                return int(made)
        length += 1  # nearly every code of this length is taken
