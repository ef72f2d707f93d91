"""The Message resource as Twilio shows it: https://www.twilio.com/docs/messaging/api/message-resource."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

import orjson

from channels.sandbox.messages import Direction, Message
from channels.sandbox.world import Sandbox
from channels.text.segments import segments

_SID = re.compile(r"(?:SM|MM)([0-9a-f]{16})([0-9a-f]{16})")
_DIRECTIONS: dict[str, str] = {
    Direction.OUT: "outbound-api",
    Direction.IN: "inbound",
    Direction.REPLY: "outbound-reply",
}


def id_of(sandbox: Sandbox, sid: str) -> int | None:
    """The message that a SID belongs to. None: this sandbox never gave it out."""
    match = _SID.fullmatch(sid)
    return int(match[2], 16) if match and match[1] == sandbox.store.series else None


def sid_of(sandbox: Sandbox, message_id: int) -> str:
    """A message's SID."""
    return f"SM{sandbox.store.series}{message_id:016x}"


def service_of(message: Message) -> str:
    """The Messaging Service that a message was sent through, or nothing."""
    return str(_details(message).get("service", ""))


def _details(message: Message) -> dict[str, Any]:
    details: dict[str, Any] = {} if message.details == "{}" else orjson.loads(message.details)
    return details


def status(message: Message, at: float) -> str:
    """What Twilio says about a message at a moment: in the moment of its creation, nothing has happened yet."""
    if message.direction == Direction.IN:
        return "received"
    if message.outcome == "canceled" or at > message.settles_at:
        return message.outcome
    details = _details(message)
    if (details.get("send_at") or 0) > at:
        return "scheduled"
    starts = details.get("send_at") or message.at
    if at > (starts + message.settles_at) / 2:
        return "sent"
    return "accepted" if details.get("service") else "queued"


def described(sandbox: Sandbox, message: Message, at: float) -> dict[str, Any]:
    """The Message resource."""
    state = status(message, at)
    sid = sid_of(sandbox, message.id)
    account_sid = sandbox.options.credentials.account_sid
    uri = f"/2010-04-01/Accounts/{account_sid}/Messages/{sid}"
    inbound = message.direction == Direction.IN
    failed = state in {"undelivered", "failed"}
    started = state not in {"queued", "accepted", "scheduled", "canceled"}
    return {
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": date(message.at),
        "date_sent": date(message.at) if started else None,
        "date_updated": date(min(at, message.settles_at)),
        "direction": _DIRECTIONS[message.direction],
        "error_code": int(message.error) if failed and message.error else None,
        "error_message": None,
        "from": message.address if inbound else None if state == "accepted" else message.other,
        "messaging_service_sid": service_of(message) or None,
        "num_media": "0",
        "num_segments": "0" if state in {"accepted", "scheduled"} else str(max(segments(message.body).parts, 1)),
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": state,
        "subresource_uris": {"media": uri + "/Media.json"},
        "to": message.other if inbound else message.address,
        "uri": uri + ".json",
    }


def date(at: float) -> str:
    return _date_of_second(int(at))


@lru_cache(maxsize=64)
def _date_of_second(at: int) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC))
