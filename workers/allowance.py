"""How much a job may send: by the rate of its sender, and by the budget of its announcement."""

from __future__ import annotations

from collections.abc import Iterable

from channels.base import Message
from channels.filling import fill_text
from channels.text.segments import segments
from config.channels import CHANNELS
from hub.db import write_session
from hub.deliveries import budgets
from workers.rates import Rate
from workers.underway import Underway


class Allowance:
    """What one job is allowed. ``used_up``: the rate is reached for now, so that a later job goes on."""

    def __init__(self, channel: str) -> None:
        self._counts_parts = CHANNELS[channel].counts_parts
        self._rate = Rate(channel)
        self.used_up = False

    def take(self, wanted: int) -> int:
        """How many of ``wanted`` messages may be started now."""
        granted = self._rate.take(wanted)
        self.used_up = granted == 0
        return granted

    def leave(self, number: int) -> None:
        """So many that were granted are not used."""
        self._rate.take_all(-number)

    def agreed(self, each: Underway, messages: Iterable[Message]) -> Iterable[Message]:
        """Those of a window's messages, from the first on, that there is money for. Where parts do not count: all."""
        if not self._counts_parts or not (each.batch.has_budget or self._rate.per_second):
            return messages
        made = list(messages)
        parts = [segments(fill_text(message.content.text, message.values)).parts for message in made]
        texts = len(made)
        if each.batch.has_budget:
            with write_session() as session:
                texts = budgets.set_aside(session, each.batch.announcement_id, parts)
            each.parts.update((made[place].delivery_id, parts[place]) for place in range(texts))
        self._rate.take_all(sum(parts[:texts]) - len(made))
        return made[:texts]
