"""The sandbox's web pages: what people see, and answering as them."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from channels.sandbox import answering, browsing, mail_client
from channels.sandbox.browsing import Box
from channels.sandbox.people import IN_WORDS, Fate
from channels.sandbox.reading import Reading, Seen
from channels.sandbox.twilio import STOPPED
from channels.sandbox.twilio_rules import E164, LONGEST_BODY
from channels.sandbox.world import SANDBOX, SESSION, Sandbox, now

HERE = Path(__file__).parent
MOST_NOTICES = 200
LONGEST_REPLY = 20_000
TYPED = {"text": "phone", "email": "mailbox"}
STATES = {
    "accepted": "On its way",
    "queued": "On its way",
    "scheduled": "Waiting for its time",
    "sent": "On its way",
    "delivered": "Arrived",
    "undelivered": "Did not arrive",
    "canceled": "Cancelled",
    "received": "Sent",
    "processed": "On its way",
    "bounce": "Bounced",
    "dropped": "Dropped by SendGrid",
    "posted": "Posted",
}
"""What a provider says of a message, in plain words."""
FATES = {
    "text": (Fate.FINE, Fate.OUT_OF_REACH, Fate.DEAD_NUMBER, Fate.OPTED_OUT),
    "email": (Fate.FINE, Fate.NO_MAILBOX, Fate.MAILBOX_FULL, Fate.REPORTS_SPAM),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without any, browsers send our own forms with the origin "null"
    "Cache-Control": "no-store",
}
MAIL_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

Handler = Callable[[web.Request, Sandbox], Awaitable[web.Response]]


def add_to(app: web.Application) -> None:
    """Add the pages."""
    app.add_routes(
        [
            web.get("/", _page(everyone)),
            web.get("/phones/{id:\\d{1,15}}", _page(phone)),
            web.post("/phones", _page(open_phone)),
            web.post("/phones/{id:\\d{1,15}}/answer", _page(answer)),
            web.post("/phones/{id:\\d{1,15}}/fate", _page(set_fate)),
            web.get("/mailboxes/{id:\\d{1,15}}", _page(mailbox)),
            web.get("/mailboxes/{id:\\d{1,15}}/{mail:\\d{1,15}}/html", _page(mail_html)),
            web.post("/mailboxes/{id:\\d{1,15}}/fate", _page(set_fate)),
            web.post("/mailboxes/{id:\\d{1,15}}/{mail:\\d{1,15}}/unsubscribe", _page(unsubscribe)),
            web.post("/mailboxes/{id:\\d{1,15}}/{mail:\\d{1,15}}/spam", _page(report_spam)),
            web.post("/mailboxes/{id:\\d{1,15}}/{mail:\\d{1,15}}/reply", _page(reply)),
            web.get("/timeline", _page(timeline)),
            web.static("/static", HERE / "static"),
        ]
    )


def _page(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Refuse forms that another website sends, and say plainly what is not there."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.Response:
        origin = request.headers.get("Origin")
        if request.method == "POST" and origin is not None and urlsplit(origin).netloc != request.host:
            return web.Response(status=403, text="This form was sent by another website.")
        try:
            return await handler(request, request.app[SANDBOX])
        except web.HTTPNotFound:
            return _render(request, "missing.html", status=404)

    return handle


def _moment(at: float) -> str:
    when = datetime.fromtimestamp(at).astimezone()
    return f"{when:%H:%M:%S}" if when.date() == datetime.now().astimezone().date() else f"{when:%-d %b %H:%M}"


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals["states"] = STATES
_ENVIRONMENT.filters["moment"] = _moment
_ENVIRONMENT.filters["machine_time"] = lambda at: datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")


def _render(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
    notice = request.app[SANDBOX].notices.get(request.query.get("notice", ""), "")
    text = _ENVIRONMENT.get_template(template).render(path=request.path, notice=notice, typed=TYPED, **values)
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)


def _back(sandbox: Sandbox, path: str, notice: str, **query: str) -> web.Response:
    """Show ``path`` with a notice."""
    token = secrets.token_urlsafe(8)
    sandbox.notices[token] = notice
    while len(sandbox.notices) > MOST_NOTICES:
        del sandbox.notices[next(iter(sandbox.notices))]
    return web.Response(status=303, headers={"Location": f"{path}?{urlencode(query | {'notice': token})}#notice"})


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() and 0 < len(text) < 16 else 0


def _box(request: web.Request, sandbox: Sandbox, channel: str) -> Box:
    found = browsing.box(sandbox.store, int(request.match_info["id"]), channel)
    if found is None:
        raise web.HTTPNotFound
    return found


async def everyone(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Every person's phone and mailbox."""
    channel, search = request.query.get("channel", ""), request.query.get("search", "")[:100]
    channel = channel if channel in TYPED else ""
    unlucky = request.query.get("unlucky") == "1"
    number = max(_number(request, "page"), 1)
    found = browsing.boxes(sandbox.store, channel=channel, search=search, unlucky=unlucky, page=number)
    kept = {"channel": channel, "search": search, "unlucky": "1" if unlucky else ""}
    return _render(
        request,
        "everyone.html",
        boxes=found,
        channel=channel,
        search=search,
        unlucky=unlucky,
        counts=sandbox.store.counts,
        told=sandbox.told,
        waiting={provider: sandbox.store.outbox.untold(provider) for provider in sandbox.told},
        hub_url=sandbox.options.hub_url,
        query=urlencode({name: value for name, value in kept.items() if value}),
    )


