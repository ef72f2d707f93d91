"""Twilio's status callbacks: a form for each event, signed, to the address that came with the message."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha1
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession
from yarl import URL

from channels.sandbox import twilio_resource
from channels.sandbox.outbox import Due
from channels.sandbox.world import Sandbox, now

FORM = "application/x-www-form-urlencoded; charset=utf-8"
PAUSE = 0.05
GIVE_UP_AFTER = 200
"""Attempts. The waits between them grow to half a minute, so a hub may be away for well over an hour."""


def signature(auth_token: str, url: str, fields: dict[str, str]) -> str:
    """X-Twilio-Signature: https://www.twilio.com/docs/usage/security#validating-requests."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return b64encode(hmac.digest(auth_token.encode(), signed.encode(), sha1)).decode()


def signed_post(auth_token: str, url: str, fields: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a webhook request as Twilio sends it."""
    headers = {
        "Content-Type": FORM,
        "User-Agent": "TwilioProxy/1.1",
        "X-Twilio-Signature": signature(auth_token, url, fields),
    }
    return urlencode(fields).encode(), headers


def fields_of(sandbox: Sandbox, due: Due) -> dict[str, str]:
    """What a status callback says."""
    message = due.message
    sid = twilio_resource.sid_of(sandbox, message.id)
    fields = {
        "AccountSid": sandbox.options.credentials.account_sid,
        "ApiVersion": "2010-04-01",
        "From": message.other,
        "MessageSid": sid,
        "MessageStatus": due.event,
        "SmsSid": sid,
        "SmsStatus": due.event,
        "To": message.address,
    }
    if due.event in {"delivered", "undelivered"}:
        fields["RawDlrDoneDate"] = datetime.fromtimestamp(due.at, UTC).strftime("%y%m%d%H%M")
    if due.event in {"undelivered", "failed"} and message.error:
        fields["ErrorCode"] = message.error
    if service := twilio_resource.service_of(message):
        fields["MessagingServiceSid"] = service
    return fields


def wait_before(attempt: int) -> float:
    """Seconds until the next attempt."""
    return min(0.5 * 2.0 ** min(attempt, 6), 30.0)


async def keep_telling(sandbox: Sandbox, session: ClientSession) -> None:
    """Post what is due, for ever, with at most ``concurrency`` requests at a time."""
    places = asyncio.Semaphore(sandbox.options.concurrency)
    async with asyncio.TaskGroup() as tasks:
        while True:
            rows = sandbox.store.outbox.take("twilio", now(), 4 * sandbox.options.concurrency)
            for due in rows:
                await places.acquire()
                tasks.create_task(_tell(sandbox, session, due, places))
            if not rows:
                await asyncio.sleep(PAUSE)


async def _tell(sandbox: Sandbox, session: ClientSession, due: Due, places: asyncio.Semaphore) -> None:
    try:
        status = await _post(sandbox, session, due)
    finally:
        places.release()
    sandbox.told["twilio"].count(status)
    if status >= 500 and due.attempt < GIVE_UP_AFTER:
        sandbox.store.outbox.again([due.id], now() + wait_before(due.attempt))
    else:
        sandbox.store.outbox.told([due.id])


async def _post(sandbox: Sandbox, session: ClientSession, due: Due) -> int:
    """The hub's answer; 599 where there was none."""
    url = due.message.callback
    body, headers = signed_post(sandbox.options.credentials.auth_token, url, fields_of(sandbox, due))
    try:
        async with session.post(URL(url, encoded=True), data=body, headers=headers, allow_redirects=False) as answer:
            await answer.read()
            return answer.status
    except (ClientError, TimeoutError, OSError):
        return 599
