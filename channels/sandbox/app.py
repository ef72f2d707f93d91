"""The sandbox as one aiohttp application, and the background work that goes with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from channels.sandbox import accounts, callbacks, events, mastodon, pages, sendgrid, twilio
from channels.sandbox.world import SANDBOX, SESSION, Sandbox

LARGEST_REQUEST = 31 * 1024 * 1024
COMMIT_EVERY = 0.2
ANSWER_WITHIN = 30


def create_app(sandbox: Sandbox) -> web.Application:
    """The application of one sandbox; its background work runs for as long as the application does."""
    app = web.Application(client_max_size=LARGEST_REQUEST)
    app[SANDBOX] = sandbox
    for part in (twilio, sendgrid, accounts):
        app.add_routes(part.routes())
    mastodon.add_to(app)
    pages.add_to(app)
    app.cleanup_ctx.append(_background)
    return app


async def _background(app: web.Application) -> AsyncIterator[None]:
    sandbox = app[SANDBOX]
    connector = TCPConnector(limit=sandbox.options.concurrency + 4, keepalive_timeout=60)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=ANSWER_WITHIN)) as session:
        app[SESSION] = session
        work = [
            asyncio.create_task(_keep(sandbox)),
            asyncio.create_task(callbacks.keep_telling(sandbox, session)),
            asyncio.create_task(events.keep_telling(sandbox, session)),
        ]
        for task in work:
            task.add_done_callback(lambda ended: _noted(sandbox, ended))
        yield
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    sandbox.store.close()


async def _keep(sandbox: Sandbox) -> None:
    while True:
        await asyncio.sleep(COMMIT_EVERY)
        sandbox.store.commit()


def _noted(sandbox: Sandbox, ended: asyncio.Task[None]) -> None:
    """Background work never ends by itself: where it fails, the sandbox must not go on as if nothing had happened."""
    if not ended.cancelled() and (failure := ended.exception()) is not None:
        sandbox.failure = failure
        sandbox.stopped.set()
