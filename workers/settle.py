"""Asks a provider which uncertain messages it has taken: what it has not is sent again, what it has is not."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from channels.base import Channel, Finder, Found, Progress, ReceiptEvent, Rejection
from channels.filling import fill_text
from hub.db import read_session, utc_now, write_session
from hub.deliveries import uncertain
from hub.deliveries.intake import store
from hub.deliveries.recording import Result, record
from hub.deliveries.rules import DeliveryState, Why
from hub.deliveries.uncertain import Question
from workers.messages import texts
from workers.underway import REJECTED

log = structlog.get_logger()

STATES = {
    None: DeliveryState.SENT,
    Progress.SENT: DeliveryState.SENT,
    Progress.DELIVERED: DeliveryState.DELIVERED,
    Progress.FAILED: DeliveryState.FAILED,
}


def settle(channel: str, to: Channel) -> None:
    """Ask a channel's provider about some of the uncertain deliveries, if any is due, and write down what it says."""
    with read_session() as session:
        if not uncertain.is_due(session, channel, utc_now()):
            return
    if not isinstance(to, Finder):
        with write_session() as session:
            uncertain.cannot_be_asked(session, channel, utc_now())
        return
    with write_session() as session:
        questions = uncertain.questions(session, channel, utc_now())
    answers = to.find([(question.start.address, question.since) for question in questions])
    for question, found in zip(questions, answers, strict=True):
        if found is None:
            log.warning("provider can’t be asked", channel=channel, delivery=question.start.delivery_id)
            continue
        if question.provider_id is not None:
            reports = [_report(question, one) for one in found if one.provider_id == question.provider_id]
            store(channel, reports, utc_now())
        with write_session() as session:
            uncertain.asked(session, question, utc_now())
            if question.provider_id is not None:
                continue
            result = _result(session, channel, question, found)
            if result is not None:
                record(session, [result], utc_now())
        log.info("settled", channel=channel, delivery=question.start.delivery_id, state=result and result.state)


def _report(question: Question, one: Found) -> ReceiptEvent:
    """What a provider says when it is asked, as if it had told us by itself."""
    event_id = f"asked:{one.provider_id}:{one.progress}:{one.code}"
    return ReceiptEvent(
        event_id,
        question.start.delivery_id,
        one.provider_id,
        one.progress,
        one.why,
        one.code,
        opts_out=one.why is Rejection.OPTED_OUT,
    )


def _result(session: Session, channel: str, question: Question, found: list[Found]) -> Result | None:
    """What a delivery has become by what its provider has for its address. None: that can't be told, or not yet."""
    start = question.start
    if any(not one.text for one in found):
        return None  # the provider keeps no words, so that no message can be told from another
    message = texts(question.announcement_id, channel).message(start, utc_now())
    words = _words(fill_text(message.content.text, message.values))
    same = {one.provider_id: one for one in found if _words(one.text).endswith(words)}
    for taken in uncertain.provider_ids_of_others(session, start.address, start.delivery_id, list(same)):
        del same[taken]
    if not same:
        return Result(start.delivery_id, DeliveryState.FAILED, Why.NOT_SENT)
    if uncertain.others_may_be_meant(session, question):
        return None
    one = next(iter(same.values()))
    why = REJECTED[one.why] if one.why else Why.NONE
    return Result(start.delivery_id, STATES[one.progress], why, one.provider_id, one.code or None)


def _words(text: str) -> str:
    """A text without regard to spaces, which providers trim; a trial account's prefix stands before it."""
    return " ".join(text.split())
