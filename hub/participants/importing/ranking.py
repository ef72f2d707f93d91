"""In which order a person's contact points are tried, from what they said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from config.channels import CHANNELS
from hub.participants.importing.records import Key
from hub.participants.importing.wording import CONTACTABLE, PHONE, TEXT, Wish
from hub.participants.models import ContactPointKind

DEFAULT_ORDER = (*CONTACTABLE, "social")
"""For people who said nothing: what costs least and disturbs least comes first."""


@dataclass(frozen=True, slots=True)
class Order:
    """The contact points to use, the first one first; the others are kept and not used."""

    keys: tuple[Key, ...]
    look: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def order_from_words(
    wish: Wish, other_ways: Wish, points: Sequence[tuple[Key, ContactPointKind]], not_agreed: Collection[str]
) -> Order:
    """The order for a person who said something: the ways that they want, then the other ways that are fine.

    Within a channel, the order is that of ``points``. Somebody who wants texts and has only a landline is called on
    it, and the row needs a look.
    """
    refused = wish.refused | other_ways.refused | set(not_agreed)
    channels = [channel for channel in dict.fromkeys((*wish.order, *other_ways.order)) if channel not in refused]
    look = []
    have = {key[0] for key, _ in points}
    for channel in wish.order:
        if channel in refused or channel in have:
            continue
        if channel == TEXT and PHONE in have and PHONE not in refused:
            look.append("They would like texts, but there is only a landline; it is used for calls.")
            channels.insert(channels.index(TEXT) + 1, PHONE)
        else:
            look.append(f"They would like {_way(channel)}, but there is {_lacking(channel)}.")
    keys = tuple(key for channel in dict.fromkeys(channels) for key, _ in points if key[0] == channel)
    if points and not keys and not wish.nothing:
        look.append("None of the ways that they agreed to is here, so nothing is sent until somebody has asked them.")
    return Order(keys, tuple(look))


def default_order(points: Sequence[tuple[Key, ContactPointKind]], not_agreed: Collection[str]) -> Order:
    """The order for a person of whom nothing is known but addresses."""
    keys = tuple(
        key for channel in DEFAULT_ORDER if channel not in not_agreed for key, _ in points if key[0] == channel
    )
    if not keys:
        return Order(())
    first = CHANNELS[keys[0][0]].label.lower()
    return Order(keys, notes=(f"No preference given: {first} first.",))


def _way(channel: str) -> str:
    return {"email": "email", "text": "texts", "phone": "calls"}.get(channel, CHANNELS[channel].label.lower())


def _lacking(channel: str) -> str:
    return {"email": "no email address", "text": "no mobile number", "phone": "no phone number"}.get(
        channel, "no account"
    )
