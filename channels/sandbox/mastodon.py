"""A Mastodon server with one account: https://docs.joinmastodon.org/methods/statuses/."""

from __future__ import annotations

import hmac
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from html import escape
from typing import Any

import orjson
from aiohttp import web

from channels.sandbox.faults import Faults, faulty
from channels.sandbox.messages import Arrival, Message, by_words
from channels.sandbox.people import Fate
from channels.sandbox.world import SANDBOX, Sandbox, now

TIMELINE = "@everyway@sandbox.example"
"""The address under which the public timeline is kept."""
LONGEST = 500
EACH_LINK = 23
REMEMBER_KEY = 3600.0
MOST, WITHIN = 300, 300.0
VISIBILITIES = {"public", "unlisted", "private", "direct"}

_LINK = re.compile(r"https?://\S+")
_REQUESTS = web.AppKey("mastodon_requests", deque[float])

Handler = Callable[[web.Request, Sandbox], Awaitable[web.Response]]


class Invalid(ValueError):
    """What Mastodon says about a status that it does not take."""


def add_to(app: web.Application) -> None:
    """Add the account's resources."""
    app[_REQUESTS] = deque()
    app.add_routes(
        [
            web.post("/api/v1/statuses", _resource(create)),
            web.get("/api/v1/statuses/{id}", _resource(fetch)),
            web.get("/api/v1/accounts/verify_credentials", _resource(verify_credentials)),
            web.get("/api/v2/instance", instance),
        ]
    )


def _resource(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Check the access token and the rate limit first."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        sandbox = request.app[SANDBOX]
        expected = f"Bearer {sandbox.options.credentials.mastodon_token}"
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
            return _json({"error": "The access token is invalid"}, status=401)
        limits = _limits(request.app[_REQUESTS], now())
        if limits["X-RateLimit-Remaining"] == "-1":
            return _json({"error": "Too many requests"}, 429, limits | {"X-RateLimit-Remaining": "0"})
        try:
            answer = await handler(request, sandbox)
        except Invalid as problem:
            answer = _json({"error": f"Validation failed: {problem}"}, status=422)
        answer.headers.update(limits)
        return answer

    return faulty("mastodon", _faults, _fault_answer)(handle)


def _faults(request: web.Request) -> Faults:
    return request.app[SANDBOX].faults


def _fault_answer(status: int, headers: Mapping[str, str]) -> web.Response:
    words = {429: "Too many requests", 500: "Something went wrong"}.get(status, "Service temporarily unavailable")
    extra = dict(headers)
    if status == 429:
        reset = _date(now() + float(headers.get("Retry-After", "1")))
        extra |= {"X-RateLimit-Limit": str(MOST), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return _json({"error": words}, status, extra)


def _limits(requests: deque[float], at: float) -> dict[str, str]:
    """Note a request; gives the headers. Remaining is -1 where it is one too many."""
    while requests and requests[0] <= at - WITHIN:
        requests.popleft()
    remaining = MOST - len(requests) - 1
    if remaining >= 0:
        requests.append(at)
    return {
        "X-RateLimit-Limit": str(MOST),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": _date(requests[0] + WITHIN),
    }


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers=headers or {}, content_type="application/json")


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def instance(request: web.Request) -> web.Response:
    """What this server allows."""
    return _json(
        {
            "domain": request.host,
            "title": "Sandbox",
            "version": "4.3.0",
            "configuration": {
                "statuses": {
                    "max_characters": LONGEST,
                    "max_media_attachments": 4,
                    "characters_reserved_per_url": EACH_LINK,
                }
            },
        }
    )


async def verify_credentials(request: web.Request, _sandbox: Sandbox) -> web.Response:
    """The account that the token is for."""
    return _json(_account(request))


def _account(request: web.Request) -> dict[str, Any]:
    return {
        "id": "1",
        "username": "everyway",
        "acct": "everyway",
        "display_name": "Everyway",
        "url": f"http://{request.host}/timeline",
    }


async def create(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Post a status; the same Idempotency-Key within an hour gives the same status again."""
    form = await _form(request)
    at = now()
    key = request.headers.get("Idempotency-Key", "")
    earlier = _posted_before(sandbox, key, at)
    if earlier is not None:
        return _json(_status(request, earlier))
    words = _checked(form)
    details = {
        "visibility": form.get("visibility") or "public",
        "language": form.get("language") or None,
        "spoiler_text": form.get("spoiler_text") or "",
    }
    message_id = sandbox.store.add(
        Arrival(
            channel="social",
            address=TIMELINE,
            fate=Fate.FINE,
            at=at,
            settles_at=at,
            outcome="posted",
            other=TIMELINE,
            body=words,
            details=orjson.dumps(details).decode(),
            delivery_key=by_words(TIMELINE, words),
        )
    )
    if key:
        row = (key, at, message_id)
        sandbox.store.db.execute("INSERT OR REPLACE INTO idempotency (name, at, message_id) VALUES (?, ?, ?)", row)
    message = sandbox.store.message(message_id)
    assert message is not None  # noqa: S101 - it was written two lines above
    return _json(_status(request, message))


async def _form(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        try:
            body = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            raise Invalid("the body is not JSON") from None
        if not isinstance(body, dict):
            raise Invalid("the body is not an object")
        return body
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _posted_before(sandbox: Sandbox, key: str, at: float) -> Message | None:
    query = "SELECT message_id FROM idempotency WHERE name = ? AND at > ?"
    row = sandbox.store.db.execute(query, (key, at - REMEMBER_KEY)).fetchone() if key else None
    return None if row is None else sandbox.store.message(row[0])


def _checked(form: Mapping[str, Any]) -> str:
    words = form.get("status")
    if not isinstance(words, str) or not words.strip():
        raise Invalid("Text can't be blank")
    counted = _LINK.sub("x" * EACH_LINK, words) + str(form.get("spoiler_text") or "")
    if len(counted) > LONGEST:
        raise Invalid(f"Text character limit of {LONGEST} exceeded")
    if form.get("visibility") and form["visibility"] not in VISIBILITIES:
        raise Invalid(f"Visibility {form['visibility']} is not a valid visibility")
    language = form.get("language")
    if language and not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)*", str(language)):
        raise Invalid("Language is invalid")
    return words


async def fetch(request: web.Request, sandbox: Sandbox) -> web.Response:
    """One status."""
    number = request.match_info["id"]
    message = sandbox.store.message(int(number)) if number.isdecimal() and len(number) < 16 else None
    if message is None or message.channel != "social":
        return _json({"error": "Record not found"}, status=404)
    return _json(_status(request, message))


def _status(request: web.Request, message: Message) -> dict[str, Any]:
    details = orjson.loads(message.details)
    url = f"http://{request.host}/timeline#post-{message.id}"
    return {
        "id": str(message.id),
        "created_at": _date(message.at),
        "visibility": details["visibility"],
        "language": details["language"],
        "spoiler_text": details["spoiler_text"],
        "sensitive": False,
        "content": "<p>" + escape(message.body).replace("\n", "<br>") + "</p>",
        "uri": url,
        "url": url,
        "account": _account(request),
        "media_attachments": [],
        "replies_count": 0,
        "reblogs_count": 0,
        "favourites_count": 0,
    }
