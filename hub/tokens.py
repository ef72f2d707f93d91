"""Short signed tokens for links that work without signing in: unguessable, and saying nothing about the person."""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from enum import IntEnum

from hub.errors import Refused

SIGNATURE_BYTES = 15
_LAYOUT = struct.Struct(">BQQI")


class Purpose(IntEnum):
    """What a token may be used for; one made for one purpose is refused for another."""

    UNSUBSCRIBE = 1
    PREFERENCES = 2


def sign(secret: bytes, purpose: Purpose, participant_id: int, contact_point_id: int = 0, topic_id: int = 0) -> str:
    """A token of 48 URL-safe characters for a person, and optionally a contact point and a topic."""
    payload = _LAYOUT.pack(purpose, participant_id, contact_point_id, topic_id)
    return urlsafe_b64encode(payload + _signature(secret, payload)).decode()


def read(secret: bytes, purpose: Purpose, token: str) -> tuple[int, int, int]:
    """The participant, contact point and topic that a token was made for (0: none).

    Raises :class:`hub.errors.Refused` for anything that :func:`sign` did not make for this purpose.
    """
    try:
        raw = urlsafe_b64decode(token.encode())
    except (Base64Error, ValueError):
        raw = b""
    payload, signature = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
    if len(payload) == _LAYOUT.size and hmac.compare_digest(signature, _signature(secret, payload)):
        found, participant_id, contact_point_id, topic_id = _LAYOUT.unpack(payload)
        if found == purpose:
            return participant_id, contact_point_id, topic_id
    raise Refused("This link is not complete. Please open it again from the message, or ask us for a new one.")


def _signature(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, b"everyway link " + payload, hashlib.sha256)[:SIGNATURE_BYTES]
