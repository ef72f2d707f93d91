"""Where providers bring what people wrote to us: checked, stored and acted on, then answered."""

from __future__ import annotations

import hashlib
import hmac
from xml.sax.saxutils import escape

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from config.settings import settings
from hub.conversations import service
from hub.conversations.inbound_email import parse_email, read_parsed
from hub.conversations.models import ReplyKind
from hub.conversations.rules import is_ambiguous, kind_of, provider_answered
from hub.db import utc_now, write_session
from hub.errors import NotFound
from hub.web.csrf import csrf
from hub.web.limits import limiter
from hub.web.provider_requests import Malformed, twilio_form

bp = Blueprint("conversation_webhooks", __name__)
csrf.exempt(bp)  # texts carry Twilio's signature, emails the secret end of the address

STOPPED = "You will get no more texts from {group}. To get them again, text START."
STARTED = "You will get texts from {group} again. To stop them, text STOP."
HELP = "These texts are from {group}. To stop them, text STOP. To tell us something, text it to this number."


@bp.post("/webhooks/twilio/inbound")
def twilio_inbound() -> ResponseReturnValue:
    """A text from a person. Answers with TwiML, and stays silent where Twilio has answered already.

    One confirmation of a STOP is allowed, and Twilio sends it (twilio.com/docs/messaging/tutorials/advanced-opt-out).
    """
    fields = twilio_form()
    sid, sender = fields.get("MessageSid", ""), fields.get("From", "")
    if not sid or not sender or len(sid) > 64 or len(sender) > 320:
        raise Malformed("MessageSid or From is missing.")
    body, opt_out_type = fields.get("Body", ""), fields.get("OptOutType", "")
    kind = kind_of(body, opt_out_type)
    with write_session() as session:
        if (
            kind is ReplyKind.START
            and is_ambiguous(body, opt_out_type)
            and not service.is_opted_out(session, "text", sender)
        ):
            kind = ReplyKind.MESSAGE
        incoming = service.Incoming(
            provider="twilio",
            provider_id=sid,
            channel="text",
            from_address=sender,
            to_address=fields.get("To", ""),
            subject=_attachments(fields.get("NumMedia", "")),
            body=body,
            kind=kind,
        )
        service.receive(session, incoming, utc_now())
    return _twiml("" if provider_answered(body, kind, opt_out_type) else _answer(kind))


def _attachments(count: str) -> str:
    number = int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 0
    return (
        f"Came with {number} picture{'s' if number > 1 else ''} or other files, which are not kept here"
        if number
        else ""
    )


def _answer(kind: ReplyKind) -> str:
    answers = {ReplyKind.STOP: STOPPED, ReplyKind.START: STARTED, ReplyKind.HELP: HELP}
    return answers.get(kind, "").format(group=settings().group_name)


def _twiml(message: str) -> Response:
    inside = f"<Message>{escape(message)}</Message>" if message else ""
    xml = f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'
    return Response(xml, content_type="text/xml; charset=utf-8")


@bp.post("/webhooks/sendgrid/inbound/<token>")
@limiter.limit("600 per minute")
def sendgrid_inbound(token: str) -> ResponseReturnValue:
    """An email from a person, as SendGrid's Inbound Parse posts it. 404 unless the address ends in the secret."""
    secret = settings().sendgrid_inbound_token.get_secret_value()
    if not secret or not hmac.compare_digest(_digest(token), _digest(secret)):
        raise NotFound("There is nothing at this address.")
    incoming = read_parsed(parse_email())
    with write_session() as session:
        service.receive(session, incoming, utc_now())
    return "", 204


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
