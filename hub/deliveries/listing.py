"""The list of announcements, each with how far it has got."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement, AnnouncementState
from hub.deliveries.queries import place_of
from hub.deliveries.rules import Reach
from hub.deliveries.tallies import tallies
from hub.paging import Page, page_bounds
from hub.participants.models import Topic
from hub.participants.rules import clean, like_pattern


@dataclass(frozen=True, slots=True)
class AnnouncementRow:
    """An announcement on the list. ``places`` are empty for a draft."""

    id: int
    title: str
    topic: str
    state: AnnouncementState
    urgent: bool
    created_at: datetime
    starts_at: datetime | None
    launched_at: datetime | None
    closed_at: datetime | None
    places: dict[Reach, int]

    @property
    def audience(self) -> int:
        """How many people have a delivery."""
        return sum(self.places.values())


def announcements(
    session: Session, *, state: AnnouncementState | None = None, search: str = "", page: int = 1, per_page: int = 20
) -> Page[AnnouncementRow]:
    """A page of announcements, newest first: by launch, by when it is to be, or by when the draft was begun."""
    conditions: list[ColumnElement[bool]] = [
        Announcement.title.ilike(like_pattern(word), escape="\\") for word in clean(search).split()
    ]
    if state is not None:
        conditions.append(Announcement.state == state)
    total = session.scalar(select(func.count()).select_from(Announcement).where(*conditions)) or 0
    offset, limit = page_bounds(page, per_page)
    found = session.execute(
        select(Announcement, Topic.name)
        .join(Topic, Topic.id == Announcement.topic_id)
        .where(*conditions)
        .order_by(
            func.coalesce(Announcement.launched_at, Announcement.starts_at, Announcement.created_at).desc(),
            Announcement.id.desc(),
        )
        .offset(offset)
        .limit(limit)
    ).all()
    places = _places(session, [row.id for row, _ in found if row.state is not AnnouncementState.DRAFT])
    items = [_row(announcement, topic, places.get(announcement.id, {})) for announcement, topic in found]
    return Page(items, max(page, 1), limit, total)


def counts_by_state(session: Session) -> dict[AnnouncementState, int]:
    """How many announcements are in each state."""
    found = session.execute(select(Announcement.state, func.count()).group_by(Announcement.state))
    counts = {state: number for state, number in found}  # noqa: C416 - rows are not pairs to a type checker
    return {state: counts.get(state, 0) for state in AnnouncementState}


def _places(session: Session, announcement_ids: Iterable[int]) -> dict[int, dict[Reach, int]]:
    places: dict[int, dict[Reach, int]] = {}
    for each in tallies(session, announcement_ids):
        if each.live:
            account = places.setdefault(each.announcement_id, dict.fromkeys(Reach, 0))
            account[place_of(each.state, each.channel)] += each.people
    return places


def _row(announcement: Announcement, topic: str, places: dict[Reach, int]) -> AnnouncementRow:
    return AnnouncementRow(
        id=announcement.id,
        title=announcement.title,
        topic=topic,
        state=announcement.state,
        urgent=announcement.urgent,
        created_at=announcement.created_at,
        starts_at=announcement.starts_at,
        launched_at=announcement.launched_at,
        closed_at=announcement.closed_at,
        places=places,
    )
