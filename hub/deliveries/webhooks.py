"""Where providers report on deliveries: checked, stored, answered. Workers apply what is stored."""

from __future__ import annotations

import time

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from channels.email import sendgrid_receipts
from channels.text import twilio_receipts
from config.settings import settings
from hub.db import utc_now
from hub.deliveries.intake import store
from hub.errors import Refused
from hub.web.csrf import csrf
from hub.web.provider_requests import JSON, Malformed, body_within, twilio_form

bp = Blueprint("delivery_webhooks", __name__)
csrf.exempt(bp)  # every request here carries its provider's signature

LARGEST_EVENTS_BYTES = 2 * 1024 * 1024
"""SendGrid posts its events at 768 kB at the latest."""
OLDEST_SIGNATURE_SECONDS = 25 * 3600
"""SendGrid repeats what it could not deliver for up to 24 hours; an older request is a replay."""
CLOCK_DIFFERENCE_SECONDS = 3600
LARGEST_ID = sendgrid_receipts.LARGEST_ID


@bp.post("/webhooks/twilio/status")
def twilio_status() -> ResponseReturnValue:
    """A text's status: 204 once it is stored; 403 unsigned, 400, 413 or 415 malformed."""
    event = twilio_receipts.read_status(twilio_form(), _delivery_id())
    if event is None:
        raise Malformed("MessageSid or MessageStatus is missing.")
    store("twilio", [event], utc_now())
    return "", 204


def _delivery_id() -> int:
    given = request.args.get("d", "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) <= 19 else 0
    if not 0 < number <= LARGEST_ID:
        raise Malformed("The address names no delivery: ?d= is missing or is not a number.")
    return number


@bp.post("/webhooks/sendgrid/events")
def sendgrid_events() -> ResponseReturnValue:
    """A batch of SendGrid's events: 204 once they are stored; 403 unsigned, 400, 413 or 415 malformed."""
    body = body_within(LARGEST_EVENTS_BYTES, JSON)
    timestamp = request.headers.get("X-Twilio-Email-Event-Webhook-Timestamp", "")
    signature = request.headers.get("X-Twilio-Email-Event-Webhook-Signature", "")
    if not sendgrid_receipts.is_signed(settings().sendgrid_webhook_public_key, body, signature, timestamp):
        raise Refused("The signature does not fit: check SENDGRID_WEBHOOK_PUBLIC_KEY.")
    if not -CLOCK_DIFFERENCE_SECONDS < time.time() - int(timestamp) < OLDEST_SIGNATURE_SECONDS:
        raise Refused("The signature is too old, or a clock is wrong.")
    try:
        events = sendgrid_receipts.read_events(body)
    except ValueError as error:
        raise Malformed("The body is not a JSON array of events.") from error
    store("sendgrid", events, utc_now())
    return "", 204
