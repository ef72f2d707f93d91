"""What texts may cost is never passed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from config.settings import Settings
from hub.announcements.models import Announcement, AnnouncementState, PausedBecause
from hub.db import read_session, write_session
from hub.deliveries import budgets, service
from tests.deliveries.people import NOW, announcement, somebody

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def launched(settings_for: Callable[..., Settings], database: object) -> int:
    """An announcement whose texts may cost a pound, at 20 pence a part."""
    assert database
    settings_for(text_part_price=0.2)
    with write_session() as session:
        somebody(session, "Ann", "text")
        made = announcement(session, budget=Decimal("1.00"))
        service.check(session, made.id, NOW)
        service.launch(session, made.id, by=None, now=NOW)
        return made.id


def set_aside(announcement_id: int, *parts: int) -> int:
    with write_session() as session:
        return budgets.set_aside(session, announcement_id, parts)


def state(announcement_id: int) -> tuple[AnnouncementState, PausedBecause, int]:
    with read_session() as session:
        found = session.get_one(Announcement, announcement_id)
        return found.state, found.paused_because, found.text_parts


def test_texts_are_sent_as_long_as_there_is_money_for_them(launched: int) -> None:
    assert set_aside(launched, 1, 1, 1) == 3
    assert set_aside(launched, 1, 1) == 2
    assert state(launched) == (AnnouncementState.UNDER_WAY, PausedBecause.ASKED, 5)


def test_an_announcement_pauses_before_its_budget_is_passed(launched: int) -> None:
    assert set_aside(launched, 2, 2, 2, 1) == 2
    assert state(launched) == (AnnouncementState.PAUSED, PausedBecause.BUDGET, 4)


def test_what_the_provider_did_not_take_costs_nothing(launched: int) -> None:
    set_aside(launched, 2, 2)
    with write_session() as session:
        budgets.give_back(session, launched, 2)
    assert state(launched)[2] == 2
    assert set_aside(launched, 3) == 1


def test_without_a_budget_nothing_is_counted() -> None:
    with write_session() as session:
        somebody(session, "Ann", "text")
        made = announcement(session)
    assert set_aside(made.id, 900, 900) == 2
    assert state(made.id)[2] == 0
