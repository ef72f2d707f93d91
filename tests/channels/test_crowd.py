"""Many calls in flight from a plain generator."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Accepted, Content, Message, Outcome, TryLater
from channels.crowd import FEWEST, Crowd, Pace

EMPTY = Content(text="")


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    running = uvloop.new_event_loop()
    yield running
    running.close()


@given(st.sampled_from([0, 1, 3, 64, 65, 499, 500, 501, 1000]), st.sampled_from([1, 4, 64]))
def test_every_message_is_answered_once_and_it_ends(
    loop: asyncio.AbstractEventLoop, count: int, in_flight: int
) -> None:
    running = 0

    async def send_one(message: Message) -> Outcome:
        nonlocal running
        running += 1
        assert running <= in_flight
        await asyncio.sleep(0 if message.delivery_id % 3 else 0.0005)
        running -= 1
        return Accepted(str(message.delivery_id))

    messages = (Message(number, "", EMPTY) for number in range(count))
    results = list(Crowd(loop, send_one, in_flight).send(messages))
    assert sorted(results, key=lambda result: result[0]) == [(n, Accepted(str(n))) for n in range(count)]


def test_a_provider_that_is_busy_gets_half_as_many_calls_and_later_more_again() -> None:
    pace = Pace(64)
    busy = TryLater("429", timedelta(seconds=9))
    for _ in range(64):
        pace.note(busy, now=100.0)
    assert (pace.allowed, pace.paused_until) == (32, 101.0)
    for second in range(200, 220):
        pace.note(busy, now=float(second))
    assert pace.allowed == FEWEST
    for _ in range(5_000):
        pace.note(Accepted(), now=300.0)
    assert pace.allowed == 64
