"""The contract between the hub and everything that can carry a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Content:
    """What one variant of an announcement says, with ``((field))`` where a person's own value goes.

    ``html`` is finished, safe HTML apart from the fields. Channels use the parts that they can carry.
    One object is shared by every message of the variant, so adapters may cache what they derive from it.
    """

    text: str
    subject: str = ""
    html: str = ""
    language: str = "en"
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery, ready to be sent. ``values`` holds plain text for each of ``content.fields``."""

    delivery_id: int
    address: str
    content: Content
    values: Mapping[str, str] = field(default_factory=dict)
    status_callback: str = ""
    """Where the provider reports on this delivery; carries the delivery's id. Empty where none is wanted."""
    unsubscribe_url: str = ""
    idempotency_key: str = ""
    """The same for every try of the same message, where the provider recognises repeats. Empty: the delivery's id."""
    valid_for: timedelta | None = None
    """How long the message is still of use. None: no limit."""


class Rejection(StrEnum):
    """Why a provider will never take this message for this contact point."""

    CONTACT_POINT_IS_BAD = "contact_point_is_bad"
    OPTED_OUT = "opted_out"
    CONTENT = "content"
    NOT_DELIVERED = "not_delivered"
    """It could not be delivered, and nothing says that the contact point itself is at fault."""
    NOT_NOW = "not_now"
    """It could not be delivered just now, and may be later: a phone that is off, a server that defers us."""
    UNEXPLAINED = "unexplained"
    """It could not be delivered, and the provider does not know or say why."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message. ``parts`` is how many it will bill, where it says so."""

    provider_id: str = ""
    parts: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider has refused the message for good. ``code`` is the provider's own."""

    code: str
    why: Rejection


@dataclass(frozen=True, slots=True)
class TryLater:
    """The message was not taken, and may be sent again after a while."""

    code: str
    after: timedelta


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """Nothing can be sent until an administrator changes something. The message was not taken."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left and no answer came: the message may or may not have been taken."""

    reason: str


Outcome = Accepted | Rejected | TryLater | Misconfigured | Unknown


class Progress(StrEnum):
    """How far a provider says that a message has got."""

    SENT = "sent"
    """The provider has it, and it is not with the person yet."""
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ReceiptEvent:
    """What a provider told us about one delivery, in our words."""

    event_id: str
    """The provider's own id of the event, of up to 140 characters: what repeats are recognised by."""
    delivery_id: int
    provider_id: str = ""
    progress: Progress | None = None
    """None: the event says nothing about where the message is."""
    why: Rejection | None = None
    """Why it failed."""
    code: str = ""
    opts_out: bool = False
    """The person does not want this channel any more."""
    happened_at: datetime | None = None
    """None: the provider does not say, or not in which time zone."""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a provider has: what settles whether an uncertain delivery was taken."""

    provider_id: str
    text: str
    """What it says, as far as the provider tells."""
    progress: Progress | None
    code: str = ""
    why: Rejection | None = None
    """Why it failed."""


class Channel(Protocol):
    """How to talk to one provider. Adapters keep their connections between calls."""

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """Send every message and yield ``(delivery_id, outcome)`` for each, in any order.

        ``messages`` is read only as fast as there is room to send, one item per free place, so that what is read
        late is checked late. The first :class:`Misconfigured` outcome ends the reading: what was read already is
        still answered, one outcome each. Provider and network failures never raise; a programming mistake may.
        """
        ...

    def check(self) -> str | None:
        """Ask the provider whether the credentials work. None: they do; otherwise what is wrong, in plain words."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class Finder(Protocol):
    """What a channel can do besides, if its provider can be asked later which messages it has taken."""

    def find(self, asked: Sequence[tuple[str, datetime]]) -> list[list[Found] | None]:
        """For each address and moment, the messages to it since then; None where the provider can't be asked now."""
        ...
