"""The most that an announcement's texts may cost: parts are set aside before they are sent, so it is never passed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import update
from sqlalchemy.orm import Session

from config.settings import settings
from hub.announcements.models import Announcement, AnnouncementState, PausedBecause
from hub.deliveries.planning import locked
from hub.errors import Conflict, HubError, NotFound

NOT_SENT_YET = {AnnouncementState.DRAFT, AnnouncementState.SCHEDULED}
STILL_SENDING = {AnnouncementState.UNDER_WAY, AnnouncementState.PAUSED}

AMOUNT = re.compile(r"(?P<whole>[0-9]{1,3}(,[0-9]{3}){1,2}|[0-9]{1,7})(?P<part>\.[0-9]{1,2})?")
"""What people type: 25, 12.50 or 1,250."""


class BadAmount(HubError):
    """400: what an announcement's texts may cost can't be that."""


def amount(text: str) -> Decimal | None:
    """An amount of money that somebody typed, with or without the sign of its currency; None for nothing.

    Raises BadAmount.
    """
    text = text.strip().removeprefix(settings().currency).strip()
    if not text:
        return None
    found = AMOUNT.fullmatch(text)
    money = Decimal(found["whole"].replace(",", "") + (found["part"] or "")) if found else Decimal(0)
    if money < Decimal("0.01"):
        raise BadAmount("Give an amount like 25 or 12.50.")
    return money


def set_budget(session: Session, announcement_id: int, budget: Decimal | None) -> bool:
    """Say how much an announcement's texts may cost. None: no limit, which can't be said once it has been sent.

    One that had stopped at its limit goes on; returns whether it does. Raises NotFound, BadAmount, or Conflict where
    nothing was counted or is sent any more.
    """
    announcement = locked(session, announcement_id)
    if announcement is None:
        raise NotFound("There is no such announcement (any more).")
    if announcement.state in NOT_SENT_YET:
        announcement.budget = budget
        return False
    if announcement.state not in STILL_SENDING:
        raise Conflict(f"“{announcement.title}” is not being sent any more, so its limit can’t be changed.")
    if announcement.budget is None:
        raise Conflict(f"“{announcement.title}” was sent without a limit. Pause it or cancel it to stop what is left.")
    stopped = announcement.state is AnnouncementState.PAUSED and announcement.paused_because is PausedBecause.BUDGET
    if budget is None or parts_for(budget) < announcement.text_parts or (stopped and budget <= announcement.budget):
        sign, least = settings().currency, announcement.budget if stopped else cost_of(announcement.text_parts)
        raise BadAmount(f"Give more than {sign}{least:,}.")
    announcement.budget = budget
    if stopped:
        announcement.state, announcement.paused_because = AnnouncementState.UNDER_WAY, PausedBecause.ASKED
    return stopped


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


def cost_of(parts: int) -> Decimal:
    """What so many parts of texts cost, to the penny."""
    return (parts * Decimal(str(settings().text_part_price))).quantize(Decimal("0.01"), ROUND_HALF_UP)
