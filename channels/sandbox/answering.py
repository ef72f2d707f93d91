"""A person answers by text: the hub's inbound webhook as Twilio posts it, and what Twilio does about STOP itself.

Sources: https://www.twilio.com/docs/messaging/guides/webhook-request and
https://help.twilio.com/articles/223134027 (opt-out keywords).
"""

from __future__ import annotations

from xml.etree import ElementTree

import orjson
import phonenumbers
from aiohttp import ClientError, ClientSession

from channels.sandbox.browsing import Box, last_sender
from channels.sandbox.callbacks import signed_post
from channels.sandbox.messages import Arrival, Direction
from channels.sandbox.people import Fate
from channels.sandbox.twilio import STOPPED
from channels.sandbox.twilio_resource import sid_of
from channels.sandbox.world import Sandbox, now
from channels.text.segments import segments

PATH = "/webhooks/twilio/inbound"
STOP_WORDS = {"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"}
START_WORDS = {"START", "YES", "UNSTOP"}
HELP_WORDS = {"HELP", "INFO"}
STOP_REPLY = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
START_REPLY = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELP_REPLY = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


async def answer(sandbox: Sandbox, session: ClientSession, phone: Box, words: str) -> str:
    """Text ``words`` from this phone to the hub; gives what came of it, in plain words."""
    ours = last_sender(sandbox.store, phone.id) or sandbox.options.credentials.sender
    message_id = _add(sandbox, phone, words, Direction.IN, ours)
    done = _keyword(sandbox, phone, words, ours)
    fields = _fields(sandbox, phone, words, ours, sid_of(sandbox, message_id))
    url = sandbox.options.hub_url + PATH
    body, headers = signed_post(sandbox.options.credentials.auth_token, url, fields)
    headers["I-Twilio-Idempotency-Token"] = sid_of(sandbox, message_id)
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as reply:
            status, text = reply.status, await reply.text(errors="replace")
    except (ClientError, TimeoutError, OSError):
        return f"Your text was sent. {done}The hub at {sandbox.options.hub_url} did not answer: is it running?"
    if status >= 300:
        return f"Your text was sent. {done}The hub answered {status}, so it did not take it."
    spoken = _spoken(text)
    if _has_stopped(sandbox, phone):
        spoken = []  # Twilio does not pass on the hub's own words after a STOP
    for said in spoken:
        _add(sandbox, phone, said, Direction.REPLY, ours)
    return f"Your text was sent. {done}The hub took it ({status}){' and answered by text' if spoken else ''}."


def _has_stopped(sandbox: Sandbox, phone: Box) -> bool:
    return STOPPED in sandbox.store.refusals.suppressed(phone.address) or _fate(sandbox, phone) is Fate.OPTED_OUT


def _fate(sandbox: Sandbox, phone: Box) -> Fate:
    return sandbox.fate("text", phone.address)


def _keyword(sandbox: Sandbox, phone: Box, words: str, ours: str) -> str:
    """Do what Twilio does about a message of one such word; gives what it did."""
    word = words.strip().upper()
    refusals = sandbox.store.refusals
    had_stopped = _has_stopped(sandbox, phone)
    if word in STOP_WORDS:
        refusals.suppress(STOPPED, phone.address, now(), word)
        if not had_stopped:
            _add(sandbox, phone, STOP_REPLY, Direction.REPLY, ours)
        return "Twilio refuses texts to this phone from now on (21610). "
    if word in START_WORDS and had_stopped:
        refusals.unsuppress(STOPPED, phone.address)
        if _fate(sandbox, phone) is Fate.OPTED_OUT:
            sandbox.decide("text", phone.address, Fate.FINE)
        _add(sandbox, phone, START_REPLY, Direction.REPLY, ours)
        return "Twilio takes texts to this phone again. "
    if word in HELP_WORDS:
        _add(sandbox, phone, HELP_REPLY, Direction.REPLY, ours)
    return ""


def _add(sandbox: Sandbox, phone: Box, words: str, direction: Direction, ours: str) -> int:
    at = now()
    return sandbox.store.add(
        Arrival(
            channel="text",
            address=phone.address,
            fate=_fate(sandbox, phone),
            at=at,
            settles_at=at,
            outcome="received" if direction is Direction.IN else "delivered",
            other=ours,
            body=words,
            direction=direction,
            details=orjson.dumps({}).decode(),
        )
    )


def _fields(sandbox: Sandbox, phone: Box, words: str, ours: str, sid: str) -> dict[str, str]:
    return {
        "AccountSid": sandbox.options.credentials.account_sid,
        "ApiVersion": "2010-04-01",
        "Body": words,
        "From": phone.address,
        "FromCity": "",
        "FromCountry": _country(phone.address),
        "FromState": "",
        "FromZip": "",
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": str(max(segments(words).parts, 1)),
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": ours,
        "ToCity": "",
        "ToCountry": _country(ours),
        "ToState": "",
        "ToZip": "",
    }


def _country(number: str) -> str:
    try:
        return phonenumbers.region_code_for_country_code(phonenumbers.parse(number).country_code or 0) or ""
    except phonenumbers.NumberParseException:
        return ""


def _spoken(twiml: str) -> list[str]:
    """The words of each <Message> in the hub's answer."""
    try:
        root = ElementTree.fromstring(twiml)  # noqa: S314 - from the hub that this sandbox belongs to
    except ElementTree.ParseError:
        return []
    return [words for words in ("".join(message.itertext()).strip() for message in root.iter("Message")) if words]
