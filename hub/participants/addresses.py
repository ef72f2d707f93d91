"""Addresses as contact points keep them."""

from __future__ import annotations

from dataclasses import dataclass

from channels import addresses
from config.channels import CHANNELS, AddressKind
from config.settings import settings
from hub.participants.errors import BadAddress
from hub.participants.models import ContactPointKind


@dataclass(frozen=True, slots=True)
class ReadAddress:
    """An address that may be used on its channel."""

    value: str
    kind: ContactPointKind


def read_address(channel: str, text: str) -> ReadAddress:
    """Read an address for a channel. Raises :class:`BadAddress` with the reason, also for a landline to be texted.

    Mailboxes are kept in lower case altogether: no provider tells them apart by case, and an opt-out must find
    them however they were typed.
    """
    entry = CHANNELS.get(channel)
    if entry is None:
        raise BadAddress(f"There is no channel “{channel}”. There are: {', '.join(CHANNELS)}.")
    try:
        read = addresses.read_address(entry.address, text, country=settings().country, fictional_ok=settings().sandbox)
    except addresses.BadAddress as error:
        raise BadAddress(str(error)) from None
    kind = ContactPointKind(read.kind)
    if entry.mobile_only and kind is ContactPointKind.LANDLINE:
        raise BadAddress("This is a landline, which can’t take text messages. Add it as a phone call instead.")
    value = read.value.lower() if entry.address is AddressKind.EMAIL else read.value
    return ReadAddress(value, kind)


def normal_address(channel: str, text: str) -> str:
    """An address in the form in which it is stored; what can't be read is only trimmed."""
    entry = CHANNELS.get(channel)
    if entry is None:
        return text.strip()
    try:
        read = addresses.read_address(entry.address, text, country=settings().country, fictional_ok=True)
    except addresses.BadAddress:
        return text.strip()
    return read.value.lower() if entry.address is AddressKind.EMAIL else read.value


def shown(address: str) -> str:
    """An address as people read it: numbers of our own country as they are dialled there."""
    return addresses.display(address, settings().country)
