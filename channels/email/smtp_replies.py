"""What an SMTP server's refusals mean (RFC 5321, 4.2; enhanced codes: RFC 3463 and the IANA registry)."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

from channels.base import Misconfigured, Outcome, Rejected, Rejection, TryLater

_ENHANCED = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_NO_SUCH_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_CONTENT = frozenset({"5.2.3", "5.3.4", "5.6.0", "5.6.1", "5.7.7"})
_WAIT = timedelta(minutes=5)


class Stage(StrEnum):
    """What was refused."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


def outcome_of(stage: Stage, code: int, words: bytes) -> Outcome:
    """What a reply of 400 and above means, to ``MAIL FROM``, ``RCPT TO`` or the content."""
    found = _ENHANCED.match(words)
    enhanced = found.group(1).decode() if found else ""
    name = f"{code} {enhanced}".strip()
    if 400 <= code < 500:
        return TryLater(name, _WAIT)
    if code in {530, 534, 535, 538}:
        return Misconfigured(name, "The mail server wants other credentials: check SMTP_URL.")
    if enhanced in _NO_SUCH_MAILBOX:
        return Rejected(name, Rejection.CONTACT_POINT_IS_BAD)
    if enhanced in _CONTENT or (code == 552 and not enhanced):
        return Rejected(name, Rejection.CONTENT)
    if stage is Stage.SENDER:
        return Misconfigured(name, "The mail server refuses the sender: check EMAIL_FROM and SMTP_URL.")
    if stage is Stage.CONTENT and enhanced.startswith(("5.6.", "5.7.")):
        return Rejected(name, Rejection.CONTENT)
    return Rejected(name, Rejection.NOT_DELIVERED)
