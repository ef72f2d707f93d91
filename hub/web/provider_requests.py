"""Requests from providers: read within limits, and believed only with the provider's signature.

What is wrong with a request raises a :class:`hub.errors.HubError`, whatever bytes it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import request
from werkzeug.datastructures import MultiDict

from channels.text.twilio_receipts import is_signed
from config.settings import settings
from hub.errors import HubError, Refused

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
LARGEST_TWILIO_BYTES = 64 * 1024
"""A text has at most 1,600 characters; its fields and ten media addresses fit many times."""
MOST_FIELDS = 500


class Malformed(HubError):
    """400: the request is signed, but is not what the provider's documentation says."""


class TooLarge(HubError):
    """413: the request is larger than anything that the provider sends."""

    status = 413


class WrongContentType(HubError):
    """415: the body is of a kind that the provider does not send here."""

    status = 415


def body_within(limit: int, content_type: str) -> bytes:
    """The request's body of up to ``limit`` bytes. Raises :class:`WrongContentType` or :class:`TooLarge`."""
    if request.mimetype != content_type:
        raise WrongContentType(f"This address takes {content_type} only.")
    request.max_content_length = limit + 1  # so that a body without a length is not read any further either
    if (request.content_length or 0) > limit:
        raise TooLarge(f"The body is larger than {limit:,} bytes.")
    body = request.get_data(cache=False)
    if len(body) > limit:
        raise TooLarge(f"The body is larger than {limit:,} bytes.")
    return body


def public_address() -> str:
    """The address that the provider signed: as configured, never as the request's own headers claim."""
    query = request.query_string.decode("latin-1")
    return settings().public_url + request.path + (f"?{query}" if query else "")


def twilio_form() -> Mapping[str, str]:
    """The fields of a form that Twilio has signed, without NUL characters. Raises an error otherwise.

    The signature covers the form and the address (twilio.com/docs/usage/security). JSON is refused: without
    ``bodySHA256`` Twilio's signature says nothing about it.
    """
    body = body_within(LARGEST_TWILIO_BYTES, FORM)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError as error:
        raise Malformed("The form can't be read.") from error
    fields: MultiDict[str, str] = MultiDict(pairs)
    token = settings().twilio_auth_token.get_secret_value()
    if not is_signed(token, public_address(), fields, request.headers.get("X-Twilio-Signature", "")):
        raise Refused("The signature does not fit: check PUBLIC_URL and TWILIO_AUTH_TOKEN.")
    return {name: value.replace("\0", "") for name, value in fields.items()}