async def open_phone(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Pick up a phone that nothing was sent to yet."""
    typed = str((await request.post()).get("number", ""))
    digits = "".join(character for character in typed if character.isdigit() or character == "+")
    if digits.startswith("0"):
        digits = "+44" + digits[1:]
    if not E164.fullmatch(digits):
        return _back(sandbox, "/", "That is not a phone number. Type it like 07700 900123 or +44 7700 900123.")
    box_id = sandbox.store.open_box("text", digits, sandbox.fate("text", digits), now())
    return web.Response(status=303, headers={"Location": f"/phones/{box_id}"})


async def phone(request: web.Request, sandbox: Sandbox) -> web.Response:
    """A phone: its texts, and a box to answer."""
    box = _box(request, sandbox, "text")
    texts, more = browsing.thread(Reading(sandbox), box.id, before=_number(request, "before") or None)
    stopped = STOPPED in sandbox.store.refusals.suppressed(box.address)
    fates = [(fate, IN_WORDS[fate]) for fate in FATES["text"]]
    return _render(
        request, "phone.html", box=box, texts=texts, more=more, stopped=stopped, fates=fates, longest=LONGEST_BODY
    )


async def answer(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Text back."""
    box = _box(request, sandbox, "text")
    words = str((await request.post()).get("words", "")).replace("\r\n", "\n").replace("\0", "")
    if not words.strip():
        return _back(sandbox, box.path, "Write something first.")
    if len(words) > LONGEST_BODY:
        return _back(sandbox, box.path, f"That is too long for a text: {LONGEST_BODY} characters at most.")
    return _back(sandbox, box.path, await answering.answer(sandbox, request.app[SESSION], box, words))


async def set_fate(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Decide what this phone or mailbox does with what is sent to it."""
    box = _box(request, sandbox, "text" if request.path.startswith("/phones/") else "email")
    chosen = (await request.post()).get("fate", "")
    if chosen not in FATES[box.channel]:
        return _back(sandbox, box.path, "Choose one of the list.")
    fate = Fate(str(chosen))
    sandbox.decide(box.channel, box.address, fate)
    return _back(sandbox, box.path, f"From the next message on: {IN_WORDS[fate]}")


async def mailbox(request: web.Request, sandbox: Sandbox) -> web.Response:
    """A mailbox, with one mail open."""
    box = _box(request, sandbox, "email")
    reading = Reading(sandbox)
    found = browsing.mails(reading, box.id, max(_number(request, "page"), 1))
    wanted = _number(request, "mail") or (found.rows[0][0] if found.rows else 0)
    message = browsing.mail(reading, box.id, wanted) if wanted else None
    mail = None if message is None else reading.seen(message)
    return _render(
        request,
        "mailbox.html",
        box=box,
        mails=found,
        mail=mail,
        mail_id=wanted,
        one_click=mail_client.one_click_url(mail.headers) if mail else "",
        fates=[(fate, IN_WORDS[fate]) for fate in FATES["email"]],
        longest=LONGEST_REPLY,
    )


def _open_mail(request: web.Request, sandbox: Sandbox, box: Box) -> Seen:
    reading = Reading(sandbox)
    message = browsing.mail(reading, box.id, int(request.match_info["mail"]))
    if message is None:
        raise web.HTTPNotFound
    return reading.seen(message)


async def mail_html(request: web.Request, sandbox: Sandbox) -> web.Response:
    """The HTML of a mail, for its frame: no scripts, nothing fetched, links in a new window."""
    mail = _open_mail(request, sandbox, _box(request, sandbox, "email"))
    text = f'<!doctype html><base target="_blank">{mail.html}'
    return web.Response(text=text, content_type="text/html", headers=MAIL_HEADERS)


async def unsubscribe(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Press the mail client's unsubscribe button."""
    box = _box(request, sandbox, "email")
    url = mail_client.one_click_url(_open_mail(request, sandbox, box).headers)
    notice = "This mail cannot be unsubscribed from with one click."
    if url:
        notice = await mail_client.unsubscribe(request.app[SESSION], url)
    return _back(sandbox, box.path, notice, mail=request.match_info["mail"])


async def report_spam(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Report a mail as spam."""
    box = _box(request, sandbox, "email")
    message = browsing.mail(Reading(sandbox), box.id, int(request.match_info["mail"]))
    if message is None or message.content_id is None:
        raise web.HTTPNotFound
    return _back(sandbox, box.path, mail_client.report_spam(sandbox, box, message), mail=str(message.id))


async def reply(request: web.Request, sandbox: Sandbox) -> web.Response:
    """Answer a mail."""
    box = _box(request, sandbox, "email")
    mail = _open_mail(request, sandbox, box)
    words = str((await request.post()).get("words", "")).replace("\r\n", "\n")[:LONGEST_REPLY]
    notice = "Write something first."
    if words.strip():
        notice = await mail_client.reply(sandbox, request.app[SESSION], box, mail, words)
    return _back(sandbox, box.path, notice, mail=request.match_info["mail"])


async def timeline(request: web.Request, sandbox: Sandbox) -> web.Response:
    """The public timeline."""
    found = browsing.posts(Reading(sandbox), max(_number(request, "page"), 1))
    return _render(request, "timeline.html", posts=found)
