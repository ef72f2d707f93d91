"""How many deliveries of an announcement are in which state: kept by the database, so that nobody has to count.

Triggers add to the tallies whenever deliveries change, whoever changes them; what planning writes it tallies itself,
once for a slice (:func:`tally`). On PostgreSQL changes are appended, so that writers never wait for each other, and
:func:`compact` adds them up now and then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from hub.deliveries.models import ReachTally
from hub.deliveries.rules import DeliveryState, Why

ENOUGH_ROWS = 100
"""An announcement with more is added up."""

KEYS = (
    ReachTally.announcement_id,
    ReachTally.channel,
    ReachTally.state,
    ReachTally.why,
    ReachTally.live,
    ReachTally.handed_over,
)
NAMES = [key.key for key in KEYS]


@dataclass(frozen=True, slots=True)
class Tally:
    """So many deliveries have all of this in common. ``handed_over``: the provider has given an id."""

    announcement_id: int
    channel: str
    state: DeliveryState
    why: Why
    live: bool
    handed_over: bool
    people: int


def tallies(session: Session, announcement_ids: Iterable[int]) -> list[Tally]:
    """The deliveries of some announcements, every attempt in one tally; largest first."""
    people = func.sum(ReachTally.people)
    found = session.execute(
        select(*KEYS, people)
        .where(ReachTally.announcement_id.in_(list(announcement_ids)))
        .group_by(*KEYS)
        .having(people > 0)
        .order_by(people.desc())
    )
    return [Tally(*row) for row in found]


def tally(session: Session, announcement_id: int, counts: Iterable[tuple[str, str, str, int]]) -> None:
    """Add live deliveries that were just written: channel, state, why and how many; the same more than once adds up."""
    totals: Counter[tuple[str, str, str]] = Counter()
    for *keys, people in counts:
        totals[keys[0], keys[1], keys[2]] += people
    for (channel, state, why), people in totals.items():
        same_keys = {"channel": channel, "state": state, "why": why, "live": True, "handed_over": False}
        row = {"announcement_id": announcement_id, **same_keys}
        if session.get_bind().dialect.name == "sqlite":  # one row for each key, which the triggers count up and down
            same = [key == row[key.key] for key in KEYS]
            known = update(ReachTally).where(*same).values(people=ReachTally.people + people)
            if session.scalar(known.returning(ReachTally.id).execution_options(synchronize_session=False)):
                continue
        session.execute(insert(ReachTally).values(**row, people=people))


def compact(session: Session, _now: datetime) -> int:
    """Add up what has been appended on PostgreSQL. Returns how many announcements that was done for."""
    if session.get_bind().dialect.name == "sqlite":
        return 0
    ids = session.scalars(
        select(ReachTally.announcement_id).group_by(ReachTally.announcement_id).having(func.count() > ENOUGH_ROWS)
    ).all()
    for announcement_id in ids:
        gone = (
            delete(ReachTally).where(ReachTally.announcement_id == announcement_id).returning(*KEYS, ReachTally.people)
        ).cte("gone")
        keys = [gone.c[name] for name in NAMES]
        people = func.sum(gone.c.people)
        summed = select(*keys, people).group_by(*keys).having(people != 0)
        session.execute(insert(ReachTally).from_select([*NAMES, "people"], summed, include_defaults=False))
    return len(ids)
