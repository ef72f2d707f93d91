"""Whom email comes from."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

from channels.addresses import BadAddress, read_mailbox
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom email comes from, and the list's name (RFC 2919)."""

    address: str
    """Empty where EMAIL_FROM is not an address."""
    name: str
    list_id: str


def read_sender(settings: Settings) -> Sender:
    """EMAIL_FROM, as an address or as “Name <address>”; without a name it is the group's."""
    name, address = parseaddr(settings.email_from)
    try:
        address = read_mailbox(address).value
    except BadAddress:
        address = ""
    host = urlsplit(settings.public_url).hostname or "localhost"
    return Sender(address, " ".join((name or settings.group_name).split()), f"<announcements.{host}>")
