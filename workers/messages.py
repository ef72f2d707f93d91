"""From started deliveries to messages: the variant that suits each person, with their own values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache

from sqlalchemy import select

from channels.base import Content, Message
from config.channels import CHANNELS
from config.settings import settings
from hub.announcements.models import Announcement, Variant
from hub.announcements.rendering import Recipient, choose_variant, content_of, unsubscribe_link, values_for
from hub.db import read_session
from hub.deliveries.sending import Start
from hub.participants.models import Format


@dataclass(frozen=True)
class Texts:
    """What one announcement says on one channel. Texts never change after the launch, so they are read once."""

    channel: str
    topic_id: int
    useful_until: datetime | None
    variants: tuple[Variant, ...]
    contents: dict[tuple[str, str], Content]
    """By a person’s language and needed formats."""

    def content(self, language: str, needed: str) -> Content:
        """The variant for a person of this language and with these needed formats."""
        found = self.contents.get((language, needed))
        if found is None:
            formats = frozenset(Format(name) for name in needed.split(",") if name)
            variant = choose_variant(self.variants, language, formats)
            if variant is None:
                raise LookupError(f"no text for {self.channel}")
            found = content_of(variant, large_print=Format.LARGE_PRINT in formats)
            self.contents[language, needed] = found
        return found

    def message(self, start: Start, now: datetime) -> Message:
        """The message for one started delivery."""
        content = self.content(start.language, start.formats)
        recipient = Recipient(
            start.participant_id,
            start.contact_point_id,
            self.topic_id,
            start.first_name,
            start.last_name,
            start.known_as,
        )
        callback = _callbacks()[self.channel]
        return Message(
            delivery_id=start.delivery_id,
            address=start.address,
            content=content,
            values=values_for(content, recipient),
            status_callback=f"{callback}{start.delivery_id}" if callback else "",
            unsubscribe_url=unsubscribe_link(recipient) if self.channel == "email" else "",
            valid_for=self.valid_for(now),
        )

    def valid_for(self, now: datetime) -> timedelta | None:
        """How long from now the announcement is of use."""
        return None if self.useful_until is None else self.useful_until - now


@lru_cache(maxsize=32)
def texts(announcement_id: int, channel: str) -> Texts:
    """The texts of a launched announcement, kept for the batches that follow."""
    with read_session() as session:
        announcement = session.get_one(Announcement, announcement_id)
        variants = session.scalars(
            select(Variant).where(Variant.announcement_id == announcement_id, Variant.channel == channel)
        ).all()
        return Texts(channel, announcement.topic_id, announcement.useful_until, tuple(variants), {})


@cache
def _callbacks() -> dict[str, str]:
    """Where each channel's provider reports, up to the delivery's id. Empty: nowhere."""
    paths = {name: entry.status_callback for name, entry in CHANNELS.items()}
    return {name: f"{settings().public_url}{path}?d=" if path else "" for name, path in paths.items()}
