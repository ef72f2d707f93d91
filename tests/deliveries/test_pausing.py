"""Pausing an announcement of which a worker is in the middle."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hub.db import read_session, write_session
from hub.deliveries import scheduling, sending, service, starting
from hub.deliveries.models import Delivery
from hub.deliveries.rules import DeliveryState
from hub.errors import Conflict
from tests.deliveries.people import NOW, announcement, somebody

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def checked() -> int:
    """An announcement for four people by text."""
    with write_session() as session:
        for name in ("Ann", "Bob", "Cat", "Dan"):
            somebody(session, name, "text")
        made = announcement(session).id
        service.check(session, made, NOW)
        return made


def test_nothing_more_of_a_batch_is_started_once_it_is_paused_until_it_goes_on(checked: int) -> None:
    with write_session() as session:
        service.launch(session, checked, None, NOW)
    with write_session() as session:
        batch = sending.lease_batch(session, "text", "worker-1", NOW)
        assert batch is not None
        started = starting.start(session, batch, 2, NOW)
        assert started is not None
    with write_session() as session:
        service.pause(session, checked)
    with write_session() as session:
        assert starting.start(session, batch, 2, NOW) is None
    with read_session() as session:
        assert set(session.scalars(select(Delivery.state))) == {DeliveryState.PLANNED}
    with write_session() as session:
        service.resume(session, checked)
    with write_session() as session:
        others = starting.start(session, batch, 2, NOW)
        assert others is not None
    assert len({each.delivery_id for each in [*started, *others]}) == 4


def test_what_has_not_left_yet_is_taken_back_instead_of_paused_or_cancelled(checked: int) -> None:
    with write_session() as session:
        scheduling.send(session, checked, None, NOW)
        for stop in (service.pause, service.resume):
            with pytest.raises(Conflict):
                stop(session, checked)
        with pytest.raises(Conflict, match="nothing to cancel"):
            service.cancel(session, checked, NOW)
