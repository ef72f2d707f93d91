"""The most that an announcement's texts may cost: parts are set aside before they are sent, so it is never passed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import update
from sqlalchemy.orm import Session

from config.settings import settings
from hub.announcements.models import Announcement, AnnouncementState, PausedBecause
from hub.deliveries.planning import locked


def set_aside(session: Session, announcement_id: int, parts: Sequence[int]) -> int:
    """Set the parts of texts aside, one number a text. Returns for how many texts, from the first on, there is money.

    Where that is not for all of them, the announcement is paused, and says that it is because of its budget.
    """
    announcement = locked(session, announcement_id)
    if announcement is None or announcement.budget is None:
        return len(parts)
    most = parts_for(announcement.budget)
    texts = 0
    for each in parts:
        if announcement.text_parts + each > most:
            break
        announcement.text_parts += each
        texts += 1
    if texts < len(parts) and announcement.state is AnnouncementState.UNDER_WAY:
        announcement.state, announcement.paused_because = AnnouncementState.PAUSED, PausedBecause.BUDGET
    return texts


def give_back(session: Session, announcement_id: int, parts: int) -> None:
    """Parts that had been set aside were not taken by the provider."""
    session.execute(
        update(Announcement)
        .where(Announcement.id == announcement_id, Announcement.budget.is_not(None))
        .values(text_parts=Announcement.text_parts - parts)
        .execution_options(synchronize_session=False)
    )


def parts_for(budget: Decimal) -> int:
    """How many parts of texts an amount of money pays for; with a price of 0, any number."""
    price = Decimal(str(settings().text_part_price))
    return int(budget / price) if price else 2**31
