"""What Twilio refuses to send, and with which error: https://www.twilio.com/docs/api/errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from channels.sandbox.credentials import Credentials

LONGEST_BODY = 1600
VALIDITY = range(1, 36001)
SOONEST, LATEST = timedelta(minutes=15), timedelta(days=35)

E164 = re.compile(r"\+[1-9]\d{6,14}")
_UK = re.compile(r"\+44(?:7\d{9}|[1-35689]\d{8,9})")
_NORTH_AMERICA = re.compile(r"\+1[2-9]\d{9}")
_URL = re.compile(r"https?://[^\s/?#@]+(?:[/?#]\S*)?", re.IGNORECASE)

MESSAGES = {
    20001: "Unknown parameter value",
    20003: "Authenticate",
    20404: "The requested resource {} was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    20503: "Service Unavailable",
    21211: "Invalid 'To' Phone Number: {}",
    21212: "Invalid From Number (caller ID): {}",
    21266: "'To' and 'From' number cannot be the same: {}",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number provided ({}) is not a valid message-capable Twilio phone number for this "
    "destination.",
    21609: "Invalid 'StatusCallback' URL: {}",
    21610: "Attempt to send to unsubscribed recipient",
    21614: "'To' number {} is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21624: "Invalid validity period value: {}",
    21701: "The Messaging Service does not exist: {}",
    30409: "This message cannot be canceled",
    35114: "SendAt must be between 15 minutes and 35 days from now, as an ISO 8601 time with its zone",
    35118: "MessagingServiceSid is required to schedule a message",
}
_STATUS = {20003: 401, 20404: 404, 20429: 429, 20500: 500, 20503: 503}


class Refused(Exception):
    """Twilio does not take this request."""

    def __init__(self, code: int, about: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.status = _STATUS.get(code, 400)
        self.message = MESSAGES[code].format(about)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that Twilio would take, before it has looked at who has opted out."""

    to: str
    sender: str
    service: str
    body: str
    status_callback: str
    send_at: float | None


def read_text(form: Mapping[str, str], credentials: Credentials, now: float) -> Text:
    """Check a request to create a message. Raises :class:`Refused`."""
    to = _recipient(form.get("To", ""))
    sender, service = _sender(form, credentials)
    if to == sender:
        raise Refused(21266, to)
    body = form.get("Body", "")
    if not body.strip():
        raise Refused(21602)
    if len(body) > LONGEST_BODY:
        raise Refused(21617)
    validity = form.get("ValidityPeriod", "")
    if validity and (not validity.isdecimal() or int(validity) not in VALIDITY):
        raise Refused(21624, validity)
    return Text(to, sender, service, body, _callback(form.get("StatusCallback", "")), _send_at(form, service, now))


def _recipient(to: str) -> str:
    if not to:
        raise Refused(21604)
    country = _UK if to.startswith("+44") else _NORTH_AMERICA if to.startswith("+1") else E164
    if not E164.fullmatch(to) or not country.fullmatch(to):
        raise Refused(21211, to)
    return to


def _sender(form: Mapping[str, str], credentials: Credentials) -> tuple[str, str]:
    sender, service = form.get("From", ""), form.get("MessagingServiceSid", "")
    if not sender and not service:
        raise Refused(21603)
    if service and service != credentials.messaging_service_sid:
        raise Refused(21701, service)
    if sender and not E164.fullmatch(sender):
        raise Refused(21212, sender)
    if sender and sender != credentials.sender:
        raise Refused(21606, sender)
    return credentials.sender, service


def _callback(url: str) -> str:
    if not url:
        return ""
    if not _URL.fullmatch(url):
        raise Refused(21609, url)
    return url


def _send_at(form: Mapping[str, str], service: str, now: float) -> float | None:
    if "ScheduleType" not in form and "SendAt" not in form:
        return None
    if form.get("ScheduleType") != "fixed":
        raise Refused(20001)
    if not service:
        raise Refused(35118)
    try:
        send_at = datetime.fromisoformat(form.get("SendAt", ""))
    except ValueError:
        raise Refused(35114) from None
    if send_at.tzinfo is None or not SOONEST <= send_at - datetime.fromtimestamp(now, UTC) <= LATEST:
        raise Refused(35114)
    return send_at.timestamp()
