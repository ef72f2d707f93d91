"""Setting, checking and raising what an announcement's texts may cost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from config.settings import Settings
from hub.announcements.models import Announcement, AnnouncementState, PausedBecause
from hub.db import read_session, write_session
from hub.deliveries import budgets, service
from hub.deliveries.budgets import BadAmount
from hub.errors import Conflict
from tests.deliveries.people import NOW, announcement, somebody


@pytest.fixture
def draft(settings_for: Callable[..., Settings], database: object) -> int:
    """For four people by text, at 20 pence a part."""
    assert database
    settings_for(text_part_price=0.2)
    with write_session() as session:
        for name in ("Ann", "Bob", "Cat", "Dan"):
            somebody(session, name, "text")
        return announcement(session).id


def limit(announcement_id: int, budget: str | None) -> bool:
    with write_session() as session:
        return budgets.set_budget(session, announcement_id, Decimal(budget) if budget else None)


def stopped_at_a_pound(announcement_id: int) -> None:
    limit(announcement_id, "1.00")
    with write_session() as session:
        service.check(session, announcement_id, NOW)
        service.launch(session, announcement_id, None, NOW)
        assert budgets.set_aside(session, announcement_id, [2, 2, 2]) == 2


def state(announcement_id: int) -> tuple[AnnouncementState, PausedBecause, Decimal | None]:
    with read_session() as session:
        found = session.get_one(Announcement, announcement_id)
        return found.state, found.paused_because, found.budget


def test_a_check_says_when_the_limit_is_too_low_and_how_far_it_goes(draft: int) -> None:
    with write_session() as session:
        assert service.check(session, draft, NOW).warnings == []
    limit(draft, "0.80")
    with write_session() as session:
        assert service.check(session, draft, NOW).warnings == []
    limit(draft, "0.50")
    with write_session() as session:
        found = service.check(session, draft, NOW)
        assert not found.problems
        assert "limit of £0.50. Sending will stop after about 2 of 4 texts" in found.warnings[0]


def test_a_higher_limit_lets_it_go_on(draft: int) -> None:
    stopped_at_a_pound(draft)
    with write_session() as session, pytest.raises(Conflict, match="Raise that first"):
        service.resume(session, draft)
    assert limit(draft, "1.40")
    assert state(draft) == (AnnouncementState.UNDER_WAY, PausedBecause.ASKED, Decimal("1.40"))


@pytest.mark.parametrize(("budget", "least"), [("1.00", "£1.00"), ("0.10", "£1.00"), (None, "£1.00")])
def test_a_limit_that_would_stop_it_again_is_refused(draft: int, budget: str | None, least: str) -> None:
    stopped_at_a_pound(draft)
    with pytest.raises(BadAmount, match=least):
        limit(draft, budget)
    assert state(draft)[:2] == (AnnouncementState.PAUSED, PausedBecause.BUDGET)


def test_what_is_paused_by_hand_stays_paused_whatever_its_limit(draft: int) -> None:
    limit(draft, "1.00")
    with write_session() as session:
        service.check(session, draft, NOW)
        service.launch(session, draft, None, NOW)
        service.pause(session, draft)
    assert not limit(draft, "5")
    assert state(draft)[0] is AnnouncementState.PAUSED


def test_a_limit_can_not_be_set_where_nothing_was_counted_or_is_sent_any_more(draft: int) -> None:
    with write_session() as session:
        service.check(session, draft, NOW)
        service.launch(session, draft, None, NOW)
    with pytest.raises(Conflict, match="without a limit"):
        limit(draft, "5")
    with write_session() as session:
        service.cancel(session, draft, NOW)
    with pytest.raises(Conflict, match="not being sent any more"):
        limit(draft, "5")


@pytest.mark.parametrize(
    ("typed", "money"), [("", None), (" £25 ", "25"), ("12.5", "12.5"), ("0.01", "0.01"), ("1,250.00", "1250.00")]
)
def test_amounts_are_read_as_people_type_them(typed: str, money: str | None) -> None:
    assert budgets.amount(typed) == (Decimal(money) if money else None)


@pytest.mark.parametrize("typed", ["0", "0.00", "-1", "12,50", "1.234", "ten", "NaN", "Infinity", "1e5", "9" * 12, "٣"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(BadAmount, match=r"like 25 or 12\.50"):
        budgets.amount(typed)
