"""Twilio's Messages API: https://www.twilio.com/docs/messaging/api/message-resource."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from urllib.parse import parse_qsl, unquote, urlencode

import orjson
from aiohttp import web

from channels.sandbox.faults import Faults, faulty
from channels.sandbox.messages import Arrival, Direction, Message, by_words
from channels.sandbox.people import TEXT_ERROR, Fate
from channels.sandbox.twilio_resource import date, described, id_of, sid_of, status
from channels.sandbox.twilio_rules import Refused, Text, read_text
from channels.sandbox.world import SANDBOX, Sandbox, now

ACCOUNT = "/2010-04-01/Accounts/{account}"
STOPPED = "text_stop"
"""The kind of suppression that a STOP by text makes."""

_DELIVERY = re.compile(r"[?&]d=([^&#]+)")
Handler = Callable[[web.Request, Sandbox], Awaitable[web.Response]]


def routes() -> list[web.RouteDef]:
    """The resources that the sandbox has."""
    messages = ACCOUNT + "/Messages"
    return [
        web.get(ACCOUNT + ".json", _resource(account)),
        web.post(messages + ".json", _resource(create)),
        web.get(messages + ".json", _resource(listing)),
        web.get(messages + "/{sid}.json", _resource(fetch)),
        web.post(messages + "/{sid}.json", _resource(update)),
    ]


def _resource(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Check credentials first, and answer refusals as Twilio does."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        sandbox = request.app[SANDBOX]
        try:
            _authenticate(request, sandbox)
            return await handler(request, sandbox)
        except Refused as refused:
            return _refusal(refused)

    return faulty("twilio", _faults, _fault_answer)(handle)


def _faults(request: web.Request) -> Faults:
    return request.app[SANDBOX].faults


def _fault_answer(status: int, headers: Mapping[str, str]) -> web.Response:
    return _refusal(Refused({429: 20429, 500: 20500}.get(status, 20503)), headers)


def _refusal(refused: Refused, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {
        "code": refused.code,
        "message": refused.message,
        "more_info": f"https://www.twilio.com/docs/errors/{refused.code}",
        "status": refused.status,
    }
    return _json(body, status=refused.status, headers=headers)


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


def _authenticate(request: web.Request, sandbox: Sandbox) -> None:
    credentials = sandbox.options.credentials
    expected = b"Basic " + b64encode(f"{credentials.account_sid}:{credentials.auth_token}".encode())
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, expected):
        raise Refused(20003)
    if request.match_info["account"] != credentials.account_sid:
        raise Refused(20404, request.path)


async def account(_request: web.Request, sandbox: Sandbox) -> web.Response:
    """The account itself: how a client finds out whether its credentials work."""
    sid = sandbox.options.credentials.account_sid
    uri = f"/2010-04-01/Accounts/{sid}"
    return _json(
        {
            "sid": sid,
            "owner_account_sid": sid,
            "friendly_name": "Sandbox",
            "status": "active",
            "type": "Full",
            "auth_token": sandbox.options.credentials.auth_token,
            "date_created": date(0),
            "date_updated": date(0),
            "uri": uri + ".json",
            "subresource_uris": {"messages": uri + "/Messages.json"},
        }
    )


async def create(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Take a text."""
    form = await _form(request)
    at = now()
    text = read_text(form, sandbox.options.credentials, at)
    fate = sandbox.fate("text", text.to)
    if fate is Fate.NOT_MOBILE:
        raise Refused(21614, text.to)
    if fate is Fate.OPTED_OUT or STOPPED in sandbox.store.refusals.suppressed(text.to):
        raise Refused(21610)
    message = accept(sandbox, text, fate, at)
    return _json(described(sandbox, message, at), status=201)


async def _form(request: web.Request) -> dict[str, str]:
    try:
        return dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
    except ValueError:
        raise Refused(20001) from None


