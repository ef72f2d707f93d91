"""The dry run: what would happen if this announcement were sent now, from the statement that would do it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, func, select
from sqlalchemy.orm import Session

from channels.filling import fill_text
from channels.text.segments import segments
from config.channels import CHANNELS
from config.settings import settings
from hub.announcements.models import Announcement
from hub.announcements.rendering import (
    PERSONAL_FIELDS,
    Recipient,
    choose_variant,
    content_of,
    used_fields,
    values_for,
)
from hub.deliveries.budgets import cost_of, parts_for
from hub.deliveries.planning import next_slice, plan
from hub.deliveries.problems import problems_of
from hub.deliveries.rules import REACH, DeliveryState, Reach, Why
from hub.errors import NotFound
from hub.paging import Page
from hub.participants.models import ContactPoint, Format, NeededFormat, Participant

MET_BY_THE_CHANNEL = frozenset(
    {("email", Format.LARGE_PRINT), ("text", Format.LARGE_PRINT)}
    | {("phone", each) for each in Format if each is not Format.BSL}
)
"""Needs that a channel meets by itself: email is set larger, phones set their own size, a caller speaks."""


@dataclass(frozen=True, slots=True)
class SkippedCount:
    """So many people will get nothing, and why."""

    place: Reach
    why: Why
    people: int


@dataclass(frozen=True, slots=True)
class Check:
    """What sending would do. ``problems`` stop it; ``warnings`` do not."""

    audience: int
    by_channel: list[tuple[str, int]]
    held: int
    """People whose quiet hours it is now: their message leaves when these end."""
    skipped: list[SkippedCount]
    missing_formats: list[tuple[Format, int]]
    missing_languages: list[tuple[str, int]]
    text_parts: int
    text_cost: Decimal
    empty_fields: list[tuple[str, int]]
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def sending(self) -> int:
        """How many people will be sent something, put on a call list or told by a public post."""
        return sum(people for _, people in self.by_channel)


@dataclass(frozen=True, slots=True)
class Choice:
    """How one person will be reached, or why not."""

    participant_id: int
    full_name: str
    channel: str
    address: str
    why: Why
    due_at: datetime | None


def check(session: Session, announcement_id: int, now: datetime) -> Check:
    """Try an announcement out on everyone, and remember whether this revision of it may be sent."""
    announcement = session.get(Announcement, announcement_id)
    if announcement is None:
        raise NotFound("There is no such announcement (any more).")
    planned = plan(session, announcement, now).subquery("planned")
    counts = session.execute(
        select(planned.c.channel, planned.c.state, planned.c.why, func.count(), func.count(planned.c.due_at)).group_by(
            planned.c.channel, planned.c.state, planned.c.why
        )
    ).all()
    by_channel = Counter({row[0]: row[3] for row in counts if row[0]})
    skipped = [SkippedCount(REACH[DeliveryState(row[1])], Why(row[2]), row[3]) for row in counts if not row[0]]
    texts = _texts(session, announcement, planned)
    empty = _empty_fields(session, announcement, planned)
    found = Check(
        audience=sum(row[3] for row in counts),
        by_channel=[(name, by_channel[name]) for name in CHANNELS if by_channel[name]],
        held=sum(row[4] for row in counts),
        skipped=sorted(skipped, key=lambda count: -count.people),
        missing_formats=_missing_formats(session, announcement, planned),
        missing_languages=_missing_languages(session, announcement, planned),
        text_parts=texts.parts,
        text_cost=cost_of(texts.parts),
        empty_fields=empty,
        problems=problems_of(announcement, now, someone=bool(by_channel), longest_text=texts.longest, empty=empty),
    )
    found.warnings.extend(_warnings(found, announcement.budget))
    announcement.checked_revision = None if found.problems else announcement.revision
    return found


def standing_problems(session: Session, announcement: Announcement, now: datetime) -> list[str]:
    """What stands in the way of an announcement that has been checked as it is, in a time that no audience makes long.

    Its words have not changed since. That nobody would be sent it any more, or that it is of no use by now, is noticed;
    a name that somebody has taken out of a person's details since then is not, nor a longer one.
    """
    part = next_slice(session, announcement)
    some = plan(session, announcement, now, part).subquery("some")
    everyone = plan(session, announcement, now).subquery("everyone")
    someone = any(
        session.scalar(select(found.c.participant_id).where(found.c.channel != "").limit(1)) is not None
        for found in (some, everyone)
    )
    return problems_of(announcement, now, someone=someone)


def choices(
    session: Session,
    announcement_id: int,
    now: datetime,
    *,
    channel: str | None = None,
    why: Why | None = None,
    search: str = "",
    page: int = 1,
    per_page: int = 50,
) -> Page[Choice]:
    """How each person would be reached, by name. ``channel`` "" means those who would get nothing."""
    announcement = session.get(Announcement, announcement_id)
    if announcement is None:
        raise NotFound("There is no such announcement (any more).")
    planned = plan(session, announcement, now).subquery("planned")
    conditions: list[ColumnElement[bool]] = []
    if channel is not None:
        conditions.append(planned.c.channel == channel)
    if why is not None:
        conditions.append(planned.c.why == why)
    if search.strip():
        conditions.append(Participant.search_text.contains(search.strip().casefold(), autoescape=True))
    chosen = select(planned).join(Participant, Participant.id == planned.c.participant_id).where(*conditions)
    total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    rows = session.execute(
        select(Participant, planned.c.channel, ContactPoint.address, planned.c.why, planned.c.due_at)
        .join(planned, planned.c.participant_id == Participant.id)
        .outerjoin(ContactPoint, ContactPoint.id == planned.c.contact_point_id)
        .where(*conditions)
        .order_by(Participant.sort_name, Participant.id)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    items = [
        Choice(person.id, person.full_name, name, address or "", Why(reason), due)
        for person, name, address, reason, due in rows
    ]
    return Page(items=items, page=page, per_page=per_page, total=total)


# --- What texts cost ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Texts:
    parts: int
    longest: int


def _texts(session: Session, announcement: Announcement, planned: Subquery) -> _Texts:
    """Parts are counted for each person's own text, but texts that come out the same are counted together."""
    variants = [variant for variant in announcement.variants if variant.channel == "text"]
    if not variants:
        return _Texts(0, 0)
    used = set(used_fields(*(variant.body for variant in variants)))
    names = (Participant.first_name, Participant.last_name, Participant.known_as)
    alike: list[Any] = [Participant.language, *(names if used & set(PERSONAL_FIELDS) else ())]
    grouped = session.execute(
        select(*alike, func.count())
        .join(planned, planned.c.participant_id == Participant.id)
        .where(planned.c.channel == "text")
        .group_by(*alike)
    )
    contents = {variant.id: content_of(variant) for variant in variants}
    parts = longest = 0
    for row in grouped:
        variant = choose_variant(variants, row[0], frozenset())
        assert variant is not None  # noqa: S101 - there are variants, so one is chosen
        person = Recipient(0, 0, 0, *(row[1:4] if len(alike) > 1 else ("", "", "")))
        content = contents[variant.id]
        body = fill_text(content.text, values_for(content, person))
        parts += segments(body).parts * row[-1]
        longest = max(longest, len(body))
    return _Texts(parts, longest)


