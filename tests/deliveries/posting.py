"""Requests as the providers make and sign them."""

from __future__ import annotations

import time
from base64 import b64encode
from urllib.parse import urlencode

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

PUBLIC_URL = "https://hub.example.org"
AUTH_TOKEN = "a-token-of-nobody"
FORM = "application/x-www-form-urlencoded"
SENDGRID_KEY = generate_private_key(SECP256R1())


def public_half(key: EllipticCurvePrivateKey = SENDGRID_KEY) -> str:
    """A verification key as SendGrid shows it."""
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def post_as_twilio(
    client: FlaskClient, path: str, fields: dict[str, str], *, token: str = AUTH_TOKEN, body: bytes | None = None
) -> TestResponse:
    """A form that the official SDK signs for ``path``; ``body`` puts other bytes in place of the form."""
    signature = RequestValidator(token).compute_signature(PUBLIC_URL + path, fields)
    return client.post(
        path,
        data=urlencode(fields).encode() if body is None else body,
        content_type=FORM,
        headers={"X-Twilio-Signature": signature, "Host": "elsewhere.example"},
    )


def post_as_sendgrid(
    client: FlaskClient,
    events: object,
    *,
    key: EllipticCurvePrivateKey = SENDGRID_KEY,
    body: bytes | None = None,
    age: int = 0,
    content_type: str = "application/json",
) -> TestResponse:
    """Events that are signed as SendGrid signs them, ``age`` seconds ago."""
    raw = orjson.dumps(events) + b"\r\n" if body is None else body
    timestamp = str(int(time.time()) - age)
    signature = key.sign(timestamp.encode() + raw, ECDSA(SHA256()))
    return client.post(
        "/webhooks/sendgrid/events",
        data=raw,
        content_type=content_type,
        headers={
            "X-Twilio-Email-Event-Webhook-Signature": b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        },
    )
