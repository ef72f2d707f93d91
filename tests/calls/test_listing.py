"""Who is on a call list, and under which number."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from hub.calls import rules
from hub.calls.models import CallList, CallListRow
from hub.calls.service import put_on_list
from hub.db import read_session, write_session
from tests.calls.calling import deliveries
from tests.deliveries.people import NOW, announcement


def rows() -> list[tuple[int, int]]:
    with read_session() as session:
        found = session.execute(select(CallListRow.number, CallListRow.delivery_id).order_by(CallListRow.number))
        return [(number, delivery_id) for number, delivery_id in found]


def test_people_are_listed_by_name_and_later_ones_follow(database: Engine) -> None:
    with write_session() as session:
        meeting = announcement(session).id
        zoe, ann = deliveries(session, meeting, "Zoe", "Ann")
        put_on_list(session, meeting, [zoe, ann], NOW)
    with write_session() as session:
        [bob] = deliveries(session, meeting, "Bob")
        put_on_list(session, meeting, [bob, ann], NOW)
        put_on_list(session, meeting, [bob], NOW)
    assert rows() == [(1, ann), (2, zoe), (3, bob)]
    with read_session() as session:
        [code] = session.scalars(select(CallList.code))
    assert len(code) == 4
    assert set(code) <= set(rules.CODE_LETTERS)


def test_only_deliveries_that_are_on_a_list_get_a_place(database: Engine) -> None:
    with write_session() as session:
        meeting = announcement(session).id
        other = announcement(session).id
        failed = deliveries(session, meeting, "Ann", state="failed")
        elsewhere = deliveries(session, other, "Bob")
        put_on_list(session, meeting, [*failed, *elsewhere, 999], NOW)
        put_on_list(session, meeting, [], NOW)
    assert rows() == []
    with read_session() as session:
        assert session.scalars(select(CallList.id)).all() == []


def test_each_announcement_has_a_list_of_its_own(database: Engine) -> None:
    with write_session() as session:
        for _ in range(2):
            meeting = announcement(session).id
            put_on_list(session, meeting, deliveries(session, meeting, "Ann"), NOW)
    assert [number for number, _ in rows()] == [1, 1]


def test_a_code_that_is_taken_is_not_given_again(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "CODE_LETTERS", "K7")
    with write_session() as session:
        for _ in range(18):
            meeting = announcement(session).id
            put_on_list(session, meeting, deliveries(session, meeting, "Ann"), NOW)
        codes = session.scalars(select(CallList.code)).all()
    assert len(set(codes)) == 18
