"""SendGrid's v3 API: mail/send, scopes, and the suppressions that a client reads back."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from hashlib import sha1
from typing import Any

import orjson
from aiohttp import web

from channels.sandbox.faults import Event, Faults, faulty
from channels.sandbox.messages import Arrival, Message, by_words
from channels.sandbox.people import Fate
from channels.sandbox.sendgrid_rules import LARGEST, Problem, problems
from channels.sandbox.world import SANDBOX, Sandbox, now

SUPPRESSIONS = {
    "bounces": "/v3/suppression/bounces",
    "blocks": "/v3/suppression/blocks",
    "invalid_emails": "/v3/suppression/invalid_emails",
    "spam_reports": "/v3/suppression/spam_reports",
    "unsubscribes": "/v3/suppression/unsubscribes",
}
WHY_DROPPED = {
    "bounces": "Bounced Address",
    "invalid_emails": "Invalid",
    "spam_reports": "Spam Reporting Address",
    "unsubscribes": "Unsubscribed Address",
}
NO_MAILBOX = "550 5.1.1 The email account that you tried to reach does not exist."
MAILBOX_FULL = "452 4.2.2 The recipient's inbox is out of storage space."

Handler = Callable[[web.Request, Sandbox], Awaitable[web.Response]]


def routes() -> list[web.RouteDef]:
    """The resources that the sandbox has."""
    lists = [web.get(path, _resource(_list_of(kind))) for kind, path in SUPPRESSIONS.items()]
    return [
        web.post("/v3/mail/send", _resource(send)),
        web.get("/v3/scopes", _resource(scopes)),
        web.get("/v3/asm/suppressions/global", _resource(_list_of("unsubscribes"))),
        *lists,
    ]


def _resource(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Check the API key first."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        sandbox = request.app[SANDBOX]
        given = request.headers.get("Authorization", "")
        expected = f"Bearer {sandbox.options.credentials.sendgrid_api_key}"
        if not hmac.compare_digest(given.encode(), expected.encode()):
            return _errors(401, "The provided authorization grant is invalid, expired, or revoked")
        return await handler(request, sandbox)

    return faulty("sendgrid", _faults, _fault_answer)(handle)


def _faults(request: web.Request) -> Faults:
    return request.app[SANDBOX].faults


def _fault_answer(status: int, headers: Mapping[str, str]) -> web.Response:
    words = {429: "too many requests", 500: "Internal Server Error"}.get(status, "Service Not Available")
    extra = dict(headers)
    if status == 429:
        reset = now() + float(headers.get("Retry-After", "1"))
        extra |= {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(reset) + 1)}
    return _errors(status, words, headers=extra)


def _errors(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"errors": [{"message": message, "field": None, "help": None}]}
    return web.Response(body=orjson.dumps(body), status=status, headers=headers or {}, content_type="application/json")


async def scopes(_request: web.Request, _sandbox: Sandbox) -> web.Response:
    """What the API key may do."""
    return web.json_response({"scopes": ["mail.send", "mail.batch.create", "suppression.read"]})


async def send(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Take a mail to up to 1,000 people."""
    if request.content_type != "application/json":
        return _errors(415, "Unsupported Media Type")
    body = await request.read()
    if len(body) > LARGEST:
        return _errors(413, "The JSON payload you have included in your request is too large.")
    try:
        mail = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _errors(400, "Bad Request")
    found = problems(mail)
    if found:
        return _refused(found)
    if ((mail.get("mail_settings") or {}).get("sandbox_mode") or {}).get("enable") is True:
        return web.Response(status=200)
    request_id = accept(sandbox, mail, now())
    return web.Response(status=202, headers={"X-Message-Id": request_id})


def _refused(found: list[Problem]) -> web.Response:
    body = {"errors": [problem.described() for problem in found]}
    return web.Response(body=orjson.dumps(body), status=400, content_type="application/json")


def accept(sandbox: Sandbox, mail: dict[str, Any], at: float) -> str:
    """Remember a mail to many people and plan its events; gives the X-Message-Id."""
    contents = {block["type"]: block["value"] for block in mail["content"]}
    reply_to = (mail.get("reply_to") or mail["from"])["email"]
    content_id = sandbox.store.add_content(
        sender=_shown(mail["from"]),
        reply_to=reply_to,
        subject=mail.get("subject") or "",
        plain=contents.get("text/plain", ""),
        html=contents.get("text/html", ""),
        headers=orjson.dumps(mail.get("headers") or {}).decode(),
    )
    events: list[Event] = []
    for person in mail["personalizations"]:
        for recipient in (*person["to"], *(person.get("cc") or ()), *(person.get("bcc") or ())):
            events += _accept_one(sandbox, mail, person, recipient, content_id, at)
    sandbox.store.outbox.plan("sendgrid", events)
    return request_id_of(sandbox, content_id)


