"""What Twilio tells us about texts: whether it was Twilio, and what it means.

Sources: twilio.com/docs/usage/security (signatures), twilio.com/docs/messaging/guides/track-outbound-message-status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twilio.request_validator import RequestValidator

from channels.base import Progress, ReceiptEvent, Rejection
from channels.text.twilio_errors import rejection_of

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

_PROGRESS = {
    "accepted": Progress.SENT,
    "scheduled": Progress.SENT,
    "queued": Progress.SENT,
    "sending": Progress.SENT,
    "sent": Progress.SENT,
    "partially_delivered": Progress.SENT,
    "delivered": Progress.DELIVERED,
    "read": Progress.DELIVERED,
    "undelivered": Progress.FAILED,
    "failed": Progress.FAILED,
    "canceled": Progress.FAILED,
}


def is_signed(token: str, url: str, fields: MultiDict[str, str], signature: str) -> bool:
    """Whether Twilio signed this form for this address with this auth token. False without a token.

    ``url`` is the whole address that Twilio was given, with its query as it came. Never raises.
    """
    if not token or not signature.isascii():
        return False
    try:
        return bool(RequestValidator(token).validate(url, fields, signature))
    except ValueError:  # an address or a text that can't be encoded, which Twilio does not sign
        return False


def reason_of(code: str) -> Rejection:
    """Why a text failed, from Twilio's error code."""
    return rejection_of(int(code)) if code.isascii() and code.isdigit() else Rejection.UNEXPLAINED


def progress_of(status: str) -> Progress | None:
    """How far a text has got. None: a status that is not known here."""
    return _PROGRESS.get(status)


def read_status(fields: Mapping[str, str], delivery_id: int) -> ReceiptEvent | None:
    """A status callback for one delivery. None where it lacks the message's id or its status.

    Twilio gives its events no id: a message has each status (with its error code) only once.
    """
    sid, status = fields.get("MessageSid", ""), fields.get("MessageStatus", "")
    code = fields.get("ErrorCode", "")[:40]
    if not sid or not status or len(sid) > 64 or len(status) > 32:
        return None
    progress = progress_of(status)
    why = reason_of(code) if progress is Progress.FAILED else None
    return ReceiptEvent(
        event_id=":".join(part for part in (sid, status, code) if part),
        delivery_id=delivery_id,
        provider_id=sid,
        progress=progress,
        why=why,
        code=code,
        opts_out=why is Rejection.OPTED_OUT,
    )
