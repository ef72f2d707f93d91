"""The body of a mail/send request for up to a thousand people, written as bytes rather than built as objects.

It means what ``sendgrid.helpers.mail`` would say, at an eighth of the cost:
https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import orjson

from channels.base import Content, Message
from channels.email.sender import Sender
from channels.filling import template

_TRACKING = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
}
"""Nobody is followed: rewritten links frighten people, and the unsubscribe link is our own."""


_TO_ESCAPE = re.compile("[&<>\"']")


@dataclass(frozen=True, slots=True)
class _Slot:
    """One tag of the request: what stands for a field in the plain text, the HTML or the subject."""

    tag: str
    field: str
    form: str


def mail(messages: Sequence[Message], sender: Sender) -> bytes:
    """One request that carries the messages, which share one content and have each address only once."""
    content = messages[0].content
    slots = _slots(content, _mark(content, messages))
    parts = [{"type": "text/plain", "value": _tagged(content.text, slots, "text") or " "}]
    if content.html:
        parts.append({"type": "text/html", "value": _tagged(content.html, slots, "html")})
    shared = {
        "from": {"email": sender.address, "name": sender.name},
        "subject": " ".join(_tagged(content.subject, slots, "line").split()) or sender.name,
        "content": parts,
        "tracking_settings": _TRACKING,
    }
    if messages[0].unsubscribe_url:
        shared["headers"] = {"List-Id": sender.list_id}
    people = b",".join(_personalizations(messages, slots))
    return b'%s,"personalizations":[%s]}' % (_json(shared)[:-1], people)


def _personalizations(messages: Sequence[Message], slots: Sequence[_Slot]) -> Iterator[bytes]:
    """What is each person's own. All that is the same for everybody is written once, as a pattern of bytes."""
    first = messages[0]
    pattern = b'{"to":[{"email":%b}]'
    if first.unsubscribe_url:
        # RFC 8058: one click, no questions.
        pattern += b',"headers":{"List-Unsubscribe":"<%b>","List-Unsubscribe-Post":"List-Unsubscribe=One-Click"}'
    if slots:
        tags = b",".join(b'"%b":%%b' % slot.tag.encode() for slot in slots)
        pattern += b',"substitutions":{%b}' % tags
    for message in messages:
        own = [_json(message.address)]
        if first.unsubscribe_url:
            own.append(_json(message.unsubscribe_url)[1:-1])
        values = message.values
        for slot in slots:
            value = values.get(slot.field)
            own.append(_json(f"(({slot.field}))" if value is None else _in_form(value, slot.form)))
        written = pattern % tuple(own)
        if message.delivery_id:
            written += b',"custom_args":{"delivery_id":"%d"}' % message.delivery_id
        yield written + b"}"


def _in_form(value: str, form: str) -> str:
    if form == "html":
        return escape(value) if _TO_ESCAPE.search(value) else value
    return " ".join(value.split()) if form == "line" else value


def _slots(content: Content, mark: str) -> list[_Slot]:
    slots: list[_Slot] = []
    for form, text in (("text", content.text), ("html", content.html), ("line", content.subject)):
        for field in template(text).names:
            slots.append(_Slot(f"{mark}{len(slots)}-", field, form))
    return slots


def _tagged(text: str, slots: Iterable[_Slot], form: str) -> str:
    return template(text).fill({slot.field: slot.tag for slot in slots if slot.form == form})


def _mark(content: Content, messages: Iterable[Message]) -> str:
    """How tags begin: something that neither the text nor anybody's value says, so that nothing is filled twice."""
    said = (content.text, content.html, content.subject)
    mark, number = "-field-", 0
    while any(mark in text for text in said) or any(
        mark in value for message in messages for value in message.values.values()
    ):
        number += 1
        mark = f"-field{number}-"
    return mark


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair, which no encoding can carry
        return orjson.dumps(_mended(value))


def _mended(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _mended(item) for name, item in value.items()}
    return [_mended(item) for item in value] if isinstance(value, list) else value
