"""What SendGrid tells us about emails: whether it was SendGrid, and what it means.

Source: twilio.com/docs/sendgrid/for-developers/tracking-events/event and its page on security features.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from channels.base import Progress, ReceiptEvent, Rejection

LARGEST_ID = 9_223_372_036_854_775_807

_SENT = (Progress.SENT, None, False)
_WANTS_NO_MORE = (None, None, True)
_Meaning = tuple[Progress | None, Rejection | None, bool]
_MEANINGS: dict[str, _Meaning] = {
    "processed": _SENT,
    "deferred": _SENT,
    "delivered": (Progress.DELIVERED, None, False),
    "bounce": (Progress.FAILED, Rejection.CONTACT_POINT_IS_BAD, False),
    "blocked": (Progress.FAILED, Rejection.NOT_NOW, False),
    "dropped": (Progress.FAILED, Rejection.NOT_DELIVERED, False),
    "spamreport": _WANTS_NO_MORE,
    "unsubscribe": _WANTS_NO_MORE,
    "group_unsubscribe": _WANTS_NO_MORE,
}
"""Event -> progress, why it failed, whether the person opted out. Opens and clicks never count as reached: scanners
open mail, too."""
_DROPPED: dict[str, tuple[Rejection, bool]] = {
    "bounced address": (Rejection.CONTACT_POINT_IS_BAD, False),
    "invalid": (Rejection.CONTACT_POINT_IS_BAD, False),
    "unsubscribed address": (Rejection.OPTED_OUT, True),
    "spam reporting address": (Rejection.OPTED_OUT, True),
    "spam content": (Rejection.CONTENT, False),
}


def is_signed(public_key: str, body: bytes, signature: str, timestamp: str) -> bool:
    """Whether SendGrid signed these very bytes. ``public_key`` is as SendGrid shows it: base64 of DER. Never raises.

    False where the key is empty or no P-256 key.
    """
    if not (timestamp.isascii() and timestamp.isdigit()):
        return False
    try:
        key = _key(public_key)
        key.verify(b64decode(signature, validate=True), timestamp.encode() + body, ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, binascii.Error):
        return False
    return True


@lru_cache(maxsize=4)
def _key(public_key: str) -> EllipticCurvePublicKey:
    key = load_der_public_key(b64decode("".join(public_key.split())))
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("The Event Webhook's verification key is not an elliptic-curve key.")
    return key


def read_events(body: bytes) -> list[ReceiptEvent]:
    """The events that say something about deliveries of ours; all others are left out.

    Raises ``ValueError`` where the body is not a JSON array of objects.
    """
    events = orjson.loads(body)
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise ValueError("The body is not a list of events.")
    return [read for read in map(_read_event, events) if read is not None]


def _read_event(event: dict[str, Any]) -> ReceiptEvent | None:
    delivery_id = _delivery_id(event.get("delivery_id"))
    event_id = _text(event, "sg_event_id", 140)
    meaning = _meaning(event)
    if not delivery_id or not event_id or meaning is None:
        return None
    progress, why, opts_out = meaning
    return ReceiptEvent(
        event_id=event_id,
        delivery_id=delivery_id,
        provider_id=_text(event, "sg_message_id", 400).split(".")[0][:80],
        progress=progress,
        why=why,
        code="" if why is None else _text(event, "status", 40) or _text(event, "event", 40),
        opts_out=opts_out,
        happened_at=_moment(event.get("timestamp")),
    )


def _meaning(event: dict[str, Any]) -> _Meaning | None:
    kind = _text(event, "event", 40)
    if kind == "bounce" and event.get("type") == "blocked":
        kind = "blocked"
    if kind == "dropped":
        why, opts_out = _DROPPED.get(_text(event, "reason", 80).lower(), (Rejection.NOT_DELIVERED, False))
        return Progress.FAILED, why, opts_out
    return _MEANINGS.get(kind)


def _text(event: dict[str, Any], name: str, longest: int) -> str:
    value = event.get(name)
    return value.replace("\0", "")[:longest] if isinstance(value, str) else ""


def _delivery_id(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID else 0


def _moment(value: object) -> datetime | None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**33:
        return None
    return datetime.fromtimestamp(value, UTC)
