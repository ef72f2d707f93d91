"""A batch in the middle of being sent, and what an answer means for a delivery of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

from channels.base import Accepted, Outcome, Rejected, Rejection, TryLater
from config.channels import ChannelEntry, Handover
from hub.deliveries.recording import Result
from hub.deliveries.rules import DeliveryState, Why
from hub.deliveries.sending import LeasedBatch

LONGEST_WAIT = timedelta(minutes=15)
LONGEST_PROVIDER_ID = 80
"""Characters of it that are kept. No provider's are longer, and one that were must not stop the others' recording."""

HANDED_OVER = {
    Handover.SENT: DeliveryState.SENT,
    Handover.ON_LIST: DeliveryState.ON_LIST,
    Handover.POSTED: DeliveryState.POSTED,
}
REJECTED = {
    Rejection.CONTACT_POINT_IS_BAD: Why.CONTACT_POINT_IS_BAD,
    Rejection.OPTED_OUT: Why.OPTED_OUT,
    Rejection.CONTENT: Why.CONTENT,
    Rejection.NOT_DELIVERED: Why.NOT_DELIVERED,
    Rejection.NOT_NOW: Why.NOT_NOW,
    Rejection.UNEXPLAINED: Why.UNEXPLAINED,
}


@dataclass(slots=True)
class Underway:
    """A leased batch: what of it is in the provider's hands without an answer yet, and whether all of it was."""

    batch: LeasedBatch
    unanswered: set[int] = field(default_factory=set)
    handed_over: bool = False
    try_later: TryLater | None = None
    parts: dict[int, int] = field(default_factory=dict)
    """With a budget: parts that were set aside for deliveries, and not taken by the provider yet."""

    def wait(self) -> timedelta:
        """As long as the provider asked for, or twice as long as last time; with jitter, lest all come at once."""
        asked = self.try_later.after if self.try_later else timedelta()
        backed_off = timedelta(seconds=2**self.batch.failures)
        return max(asked, min(backed_off, LONGEST_WAIT)) * random.uniform(1.0, 1.25)  # noqa: S311 - no secret


def result_of(entry: ChannelEntry, delivery_id: int, outcome: Outcome) -> Result:
    """What a delivery becomes by an outcome that settles it, or leaves it uncertain."""
    match outcome:
        case Accepted():
            provider_id = outcome.provider_id[:LONGEST_PROVIDER_ID] or None
            return Result(delivery_id, HANDED_OVER[entry.handover], Why.NONE, provider_id)
        case Rejected():
            return Result(delivery_id, DeliveryState.FAILED, REJECTED[outcome.why], None, outcome.code[:40])
        case TryLater():
            return Result(delivery_id, DeliveryState.FAILED, Why.PROVIDER_BUSY, None, outcome.code[:40])
        case _:
            return Result(delivery_id, DeliveryState.UNCERTAIN)
