"""Reads an email as SendGrid's Inbound Parse posts it (twilio.com/docs/sendgrid/for-developers/parsing-email)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from email.parser import HeaderParser
from email.utils import getaddresses
from html import unescape
from io import BytesIO
from typing import IO, Any

import nh3
import orjson
from flask import request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from channels.addresses import BadAddress, read_mailbox
from hub.conversations.models import ReplyKind
from hub.conversations.rules import STOP_WORDS, is_automatic, kind_of, own_words
from hub.conversations.service import Incoming
from hub.web.provider_requests import Malformed, TooLarge, WrongContentType

LARGEST_EMAIL_BYTES = 31 * 1024 * 1024
"""SendGrid takes mail of up to 30 MB."""
LARGEST_FIELDS_BYTES = 4 * 1024 * 1024
MOST_PARTS = 200
LONGEST_BOUNDARY = 200
"""RFC 2046 allows 70 characters; senders that put a time and a random number into theirs go over it now and then."""


class _Nowhere(BytesIO):
    """Takes an attachment and keeps none of it."""

    def write(self, data: Any, /) -> int:
        return len(data)


def _drop(
    total_content_length: int | None,  # noqa: ARG001 - Werkzeug's signature
    content_type: str | None,  # noqa: ARG001
    filename: str | None,  # noqa: ARG001
    content_length: int | None = None,  # noqa: ARG001
) -> IO[bytes]:
    return _Nowhere()


class _Bytes(MultiPartParser):
    """Keeps the bytes of fields as they came: each has a character set of its own, named in another field."""

    def get_part_charset(self, headers: Headers) -> str:  # noqa: ARG002 - Werkzeug's signature
        return "latin-1"


def parse_email() -> dict[str, str]:
    """The fields of the posted form, each decoded by its own character set. Attachments are dropped.

    Raises an error where the request is too large or is no such form.
    """
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary.isascii() or not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise WrongContentType("This address takes multipart/form-data only.")
    if (request.content_length or 0) > LARGEST_EMAIL_BYTES:
        raise TooLarge("The email is too large.")
    request.max_content_length = LARGEST_EMAIL_BYTES
    parser = _Bytes(_drop, max_form_memory_size=LARGEST_FIELDS_BYTES, max_form_parts=MOST_PARTS)
    try:
        form, _files = parser.parse(request.stream, boundary.encode(), request.content_length)
    except RequestEntityTooLarge as error:
        raise TooLarge("The email is too large.") from error
    except (ValueError, LookupError) as error:
        raise Malformed("The form can't be read.") from error
    charsets = _json_object(form.get("charsets", ""))
    return {name: _decoded(value, charsets.get(name)) for name, value in form.items()}


def _decoded(value: str, charset: object) -> str:
    raw = value.encode("latin-1")
    try:
        return raw.decode(str(charset or "utf-8"), "replace")
    except (LookupError, ValueError):  # a character set that nobody knows
        return raw.decode("utf-8", "replace")


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def read_parsed(fields: Mapping[str, str]) -> Incoming:
    """What the email says, and whose it is by its From line.

    Raises :class:`hub.web.provider_requests.Malformed` where it has no sender.
    """
    envelope = _json_object(fields["envelope"]) if "envelope" in fields else {}
    headers = _headers(fields.get("headers", ""))
    sender = _first_address(fields.get("from", "")) or _text(envelope.get("from"))
    if not sender:
        raise Malformed("The email has no sender.")
    text = own_words(fields.get("text", "") or _without_tags(fields.get("html", "")))
    subject = " ".join(fields.get("subject", "").split())
    return Incoming(
        provider="sendgrid",
        provider_id=_message_id(headers, fields),
        channel="email",
        from_address=sender,
        to_address=_recipient(envelope, fields),
        subject=subject,
        body=text,
        kind=_kind(text, subject, headers, envelope),
        is_trusted=_is_authenticated(fields, sender),
    )


def _headers(text: str) -> dict[str, str]:
    parsed = HeaderParser().parsestr(text[:200_000])
    return {name.lower(): str(value) for name, value in parsed.items()}


def _kind(text: str, subject: str, headers: dict[str, str], envelope: dict[str, Any]) -> ReplyKind:
    sender = envelope.get("from")
    if is_automatic(headers, sender if isinstance(sender, str) else None):
        return ReplyKind.AUTOMATIC
    # By email nobody knows the texts' keywords: only a plain wish to stop is acted on, the rest is for a person.
    stops = kind_of(text or subject) is ReplyKind.STOP and (text or subject).strip(" .!").upper() in STOP_WORDS
    return ReplyKind.STOP if stops else ReplyKind.MESSAGE


def _is_authenticated(fields: Mapping[str, str], sender: str) -> bool:
    """Whether the sender's own domain signed the email: ``dkim`` is such as ``{@example.org : pass}``."""
    domain = sender.rpartition("@")[2]
    return f"@{domain} : pass" in fields.get("dkim", "").lower()


def _message_id(headers: dict[str, str], fields: Mapping[str, str]) -> str:
    given = headers.get("message-id", "").strip()
    if given and len(given) <= 140:
        return given
    seed = "\0".join((given, fields.get("from", ""), headers.get("date", ""), fields.get("text", "")))
    return hashlib.sha256(seed.encode("utf-8", "replace")).hexdigest()


def _recipient(envelope: dict[str, Any], fields: Mapping[str, str]) -> str:
    to = envelope.get("to")
    return _text(to[0]) if isinstance(to, list) and to else _first_address(fields.get("to", ""))


def _first_address(text: str) -> str:
    for _name, address in getaddresses([text.replace("\0", "")[:2_000]]):
        if "@" in address:
            return _normal(address)
    return ""


def _normal(address: str) -> str:
    try:
        return read_mailbox(address).value
    except BadAddress:
        return address[:320]


def _text(value: object) -> str:
    return _normal(value) if isinstance(value, str) and "@" in value else ""


def _without_tags(html: str) -> str:
    return unescape(nh3.clean(html, tags=set())).strip()
