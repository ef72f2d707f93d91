"""The sandbox's own interface under /sandbox/api: what was accepted, faults, fates, and forgetting everything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

import orjson
from aiohttp import web

from channels.sandbox.faults import BadFaults
from channels.sandbox.keys import shown
from channels.sandbox.people import Fate
from channels.sandbox.reading import Reading
from channels.sandbox.store import CHANNELS
from channels.sandbox.world import SANDBOX, Sandbox, now

PER_PAGE = 50

Handler = Callable[[web.Request, Sandbox], Awaitable[web.Response]]


class BadRequest(ValueError):
    """What is wrong with a request to the sandbox itself."""


def routes() -> list[web.RouteDef]:
    """Everything under /sandbox/api."""
    return [
        web.get("/sandbox/api/summary", _resource(summary)),
        web.get("/sandbox/api/webhooks", _resource(webhooks)),
        web.get("/sandbox/api/messages", _resource(messages)),
        web.get("/sandbox/api/public-key", _resource(public_key)),
        web.get("/sandbox/api/faults", _resource(faults)),
        web.post("/sandbox/api/faults", _resource(set_faults)),
        web.post("/sandbox/api/fates", _resource(set_fates)),
        web.post("/sandbox/api/reset", _resource(reset)),
    ]


def _resource(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    @wraps(handler)
    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request, request.app[SANDBOX])
        except (BadFaults, BadRequest) as problem:
            return _json({"error": str(problem)}, status=400)

    return handle


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(body, option=orjson.OPT_INDENT_2), status=status, content_type="application/json"
    )


async def summary(_request: web.Request, sandbox: Sandbox) -> web.Response:
    """Per channel: how many messages were accepted, for how many people, and how many of them twice."""
    return _json({channel: asdict(counts) for channel, counts in sandbox.store.counts.items()})


async def webhooks(_request: web.Request, sandbox: Sandbox) -> web.Response:
    """Per provider: how the hub answered what it was told, and how many events it has not taken yet."""
    waiting = {provider: sandbox.store.outbox.untold(provider) for provider in sandbox.told}
    return _json({name: {**asdict(told), "waiting": waiting[name]} for name, told in sandbox.told.items()})


async def messages(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Accepted messages, newest first: ``?channel=&address=&page=``."""
    channel = request.query.get("channel", "")
    if channel and channel not in CHANNELS:
        raise BadRequest(f"channel must be one of {', '.join(CHANNELS)}.")
    page = request.query.get("page", "1")
    if not page.isdecimal() or not 1 <= int(page) <= 1_000_000:
        raise BadRequest("page must be a number from 1.")
    reading = Reading(sandbox)
    found = reading.newest(channel, request.query.get("address", ""), page=int(page), per_page=PER_PAGE)
    return _json({"page": int(page), "per_page": PER_PAGE, "messages": [asdict(message) for message in found]})


async def public_key(_request: web.Request, sandbox: Sandbox) -> web.Response:
    """The verification key of the Event Webhook, for SENDGRID_WEBHOOK_PUBLIC_KEY."""
    return _json({"public_key": shown(sandbox.key)})


async def faults(_request: web.Request, sandbox: Sandbox) -> web.Response:
    """The faults that are switched on."""
    return _json(sandbox.faults.described())


async def set_faults(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Switch on exactly these faults; ``{}`` switches all of them off. See :class:`channels.sandbox.faults.Faults`."""
    sandbox.faults.replace(await _body(request))
    return _json(sandbox.faults.described())


async def set_fates(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Decide what becomes of messages to some addresses: ``{"text": {"+447700900123": "out_of_reach"}, …}``."""
    decided = []
    for channel, fates in (await _body(request)).items():
        if channel not in {"text", "email"} or not isinstance(fates, dict):
            raise BadRequest("Send an object of text or email, each with addresses and their fates.")
        for address, fate in fates.items():
            if fate not in set(Fate):
                raise BadRequest(f"{fate!r} is not a fate. There are {', '.join(Fate)}.")
            decided.append((channel, address.lower(), Fate(fate)))
    for channel, address, fate in decided:
        sandbox.decide(channel, address, fate)
    return _json({"decided": len(decided)})


async def reset(_request: web.Request, sandbox: Sandbox) -> web.Response:
    """Forget every message, person and event. Faults stay."""
    at = now()
    sandbox.reset()
    return _json({"reset": at})


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        raise BadRequest("The body must be JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return body
