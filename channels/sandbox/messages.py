"""A message: as a provider takes it, and as it is remembered."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import blake2b

from channels.sandbox.people import Fate


class Direction(StrEnum):
    """Which way a message goes."""

    OUT = "out"
    """The hub's, which a provider accepted."""
    IN = "in"
    """A person's answer."""
    REPLY = "reply"
    """A provider's own answer to a person, or the hub's that came as TwiML. Not counted as accepted."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that a provider takes from the hub, or from a person."""

    channel: str
    address: str
    fate: Fate
    at: float
    settles_at: float
    outcome: str
    error: str = ""
    other: str = ""
    body: str = ""
    preview: str = ""
    callback: str = ""
    content_id: int | None = None
    details: str = "{}"
    delivery_key: str = ""
    direction: Direction = Direction.OUT


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is remembered. Times are seconds since 1970."""

    id: int
    channel: str
    box_id: int
    address: str
    direction: str
    at: float
    settles_at: float
    outcome: str
    error: str
    other: str
    body: str
    callback: str
    content_id: int | None
    details: str
    duplicate: int


COLUMNS = ", ".join("b.address" if field.name == "address" else f"m.{field.name}" for field in fields(Message))
# CROSS: messages are looked up first, so that the newest come without sorting all of them.
FROM = "FROM messages m CROSS JOIN boxes b ON b.id = m.box_id"


def by_words(address: str, *words: str) -> str:
    """The key of a message that names no delivery: the same recipient and the same words make the same key."""
    digest = blake2b("\0".join((address.lower(), *words)).encode(), digest_size=12)
    return "w" + digest.hexdigest()
