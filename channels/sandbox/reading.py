"""What the sandbox shows: messages as a person sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from channels.sandbox import sendgrid, twilio_resource
from channels.sandbox.messages import COLUMNS, FROM, Direction, Message
from channels.sandbox.world import Sandbox, now


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as its person sees it. ``state``: what the provider says of it now; ``at`` in seconds since 1970."""

    id: str
    channel: str
    address: str
    sender: str
    at: float
    state: str
    error: str
    subject: str
    text: str
    html: str
    incoming: bool
    duplicate: bool
    headers: dict[str, str] = field(default_factory=dict)
    callback: str = ""
    custom_args: dict[str, str] = field(default_factory=dict)
    by: str = ""
    """The provider that took it, where a channel has several."""


class Reading:
    """Reads of one sandbox at one moment."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.now = now()

    def newest(self, channel: str = "", address: str = "", *, page: int, per_page: int) -> list[Seen]:
        """Accepted messages, newest first."""
        conditions, values = ["m.direction = 'out'"], []
        if channel:
            conditions.append("m.channel = ?")
            values.append(channel)
        if address:
            conditions.append("m.box_id IN (SELECT id FROM boxes WHERE address = ?)")
            values.append(address.lower())
        rows = self.sandbox.store.db.execute(
            f"SELECT {COLUMNS} {FROM} WHERE {' AND '.join(conditions)} ORDER BY m.id DESC LIMIT ? OFFSET ?",
            (*values, per_page, (page - 1) * per_page),
        )
        return [self.seen(Message(*row)) for row in rows]

    def seen(self, message: Message) -> Seen:
        """One message as its person sees it."""
        if message.channel == "email" and message.content_id is not None:
            return self._mail(message)
        return Seen(
            id=twilio_resource.sid_of(self.sandbox, message.id) if message.channel == "text" else str(message.id),
            channel=message.channel,
            address=message.address,
            sender=message.other,
            at=message.at,
            state=twilio_resource.status(message, self.now) if message.channel == "text" else message.outcome,
            error=message.error,
            subject=orjson.loads(message.details).get("subject", ""),
            text=message.body,
            html="",
            incoming=message.direction == Direction.IN,
            duplicate=bool(message.duplicate),
            callback=message.callback,
        )

    def _mail(self, message: Message) -> Seen:
        sender, reply_to, subject, plain, html, headers = self.sandbox.store.content(message.content_id or 0)
        details: dict[str, Any] = orjson.loads(message.details)
        tags = details.get("substitutions", {})
        shown = {"From": sender, "To": details.get("to", message.address), "Reply-To": reply_to}
        if details.get("by") != "smtp":
            shown["Message-ID"] = sendgrid.smtp_id_of(self.sandbox, message)
        shown |= orjson.loads(headers) | details.get("headers", {})
        return Seen(
            id=sendgrid.message_id_of(self.sandbox, message),
            channel="email",
            address=message.address,
            sender=sender,
            at=message.at,
            state=message.outcome if self.now >= message.settles_at else "processed",
            error=message.error,
            subject=sendgrid.filled(details.get("subject", subject), tags),
            text=sendgrid.filled(plain, tags),
            html=sendgrid.filled(html, tags),
            incoming=message.direction == Direction.IN,
            duplicate=bool(message.duplicate),
            headers={name: sendgrid.filled(value, tags) for name, value in shown.items()},
            custom_args=details.get("args", {}),
            by=details.get("by", "sendgrid"),
        )