def _accept_one(
    sandbox: Sandbox,
    mail: dict[str, Any],
    person: dict[str, Any],
    recipient: dict[str, str],
    content_id: int,
    at: float,
) -> list[Event]:
    address = recipient["email"]
    box = address.lower()
    fate = sandbox.fate("email", box)
    outcome, error = _outcome(sandbox, box, fate, at)
    args = {**(mail.get("custom_args") or {}), **(person.get("custom_args") or {})}
    details: dict[str, Any] = {"to": _shown(recipient), "email": address}
    for name in ("substitutions", "headers", "subject"):
        if person.get(name):
            details[name] = person[name]
    if args:
        details["args"] = args
    subject = filled(person.get("subject") or mail.get("subject") or "", person.get("substitutions") or {})
    starts = max(at, float(person.get("send_at") or mail.get("send_at") or 0))
    settles_at = starts + sandbox.options.delay
    message_id = sandbox.store.add(
        Arrival(
            channel="email",
            address=box,
            fate=fate,
            at=at,
            settles_at=settles_at,
            outcome=outcome,
            error=error,
            other=mail["from"]["email"],
            preview=subject,
            content_id=content_id,
            details=orjson.dumps(details).decode(),
            delivery_key=_delivery_key(box, args, mail, person),
        )
    )
    return sandbox.disturbed("sendgrid", list(_events(message_id, fate, outcome, starts, settles_at)))


def _shown(person: Mapping[str, str]) -> str:
    return f"{person['name']} <{person['email']}>" if person.get("name") else person["email"]


def _outcome(sandbox: Sandbox, box: str, fate: Fate, at: float) -> tuple[str, str]:
    suppressed = sandbox.store.refusals.suppressed(box)
    for kind, reason in WHY_DROPPED.items():
        if kind in suppressed:
            return "dropped", reason
    if fate is Fate.NO_MAILBOX:
        sandbox.store.refusals.suppress("bounces", box, at, NO_MAILBOX)
        return "bounce", NO_MAILBOX
    if fate is Fate.REPORTS_SPAM:
        sandbox.store.refusals.suppress("spam_reports", box, at, "")
    return "delivered", ""


def _events(message_id: int, fate: Fate, outcome: str, starts: float, settles_at: float) -> list[Event]:
    half = (starts + settles_at) / 2
    if outcome == "dropped":
        return [(half, message_id, "dropped", half)]
    events = [(half, message_id, "processed", half)]
    if fate is Fate.MAILBOX_FULL:
        events.append((settles_at, message_id, "deferred", settles_at))
        settles_at += settles_at - half
    events.append((settles_at, message_id, outcome, settles_at))
    if fate is Fate.REPORTS_SPAM:
        later = settles_at + (settles_at - half)
        events.append((later, message_id, "spamreport", later))
    return events


def _delivery_key(box: str, args: Mapping[str, str], mail: dict[str, Any], person: dict[str, Any]) -> str:
    if args.get("delivery_id"):
        return f"d{args['delivery_id']}"
    substitutions = person.get("substitutions") or {}
    words = [person.get("subject") or mail.get("subject") or "", *(block["value"] for block in mail["content"])]
    return by_words(box, *(filled(part, substitutions) for part in words))


def filled(text: str, substitutions: Mapping[str, str]) -> str:
    """The text with each tag replaced, as SendGrid does: wherever it stands, and without escaping."""
    for tag, value in substitutions.items():
        text = text.replace(tag, value)
    return text


def request_id_of(sandbox: Sandbox, content_id: int) -> str:
    """The X-Message-Id of a request, which all its messages' ids begin with."""
    digest = sha1(f"{sandbox.store.series}:{content_id}".encode(), usedforsecurity=False).digest()
    return urlsafe_b64encode(digest)[:22].decode()


def message_id_of(sandbox: Sandbox, message: Message) -> str:
    """The sg_message_id of a message."""
    request_id = request_id_of(sandbox, message.content_id or 0)
    return f"{request_id}.filterdrecv-5a4dba0c-{message.id:x}-0.0"


def smtp_id_of(sandbox: Sandbox, message: Message) -> str:
    """The Message-ID of a mail; SendGrid gives all mails of a request the same one."""
    return f"<{request_id_of(sandbox, message.content_id or 0)}@geopod-ismtpd-0>"


def _list_of(kind: str) -> Handler:
    async def handle(request: web.Request, sandbox: Sandbox) -> web.Response:
        try:
            limit = min(int(request.query.get("limit", "500")), 500)
            offset = int(request.query.get("offset", "0"))
        except ValueError:
            return _errors(400, "limit and offset must be integers")
        rows = sandbox.store.refusals.suppressions(kind, max(limit, 0), max(offset, 0))
        status = "5.1.1" if kind == "bounces" else ""
        found = [{"created": int(at), "email": who, "reason": why, "status": status} for who, at, why in rows]
        return web.Response(body=orjson.dumps(found), content_type="application/json")

    return handle
