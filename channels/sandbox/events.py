"""SendGrid's signed Event Webhook: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession

from channels.sandbox import sendgrid
from channels.sandbox.callbacks import GIVE_UP_AFTER, wait_before
from channels.sandbox.keys import sign
from channels.sandbox.outbox import Due
from channels.sandbox.world import Sandbox, now

PATH = "/webhooks/sendgrid/events"
EVERY = 0.5
"""Seconds. SendGrid itself posts every 30 seconds."""
LARGEST = 768 * 1024
MOST = 5000


async def keep_telling(sandbox: Sandbox, session: ClientSession) -> None:
    """Post what is due, in batches, for ever."""
    while True:
        rows = sandbox.store.outbox.take("sendgrid", now(), MOST)
        for ids, body in batches(sandbox, rows):
            await _tell(sandbox, session, ids, body)
        if len(rows) < MOST:
            await asyncio.sleep(EVERY)


def batches(sandbox: Sandbox, rows: list[Due]) -> Iterator[tuple[list[Due], bytes]]:
    """JSON arrays of events of at most 768 kB, with the rows that each is about."""
    about: list[Due] = []
    parts: list[bytes] = []
    size = 2
    for due in rows:
        part = orjson.dumps(described(sandbox, due))
        if parts and size + len(part) + 1 > LARGEST:
            yield about, b"[" + b",".join(parts) + b"]"
            about, parts, size = [], [], 2
        about.append(due)
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield about, b"[" + b",".join(parts) + b"]"


def described(sandbox: Sandbox, due: Due) -> dict[str, Any]:
    """One event. The same event has the same sg_event_id however often it is told."""
    message = due.message
    details = orjson.loads(message.details)
    sg_message_id = sendgrid.message_id_of(sandbox, message)
    unique = f"{sandbox.store.series}-{message.id:x}-{due.event}"
    event: dict[str, Any] = {
        **details.get("args", {}),
        "email": details.get("email", message.address),
        "timestamp": int(due.at),
        "event": due.event,
        "sg_event_id": urlsafe_b64encode(unique.encode()).decode().rstrip("="),
        "sg_message_id": sg_message_id,
    }
    if due.event != "spamreport":
        event["smtp-id"] = sendgrid.smtp_id_of(sandbox, message)
    return event | _explained(due)


def _explained(due: Due) -> dict[str, Any]:
    if due.event == "delivered":
        return {"response": "250 2.0.0 OK", "tls": 1, "ip": "192.0.2.25"}
    if due.event == "deferred":
        return {"response": sendgrid.MAILBOX_FULL, "attempt": "1", "tls": 1, "ip": "192.0.2.25"}
    if due.event == "bounce":
        return {
            "reason": due.message.error,
            "status": "5.1.1",
            "type": "bounce",
            "bounce_classification": "Invalid Address",
            "tls": 1,
            "ip": "192.0.2.25",
        }
    if due.event == "dropped":
        return {"reason": due.message.error, "status": "5.0.0"}
    return {}


async def _tell(sandbox: Sandbox, session: ClientSession, about: list[Due], body: bytes) -> None:
    timestamp = str(int(now()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "SendGrid Event API",
        "X-Twilio-Email-Event-Webhook-Signature": sign(sandbox.key, timestamp, body),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    url = sandbox.options.hub_url + PATH
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            await answer.read()
            status = answer.status
    except (ClientError, TimeoutError, OSError):
        status = 599
    sandbox.told["sendgrid"].count(status, len(about))
    ids = [due.id for due in about]
    if status < 300 or about[0].attempt >= GIVE_UP_AFTER:
        sandbox.store.outbox.told(ids)
    else:  # whatever the hub says against a batch, SendGrid tries again (for up to 24 hours)
        sandbox.store.outbox.again(ids, now() + wait_before(about[0].attempt))
