"""Phone calls are made by people: this channel hands deliveries over to a call list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from channels.base import Accepted, Message, Outcome
from config.settings import Settings


class CallListChannel:
    """Takes every delivery. The hub puts it on a list; the provider is a volunteer."""

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """Accept each message."""
        for message in messages:
            yield message.delivery_id, Accepted()

    def check(self) -> str | None:
        """Nothing needs to be set up."""
        return None

    def close(self) -> None:
        """Nothing is held open."""


def from_settings(settings: Settings) -> CallListChannel:  # noqa: ARG001 - every channel is made from the settings
    """The phone channel."""
    return CallListChannel()
