"""Who the group is in touch with, and how each of them wants to be reached."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

import hub.accounts.tables  # noqa: F401 - foreign keys here lead to them
from hub.db import Base, BigId, enum_column


class ContactPointState(StrEnum):
    """Whether a contact point may be used for sending."""

    USABLE = "usable"
    BAD = "bad"
    OPTED_OUT = "opted_out"


class ContactPointKind(StrEnum):
    """What a contact point is. Landlines are never texted."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    PHONE = "phone"  # a number whose type is not known
    MAILBOX = "mailbox"
    ACCOUNT = "account"


class Format(StrEnum):
    """How a person needs to be given information (Accessible Information Standard: information format)."""

    STANDARD = "standard"
    EASY_READ = "easy_read"
    LARGE_PRINT = "large_print"
    BRAILLE = "braille"
    AUDIO = "audio"
    BSL = "bsl"


class ConsentKind(StrEnum):
    """What a person agreed to, withdrew or chose."""

    AGREED = "agreed"
    WITHDREW = "withdrew"
    CHOSE = "chose"


class ConsentSource(StrEnum):
    """The way by which we know."""

    IMPORT = "import"
    ORGANISER = "organiser"
    WEB = "web"
    TEXT = "text"
    EMAIL = "email"
    CALL = "call"
    PAPER = "paper"
    PROVIDER = "provider"


