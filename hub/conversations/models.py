"""What people tell us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, BigId, enum_column


class ReplyKind(StrEnum):
    """What a reply was understood as. Only whole-message keywords are acted on."""

    MESSAGE = "message"
    STOP = "stop"
    START = "start"
    HELP = "help"
    AUTOMATIC = "automatic"
    """Written by nobody: an out-of-office note or a bounce."""


class Reply(Base):
    """Something that came in on a channel, stored once however often the provider repeats it."""

    __tablename__ = "replies"
    __table_args__ = (
        UniqueConstraint("provider", "provider_id"),
        Index("ix_replies_participant", "participant_id", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str] = mapped_column(String(140))
    channel: Mapped[str] = mapped_column(String(20))
    from_address: Mapped[str] = mapped_column(String(320))
    to_address: Mapped[str] = mapped_column(String(320), default="")
    subject: Mapped[str] = mapped_column(String(200), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[ReplyKind] = mapped_column(enum_column(ReplyKind))
    participant_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("participants.id", ondelete="SET NULL"))
    """None: nobody has this address, or several people share it."""
    announcement_id: Mapped[int | None] = mapped_column(ForeignKey("announcements.id", ondelete="SET NULL"))
    received_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
