"""Telephone calls: nothing is dialled here. A volunteer rings; the delivery goes onto a call list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from channels.base import Accepted, Channel, Message, Outcome
from config.settings import Settings


def from_settings(_settings: Settings) -> Channel:
    """The call list, which needs no settings."""
    return CallList()


class CallList:
    """Takes every delivery: what becomes of it, a volunteer says later."""

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """See :class:`channels.base.Channel`."""
        for message in messages:
            yield message.delivery_id, Accepted()

    def check(self) -> str | None:
        """There is nothing that could be wrong."""
        return None

    def close(self) -> None:
        """There is nothing to let go of."""