# --- Who is missing something ---------------------------------------------------------------------------------


def _missing_formats(session: Session, announcement: Announcement, planned: Subquery) -> list[tuple[Format, int]]:
    there = {(variant.channel, variant.format) for variant in announcement.variants} | MET_BY_THE_CHANNEL
    needed = session.execute(
        select(planned.c.channel, NeededFormat.format, func.count())
        .join(NeededFormat, NeededFormat.participant_id == planned.c.participant_id)
        .where(planned.c.channel != "", NeededFormat.format != Format.STANDARD)
        .group_by(planned.c.channel, NeededFormat.format)
    )
    missing: Counter[Format] = Counter()
    for channel, format_, people in needed:
        if (channel, format_) not in there:
            missing[format_] += people
    return missing.most_common()


def _missing_languages(session: Session, announcement: Announcement, planned: Subquery) -> list[tuple[str, int]]:
    there = {(variant.channel, variant.language) for variant in announcement.variants}
    spoken = session.execute(
        select(planned.c.channel, Participant.language, func.count())
        .join(Participant, Participant.id == planned.c.participant_id)
        .where(planned.c.channel != "")
        .group_by(planned.c.channel, Participant.language)
    )
    missing: Counter[str] = Counter()
    for channel, language, people in spoken:
        if (channel, language) not in there:
            missing[language] += people
    return missing.most_common()


def _empty_fields(session: Session, announcement: Announcement, planned: Subquery) -> list[tuple[str, int]]:
    def without(name: str) -> ColumnElement[bool]:
        if name == "name":
            return and_(Participant.known_as == "", Participant.first_name == "", Participant.last_name == "")
        return (Participant.first_name if name == "first name" else Participant.last_name) == ""

    found = []
    for name in PERSONAL_FIELDS:
        channels = {v.channel for v in announcement.variants if name in used_fields(v.subject, v.body)}
        if not channels:
            continue
        people = session.scalar(
            select(func.count())
            .select_from(planned)
            .join(Participant, Participant.id == planned.c.participant_id)
            .where(planned.c.channel.in_(channels), without(name))
        )
        if people:
            found.append((name, people))
    return found


# --- What is worth knowing ------------------------------------------------------------------------------------


def _warnings(found: Check, budget: Decimal | None) -> list[str]:
    warnings = []
    if budget is not None and (most := parts_for(budget)) < found.text_parts:
        texts = dict(found.by_channel)["text"]
        warnings.append(
            f"The texts cost more than their limit of {settings().currency}{budget:,.2f}. Sending will stop after "
            f"about {texts * most // found.text_parts:,} of {texts:,} texts, until you raise the limit."
        )
    if found.held:
        warnings.append(f"It is quiet hours for {found.held:,} of them now: their message leaves when these end.")
    return warnings


__all__ = ["Check", "Choice", "SkippedCount", "check", "choices", "standing_problems"]
