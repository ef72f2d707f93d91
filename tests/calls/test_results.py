"""What callers tell us, and what comes of it."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from hub.calls import queries, service
from hub.calls.models import CallOutcome, CallRecord
from hub.calls.queries import Show
from hub.calls.service import Result
from hub.db import read_session, write_session
from hub.deliveries.ladder import take_next_steps
from hub.deliveries.models import Delivery, FollowUp
from hub.deliveries.queries import reach
from hub.deliveries.rules import DeliveryState, Reach, Why
from hub.deliveries.service import close_finished
from hub.errors import Conflict, NotFound
from hub.participants.models import (
    ConsentEvent,
    ConsentKind,
    ConsentSource,
    ContactPoint,
    ContactPointState,
    Participant,
)
from tests.calls.calling import list_of
from tests.deliveries.people import NOW, contact_point


@pytest.fixture
def call_list(database: Engine) -> int:
    """A list of Ann (1), Bob (2) and Cy (3); their deliveries have the same numbers."""
    with write_session() as session:
        call_list_id, made = list_of(session, "Ann", "Bob", "Cy")
    assert made == [1, 2, 3]
    return call_list_id


def record(call_list: int, *results: Result) -> tuple[list[int], list[int]]:
    with write_session() as session:
        return service.record_results(session, call_list, results, by=None, now=NOW)


def undo(call_list: int, record_id: int) -> bool:
    with write_session() as session:
        return service.undo(session, call_list, record_id, by=None, now=NOW)


def delivery(delivery_id: int = 1) -> Delivery:
    with read_session() as session:
        return session.get_one(Delivery, delivery_id)


def point(delivery_id: int = 1) -> ContactPoint:
    with read_session() as session:
        return session.get_one(ContactPoint, session.get_one(Delivery, delivery_id).contact_point_id)


def row(call_list: int, delivery_id: int = 1) -> queries.CallRow:
    with read_session() as session:
        found = queries.rows(session, call_list, show=Show.ALL)
    return next(each for each in found.items if each.delivery_id == delivery_id)


def places() -> dict[Reach, int]:
    with read_session() as session:
        return {place: people for place, people in reach(session, 1).places.items() if people}


def test_whoever_was_told_is_reached(call_list: int) -> None:
    assert places() == {Reach.WAITING_FOR_CALL: 3}
    assert record(call_list, Result(1, CallOutcome.TOLD, "Will come")) == ([1], [])
    assert (delivery().state, delivery().why) == (DeliveryState.CONFIRMED, Why.TOLD_BY_PHONE)
    assert places() == {Reach.REACHED: 1, Reach.WAITING_FOR_CALL: 2}
    with read_session() as session:
        listed = queries.call_list(session, call_list)
    assert (listed.total, listed.waiting, listed.done, listed.told) == (3, 2, 1, 1)


@pytest.mark.parametrize("outcome", [CallOutcome.WRONG_NUMBER, CallOutcome.NUMBER_DEAD])
def test_a_number_that_does_not_reach_them_is_bad_and_the_next_way_is_tried(
    call_list: int, outcome: CallOutcome
) -> None:
    with write_session() as session:
        contact_point(session, session.get_one(Participant, delivery().participant_id), "email", 2)
    record(call_list, Result(1, outcome))
    assert (delivery().state, delivery().why) == (DeliveryState.FAILED, Why.CONTACT_POINT_IS_BAD)
    assert point().state is ContactPointState.BAD
    with write_session() as session:
        assert take_next_steps(session, NOW) == 1
    with read_session() as session:
        following = session.scalars(select(Delivery).where(Delivery.participant_id == 1, Delivery.live)).one()
    assert (following.channel, following.state) == ("email", DeliveryState.PLANNED)


def test_whoever_wants_no_calls_gets_none_and_there_is_evidence(call_list: int) -> None:
    record(call_list, Result(1, CallOutcome.STOP_PHONING, "“please stop”"))
    assert (delivery().state, delivery().why) == (DeliveryState.DECLINED, Why.OPTED_OUT)
    assert point().state is ContactPointState.OPTED_OUT
    with read_session() as session:
        [event] = session.scalars(select(ConsentEvent))
    assert (event.kind, event.source, event.channel) == (ConsentKind.WITHDREW, ConsentSource.CALL, "phone")
    assert "please stop" in event.wording


@pytest.mark.parametrize("outcome", [CallOutcome.NO_ANSWER, CallOutcome.LEFT_MESSAGE, CallOutcome.CALL_BACK])
def test_whoever_was_not_reached_stays_on_the_list_and_tries_are_counted(call_list: int, outcome: CallOutcome) -> None:
    for tries in range(2):
        record(call_list, Result(1, outcome, seen=tries))
    assert delivery().state is DeliveryState.ON_LIST
    assert (row(call_list).attempts, row(call_list).outcome) == (2, outcome)


def test_after_three_tries_the_next_way_can_be_tried(call_list: int) -> None:
    with write_session() as session:
        assert service.give_up(session, call_list, NOW) == 0
    for tries in range(3):
        record(call_list, Result(1, CallOutcome.NO_ANSWER, seen=tries))
    with read_session() as session:
        assert queries.call_list(session, call_list).tried_enough == 1
    with write_session() as session:
        assert service.give_up(session, call_list, NOW) == 1
        take_next_steps(session, NOW)
    assert (delivery().state, delivery().why) == (DeliveryState.UNREACHABLE, Why.NO_ANSWER)
    assert delivery(2).state is DeliveryState.ON_LIST


def test_a_concern_waits_for_an_organiser_and_the_person_for_a_call(call_list: int) -> None:
    [made], _ = record(call_list, Result(1, CallOutcome.WORRIED, "She said: I have not eaten"))
    assert delivery().state is DeliveryState.ON_LIST
    with read_session() as session:
        [concern] = queries.concerns(session)
        assert (concern.record_id, concern.name, concern.note) == (made, "Ann", "She said: I have not eaten")
        assert queries.call_list(session, call_list).concerns == queries.open_concern_count(session) == 1
    with write_session() as session:
        service.deal_with(session, made, NOW)
        assert queries.concerns(session) == []
        with pytest.raises(NotFound):
            service.deal_with(session, 999, NOW)


def test_the_same_result_twice_counts_once(call_list: int) -> None:
    assert record(call_list, Result(1, CallOutcome.NO_ANSWER)) == ([1], [])
    assert record(call_list, Result(1, CallOutcome.NO_ANSWER)) == ([], [])
    assert row(call_list).attempts == 1


def test_whoever_was_slower_changes_nothing(call_list: int) -> None:
    record(call_list, Result(1, CallOutcome.TOLD), Result(2, CallOutcome.NO_ANSWER))
    assert record(call_list, Result(1, CallOutcome.NO_ANSWER), Result(2, CallOutcome.WRONG_NUMBER)) == ([], [1, 2])
    assert delivery(1).state is DeliveryState.CONFIRMED
    assert point(2).state is ContactPointState.USABLE


def test_results_for_people_who_are_not_on_this_list_are_left_alone(call_list: int) -> None:
    with write_session() as session:
        other, [elsewhere] = list_of(session, "Dee")
    assert record(call_list, Result(elsewhere, CallOutcome.TOLD), Result(999, CallOutcome.TOLD)) == (
        [],
        [elsewhere, 999],
    )
    assert other != call_list


@pytest.mark.parametrize(
    "outcome", [CallOutcome.TOLD, CallOutcome.WRONG_NUMBER, CallOutcome.STOP_PHONING, CallOutcome.NO_ANSWER]
)
def test_a_mistake_is_taken_back_with_all_that_it_did(call_list: int, outcome: CallOutcome) -> None:
    [made], _ = record(call_list, Result(1, outcome))
    assert undo(call_list, made)
    assert not undo(call_list, made)
    assert (delivery().state, delivery().why) == (DeliveryState.ON_LIST, Why.NONE)
    assert point().state is ContactPointState.USABLE
    assert (row(call_list).outcome, row(call_list).attempts) == (None, 0)
    with read_session() as session:
        assert session.scalars(select(FollowUp.delivery_id)).all() == []
        assert len(session.scalars(select(CallRecord.id)).all()) == 1
    assert record(call_list, Result(1, CallOutcome.TOLD)) == ([made + 1], [])


def test_what_others_have_built_on_is_not_taken_back(call_list: int) -> None:
    [first], _ = record(call_list, Result(1, CallOutcome.NO_ANSWER))
    record(call_list, Result(1, CallOutcome.LEFT_MESSAGE, seen=first))
    with pytest.raises(Conflict, match="later result"):
        undo(call_list, first)
    [wrong], _ = record(call_list, Result(2, CallOutcome.WRONG_NUMBER))
    with write_session() as session:
        take_next_steps(session, NOW)
    with pytest.raises(Conflict, match="next way"):
        undo(call_list, wrong)
    with pytest.raises(NotFound):
        undo(call_list, 999)


def test_taking_back_the_last_call_opens_the_announcement_again(call_list: int) -> None:
    record(call_list, *(Result(number, CallOutcome.TOLD) for number in (1, 2, 3)))
    with write_session() as session:
        assert close_finished(session, NOW) == [1]
    undo(call_list, 3)
    with read_session() as session:
        assert not reach(session, 1).closed
    assert places() == {Reach.REACHED: 2, Reach.WAITING_FOR_CALL: 1}


def test_rows_keep_their_order_and_can_be_searched(call_list: int) -> None:
    record(call_list, Result(2, CallOutcome.TOLD))
    with write_session() as session:
        session.get_one(Participant, 3).search_text = "cy +447700900003"
    with read_session() as session:
        assert [each.number for each in queries.rows(session, call_list).items] == [1, 3]
        assert [each.number for each in queries.rows(session, call_list, show=Show.DONE).items] == [2]
        assert [each.number for each in queries.rows(session, call_list, show=Show.ALL).items] == [1, 2, 3]
        assert [each.number for each in queries.rows(session, call_list, search="CY").items] == [3]
        assert queries.rows(session, call_list, page=2, per_page=1).items[0].number == 3
        assert [each.id for each in queries.call_lists(session).items] == [call_list]
        assert queries.id_of(session, queries.call_list(session, call_list).code.lower()) == call_list
