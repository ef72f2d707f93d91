"""One message to an audience: one meaning, several variants."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base, BigId, enum_column
from hub.participants.models import Format, Topic


class AnnouncementState(StrEnum):
    """Where an announcement is on its way."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    """To be launched at ``starts_at``. Nobody has a delivery yet, so it can still be taken back."""
    UNDER_WAY = "under_way"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class PausedBecause(StrEnum):
    """Why an announcement is paused."""

    ASKED = ""
    BUDGET = "budget"


class Announcement(Base):
    """One message to an audience. Its text may change until it is launched, and never after."""

    __tablename__ = "announcements"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"))
    urgent: Mapped[bool] = mapped_column(default=False)
    everyone: Mapped[bool] = mapped_column(default=False)
    """The audience begins with everyone; otherwise with the included groups and people."""
    state: Mapped[AnnouncementState] = mapped_column(
        enum_column(AnnouncementState), default=AnnouncementState.DRAFT, index=True
    )
    revision: Mapped[int] = mapped_column(default=1)
    """Goes up with every change of text, topic or audience."""
    checked_revision: Mapped[int | None]
    """The revision that the last dry run saw and found nothing wrong with; only that one can be launched."""
    useful_until: Mapped[datetime | None]
    silence_minutes: Mapped[int | None]
    """Urgent ones: who has not answered for so long is tried on their next rung. None: silence is no failure."""
    budget: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    """The most that its texts may cost, in the currency of the settings. None: no limit."""
    text_parts: Mapped[int] = mapped_column(default=0)
    """With a budget: how many parts of texts have been set aside for sending, those that were sent included."""
    starts_at: Mapped[datetime | None]
    """When a scheduled announcement is launched."""
    paused_because: Mapped[PausedBecause] = mapped_column(enum_column(PausedBecause), default=PausedBecause.ASKED)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    launched_at: Mapped[datetime | None]
    launched_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    planned_through: Mapped[int] = mapped_column(BigId, default=0)
    """Participants up to this id have their delivery; planning goes on from here after any interruption."""
    planned_at: Mapped[datetime | None]
    """When everyone in the audience had their delivery. None: planning is still going on."""
    closed_at: Mapped[datetime | None]

    topic: Mapped[Topic] = relationship()
    variants: Mapped[list[Variant]] = relationship(cascade="all, delete-orphan", order_by="Variant.id")
    groups: Mapped[list[AudienceGroup]] = relationship(cascade="all, delete-orphan")
    people: Mapped[list[AudiencePerson]] = relationship(cascade="all, delete-orphan")


class AudienceGroup(Base):
    """A group that is in the audience (``included``) or taken out of it."""

    __tablename__ = "audience_groups"

    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcements.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    included: Mapped[bool] = mapped_column(default=True)


class AudiencePerson(Base):
    """A person who is in the audience, or taken out of it, whatever groups say."""

    __tablename__ = "audience_people"

    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcements.id", ondelete="CASCADE"), primary_key=True)
    participant_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("participants.id", ondelete="CASCADE"), primary_key=True
    )
    included: Mapped[bool] = mapped_column(default=True)


class Variant(Base):
    """The announcement's text for one channel, language and format.

    ``body`` is Markdown for email, plain text for text messages and public posts, and the caller's script for
    phone calls. ``((name))`` and the other fields of hub.announcements.rendering stand for a person's own values.
    """

    __tablename__ = "variants"
    __table_args__ = (UniqueConstraint("announcement_id", "channel", "language", "format"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcements.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(12), default="en")
    format: Mapped[Format] = mapped_column(enum_column(Format), default=Format.STANDARD)
    subject: Mapped[str] = mapped_column(String(200), default="")
    """Email only."""
    body: Mapped[str] = mapped_column(Text, default="")
    derived: Mapped[bool] = mapped_column(default=False)
    """Written by the hub from another variant, and written again when that one changes."""
