"""What a person does with a mail: one-click unsubscribe (RFC 8058), report it as spam, reply through Inbound Parse."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr

import orjson
from aiohttp import ClientError, ClientSession, FormData

from channels.sandbox.browsing import Box
from channels.sandbox.messages import Arrival, Direction, Message
from channels.sandbox.reading import Seen
from channels.sandbox.world import Sandbox, now

INBOUND = "/webhooks/sendgrid/inbound/"
ONE_CLICK = "List-Unsubscribe=One-Click"


def one_click_url(headers: Mapping[str, str]) -> str:
    """Where a mail client unsubscribes with one click; empty where the mail does not offer that."""
    given = {name.lower(): value for name, value in headers.items()}
    if given.get("list-unsubscribe-post", "").replace(" ", "").lower() != ONE_CLICK.lower():
        return ""
    found = re.search(r"<\s*(https?://[^>\s]+)\s*>", given.get("list-unsubscribe", ""))
    return found[1] if found else ""


async def unsubscribe(session: ClientSession, url: str) -> str:
    """Press the mail client's button; gives what came of it, in plain words."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Sandbox mail client"}
    try:
        async with session.post(url, data=ONE_CLICK, headers=headers, allow_redirects=False) as answer:
            await answer.read()
            status = answer.status
    except (ClientError, TimeoutError, OSError, ValueError):
        return "The one-click unsubscribe was sent, and nothing answered: is the hub running?"
    if 300 <= status < 400:
        return f"The hub answered with a redirect ({status}). A mail program does not follow it: nothing happens."
    if status >= 400:
        return f"The hub answered {status}, so it did not take the one-click unsubscribe."
    return f"The one-click unsubscribe was sent, and the hub took it ({status})."


def report_spam(sandbox: Sandbox, mailbox: Box, message: Message) -> str:
    """Report a mail as spam: SendGrid tells the hub, and drops what is sent to this mailbox from now on."""
    at = now()
    sandbox.store.refusals.suppress("spam_reports", mailbox.address, at, "")
    sandbox.plan("sendgrid", [(at, message.id, "spamreport", at)])
    return "The mail was reported as spam. SendGrid tells the hub, and drops later mail to this mailbox."


async def reply(sandbox: Sandbox, session: ClientSession, mailbox: Box, mail: Seen, words: str) -> str:
    """Answer a mail; gives what came of it, in plain words."""
    subject = mail.subject if mail.subject.lower().startswith("re:") else f"Re: {mail.subject}"
    message_id = _remember(sandbox, mailbox, subject, words)
    form = parsed_form(mailbox, mail, subject, words, f"<{sandbox.store.series}.{message_id}@sandbox.example>")
    data = FormData(default_to_multipart=True)
    for name, value in form.items():
        data.add_field(name, value)
    url = f"{sandbox.options.hub_url}{INBOUND}{sandbox.options.credentials.inbound_token}"
    try:
        async with session.post(url, data=data, allow_redirects=False) as answer:
            await answer.read()
            status = answer.status
    except (ClientError, TimeoutError, OSError):
        return f"Your reply was sent. The hub at {sandbox.options.hub_url} did not answer: is it running?"
    took = "took it" if status < 300 else "did not take it"
    return f"Your reply was sent. The hub {took} ({status})."


def parsed_form(mailbox: Box, mail: Seen, subject: str, words: str, message_id: str) -> dict[str, str]:
    """The fields of https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook."""
    to = mail.headers.get("Reply-To") or mail.sender
    headers = {
        "Date": format_datetime(datetime.fromtimestamp(now(), UTC)),
        "From": mailbox.address,
        "To": to,
        "Subject": subject,
        "Message-ID": message_id,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
    }
    if answered := mail.headers.get("Message-ID"):
        headers |= {"In-Reply-To": answered, "References": answered}
    quoted = "\n".join(f"> {line}" for line in (mail.text or mail.subject).splitlines())
    envelope = {"to": [parseaddr(to)[1]], "from": mailbox.address}
    return {
        "headers": "".join(f"{name}: {value}\n" for name, value in headers.items()),
        "dkim": "{@" + mailbox.address.rpartition("@")[2] + " : pass}",
        "to": to,
        "from": mailbox.address,
        "subject": subject,
        "text": f"{words}\n\nOn {headers['Date']}, {mail.sender} wrote:\n{quoted}\n",
        "sender_ip": "192.0.2.25",
        "envelope": json.dumps(envelope),
        "attachments": "0",
        "charsets": json.dumps(dict.fromkeys(("to", "from", "subject", "text"), "UTF-8")),
        "SPF": "pass",
        "spam_score": "0.1",
    }


def _remember(sandbox: Sandbox, mailbox: Box, subject: str, words: str) -> int:
    at = now()
    return sandbox.store.add(
        Arrival(
            channel="email",
            address=mailbox.address,
            fate=sandbox.fate("email", mailbox.address),
            at=at,
            settles_at=at,
            outcome="sent",
            body=words,
            preview=subject,
            details=orjson.dumps({"subject": subject}).decode(),
            direction=Direction.IN,
        )
    )