def accept(sandbox: Sandbox, text: Text, fate: Fate, at: float) -> Message:
    """Remember a text and plan what Twilio will tell about it."""
    error = TEXT_ERROR.get(fate, "")
    starts = text.send_at or at
    arrival = Arrival(
        channel="text",
        address=text.to,
        fate=fate,
        at=at,
        settles_at=starts + sandbox.options.delay,
        outcome="undelivered" if error else "delivered",
        error=error,
        other=text.sender,
        body=text.body,
        callback=text.status_callback,
        details=orjson.dumps({"service": text.service, "send_at": text.send_at}).decode() if text.service else "{}",
        delivery_key=_delivery_key(text),
    )
    message_id = sandbox.store.add(arrival)
    if text.status_callback:
        sent = starts + sandbox.options.delay / 2
        events = [(sent, message_id, "sent", sent)]
        events.append((arrival.settles_at, message_id, arrival.outcome, arrival.settles_at))
        sandbox.plan("twilio", events)
    return Message(
        id=message_id,
        channel="text",
        box_id=0,
        address=text.to,
        direction=Direction.OUT,
        at=at,
        settles_at=arrival.settles_at,
        outcome=arrival.outcome,
        error=error,
        other=text.sender,
        body=text.body,
        callback=text.status_callback,
        content_id=None,
        details=arrival.details,
        duplicate=0,
    )


def _delivery_key(text: Text) -> str:
    named = _DELIVERY.search(text.status_callback)
    return f"d{unquote(named[1])}" if named else by_words(text.to, text.body)


async def fetch(request: web.Request, sandbox: Sandbox) -> web.Response:
    """One message."""
    return _json(described(sandbox, _found(request, sandbox), now()))


async def update(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Cancel a scheduled message, or redact one."""
    message = _found(request, sandbox)
    form = await _form(request)
    if form.get("Status"):
        if form["Status"] != "canceled" or status(message, now()) != "scheduled":
            raise Refused(30409)
        sandbox.store.change(message.id, outcome="canceled")
    if "Body" in form:
        if form["Body"]:
            raise Refused(20001)
        sandbox.store.change(message.id, body="")
    return _json(described(sandbox, _found(request, sandbox), now()))


def _found(request: web.Request, sandbox: Sandbox) -> Message:
    message_id = id_of(sandbox, request.match_info["sid"])
    message = None if message_id is None else sandbox.store.message(message_id)
    if message is not None and message.channel == "text":
        return message
    raise Refused(20404, request.path)


async def listing(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Messages, newest first, by recipient, sender and day, page by page."""
    query = request.query
    size = _number(query.get("PageSize", "50"), lowest=1, highest=1000)
    page = _number(query.get("Page", "0"), lowest=0, highest=2**31)
    found = sandbox.store.texts(
        to=query.get("To", ""),
        sender=query.get("From", ""),
        days=_days(query),
        before_id=id_of(sandbox, query.get("PageToken", "").removeprefix("PA")),
        limit=size + 1,
    )
    at, rows = now(), found[:size]
    following = None
    if len(found) > size:
        following = _page_uri(request, Page=str(page + 1), PageToken="PA" + sid_of(sandbox, rows[-1].id))
    return _json(
        {
            "messages": [described(sandbox, message, at) for message in rows],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(rows) - 1, 0),
            "uri": request.path_qs,
            "first_page_uri": _page_uri(request, Page="0"),
            "next_page_uri": following,
            "previous_page_uri": None,
        }
    )


def _number(text: str, *, lowest: int, highest: int) -> int:
    if not text.isdecimal():
        raise Refused(20001)
    return min(max(int(text), lowest), highest)


def _days(query: Mapping[str, str]) -> tuple[float | None, float | None]:
    """The moments between which a message was sent: whole days in UTC, as ``DateSent``, ``DateSent>`` and ``<`` say."""

    def moment(name: str, *, end: bool) -> float | None:
        if name not in query:
            return None
        try:
            day = datetime.fromisoformat(query[name].replace("Z", "+00:00")).date()
        except ValueError:
            raise Refused(20001) from None
        return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + (86400 if end else 0)

    if "DateSent" in query:
        return moment("DateSent", end=False), moment("DateSent", end=True)
    return moment("DateSent>", end=False), moment("DateSent<", end=True)


def _page_uri(request: web.Request, **changes: str) -> str:
    kept = {name: value for name, value in request.query.items() if name not in {"Page", "PageToken"}}
    return f"{request.path}?{urlencode(kept | changes)}"
