"""What Twilio's answers and error codes mean for a text: https://www.twilio.com/docs/api/errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

import orjson

from channels.base import Accepted, Misconfigured, Outcome, Rejected, Rejection, TryLater, Unknown
from channels.transport import retry_after


class Meaning(StrEnum):
    """What to do about an error code."""

    BAD_NUMBER = "bad_number"
    OPTED_OUT = "opted_out"
    CONTENT = "content"
    NOT_DELIVERED = "not_delivered"
    NOT_NOW = "not_now"
    UNEXPLAINED = "unexplained"
    LATER = "later"
    MISCONFIGURED = "misconfigured"


M = Meaning

CODES: dict[int, Meaning] = {
    # The number is wrong, or can't get texts.
    21211: M.BAD_NUMBER,  # not a phone number
    21217: M.BAD_NUMBER,
    21401: M.BAD_NUMBER,
    21604: M.BAD_NUMBER,  # no number at all
    21614: M.BAD_NUMBER,  # not a mobile
    21635: M.BAD_NUMBER,  # a landline
    30005: M.BAD_NUMBER,  # no such handset
    30006: M.BAD_NUMBER,  # a landline, or a carrier that can't be reached
    63024: M.BAD_NUMBER,
    # The person has texted STOP.
    21610: M.OPTED_OUT,
    # What the text says.
    21602: M.CONTENT,  # nothing
    21605: M.CONTENT,
    21617: M.CONTENT,  # more than 1,600 characters
    21618: M.CONTENT,
    21658: M.CONTENT,
    30007: M.CONTENT,  # filtered as spam
    30019: M.CONTENT,
    # This person can't be texted now or from here, and the number may be fine.
    21408: M.NOT_DELIVERED,  # texts to that country are switched off: others go on
    21612: M.NOT_DELIVERED,  # no route between these two numbers
    30003: M.NOT_NOW,  # switched off, no signal
    30004: M.NOT_DELIVERED,  # blocked
    30008: M.UNEXPLAINED,  # Twilio does not know either
    30036: M.NOT_DELIVERED,  # not in time
    # Not now.
    20429: M.LATER,
    21611: M.LATER,  # the sender's queue is full
    30001: M.LATER,
    30017: M.LATER,
    30022: M.LATER,
    63018: M.LATER,
    # Nobody gets anything until an administrator acts.
    14107: M.MISCONFIGURED,  # Twilio sees a loop
    20003: M.MISCONFIGURED,
    20005: M.MISCONFIGURED,  # the account is suspended
    20008: M.MISCONFIGURED,  # test credentials
    20404: M.MISCONFIGURED,
    21212: M.MISCONFIGURED,  # the sender is wrong …
    21603: M.MISCONFIGURED,  # … or missing
    21606: M.MISCONFIGURED,
    21607: M.MISCONFIGURED,
    21608: M.MISCONFIGURED,  # a trial account
    21609: M.MISCONFIGURED,  # PUBLIC_URL can't be reached from outside
    21659: M.MISCONFIGURED,
    21660: M.MISCONFIGURED,
    21701: M.MISCONFIGURED,
    21702: M.MISCONFIGURED,
    21703: M.MISCONFIGURED,
    21704: M.MISCONFIGURED,
    21705: M.MISCONFIGURED,
    30002: M.MISCONFIGURED,  # the account is suspended
    30018: M.MISCONFIGURED,
    30024: M.MISCONFIGURED,
    30032: M.MISCONFIGURED,
    30033: M.MISCONFIGURED,
    30034: M.MISCONFIGURED,
    30035: M.MISCONFIGURED,
}
"""Codes that say what to do. Any other is unexplained: nothing is known against the number."""

_REJECTIONS = {
    M.BAD_NUMBER: Rejection.CONTACT_POINT_IS_BAD,
    M.OPTED_OUT: Rejection.OPTED_OUT,
    M.CONTENT: Rejection.CONTENT,
    M.NOT_DELIVERED: Rejection.NOT_DELIVERED,
    M.NOT_NOW: Rejection.NOT_NOW,
}
_WAIT = timedelta(seconds=5)
_LONG_WAIT = timedelta(minutes=10)


def rejection_of(code: int) -> Rejection:
    """Why a text was not delivered, for receipts that come after Twilio had taken it."""
    return _REJECTIONS.get(CODES.get(code, M.UNEXPLAINED), Rejection.UNEXPLAINED)


def outcome_of(status: int, body: str, headers: Mapping[str, str]) -> Outcome:
    """What Twilio's answer to “create a message” means.

    A 5xx may come after the message was taken, so it is Unknown; only a 503 that asks us to come back was not
    processed.
    """
    answer = _read(body)
    if 200 <= status < 300:
        return _accepted(answer)
    if status == 503 and "Retry-After" in headers:
        return TryLater("503", retry_after(headers, _WAIT))
    if status >= 500:
        return Unknown(f"Twilio answered {status}.")
    code = _number(answer.get("code"))
    if status == 429 or code == 20429:
        return TryLater(str(code or status), retry_after(headers, _WAIT))
    return _refused(status, code)


def _accepted(answer: dict[str, Any]) -> Outcome:
    sid = answer.get("sid")
    if not isinstance(sid, str) or not sid:
        return Unknown("Twilio’s answer could not be read.")
    code = _number(answer.get("error_code"))
    if code:
        return _refused(400, code)
    return Accepted(sid, _number(answer.get("num_segments")) or None)


def _refused(status: int, code: int) -> Outcome:
    meaning = CODES.get(code)
    name = str(code or status)
    if meaning is M.LATER:
        return TryLater(name, _LONG_WAIT)
    if meaning is M.MISCONFIGURED:
        return Misconfigured(name, f"Twilio refuses to send: see twilio.com/docs/api/errors/{code}.")
    if meaning is None and (status in {401, 403, 404, 405, 407} or 300 <= status < 400):
        return Misconfigured(name, f"Twilio answered {status}: check the credentials and TWILIO_BASE_URL.")
    if meaning is None and status in {408, 425}:
        return TryLater(name, _WAIT)
    return Rejected(name, rejection_of(code))


def _read(body: str) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _number(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
