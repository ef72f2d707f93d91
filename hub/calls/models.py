"""Phone deliveries in the hands of a volunteer."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, BigId, enum_column


class CallOutcome(StrEnum):
    """How a call ended, in the fixed order of the sheet. Each has a letter code in hub.calls.rules."""

    TOLD = "told"
    CALL_BACK = "call_back"
    LEFT_MESSAGE = "left_message"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    NUMBER_DEAD = "number_dead"
    STOP_PHONING = "stop_phoning"
    WORRIED = "worried"


class CallList(Base):
    """The people that somebody rings for one announcement. ``code`` is short enough to say and to text (K7QM)."""

    __tablename__ = "call_lists"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcements.id"), index=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)
    caller: Mapped[str] = mapped_column(String(120), default="")
    return_by: Mapped[date | None]
    created_at: Mapped[datetime]


class CallListRow(Base):
    """One delivery on a call list. Numbers are given once and never change, as sheets are already printed."""

    __tablename__ = "call_list_rows"
    __table_args__ = (UniqueConstraint("call_list_id", "number"),)

    delivery_id: Mapped[int] = mapped_column(BigId, ForeignKey("deliveries.id"), primary_key=True)
    call_list_id: Mapped[int] = mapped_column(ForeignKey("call_lists.id"), index=True)
    number: Mapped[int] = mapped_column(Integer)


class CallRecord(Base):
    """What a caller told us about one row. None is ever removed; the newest that has not been undone counts."""

    __tablename__ = "call_records"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(BigId, ForeignKey("deliveries.id"), index=True)
    outcome: Mapped[CallOutcome] = mapped_column(enum_column(CallOutcome))
    note: Mapped[str] = mapped_column(Text, default="")
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    undone_at: Mapped[datetime | None]
    """It was a mistake, and counts for nothing."""
    dealt_with_at: Mapped[datetime | None]
    """An organiser has looked after the concern that it tells of."""


class PrintLog(Base):
    """Who printed which list when, and how many rows were on it."""

    __tablename__ = "print_log"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    call_list_id: Mapped[int] = mapped_column(ForeignKey("call_lists.id"), index=True)
    rows: Mapped[int]
    printed_at: Mapped[datetime]
    printed_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