class Participant(Base):
    """A person the group is in touch with. Needs neither an email address nor a phone."""

    __tablename__ = "participants"
    __table_args__ = (
        Index("ix_participants_name", "sort_name", "id"),
        # The few different quiet hours that people have, for planning.
        Index(
            "ix_participants_quiet_hours",
            "time_zone",
            "quiet_from",
            "quiet_until",
            postgresql_where=text("quiet_from IS NOT NULL"),
            sqlite_where=text("quiet_from IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    first_name: Mapped[str] = mapped_column(String(120), default="")
    last_name: Mapped[str] = mapped_column(String(120), default="")
    known_as: Mapped[str] = mapped_column(String(120), default="")
    """The name the person uses, where it is not the first name."""
    sort_name: Mapped[str] = mapped_column(String(260), default="")
    """Last name, then first, case-folded: what lists are sorted by."""
    search_text: Mapped[str] = mapped_column(Text, default="")
    """Case-folded names and addresses, kept by hub.participants.service: what the search box looks through."""
    external_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    """The person's number in another system, where an import brought one."""
    language: Mapped[str] = mapped_column(String(12), default="en")
    """BCP 47, such as en, cy or pl."""
    time_zone: Mapped[str] = mapped_column(String(60), default="")
    """An IANA name; empty: the group's."""
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    best_time_to_call: Mapped[str] = mapped_column(String(200), default="")
    how_to_talk: Mapped[str] = mapped_column(String(500), default="")
    """What a caller needs to know in order to talk with the person (“text relay 18001”); never a diagnosis."""
    paused_until: Mapped[datetime | None]
    notes: Mapped[str] = mapped_column(Text, default="")
    joined_on: Mapped[date | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    """Set: the person has left, and is in no audience."""

    contact_points: Mapped[list[ContactPoint]] = relationship(
        back_populates="participant", order_by="ContactPoint.rank.is_(None), ContactPoint.rank, ContactPoint.id"
    )
    needed_formats: Mapped[list[NeededFormat]] = relationship(cascade="all, delete-orphan")
    memberships: Mapped[list[Membership]] = relationship(cascade="all, delete-orphan")

    @property
    def name(self) -> str:
        """The name to greet the person with."""
        return self.known_as or self.first_name or self.last_name

    @property
    def full_name(self) -> str:
        """The name on lists."""
        return " ".join(part for part in (self.first_name or self.known_as, self.last_name) if part)


class ContactPoint(Base):
    """One way to reach one person. Several people may share an address; each has their own row.

    ``rank`` is the general preference: 1 is tried first; None is kept, but the person has not agreed to its use.
    """

    __tablename__ = "contact_points"
    __table_args__ = (
        UniqueConstraint("participant_id", "channel", "address"),
        Index("ix_contact_points_address", "address", "channel"),
        # What planning reads, and all it reads, to find each person's first rung.
        Index(
            "ix_contact_points_rungs",
            "participant_id",
            "rank",
            "channel",
            "id",
            postgresql_where=text("state = 'usable' AND rank IS NOT NULL"),
            sqlite_where=text("state = 'usable' AND rank IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    participant_id: Mapped[int] = mapped_column(BigId, ForeignKey("participants.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(320))
    """Normalised: E.164 for phones, lower case for mailboxes, @name@server for accounts. As it was written where it
    could not be read; such a contact point is bad."""
    kind: Mapped[ContactPointKind] = mapped_column(enum_column(ContactPointKind))
    label: Mapped[str] = mapped_column(String(120), default="")
    """Whose it is, where it is not the person's own (“daughter Ann”)."""
    rank: Mapped[int | None] = mapped_column(SmallInteger)
    state: Mapped[ContactPointState] = mapped_column(enum_column(ContactPointState), default=ContactPointState.USABLE)
    state_reason: Mapped[str] = mapped_column(String(200), default="")
    state_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    participant: Mapped[Participant] = relationship(back_populates="contact_points")


class Topic(Base):
    """What an announcement is about; people choose per topic."""

    __tablename__ = "topics"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    description: Mapped[str] = mapped_column(String(200), default="")


class TopicPreference(Base):
    """A person's own order for one topic, in place of the general one.

    Any row for a topic replaces the general order for it. A single row of rank 0 without a contact point says
    that the person does not want to hear about the topic.
    """

    __tablename__ = "topic_preferences"
    __table_args__ = (Index("ix_topic_preferences_topic", "topic_id", "participant_id"),)

    participant_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("participants.id", ondelete="CASCADE"), primary_key=True
    )
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    contact_point_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contact_points.id", ondelete="CASCADE"))


class Group(Base):
    """A named set of participants."""

    __tablename__ = "groups"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)


class Membership(Base):
    """A participant is in a group."""

    __tablename__ = "memberships"

    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    participant_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("participants.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class NeededFormat(Base):
    """A format that a participant needs; none means standard."""

    __tablename__ = "needed_formats"

    participant_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("participants.id", ondelete="CASCADE"), primary_key=True
    )
    format: Mapped[Format] = mapped_column(enum_column(Format), primary_key=True)


class ConsentEvent(Base):
    """Evidence of what somebody agreed to or withdrew. Rows are only ever added."""

    __tablename__ = "consent_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    participant_id: Mapped[int] = mapped_column(BigId, ForeignKey("participants.id", ondelete="CASCADE"), index=True)
    kind: Mapped[ConsentKind] = mapped_column(enum_column(ConsentKind))
    channel: Mapped[str] = mapped_column(String(20), default="")
    """Empty: every channel."""
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id", ondelete="SET NULL"))
    """None: every topic."""
    source: Mapped[ConsentSource] = mapped_column(enum_column(ConsentSource))
    wording: Mapped[str] = mapped_column(Text, default="")
    """The person's words, or the words that they were shown."""
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class Suppression(Base):
    """An address that must not be used on a channel, whoever turns out to have it: it comes in with this state.

    Rows come from opt-outs by address and from opt-out lists, which name addresses that nobody here may have yet.
    """

    __tablename__ = "suppressions"

    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    state: Mapped[ContactPointState] = mapped_column(enum_column(ContactPointState))
    reason: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]


class ImportRun(Base):
    """An uploaded contact file, from upload to report."""

    __tablename__ = "import_runs"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    filename: Mapped[str] = mapped_column(String(255))
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Dropped once the import is done or a week old."""
    columns: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """Heading in the file -> our field, as guessed and then corrected."""
    opt_outs: Mapped[bool] = mapped_column(default=False)
    """The file is a list of people who opted out, not of people to be in touch with."""
    report: Mapped[list[dict[str, object]]] = mapped_column(JSON, default=list)
    """One entry per row of the file: row number, outcome, notes."""
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    finished_at: Mapped[datetime | None]
